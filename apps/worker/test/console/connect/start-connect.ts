import { browseAs, startAuthorizationServer, type Quirks } from '@connectors/dev-servers';
import { vi } from 'vitest';
import { adminToken, startInProcess, startWorld } from '../../start-world.ts';

/** Where users find the console. The browser below takes each of its addresses to the worker that it is told. */
export const consoleUrl = 'http://127.0.0.1:8090';

export const redirectUriOf = (integration: string) => `${consoleUrl}/connect/callback/${integration}`;

const scopes = ['openid', 'offline_access', 'api:read'];

/** A provider of its own for an integration, and what the integration says of it. */
export interface OtherProvider {
  quirks?: Quirks;
  entry?: (url: string) => object;
}

/** A world with a worker, whose users connect on the consent screens of real authorization servers. */
export async function startConnect(
  others: Record<string, OtherProvider> = {},
  env: Record<string, string> = {},
) {
  const started = await Promise.all(
    Object.entries(others).map(async ([id, { quirks, entry }]) => {
      const secret = `the-client-secret-of-${id}`;
      const client = { clientId: id, clientSecret: secret, redirectUris: [redirectUriOf(id)] };
      const server = await startAuthorizationServer({
        accessTokenTtl: 3_600,
        clients: [client],
        ...(quirks === undefined ? {} : { quirks }),
      });
      const common = { clientId: id, scopes, upstream: { rest: 'http://127.0.0.1:9' } };
      const endpoints = { authorizeUrl: server.authorizationEndpoint, tokenUrl: server.tokenEndpoint };
      const discovered = { provider: 'oidc', issuer: server.issuer };
      return {
        id,
        server,
        secret,
        entry: { ...common, ...(entry === undefined ? discovered : { ...endpoints, ...entry(server.url) }) },
      };
    }),
  );
  const world = await startWorld({
    redirectUris: [redirectUriOf('demo')],
    demo: { scopes },
    more: Object.fromEntries(started.map(({ id, entry }) => [id, entry])),
  });
  const secrets = started.map(({ id, secret }) => [
    `${id.toUpperCase().replaceAll('-', '_')}_CLIENT_SECRET`,
    secret,
  ]);
  const settings = { ...world.env, CONSOLE_URL: consoleUrl, ...Object.fromEntries(secrets), ...env };
  const worker = await startInProcess(settings);
  await vi.waitUntil(async () => (await fetch(`${worker.url}/readyz`)).ok, 10_000);
  return {
    ...worker,
    world,
    settings: settings as Record<string, string>,
    servers: Object.fromEntries(started.map(({ id, server }) => [id, server])),
    browser: (url = worker.url) => new Browser(url),
    /** A link as an operator's backend gets one. */
    link: (tenantId: string, body: object = {}) => linkFrom(worker.url, tenantId, body),
    /** A user who has consented, and stands before the callback. */
    async atCallback(tenantId: string, integration: string) {
      const browser = new Browser(worker.url);
      const link = await linkFrom(worker.url, tenantId, { integration });
      return { browser, back: await consent(await browser.depart(link), tenantId) };
    },
    async close() {
      await worker.close();
      await Promise.all(started.map(({ server }) => server.close()));
      await world.close();
    },
  };
}

export type Connect = Awaited<ReturnType<typeof startConnect>>;

async function linkFrom(workerUrl: string, tenantId: string, body: object): Promise<string> {
  const answer = await fetch(`${workerUrl}/admin/tenants/${tenantId}/connect-sessions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const { url, detail } = (await answer.json()) as { url?: string; detail?: string };
  if (url === undefined) throw new Error(`No link: ${answer.status} ${detail}`);
  return url;
}

interface Page {
  status: number;
  url: string;
  headers: Headers;
  text: string;
  location: string | undefined;
}

/** A browser at the console, which keeps cookies and follows nothing by itself. */
export class Browser {
  readonly cookies = new Map<string, string>();
  worker: string;

  constructor(worker: string) {
    this.worker = worker;
  }

  async open(address: string, init: RequestInit = {}): Promise<Page> {
    const url = new URL(address, consoleUrl);
    if (url.origin !== consoleUrl) throw new Error(`${url.origin} is not the console`);
    const answer = await fetch(`${this.worker}${url.pathname}${url.search}`, {
      redirect: 'manual',
      ...init,
      headers: {
        cookie: [...this.cookies].map((pair) => pair.join('=')).join('; '),
        ...(init.headers as Record<string, string> | undefined),
      },
    });
    for (const cookie of answer.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
      this.cookies.set(name, value);
    }
    const location = answer.headers.get('location') ?? undefined;
    return {
      status: answer.status,
      url: url.href,
      headers: answer.headers,
      text: await answer.text(),
      location,
    };
  }

  /** Sends the form of a page, as its button does. */
  async submit(page: Page, fields: Record<string, string> = {}): Promise<Page> {
    const action = /<form[^>]* action="([^"]*)"/.exec(page.text)?.[1] ?? '';
    const hidden = [...page.text.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)"/g)];
    const known = Object.fromEntries(hidden.map(([, name = '', value = '']) => [name, value]));
    return this.open(action, {
      method: 'POST',
      headers: { origin: consoleUrl },
      body: new URLSearchParams({ ...known, ...fields }),
    });
  }

  /** Opens a link, and goes on to the page that asks. */
  async enter(link: string): Promise<Page> {
    const entered = await this.submit(await this.open(link));
    return this.open(entered.location ?? '');
  }

  /** Opens a link and goes to the provider. */
  async depart(link: string, fields: Record<string, string> = {}): Promise<URL> {
    const sent = await this.submit(await this.enter(link), fields);
    if (sent.location === undefined) throw new Error(`Not sent on: ${sent.status} ${sent.text}`);
    return new URL(sent.location);
  }

  /** The whole way: link, consent at the provider, callback; and on to the page that says how it went. */
  async connect(link: string, login: string, fields: Record<string, string> = {}): Promise<Page> {
    const back = await consent(await this.depart(link, fields), login);
    return this.land(back);
  }

  /** Opens the callback, and the page that it leads to if that is one of the console. */
  async land(callback: URL): Promise<Page> {
    const landed = await this.open(callback.href);
    return landed.location?.startsWith('/') === true ? this.open(landed.location) : landed;
  }
}

/** Logs in at the provider, says yes or no, and answers where that leads. */
export function consent(start: URL, login: string, denies = false): Promise<URL> {
  return browseAs(start, { login, until: consoleUrl, denies });
}
