import { execFile } from 'node:child_process';
import { createServer } from 'node:net';
import { inspect, promisify } from 'node:util';
import { startEmbeddedVault, type EmbeddedVault } from '@connectors/dev-servers';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { Secret } from '../../src/index.ts';
import { VaultConnection, type VaultConnectionOptions } from '../../src/vault/connection.ts';
import { KvEngine } from '../../src/vault/kv.ts';
import { TransitEngine } from '../../src/vault/transit.ts';
import { sealed, startRelay, tlsFile, type Fault, type Relay } from '../start-relay.ts';

const canary = 'gho_canary';
const rootToken = 'root-canary';
const path = 'secret/data/tenant-1/github';

let server: EmbeddedVault;
let relay: Relay;
const open: VaultConnection[] = [];

beforeAll(async () => {
  server = await startEmbeddedVault({ rootToken });
  const admin = connect({ address: server.url });
  await admin.write('sys/mounts/secret', { type: 'kv-v2' });
  await admin.write('sys/mounts/transit', { type: 'transit' });
});

afterAll(() => server.close());

beforeEach(async () => {
  relay = await startRelay(server.url);
});

afterEach(async () => {
  await Promise.all(open.splice(0).map((connection) => connection.close()));
  vi.unstubAllEnvs();
});

function connect(options: Partial<VaultConnectionOptions> = {}): VaultConnection {
  const auth = { token: new Secret(rootToken) };
  const connection = new VaultConnection({ address: relay?.address, auth, maxRetries: 0, ...options });
  open.push(connection);
  return connection;
}

/** How often a call was sent until it failed or came through. */
const tries = () => relay.count(path);

describe('a call', () => {
  it('reads what was written', async () => {
    const kv = new KvEngine(connect(), 'secret');
    const version = await kv.write('tenant-1/read', { a: 1 }, 0);
    expect(await kv.read('tenant-1/read')).toMatchObject({ data: { a: 1 }, version });
  });

  it('finds nothing where nothing ever was', async () => {
    const connection = connect();
    expect(await connection.read('secret/data/nobody/nothing')).toBeUndefined();
    expect(await connection.list('secret/metadata/nobody')).toEqual([]);
    await expect(connection.delete('secret/metadata/nobody/nothing')).resolves.toBeUndefined();
  });

  it('finds the version, but no data, where a version was deleted', async () => {
    const kv = new KvEngine(connect(), 'secret');
    const version = await kv.write('tenant-1/deleted', { a: 1 }, 0);
    await connect().delete('secret/data/tenant-1/deleted');
    expect(await kv.read('tenant-1/deleted')).toMatchObject({ data: undefined, version });
  });

  it('takes nothing from the environment: neither token, namespace nor path', async () => {
    vi.stubEnv('VAULT_TOKEN', 'wrong');
    vi.stubEnv('VAULT_NAMESPACE', 'wrong');
    vi.stubEnv('VAULT_PREFIX', '/wrong');
    vi.stubEnv('VAULT_ADDR', 'http://127.0.0.1:1');
    const connection = connect();
    await connection.read(path);
    await connection.isHealthy();
    const asked = relay.requests.map(({ path, token, headers }) => [
      path,
      token,
      headers['x-vault-namespace'],
    ]);
    expect(asked).toEqual([
      ['auth/token/lookup-self', rootToken, undefined],
      [path, rootToken, undefined],
      ['sys/health', undefined, undefined],
    ]);
  });

  it('takes no detour through HTTP_PROXY, which would see every token', async () => {
    const seen: unknown[] = [];
    const proxy = createServer((socket) => seen.push(socket.destroy()));
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void proxy.close());
    const { port } = proxy.address() as { port: number };
    for (const name of ['HTTP_PROXY', 'http_proxy', 'ALL_PROXY'])
      vi.stubEnv(name, `http://127.0.0.1:${port}`);
    for (const name of ['NO_PROXY', 'no_proxy']) vi.stubEnv(name, '');
    await connect().read(path);
    expect(seen).toEqual([]);
    expect(tries()).toBe(1);
  });

  it('is not printed under DEBUG=*', async () => {
    const script = `
      import { VaultConnection } from ${JSON.stringify(new URL('../../src/vault/connection.ts', import.meta.url).href)};
      import { Secret } from ${JSON.stringify(new URL('../../src/secret.ts', import.meta.url).href)};
      const auth = { token: new Secret('${rootToken}') };
      const connection = new VaultConnection({ address: '${relay.address}', auth, maxRetries: 0 });
      await connection.write('secret/data/tenant-1/debug', { data: { token: '${canary}' } });
      await connection.close();`;
    const { stdout, stderr } = await promisify(execFile)(
      process.execPath,
      ['--input-type=module', '--eval', script],
      { env: { DEBUG: '*' } },
    );
    expect(relay.count('secret/data/tenant-1/debug')).toBe(1);
    expect(stdout + stderr).not.toContain('canary');
  });
});

