import { mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { startEmbeddedVault, type EmbeddedVault } from '../../src/vault/server.ts';
import { denied, refusal, VaultHttp } from './contract/vault-http.ts';

const isSealed = refusal(503, 'Vault is sealed');
let vault: EmbeddedVault;
let root: VaultHttp;

beforeEach(async () => {
  vault = await startEmbeddedVault();
  root = new VaultHttp(vault.url, vault.rootToken);
});

afterEach(() => vault.close());

it('answers nothing but its status while sealed', async () => {
  vault.seal();
  for (const path of ['sys/mounts', 'secret/data/x', 'auth/token/lookup-self', 'sys/leader', 'nothing/x']) {
    expect(await root.get(path)).toEqual(isSealed);
  }
  expect(await root.as('').post('auth/approle/login', {})).toEqual(isSealed);
  expect((await root.get('sys/seal-status')).body).toMatchObject({ sealed: true, initialized: true });
  expect((await root.get('sys/init')).body).toEqual({ initialized: true });
});

it('says 503 to health checks while sealed, or what was asked for', async () => {
  vault.seal();
  expect(await root.get('sys/health')).toMatchObject({
    status: 503,
    body: { initialized: true, sealed: true },
  });
  expect((await root.get('sys/health?sealedcode=299')).status).toBe(299);
});

it('seals at the word of root', async () => {
  expect((await root.call('PUT', 'sys/seal')).status).toBe(204);
  expect(await root.get('sys/mounts')).toEqual(isSealed);
});

it('does not seal for who may update the path without sudo', async () => {
  const token = await root.tokenWith('path "sys/seal" { capabilities = ["update"] }');
  expect(await token.call('PUT', 'sys/seal')).toEqual(denied);
  const chief = await root.tokenWith('path "sys/seal" { capabilities = ["update", "sudo"] }');
  expect((await chief.call('PUT', 'sys/seal')).status).toBe(204);
});

it('unseals with its key, and has everything again', async () => {
  await root.post('sys/mounts/kv', { type: 'kv-v2' });
  await root.post('kv/data/x', { data: { a: 1 } });
  vault.seal();
  const { status, body } = await root.as('').call('PUT', 'sys/unseal', { key: vault.unsealKey });
  expect([status, body.sealed]).toEqual([200, false]);
  expect((await root.get('kv/data/x')).body.data.data).toEqual({ a: 1 });
});

it('takes the key in hex too', async () => {
  vault.seal();
  const key = Buffer.from(vault.unsealKey ?? '', 'base64').toString('hex');
  expect((await root.call('PUT', 'sys/unseal', { key })).body.sealed).toBe(false);
});

it.each([
  ['another key', Buffer.alloc(32, 7).toString('base64')],
  ['a short key', 'aaaa'],
])('stays sealed for %s', async (_, key) => {
  vault.seal();
  const { status, body } = await root.call('PUT', 'sys/unseal', { key });
  expect([status, body.errors[0]]).toEqual([400, expect.stringContaining('invalid key')]);
  expect(await root.get('sys/mounts')).toEqual(isSealed);
});

it('starts sealed when its key file was taken away, until the key is brought', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'vault-'));
  const first = await startEmbeddedVault({ dataDir });
  const key = first.unsealKey;
  await first.close();
  await rename(join(dataDir, 'unseal-key'), join(dataDir, 'elsewhere'));

  const second = await startEmbeddedVault({ dataDir });
  const client = new VaultHttp(second.url, second.rootToken);
  expect(second.unsealKey).toBeUndefined();
  expect(await client.get('sys/mounts')).toEqual(isSealed);
  await client.call('PUT', 'sys/unseal', { key });
  expect((await client.get('sys/mounts')).status).toBe(200);
  await second.close();
  await rm(dataDir, { recursive: true });
});
