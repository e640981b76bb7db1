import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startAuthorizationServer, type RunningAuthorizationServer } from '@connectors/dev-servers';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { integration, startFleet, type Fleet } from '../../fleet/start-fleet.ts';
import { accessibilityProblems, newReader, shoot } from './reader.ts';
import { startChromium } from './start-chromium.ts';

vi.setConfig({ hookTimeout: 300_000, testTimeout: 120_000 });

const started = await startChromium();
const browser = typeof started === 'string' ? undefined : started;
const reason = typeof started === 'string' ? ` (skipped: ${started})` : '';

const dir = mkdtempSync(join(tmpdir(), 'browser-'));
const adminToken = randomBytes(24).toString('base64url');
const readers: Awaited<ReturnType<typeof newReader>>[] = [];
let fleet: Fleet;
let issuer: RunningAuthorizationServer;
let console: string;
let agentKey: string;

beforeAll(async () => {
  if (browser === undefined) return;
  const clientSecret = randomBytes(24).toString('base64url');
  const client = { clientId: 'console', clientSecret, redirectUris: ['http://127.0.0.1/sign-in/callback'] };
  issuer = await startAuthorizationServer({ clients: [client] });
  fleet = await startFleet(dir, {
    workers: 1,
    proxies: 1,
    workerEnv: {
      CONSOLE: 'on',
      ADMIN_TOKEN: adminToken,
      ADMIN_OIDC_ISSUER: issuer.issuer,
      ADMIN_OIDC_CLIENT_ID: client.clientId,
      ADMIN_OIDC_CLIENT_SECRET: clientSecret,
      ADMIN_OIDC_SCOPES: 'openid',
      ADMIN_OIDC_ALLOW: 'sub=olga',
      REFRESH_COOLDOWN_SECONDS: '0',
    },
  });
  console = fleet.workers[0]?.url ?? '';
  agentKey = await fleet.createAgent({
    name: 'a bot',
    grants: [{ tenants: ['acme', 'umbrella', 'initech'] }],
  });
});

afterEach(async () => {
  const complaints = readers.flatMap((reader) => reader.complaints);
  for (const reader of readers.splice(0)) await reader.close();
  // No error in a console, no violation of a policy, no request to another host.
  if (complaints.length > 0) throw new Error(complaints.join('\n'));
});

afterAll(async () => {
  if (browser === undefined) return;
  await browser.close();
  await fleet.close();
  await issuer.close();
  rmSync(dir, { recursive: true });
});

async function open(options = {}): Promise<Page> {
  const reader = await newReader(browser as Browser, console, options);
  readers.push(reader);
  return reader.page;
}

