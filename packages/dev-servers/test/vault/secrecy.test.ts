import { DatabaseSync } from 'node:sqlite';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Barrier } from '../../src/vault/barrier.ts';
import { startEmbeddedVault } from '../../src/vault/server.ts';
import { VaultHttp } from './contract/vault-http.ts';

const canary = 'canary-gho_16C7e42F292c6912E7710c838347Ae178B4a';
let dataDir: string;

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'vault-'));
});

afterEach(() => rm(dataDir, { recursive: true }));

/** Every file but the two that are meant to hold a secret. */
async function everythingWritten(): Promise<string> {
  const files = (await readdir(dataDir)).filter((name) => !['unseal-key', 'root-token'].includes(name));
  expect(files).toContain('vault.db');
  return (await Promise.all(files.map((name) => readFile(join(dataDir, name), 'latin1')))).join('');
}

/** What the database holds for who has its key. */
function everythingStored(key = ''): string {
  const barrier = new Barrier(join(dataDir, 'vault.db'));
  barrier.unseal(Buffer.from(key, 'base64'));
  const below = (folder: string): string[] =>
    barrier.list(folder).flatMap((name) => {
      const path = folder + name;
      return name.endsWith('/') ? below(path) : [`${path} ${JSON.stringify(barrier.get(path))}`];
    });
  const stored = below('').join('\n');
  barrier.close();
  return stored;
}

it('writes no secret, no path and no token in the clear: not to its database, not to its audit log', async () => {
  const vault = await startEmbeddedVault({ dataDir, auditLog: join(dataDir, 'audit.log') });
  const root = new VaultHttp(vault.url, vault.rootToken);
  const base64 = Buffer.from(canary).toString('base64');
  await root.post('sys/mounts/kv', { type: 'kv-v2' });
  await root.post('sys/mounts/transit', { type: 'transit' });
  await root.post('sys/auth/approle', { type: 'approle' });
  await root.post('kv/data/tenant/github', { data: { token: canary, nested: [{ [`key`]: canary }] } });
  await root.get('kv/data/tenant/github');
  await root.post('kv/metadata/tenant/github', { custom_metadata: { note: canary } });
  const encrypted = await root.post('transit/encrypt/tenant', { plaintext: base64 });
  await root.post('transit/decrypt/tenant', encrypted.body.data);
  const dataKey = (await root.post('transit/datakey/plaintext/tenant')).body.data.plaintext;
  await root.post('auth/approle/role/r', {});
  const secretId = (await root.post('auth/approle/role/r/secret-id')).body.data.secret_id;
  const roleId = (await root.get('auth/approle/role/r/role-id')).body.data.role_id;
  const login = await root.post('auth/approle/login', { role_id: roleId, secret_id: secretId });
  await root.post('kv/data/x', `{"data": {"a": "${canary}"`);

  const secrets = [
    canary,
    base64,
    dataKey,
    secretId,
    login.body.auth.client_token,
    vault.rootToken,
    vault.unsealKey,
  ];
  const whileRunning = await everythingWritten();
  await vault.close();
  const afterwards = await everythingWritten();
  for (const secret of secrets) {
    expect(whileRunning).not.toContain(secret);
    expect(afterwards).not.toContain(secret);
  }
});

it('does not show in its database which tenants there are', async () => {
  const vault = await startEmbeddedVault({ dataDir });
  const root = new VaultHttp(vault.url, vault.rootToken);
  await root.post('sys/mounts/kv', { type: 'kv-v2' });
  await root.post('kv/data/tenant-of-renown/github', { data: {} });
  await vault.close();
  const written = await everythingWritten();
  for (const name of ['tenant-of-renown', 'github', 'default', 'token/']) expect(written).not.toContain(name);
});

it('keeps tokens and secret ids as hashes, so that not even its key brings them back', async () => {
  const vault = await startEmbeddedVault({ dataDir });
  const root = new VaultHttp(vault.url, vault.rootToken);
  await root.post('sys/auth/approle', { type: 'approle' });
  await root.post('auth/approle/role/r', {});
  const { data } = (await root.post('auth/approle/role/r/secret-id')).body;
  const { auth } = (await root.post('auth/token/create', { policies: ['default'] })).body;
  await vault.close();

  const stored = everythingStored(vault.unsealKey);
  expect(stored).toContain(auth.accessor);
  expect(stored).toContain(data.secret_id_accessor);
  for (const secret of [vault.rootToken, auth.client_token, data.secret_id])
    expect(stored).not.toContain(secret);
});

it('keeps nothing of a mount that was removed', async () => {
  const vault = await startEmbeddedVault({ dataDir });
  const root = new VaultHttp(vault.url, vault.rootToken);
  await root.post('sys/mounts/kv', { type: 'kv-v2' });
  await root.post('kv/data/a/b', { data: { token: canary } });
  await root.delete('sys/mounts/kv');
  await vault.close();
  expect(everythingStored(vault.unsealKey)).not.toContain(canary);
});

it('refuses a stored value that was moved to another row', async () => {
  const first = await startEmbeddedVault({ dataDir });
  const root = new VaultHttp(first.url, first.rootToken);
  await root.post('sys/mounts/kv', { type: 'kv-v2' });
  await root.post('kv/data/mine', { data: { owner: 'me' } });
  await root.post('kv/data/yours', { data: { owner: 'you' } });
  await first.close();

  const database = new DatabaseSync(join(dataDir, 'vault.db'));
  const rows = database
    .prepare('SELECT rowid, value FROM entries WHERE value IS NOT NULL ORDER BY rowid')
    .all();
  const [mine, yours] = rows.slice(-2) as { rowid: number; value: Uint8Array }[];
  database
    .prepare('UPDATE entries SET value = ? WHERE rowid = ?')
    .run(yours?.value ?? null, mine?.rowid ?? 0);
  database.close();

  const second = await startEmbeddedVault({ dataDir });
  const client = new VaultHttp(second.url, second.rootToken);
  expect(await client.get('kv/data/mine')).toEqual({ status: 500, body: { errors: ['internal error'] } });
  expect((await client.get('kv/data/yours')).body.data.data).toEqual({ owner: 'you' });
  await second.close();
});

it('keeps plaintext out of the error for a malformed body', async () => {
  const vault = await startEmbeddedVault();
  const { body } = await new VaultHttp(vault.url, vault.rootToken).post('kv/data/x', `{"a": "${canary}`);
  expect(JSON.stringify(body)).not.toContain(canary);
  await vault.close();
});
