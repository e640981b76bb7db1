import { afterEach, beforeEach, expect, it } from 'vitest';
import { startEmbeddedVault, type EmbeddedVault } from '../../src/vault/server.ts';
import { neverExisted, refusal, VaultHttp } from './contract/vault-http.ts';

const invalid = refusal(403, 'permission denied');
const minute = 60_000;
let time: number;
let vault: EmbeddedVault;
let root: VaultHttp;

beforeEach(async () => {
  time = Date.UTC(2030, 0, 1);
  vault = await startEmbeddedVault({ now: () => time });
  root = new VaultHttp(vault.url, vault.rootToken);
});

afterEach(() => vault.close());

async function tokenFor(ttl: string, extra: object = {}): Promise<VaultHttp> {
  const { body } = await root.post('auth/token/create', { policies: ['default'], ttl, ...extra });
  return root.as(body.auth.client_token);
}

it('refuses a token from the moment it expires', async () => {
  const token = await tokenFor('10m');
  time += 10 * minute - 1;
  expect((await token.get('auth/token/lookup-self')).body.data.ttl).toBe(0);
  time += 1;
  expect(await token.get('auth/token/lookup-self')).toEqual(invalid);
});

it('lets a token live on when it is renewed in time, and not beyond its maximum', async () => {
  const token = await tokenFor('10m', { explicit_max_ttl: '25m' });
  for (const expected of [600, 600]) {
    time += 9 * minute;
    expect((await token.post('auth/token/renew-self')).body.auth.lease_duration).toBeLessThanOrEqual(
      expected,
    );
  }
  time += 7 * minute;
  expect(await token.get('auth/token/lookup-self')).toEqual(invalid);
});

it('lets a periodic token live for as long as it is renewed', async () => {
  const token = await tokenFor('1h', { period: '10m' });
  for (let round = 0; round < 10; round += 1) {
    time += 9 * minute;
    expect((await token.post('auth/token/renew-self')).body.auth.lease_duration).toBe(600);
  }
  time += 11 * minute;
  expect(await token.get('auth/token/lookup-self')).toEqual(invalid);
});

it('ends the children of a token when it expires', async () => {
  const parent = await root.tokenWith('path "auth/token/create" { capabilities = ["update"] }', {
    ttl: '10m',
  });
  const { body } = await parent.post('auth/token/create', { ttl: '1h' });
  const child = root.as(body.auth.client_token);
  time += 5 * minute;
  expect((await child.post('auth/token/create', {})).status).toBe(200);
  time += 5 * minute;
  expect(await child.post('auth/token/create', {})).toEqual(invalid);
});

it('keeps its root token for ever', async () => {
  time += 10 * 365 * 24 * 60 * minute;
  expect((await root.get('sys/mounts')).status).toBe(200);
});

it('refuses a secret id from the moment it expires', async () => {
  await root.post('sys/auth/approle', { type: 'approle' });
  await root.post('auth/approle/role/r', { secret_id_ttl: '10m' });
  const roleId = (await root.get('auth/approle/role/r/role-id')).body.data.role_id;
  const secretId = (await root.post('auth/approle/role/r/secret-id')).body.data.secret_id;
  const login = () => root.as('').post('auth/approle/login', { role_id: roleId, secret_id: secretId });
  time += 10 * minute - 1;
  expect((await login()).status).toBe(200);
  time += 1;
  expect(await login()).toEqual(refusal(400, 'invalid role or secret ID'));
});

it('hides a version when its time to be deleted has come', async () => {
  await root.post('sys/mounts/kv', { type: 'kv-v2' });
  await root.post('kv/config', { delete_version_after: '10m' });
  await root.post('kv/data/x', { data: { a: 1 } });
  time += 10 * minute - 1;
  expect((await root.get('kv/data/x')).status).toBe(200);
  time += 1;
  const { status, body } = await root.get('kv/data/x');
  expect([status, body.data.data, body.data.metadata.version]).toEqual([404, null, 1]);
  expect(await root.get('kv/data/y')).toEqual(neverExisted);
});
