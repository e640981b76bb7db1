import { afterAll, beforeAll, expect, it } from 'vitest';
import { startEmbeddedVault } from '../../src/index.ts';
import { VaultHttp } from './contract/vault-http.ts';

let vault: Awaited<ReturnType<typeof startEmbeddedVault>>;
let http: VaultHttp;

beforeAll(async () => {
  vault = await startEmbeddedVault();
  http = new VaultHttp(vault.url, vault.rootToken);
});
afterAll(() => vault.close());

it('lists pages of names as OpenBao does', async () => {
  const own = await http.mount('kv-v2');
  for (const path of ['b', 'a/x', 'c/z', 'a']) await http.post(`${own}/data/${path}`, { data: {} });
  const page = (query: string) => http.get(`${own}/metadata/?list=true&${query}`);
  expect((await page('limit=2')).body.data.keys).toEqual(['a', 'a/']);
  expect((await page('after=a%2F&limit=1')).body.data.keys).toEqual(['b']);
  expect((await page('after=aa&limit=0')).body.data.keys).toEqual(['b', 'c/']);
  expect((await page('after=z')).status).toBe(404);
});
