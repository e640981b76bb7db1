import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { VaultHttp } from './contract/vault-http.ts';
import { runVault, startVaultProcess, type VaultProcess } from './start-vault-process.ts';

let dataDir: string;
const running: VaultProcess[] = [];

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'vault-'));
});

afterEach(async () => {
  for (const vault of running.splice(0)) if (vault.child.exitCode === null) vault.child.kill('SIGKILL');
  await rm(dataDir, { recursive: true, force: true });
});

async function start(...args: string[]): Promise<VaultProcess> {
  const vault = await startVaultProcess('--data-dir', dataDir, ...args);
  running.push(vault);
  return vault;
}

async function rootOf(vault: VaultProcess): Promise<VaultHttp> {
  return new VaultHttp(vault.url, (await readFile(join(dataDir, 'root-token'), 'utf8')).trim());
}

it('says in one line where it listens and that it is not for production', async () => {
  const vault = await start();
  expect(vault.output()).toMatch(/^Embedded Vault at http:.* for one machine, not for production\.\n$/);
});

it('has every acknowledged write after kill -9', async () => {
  const first = await start();
  const root = await rootOf(first);
  await root.post('sys/mounts/kv', { type: 'kv-v2' });
  await root.post('sys/mounts/transit', { type: 'transit' });
  const { body } = await root.post('transit/encrypt/k', { plaintext: 'aGVsbG8=' });
  for (let version = 0; version < 5; version += 1) {
    const answer = await root.post('kv/data/a/b', { data: { version }, options: { cas: version } });
    expect(answer.status).toBe(200);
  }
  await first.end('SIGKILL');

  const again = await rootOf(await start());
  expect((await again.get('kv/data/a/b')).body.data).toMatchObject({
    data: { version: 4 },
    metadata: { version: 5 },
  });
  expect((await again.post('transit/decrypt/k', body.data)).body.data.plaintext).toBe('aGVsbG8=');
});

it('keeps tokens, policies and roles across a restart', async () => {
  const first = await start();
  const root = await rootOf(first);
  const client = await root.tokenWith('path "sys/mounts" { capabilities = ["read"] }');
  await root.post('sys/auth/approle', { type: 'approle' });
  await root.post('auth/approle/role/r', { token_ttl: '1h' });
  const roleId = (await root.get('auth/approle/role/r/role-id')).body.data.role_id;
  const secretId = (await root.post('auth/approle/role/r/secret-id')).body.data.secret_id;
  expect(await first.end('SIGTERM')).toBe(0);

  const { url } = await start();
  expect((await new VaultHttp(url, client.token).get('sys/mounts')).status).toBe(200);
  const login = await new VaultHttp(url, '').post('auth/approle/login', {
    role_id: roleId,
    secret_id: secretId,
  });
  expect(login.status).toBe(200);
});

it.each(['SIGTERM', 'SIGINT'] as const)('ends with 0 on %s, though a connection is open', async (signal) => {
  const vault = await start();
  await fetch(`${vault.url}/v1/sys/health`);
  expect(await vault.end(signal)).toBe(0);
});

it('keeps its key and its root token where only their owner reads', async () => {
  await start('--audit-log', join(dataDir, 'audit.log'));
  for (const file of ['unseal-key', 'root-token', 'vault.db', 'audit.log']) {
    expect([file, ((await stat(join(dataDir, file))).mode & 0o777).toString(8)]).toEqual([file, '600']);
  }
});

it('takes the root token from a file', async () => {
  const file = join(dataDir, 'given');
  await writeFile(file, 'dev-root-token\n');
  const { url } = await start('--root-token-file', file);
  expect((await new VaultHttp(url, 'dev-root-token').get('sys/mounts')).status).toBe(200);
});

it('says which port is taken, and what to do', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await expect.poll(() => taken.listening).toBe(true);
  const { port } = taken.address() as AddressInfo;
  const { code, output } = await runVault('--port', String(port), '--data-dir', dataDir);
  taken.close();
  expect(code).toBe(1);
  expect(output).toBe(`Port ${port} is taken: stop what listens there, or choose another with --port.\n`);
});

it('says that its data are in use by another process', async () => {
  await start();
  const { code, output } = await runVault('--port', '0', '--data-dir', dataDir);
  expect(code).toBe(1);
  expect(output).toBe(`Another process uses ${dataDir}: stop it, or choose another --data-dir.\n`);
});

it.each([
  [['--port', 'x'], '--port x is no port'],
  [['--root-token-file', '/nothing'], 'there is no file /nothing'],
  [['--nonsense'], "Unknown option '--nonsense'"],
])('refuses %j and shows its usage', async (args, message) => {
  const { code, output } = await runVault(...args);
  expect(code).toBe(1);
  expect(output).toContain(message);
  expect(output).toContain('usage: ');
});