describe('a transient failure', () => {
  it.each([
    ['a sealed Vault', 'sealed', sealed],
    ['an error of Vault', 'failing', { status: 500, body: '{"errors":["internal error"]}' }],
    ['a gateway without Vault', 'failing', { status: 502, body: '<html>Bad gateway</html>' }],
    ['too many requests', 'failing', { status: 429, body: '{"errors":["rate limit quota exceeded"]}' }],
    ['a broken connection', 'unreachable', 'reset'],
    ['a lost answer', 'unreachable', 'lost answer'],
    ['a page with status 200', 'unreachable', { status: 200, body: '<html>Sign in</html>' }],
    ['a JSON text that is no object, with status 200', 'unreachable', { status: 200, body: 'null' }],
  ] satisfies [string, string, Fault][])('%s is %s', async (_what, reason, fault) => {
    relay.disturbNext([fault], path);
    await expect(connect().read(path)).rejects.toMatchObject({
      code: 'vault_unavailable',
      reason,
      isTransient: true,
      retryAfterMs: 5_000,
    });
  });

  it.each<[string, Fault]>([
    ['a sealed Vault', sealed],
    ['a 5xx', { status: 500, body: '{}' }],
    ['a broken connection', 'reset'],
    ['a lost answer', 'lost answer'],
    ['a page', { status: 200, body: '<html></html>' }],
  ])('is tried again after %s', async (_what, fault) => {
    relay.disturbNext([fault, fault], path);
    await expect(connect({ maxRetries: 3 }).read(path)).resolves.toBeUndefined();
    expect(tries()).toBe(3);
  });

  it.each([0, 2])('is tried again %i times and no more', async (maxRetries) => {
    relay.disturb = () => sealed;
    const connection = connect({ maxRetries });
    await expect(connection.read(path)).rejects.toMatchObject({ reason: 'sealed' });
    expect(relay.requests).toHaveLength(maxRetries + 1);
  });

  it('is tried again three times unless told otherwise', async () => {
    relay.disturbNext(
      Array.from({ length: 9 }, () => sealed),
      path,
    );
    const auth = { token: new Secret(rootToken) };
    const connection = new VaultConnection({ address: relay.address, auth });
    open.push(connection);
    await expect(connection.read(path)).rejects.toMatchObject({ reason: 'sealed' });
    expect(tries()).toBe(4);
  });

  it('of Vault that never answers ends with the timeout', async () => {
    relay.disturb = () => 'silence';
    const started = performance.now();
    await expect(connect({ timeoutMs: 100 }).read(path)).rejects.toMatchObject({ reason: 'unreachable' });
    expect(performance.now() - started).toBeLessThan(2_000);
  });

  it('of a Vault that starts an answer and never ends it ends with the timeout', async () => {
    const stuck = createServer((socket) => {
      socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"data":'));
      socket.on('error', () => undefined);
    });
    await new Promise<void>((resolve) => stuck.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void stuck.close());
    const { port } = stuck.address() as { port: number };
    const address = `http://127.0.0.1:${port}`;
    await expect(connect({ address, timeoutMs: 100 }).read(path)).rejects.toMatchObject({
      reason: 'unreachable',
    });
  });

  it('of Vault that never answers is tried again', async () => {
    const connection = connect({ timeoutMs: 200, maxRetries: 1 });
    await connection.read(path);
    relay.disturbNext(['silence'], path);
    await expect(connection.read(path)).resolves.toBeUndefined();
    expect(tries()).toBe(3);
  });

  it('of a Vault that is not there is told at once', async () => {
    const address = 'http://127.0.0.1:1';
    await expect(connect({ address }).read(path)).rejects.toMatchObject({
      reason: 'unreachable',
      status: undefined,
    });
  });
});

