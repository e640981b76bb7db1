import { readFile } from 'node:fs/promises';
import { startWebhookReceiver, type WebhookReceiver } from '@connectors/dev-servers';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { Browser, consent, redirectUriOf } from './console/connect/start-connect.ts';
import { newVisitor } from './console/visitor.ts';
import { startProcess } from './start-process.ts';
import { adminToken, startInProcess, startWorld, type World } from './start-world.ts';

vi.setConfig({ hookTimeout: 60_000 });

let world: World;
let worker: Awaited<ReturnType<typeof startInProcess>>;
let secrets: string[];
let receiver: WebhookReceiver;

const words = 'words of the provider';

/** Refreshes that end in every way there is. */
beforeAll(async () => {
  world = await startWorld({
    redirectUris: [redirectUriOf('demo')],
    demo: { scopes: ['openid', 'offline_access', 'api:read'] },
  });
  const [client] = world.provider.clients;
  worker = await startInProcess({
    ...world.env,
    SWEEP_INTERVAL_SECONDS: '1',
    REFRESH_COOLDOWN_SECONDS: '0',
    ADMIN_OIDC_ISSUER: world.provider.issuer,
    ADMIN_OIDC_CLIENT_ID: client?.clientId ?? '',
    ADMIN_OIDC_CLIENT_SECRET: client?.clientSecret ?? '',
    ADMIN_OIDC_ALLOW: 'sub=nobody',
  });
  const secretId = await readFile(world.env['VAULT_SECRET_ID_FILE'] ?? '', 'utf8');
  secrets = [adminToken, client?.clientSecret ?? '', world.vaultServer.rootToken, secretId.trim(), words];
  const ids = ['good', 'refused', 'failing', 'asked', 'broken'].map((tenantId) => ({
    tenantId,
    integration: 'demo',
  }));
  const [good, refused, failing, asked, broken] = ids as [Id, Id, Id, Id, Id];
  receiver = await startWebhookReceiver();
  receiver.respond = (response) => {
    response.writeHead(response.req.url?.includes('answer=500') === true ? 500 : 204).end(words);
  };
  for (const { tenantId } of ids) await addWebhook(tenantId);
  await addAgent();
  await goThroughConnects();
  await addClient();
  await importAndMint();
  const body = { error: 'invalid_grant', error_description: words };
  await world.jobAs('completed', await world.connect(good));
  await world.jobAs('failed', await world.connect(refused, { meets: { kind: 'status', status: 400, body } }));
  await world.jobAs(
    'delayed',
    await world.connect(failing, { meets: { kind: 'status', status: 500, body: words } }),
  );
  const later = await world.connect(asked, { expiresIn: 3_600 });
  await world.queues.request(later);
  await world.jobAs('completed', later);

  const mute = await world.connect(broken, { isScheduled: false });
  await keepTokens(ids);
  world.vaultServer.seal();
  await world.queues.schedule(mute, 0, Date.now());
  await world.jobAs('delayed', mute);
  await vi.waitUntil(() => worker.lines.join('').includes('job failed'), 5_000);
  world.vaultServer.unseal();
  await world.jobAs('completed', mute);
  await keepTokens(ids);
  await vi.waitUntil(() => receiver.received.length > 8, 10_000);
  for (const { headers } of receiver.received) {
    const signatures = String(headers['webhook-signature']).split(' ');
    secrets.push(...signatures.map((signature) => signature.slice('v1,'.length)));
  }
  const signIn = { method: 'POST', headers: { origin: 'http://127.0.0.1:8090' } };
  await fetch(`${worker.url}/sign-in`, { ...signIn, body: new URLSearchParams({ token: adminToken }) });
  await signInAtIssuer();
});

/** As somebody who comes back from the issuer with a code that is good for nothing. */
async function signInAtIssuer(): Promise<void> {
  const begun = await fetch(`${worker.url}/sign-in/oidc`, { redirect: 'manual' });
  const { searchParams } = new URL(begun.headers.get('location') ?? '');
  const cookie = begun.headers.get('set-cookie')?.split(';')[0] ?? '';
  const query = {
    code: 'canary-of-a-code',
    state: searchParams.get('state') ?? '',
    iss: world.provider.issuer,
  };
  secrets.push(query.code, query.state, searchParams.get('nonce') ?? '', cookie.split('=')[1] ?? '');
  await fetch(`${worker.url}/sign-in/callback?${new URLSearchParams(query).toString()}`, {
    headers: { cookie },
  });
}

afterAll(async () => {
  await receiver.close();
  await worker.close();
  await world.close();
});

interface Id {
  tenantId: string;
  integration: string;
}