/** A link that the operator's backend asks for. */
async function linkFor(tenantId: string, session: object): Promise<string> {
  const answer = await fetch(`${console}/admin/tenants/${tenantId}/connect-sessions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json' },
    body: JSON.stringify(session),
  });
  return ((await answer.json()) as { url: string }).url;
}

/** Follows such a link to the tenant's page. */
async function openAsUser(tenantId: string, options = {}): Promise<Page> {
  const page = await open(options);
  await page.goto(await linkFor(tenantId, { user: 'ada' }));
  await shoot(page, 'link');
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.waitForURL(`${console}/tenants/${tenantId}`);
  return page;
}

/** Says yes on the pages of the authorization server. */
async function consent(page: Page, login = 'ada'): Promise<void> {
  const name = page.getByLabel('Name');
  const allow = page.getByRole('button', { name: 'Allow' });
  await name.or(allow).waitFor();
  if (await name.isVisible()) {
    await name.fill(login);
    await page.getByRole('button', { name: 'Log in' }).click();
  }
  await allow.click();
}

/** Connects from the tenant's page on. */
async function connectInBrowser(page: Page, tenantId: string): Promise<void> {
  await page.getByRole('link', { name: 'Connect OpenID Connect' }).click();
  await shoot(page, 'connect');
  await page.getByRole('button', { name: 'Continue to' }).click();
  await consent(page);
  await page.waitForURL(new RegExp(`/connect/${tenantId}/demo/result`));
}

async function signIn(page: Page): Promise<void> {
  await page.goto(`${console}/sign-in`);
  await page.getByLabel('Admin token').fill(adminToken);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.waitForURL(`${console}/`);
}

/** What an agent gets from the real proxy. */
async function callAsAgent(tenantId: string) {
  const headers = { authorization: `Bearer ${agentKey}`, 'x-tenant-id': tenantId };
  const answer = await fetch(`${fleet.proxies[0]?.url}/proxy/${integration}/whoami`, { headers });
  return { status: answer.status, body: (await answer.json()) as { account?: string; code?: string } };
}

const badge = (page: Page) => page.locator('.credential .badge');

describe.skipIf(browser === undefined)(`in a browser${reason}`, () => {
  it('a user connects, agents can call, the user reconnects and disconnects, and agents cannot call any more', async () => {
    const page = await openAsUser('acme');
    expect((await callAsAgent('acme')).body.code).toBe('credential_not_found');
    await shoot(page, 'tenant-empty');

    await connectInBrowser(page, 'acme');
    await shoot(page, 'connected');
    await page.goto(`${console}/tenants/acme`);
    await badge(page).waitFor();
    expect(await badge(page).textContent()).toBe('Active');
    await shoot(page, 'tenant-connected');
    expect(await callAsAgent('acme')).toMatchObject({ status: 200, body: { account: 'ada' } });
    const first = await fleet.admin.credentials.get({ tenantId: 'acme', integration });

    await page.getByRole('link', { name: 'Reconnect' }).click();
    await page.getByRole('button', { name: 'Continue to' }).click();
    const done = page.waitForURL(/\/result/);
    await Promise.race([done, consent(page).catch(() => undefined)]);
    await done;
    const second = await fleet.admin.credentials.get({ tenantId: 'acme', integration });
    expect(second.credential.metadata.revision).not.toBe(first.credential.metadata.revision);
    expect((await callAsAgent('acme')).status).toBe(200);

    await page.goto(`${console}/tenants/acme`);
    await page.getByRole('link', { name: 'Disconnect' }).click();
    const question = page.getByRole('dialog');
    await question.waitFor();
    await shoot(page, 'tenant-question');
    await question.getByRole('button', { name: 'Disconnect' }).click();
    await page.getByText('was disconnected').first().waitFor();
    await shoot(page, 'tenant-disconnected');
    expect(await badge(page).count()).toBe(0);
    await expect.poll(async () => (await callAsAgent('acme')).body.code).toBe('credential_not_found');
  });

  it('a user who says no to the provider is told so, and may start again', async () => {
    const page = await openAsUser('initech');
    await page.getByRole('link', { name: 'Connect OpenID Connect' }).click();
    await page.getByRole('button', { name: 'Continue to' }).click();
    await page.getByLabel('Name').fill('ada');
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByRole('button', { name: 'Deny' }).click();
    await page.getByText('consent_denied').waitFor();
    await shoot(page, 'denied');
    expect(await page.getByRole('link', { name: 'Start again' }).isVisible()).toBe(true);
  });

  it('a page shows what happens elsewhere, without a reload', async () => {
    const page = await openAsUser('umbrella');
    await page.evaluate('window.isTheSamePage = true');
    await connectInBrowser(await openAsUser('umbrella'), 'umbrella');
    await badge(page).getByText('Active').waitFor();
    await page.getByText('was connected').first().waitFor();
    expect(await page.evaluate('window.isTheSamePage')).toBe(true);
    await fleet.authorizationServer.revokeGrant(
      (await fleet.admin.getCredentials('umbrella', integration)).accessToken,
    );
    await page.getByRole('button', { name: 'Refresh now' }).click();
    await badge(page).getByText('Needs reconnect').waitFor();
    await shoot(page, 'tenant-needs-reconnect');
  });

  it('a page says that it is out of date while the console does not answer, and no more once it does', async () => {
    const page = await openAsUser('umbrella');
    const stale = page.getByText('This page is no longer up to date');
    await page.context().setOffline(true);
    await stale.waitFor({ timeout: 30_000 });
    await shoot(page, 'tenant-stale');
    await page.context().setOffline(false);
    await expect.poll(() => stale.count(), { timeout: 30_000 }).toBe(0);
    // That the console could not be reached is told in the browser's own console as well.
    readers.at(-1)?.complaints.splice(0);
  });

  it('what a page says of what was just done is not said again when it is reloaded', async () => {
    await fleet.connect('umbrella');
    const page = await openAsUser('umbrella');
    await page.getByRole('button', { name: 'Refresh now' }).click();
    await page.getByText('was refreshed: agents have a new token').waitFor();
    await page.reload();
    await badge(page).waitFor();
    expect(await page.getByText('was refreshed: agents have a new token').count()).toBe(0);
  });

  it('a user refreshes, and sees that it is under way', async () => {
    await fleet.connect('umbrella');
    const page = await openAsUser('umbrella');
    // While the page waits for its successor, Playwright waits as well: what it showed is looked up afterwards.
    await page.evaluate(`new MutationObserver(([{ target }]) => { sessionStorage.busy = target.textContent })
      .observe(document, { subtree: true, attributeFilter: ['aria-busy'] })`);
    await page.getByRole('button', { name: 'Refresh now' }).click();
    await page.getByText('was refreshed: agents have a new token').waitFor();
    expect(await page.evaluate('sessionStorage.busy')).toBe('Refreshing …');
    await shoot(page, 'tenant-refreshed');
  });

  it('everything works without a script', async () => {
    await fleet.connect('umbrella');
    const page = await openAsUser('umbrella', { javaScriptEnabled: false });
    await page.getByRole('button', { name: 'Refresh now' }).click();
    await page.getByText('was refreshed: agents have a new token').waitFor();
    await page.getByRole('link', { name: 'Disconnect' }).click();
    await page.waitForURL(/\/disconnect$/);
    await shoot(page, 'disconnect');
    await page.getByRole('button', { name: 'Disconnect' }).click();
    await page.getByText('was disconnected').first().waitFor();
    expect(await badge(page).count()).toBe(0);
  });

  it('everything works with the keys alone', async () => {
    await fleet.connect('umbrella');
    const page = await openAsUser('umbrella');
    const focused = () => page.evaluate<string>('document.activeElement.textContent.trim()');
    const tabTo = async (name: string): Promise<void> => {
      for (let step = 0; (await focused()) !== name; step += 1) {
        if (step > 30) throw new Error(`The tab key does not lead to ${name}`);
        await page.keyboard.press('Tab');
      }
    };
    await page.keyboard.press('Tab');
    expect(await focused()).toBe('Skip to the content');
    await page.keyboard.press('Enter');
    await tabTo('Disconnect');
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
    expect(await focused()).toBe('Disconnect');
    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    await tabTo('Disconnect');
    await page.keyboard.press('Enter');
    await page.getByText('was disconnected').first().waitFor();
  });

  it('the operator signs in with the admin token, looks around, and signs out', async () => {
    const page = await open();
    await page.goto(console);
    await shoot(page, 'sign-in');
    await signIn(page);
    await shoot(page, 'overview');
    await page.getByRole('link', { name: 'Board' }).click();
    await page.getByText('refresh-demo').first().waitFor();
    await page.goto(console);
    await page.getByRole('link', { name: 'Sign out' }).click();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.waitForURL(/\/sign-in$/);
    await page.goto(console);
    expect(page.url()).toBe(`${console}/sign-in`);
  });

  it('the operator finds a tenant, and makes a link with which its user gets in', async () => {
    await fleet.connect('umbrella');
    const page = await open();
    await signIn(page);
    await page.getByLabel('Id, or its beginning').fill('umb');
    await page.getByRole('button', { name: 'Find' }).click();
    await shoot(page, 'tenants');
    await page.getByRole('link', { name: 'umbrella' }).click();
    await shoot(page, 'tenant-as-operator');
    await page.getByLabel('Who it is for').fill('grace');
    await page.getByRole('button', { name: 'Make a link' }).click();
    await shoot(page, 'link-made');
    const link = await page.getByLabel('Link').inputValue();
    await page.goto(`${console}/agents`);
    await shoot(page, 'agents');
    const user = await open();
    await user.goto(link);
    await user.getByRole('button', { name: 'Continue' }).click();
    await user.getByText('Signed in as grace').waitFor();
    await user.goto(link);
    expect(await user.getByRole('heading', { level: 1 }).textContent()).toBe('This link no longer works');
    // The answer to a link that is used up is an error, and told as one.
    readers.at(-1)?.complaints.splice(0);
  });

  it('the operator signs in at an issuer, and lands on the overview', async () => {
    const page = await open();
    await page.goto(console);
    await page.getByRole('link', { name: 'Continue with 127.0.0.1' }).click();
    await consent(page, 'olga');
    await page.waitForURL(`${console}/`);
    expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('Overview');
  });

  it('somebody whom no rule lets in stays outside', async () => {
    const page = await open();
    await page.goto(`${console}/sign-in`);
    await page.getByRole('link', { name: 'Continue with 127.0.0.1' }).click();
    await consent(page, 'mallory');
    await page.getByText('This account is not an operator').waitFor();
    await shoot(page, 'not-an-operator');
    readers.at(-1)?.complaints.splice(0);
    await page.goto(console);
    expect(page.url()).toBe(`${console}/sign-in`);
  });

  it('every page can be read by a screen reader, and in both colours', async () => {
    await fleet.connect('umbrella');
    const page = await openAsUser('umbrella');
    const paths = [
      '/tenants/umbrella',
      `/tenants/umbrella/${integration}/disconnect`,
      '/tenants/umbrella/leave',
      `/connect/umbrella/${integration}`,
    ];
    const problems: Record<string, string[]> = {};
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      for (const path of paths) {
        await page.goto(`${console}${path}`);
        problems[`${path} ${colorScheme}`] = await accessibilityProblems(page);
      }
    }
    await signIn(page);
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      for (const path of ['/', '/tenants', '/agents', '/sign-in', '/sign-out', '/tenants/umbrella']) {
        await page.goto(`${console}${path}`);
        problems[`${path} ${colorScheme}`] = await accessibilityProblems(page);
      }
    }
    expect(Object.entries(problems).filter(([, found]) => found.length > 0)).toEqual([]);
  });
});