describe('a refusal', () => {
  it.each([
    ['400', 400, 'rejected'],
    ['403', 403, 'denied'],
    ['405', 405, 'rejected'],
    ['412', 412, 'rejected'],
    ['a redirect', 307, 'rejected'],
  ])('%s is final', async (_what, status, reason) => {
    relay.disturbNext(
      Array.from({ length: 4 }, () => ({ status, body: '{"errors":["no"]}' })),
      path,
    );
    await expect(connect({ maxRetries: 3 }).read(path)).rejects.toMatchObject({
      reason,
      status,
      isTransient: false,
    });
    expect(tries()).toBe(1);
  });

  it.each([
    [404, '<html>Not found</html>'],
    [404, '{"errors":["no handler for route \\"secret/data/a\\". route entry not found."]}'],
    [400, '<html>Bad request</html>'],
    [413, ''],
  ])('that is not Vault’s own, %i %s, says nothing about what is stored', async (status, body) => {
    relay.disturbNext([{ status, body }], path);
    await expect(connect({ maxRetries: 0 }).read(path)).rejects.toMatchObject({ reason: 'failing', status });
  });
});

describe('a write whose answer was lost', () => {
  it('is repeated, and collides with itself: the caller has to look', async () => {
    const kv = new KvEngine(connect({ maxRetries: 1 }), 'secret');
    relay.disturbNext(['lost answer'], 'secret/data/tenant-1/lost');
    await expect(kv.write('tenant-1/lost', { a: 1 }, 0)).rejects.toMatchObject({ reason: 'cas_mismatch' });
    expect(await kv.read('tenant-1/lost')).toMatchObject({ data: { a: 1 }, version: 1 });
  });
});

describe('an error', () => {
  it.each<[string, Fault]>([
    [
      'a refusal that quotes the request',
      { status: 400, body: JSON.stringify({ errors: [rootToken, canary] }) },
    ],
    [
      'an error that quotes the request',
      { status: 500, body: JSON.stringify({ errors: [rootToken, canary] }) },
    ],
    ['a page that quotes the request', { status: 200, body: `<html>${rootToken} ${canary}</html>` }],
    ['a broken connection', 'reset'],
    ['a timeout', 'silence'],
  ])('after %s shows neither token nor plaintext', async (_what, fault) => {
    relay.disturbNext([fault], 'transit/encrypt/tenant-1');
    const transit = new TransitEngine(connect({ timeoutMs: 200 }), 'transit');
    const error: unknown = await transit
      .encrypt('tenant-1', new Secret(canary), 'context')
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      message: expect.stringMatching(/^Vault write transit\/encrypt\/tenant-1: /) as string,
    });
    const shown = inspect(error, { showHidden: true, depth: 20 }) + JSON.stringify(error) + String(error);
    expect(shown).not.toContain(rootToken);
    expect(shown).not.toContain(canary);
    expect(shown).not.toContain(Buffer.from(canary).toString('base64'));
  });
});