/** An endpoint that is told of everything, one that answers with an error, and the secrets of both; one gets a new one. */
async function addWebhook(tenantId: string): Promise<void> {
  const answers = (status: number) => `${receiver.url}&key=canary-in-${tenantId}-url&answer=${status}`;
  const events = ['refresh-success', 'refresh-failed', 'refresh-retry', 'needs_reauth'];
  for (const url of [answers(204), answers(500)]) {
    const { id, secret } = await callAdmin(`tenants/${tenantId}/webhooks`, { url, events });
    const rotated = await callAdmin(`tenants/${tenantId}/webhooks/${id}/rotate-secret`, {});
    for (const text of [secret, rotated.secret]) secrets.push(text, text.slice('whsec_'.length));
  }
  secrets.push('canary-in');
  for (const { secrets: stored } of await world.admin.webhooks.list(tenantId))
    secrets.push(...stored.map(({ ciphertext }) => ciphertext));
}

/** An agent whose key was rotated. */
async function addAgent(): Promise<void> {
  const { id, key } = await callAdmin('agents', { name: 'a bot', grants: [{ tenants: ['good'] }] });
  const rotated = await callAdmin(`agents/${id}/rotate`, {});
  for (const text of [key, rotated.key]) secrets.push(text, text.split('_')[2] ?? '');
  const { keys = [] } = (await world.admin.agents.find(id)) ?? {};
  secrets.push(...keys.map(({ secretSha256 }) => secretSha256));
}

/** A client that is kept in Vault. */
async function addClient(): Promise<void> {
  const clientSecret = 'canary-of-a-kept-client';
  await callAdmin('clients/github', { clientId: 'gh', clientSecret }, 'PUT');
  const { clients } = await world.admin.clients.readAll();
  secrets.push(clients.get('github')?.clientSecret?.reveal() ?? '');
}

/** Tokens that an operator brings, good ones and refused ones, and a repeated request. */
async function importAndMint(): Promise<void> {
  const tokens = { accessToken: 'canary-imported-access', refreshToken: 'canary-imported-refresh' };
  const path = 'tenants/imported/credentials';
  await callAdmin(`${path}/demo`, tokens, 'PUT');
  await callAdmin(`${path}/demo`, { ...tokens, accessToken: { is: tokens.accessToken } }, 'PUT');
  await callAdmin(`${path}/demo`, { ...tokens, fields: { shop: 'canary-of-a-field' } }, 'PUT');
  await callAdmin(`${path}/demo/mint`, { grantSecret: 'canary-grant-secret' });
  secrets.push(...Object.values(tokens), 'canary-of-a-field', 'canary-grant-secret');
  const idempotencyKey = 'canary-of-an-idempotency-key';
  secrets.push(idempotencyKey);
  const agent = { name: 'made once', grants: [{ tenants: ['good'] }] };
  const { key } = await callAdmin('agents', agent, 'POST', { 'idempotency-key': idempotencyKey });
  secrets.push(key);
  await callAdmin('agents', agent, 'POST', { 'idempotency-key': idempotencyKey });
}

/** One user who connects, one who says no, one whose state is another's, and one whose code is refused. */
async function goThroughConnects(): Promise<void> {
  const browser = new Browser(worker.url);
  const depart = async () => {
    const { url } = await callAdmin('tenants/connecting/connect-sessions', { integration: 'demo' });
    const start = await browser.depart(url);
    const parameters = ['state', 'nonce'].flatMap((name) => start.searchParams.get(name) ?? []);
    secrets.push(url.slice(-43), ...parameters, ...browser.cookies.values());
    return start;
  };
  const land = async (back: URL) => {
    secrets.push(back.searchParams.get('code') ?? words);
    return (await browser.land(back)).text;
  };
  const replayed = await consent(await depart(), 'ada');
  expect(await land(replayed)).toContain('is connected');
  await keepTokens([{ tenantId: 'connecting', integration: 'demo' }]);
  expect(await land(replayed)).toContain('This sign-in is over');
  const denied = await consent(await depart(), 'ada', true);
  denied.searchParams.set('error_description', words);
  expect(await land(denied)).toContain('You declined');
  const other = await consent(await depart(), 'ada');
  await depart();
  expect(await land(other)).toContain('began in another browser');
  const refused = await consent(await depart(), 'ada');
  const body = { error: 'invalid_grant', error_description: words };
  world.provider.faults.next({ kind: 'status', status: 400, body });
  expect(await land(refused)).toContain('gave no token');
}