describe('a connection', () => {
  it('is kept for the next calls', async () => {
    const connection = connect();
    for (let call = 0; call < 20; call += 1) await connection.read(path);
    expect(tries()).toBe(20);
    // A second one is opened when a call begins in the moment in which the last one ends.
    expect(relay.connections()).toBeLessThanOrEqual(2);
  });

  it('is kept for the next calls under TLS, too', async () => {
    relay = await startRelay(server.url, { secure: true });
    const connection = connect({ address: relay.address, caFile: tlsFile('ca') });
    for (let call = 0; call < 20; call += 1) await connection.read(path);
    expect(tries()).toBe(20);
    expect(relay.connections()).toBeLessThanOrEqual(2);
  });

  it.each([
    ['of another CA', { caFile: tlsFile('other-ca') }],
    ['of a CA that nobody knows', {}],
  ])('to a certificate %s is refused before anything is sent', async (_what, options) => {
    relay = await startRelay(server.url, { secure: true });
    await expect(connect({ address: relay.address, ...options }).read(path)).rejects.toMatchObject({
      reason: 'unreachable',
    });
    expect(relay.requests).toEqual([]);
  });

  it.each(['VAULT_SKIP_VERIFY', 'NODE_TLS_REJECT_UNAUTHORIZED'])(
    'is verified whatever %s says',
    async (name) => {
      vi.stubEnv(name, name === 'VAULT_SKIP_VERIFY' ? 'true' : '0');
      relay = await startRelay(server.url, { secure: true });
      await expect(connect({ address: relay.address }).read(path)).rejects.toMatchObject({
        reason: 'unreachable',
      });
      expect(relay.requests).toEqual([]);
    },
  );

  it('to a certificate for another name is refused', async () => {
    relay = await startRelay(server.url, { secure: true });
    const address = relay.address.replace('127.0.0.1', 'localhost');
    await expect(connect({ address, caFile: tlsFile('ca') }).read(path)).rejects.toMatchObject({
      reason: 'unreachable',
    });
    expect(relay.requests).toEqual([]);
  });

  it('that is closed ends calls under way', async () => {
    const connection = connect({ timeoutMs: 60_000 });
    relay.disturb = () => 'silence';
    const call = connection.read(path);
    await expect.poll(() => relay.requests.length).toBe(1);
    await connection.close();
    await expect(call).rejects.toMatchObject({ reason: 'unreachable' });
  });
});

describe('health', () => {
  it.each<[string, boolean, Fault]>([
    ['an active Vault', true, health({})],
    ['a standby that passes requests on', true, health({ standby: true })],
    ['a Vault that is sealed', false, { ...health({ sealed: true }), status: 503 }],
    ['a Vault that is not initialised', false, { ...health({ initialized: false }), status: 501 }],
    ['a secondary for disaster recovery', false, { ...health({}), status: 472 }],
    ['a page', false, { status: 200, body: '<html>OK</html>' }],
    ['somebody else’s JSON', false, { status: 200, body: '{"status":"UP"}' }],
    ['a Vault that breaks the connection', false, 'reset'],
    ['a Vault that never answers', false, 'silence'],
  ])('of %s is %s', async (_what, isHealthy, fault) => {
    relay.disturb = () => fault;
    expect(await connect().isHealthy()).toBe(isHealthy);
  });

  it('is not waited for as long as an answer', async () => {
    relay.disturb = () => 'silence';
    const startedAt = performance.now();
    await connect({ timeoutMs: 60_000 }).isHealthy();
    expect(performance.now() - startedAt).toBeLessThan(2_500);
  });

  it('is asked for so that a standby counts, and without a token', async () => {
    expect(await connect().isHealthy()).toBe(true);
    expect(relay.requests).toMatchObject([
      { path: 'sys/health', query: '?standbyok=true&perfstandbyok=true', token: undefined },
    ]);
  });
});

function health(state: object): { status: number; body: string } {
  return {
    status: 200,
    body: JSON.stringify({ initialized: true, sealed: false, standby: false, ...state }),
  };
}