async function callAdmin(path: string, body: object, method = 'POST', more: Record<string, string> = {}) {
  const response = await fetch(`${worker.url}/admin/${path}`, {
    method,
    headers: { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json', ...more },
    body: JSON.stringify(body),
  });
  return (await response.json()) as { id: string; secret: string; key: string; url: string };
}

/** Adds the tokens that are stored now, and their ciphertexts. */
async function keepTokens(ids: Id[]): Promise<void> {
  for (const id of ids) {
    const { accessToken, refreshToken } = await world.admin.getCredentials(id.tenantId, id.integration);
    const stored = await world.stored(id);
    secrets.push(accessToken, refreshToken ?? '', stored.accessToken, stored.refreshToken ?? '');
  }
}

const leaks = (text: string) => secrets.filter((secret) => text.includes(secret));

it('has seen every kind of secret', () => {
  expect(secrets.length).toBeGreaterThan(81);
  expect(secrets.filter((secret) => secret.length < 8)).toEqual([]);
});

it('writes no secret into the log', () => {
  const messages = worker.lines.map((line) => (JSON.parse(line) as { msg: string }).msg);
  const expected = [
    'webhook',
    'client',
    'refresh',
    'refresh requested',
    'job failed',
    'signed in',
    'connected',
    'connect failed',
  ];
  expect(messages).toEqual(expect.arrayContaining(expected));
  expect(leaks(worker.lines.join('\n'))).toEqual([]);
});

it('puts no secret into jobs: data, return values, reasons, stacks and the events of queues', async () => {
  const dump: unknown[] = [];
  for (const key of await world.redis.keys('*')) {
    const kind = await world.redis.type(key);
    if (kind === 'hash') dump.push(key, await world.redis.hgetall(key));
    else if (kind === 'stream') dump.push(key, await world.redis.xrange(key, '-', '+'));
    else dump.push(key, (await world.redis.dumpBuffer(key))?.toString('latin1'));
  }
  const text = JSON.stringify(dump);
  for (const reason of ['invalid_grant', 'http_500', 'vault_unavailable', 'http_204'])
    expect(text).toContain(reason);
  expect(leaks(text)).toEqual([]);
  expect(text).not.toMatch(/ at .*\.ts:\d/);
});

it('announces no secret', () => {
  const types = world.events.map(({ type }) => type);
  const expected = ['refresh-success', 'refresh-failed', 'refresh-retry', 'connected', 'connect-failed'];
  expect(types).toEqual(expect.arrayContaining(expected));
  expect(leaks(JSON.stringify(world.events))).toEqual([]);
});

it('shows no secret on its pages, whoever looks at them', async () => {
  const visitor = newVisitor(worker.url, 'http://127.0.0.1:8090');
  await visitor.submit((await visitor.get('/sign-in')).page, '/sign-in', { token: adminToken });
  const paths = ['good', 'refused', 'failing'].flatMap((id) => [
    `/tenants/${id}`,
    `/tenants/${id}/demo/disconnect`,
  ]);
  for (const path of ['/', '/tenants', '/agents', '/connect/good/demo', ...paths]) {
    const { status, page } = await visitor.get(path);
    expect([path, status, leaks(page)]).toEqual([path, 200, []]);
  }
});

it('answers no secret over the admin API, whatever is asked for', async () => {
  const read = async (path: string) => {
    const headers = { authorization: `Bearer ${adminToken}` };
    const response = await fetch(`${worker.url}/admin${path}`, { headers });
    return { status: response.status, text: await response.text() };
  };
  const { paths } = JSON.parse((await read('/openapi.json')).text) as {
    paths: Record<string, { get?: object }>;
  };
  const [agent] = (await world.admin.agents.list()).agents;
  const ids: Record<string, string[]> = {
    tenantId: ['good', 'refused', 'failing', 'imported', 'connecting'],
    integration: ['demo', 'github'],
    agentId: [agent?.id ?? ''],
  };
  const [hook] = await world.admin.webhooks.list('good');
  ids['webhookId'] = [hook?.id ?? ''];
  const filled = (path: string): string[] => {
    const [place, name = ''] = /\{(\w+)\}/.exec(path) ?? [];
    return place === undefined
      ? [path]
      : (ids[name] ?? []).flatMap((value) => filled(path.replace(place, value)));
  };
  const reads = Object.keys(paths).filter((path) => paths[path]?.get !== undefined);
  const asked = reads.flatMap(filled);
  expect(asked.length).toBeGreaterThan(30);
  const statuses = new Set<number>();
  for (const path of asked) {
    const { status, text } = await read(path);
    statuses.add(status);
    // The address of a webhook is the operator's own, and shown to nobody else.
    const found = leaks(text).filter((secret) => secret !== 'canary-in');
    expect([path, found]).toEqual([path, []]);
  }
  expect(statuses).toEqual(new Set([200, 404]));
});

it('shows no secret in its figures', async () => {
  expect(leaks(await (await fetch(`${worker.url}/metrics`)).text())).toEqual([]);
});

it('prints no secret when it cannot start', async () => {
  const started = startProcess({ ...world.env, VAULT_ADDR: adminToken, ADMIN_TOKEN: 'short-canary' });
  const { message } = (await started.catch((error: Error) => error)) as Error;
  expect(message).toContain('VAULT_ADDR: must be');
  expect(message).not.toMatch(/short-canary|the-admin-token/);
});

it('writes every line as JSON with its time in ISO 8601 and its app', () => {
  for (const line of worker.lines)
    expect(JSON.parse(line)).toMatchObject({
      level: expect.any(Number) as number,
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as string,
      app: 'worker',
      msg: expect.any(String) as string,
    });
});
