import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { denied, type VaultHttp } from './vault-http.ts';

const folder = new URL('../../../../../vault/policies/', import.meta.url);
const hello = Buffer.from('hello').toString('base64');

/** The policies of vault/policies, on mounts of the test's own. */
export function shippedPoliciesContract(vault: () => VaultHttp): void {
  let kv: string;
  let transit: string;
  let refresh: string;
  let accessCiphertext: string;
  let refreshCiphertext: string;

  async function tokenOf(file: string): Promise<VaultHttp> {
    const source = await readFile(new URL(file, folder), 'utf8');
    const mounts: Record<string, string> = { 'transit-refresh': refresh, transit, secret: kv };
    return vault().tokenWith(
      source.replaceAll(/"(transit-refresh|transit|secret)\//g, (_, mount: string) => `"${mounts[mount]}/`),
    );
  }

  beforeAll(async () => {
    [kv, transit, refresh] = [
      await vault().mount('kv-v2'),
      await vault().mount('transit'),
      await vault().mount('transit'),
    ];
    for (const path of ['tenant-1/github', '_agents/a1', '_clients/github', '_webhooks/tenant-1']) {
      await vault().post(`${kv}/data/${path}`, { data: {} });
    }
    const ciphertexts = [];
    for (const mount of [transit, refresh]) {
      const { body } = await vault().post(`${mount}/encrypt/tenant-1`, { plaintext: hello });
      ciphertexts.push(body.data.ciphertext);
    }
    [accessCiphertext, refreshCiphertext] = ciphertexts as [string, string];
    await vault().post(`${refresh}/keys/_spool`);
  });

  describe('oauth-proxy-policy', () => {
    let proxy: VaultHttp;

    beforeAll(async () => {
      proxy = await tokenOf('oauth-proxy-policy.hcl');
    });

    it('reads a credential', async () => {
      expect((await proxy.get(`${kv}/data/tenant-1/github`)).status).toBe(200);
    });

    it('reads an agent', async () => {
      expect((await proxy.get(`${kv}/data/_agents/a1`)).status).toBe(200);
    });

    it('decrypts an access token', async () => {
      const { body } = await proxy.post(`${transit}/decrypt/tenant-1`, { ciphertext: accessCiphertext });
      expect(body.data.plaintext).toBe(hello);
    });

    it('looks up and renews its own token', async () => {
      expect((await proxy.get('auth/token/lookup-self')).status).toBe(200);
      expect((await proxy.post('auth/token/renew-self')).status).toBe(200);
    });

    it('may not decrypt a refresh token', async () => {
      expect(await proxy.post(`${refresh}/decrypt/tenant-1`, { ciphertext: refreshCiphertext })).toEqual(
        denied,
      );
    });

    it('may not read a client', async () => {
      expect(await proxy.get(`${kv}/data/_clients/github`)).toEqual(denied);
      expect(await proxy.get(`${kv}/data/_clients`)).toEqual(denied);
    });

    it('may not read the webhooks of a tenant', async () => {
      expect(await proxy.get(`${kv}/data/_webhooks/tenant-1`)).toEqual(denied);
    });

    it.each([
      ['write a credential', 'POST', 'KV/data/tenant-1/github'],
      ['write a new credential', 'POST', 'KV/data/tenant-1/new'],
      ['patch a credential', 'PATCH', 'KV/data/tenant-1/github'],
      ['delete a credential', 'DELETE', 'KV/data/tenant-1/github'],
      ['write an agent', 'POST', 'KV/data/_agents/a1'],
      ['make an agent', 'POST', 'KV/data/_agents/new'],
      ['forget an agent', 'DELETE', 'KV/metadata/_agents/a1'],
      ['read the history of an agent', 'GET', 'KV/metadata/_agents/a1'],
      ['destroy a credential', 'PUT', 'KV/destroy/tenant-1/github'],
      ['list tenants', 'GET', 'KV/metadata?list=true'],
      ['list credentials', 'GET', 'KV/metadata/tenant-1?list=true'],
      ['list agents', 'GET', 'KV/metadata/_agents?list=true'],
      ['list who has webhooks', 'GET', 'KV/metadata/_webhooks?list=true'],
      ['write webhooks', 'POST', 'KV/data/_webhooks/tenant-1'],
      ['list clients', 'GET', 'KV/metadata/_clients?list=true'],
      ['write a client', 'POST', 'KV/data/_clients/github'],
      ['decrypt the secret of a client', 'POST', 'REFRESH/decrypt/_clients'],
      ['read metadata', 'GET', 'KV/metadata/tenant-1/github'],
      ['read deeper than a credential', 'GET', 'KV/data/tenant-1/github/x'],
      ['encrypt', 'POST', 'TRANSIT/encrypt/tenant-1'],
      ['encrypt a refresh token', 'POST', 'REFRESH/encrypt/tenant-1'],
      ['rewrap', 'POST', 'TRANSIT/rewrap/tenant-1'],
      ['read a key', 'GET', 'TRANSIT/keys/tenant-1'],
      ['list keys', 'GET', 'TRANSIT/keys?list=true'],
      ['rotate a key', 'POST', 'TRANSIT/keys/tenant-1/rotate'],
      ['take a data key', 'POST', 'REFRESH/datakey/plaintext/_spool'],
      ['create a token', 'POST', 'auth/token/create'],
      ['list mounts', 'GET', 'sys/mounts'],
      ['read policies', 'GET', 'sys/policies/acl/default'],
    ])('may not %s', async (_, method, path) => {
      const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
      const body = method === 'GET' ? undefined : { data: {}, plaintext: hello, versions: [1] };
      expect(await proxy.call(method, within(path), body, { 'Content-Type': type })).toEqual(denied);
    });
  });

  describe('oauth-policy', () => {
    let worker: VaultHttp;

    beforeAll(async () => {
      worker = await tokenOf('oauth-policy.hcl');
    });

    it('writes, reads, deletes and destroys a credential', async () => {
      const path = 'tenant-2/github';
      expect((await worker.post(`${kv}/data/${path}`, { data: {}, options: { cas: 0 } })).status).toBe(200);
      expect((await worker.post(`${kv}/data/${path}`, { data: {}, options: { cas: 1 } })).status).toBe(200);
      expect((await worker.get(`${kv}/data/${path}`)).status).toBe(200);
      expect((await worker.get(`${kv}/metadata/${path}`)).status).toBe(200);
      expect((await worker.delete(`${kv}/data/${path}`)).status).toBe(204);
      expect((await worker.post(`${kv}/destroy/${path}`, { versions: [1, 2] })).status).toBe(204);
      expect((await worker.delete(`${kv}/metadata/${path}`)).status).toBe(204);
    });

    it('lists tenants and their credentials', async () => {
      expect((await worker.list(`${kv}/metadata`)).body.data.keys).toContain('tenant-1/');
      expect((await worker.list(`${kv}/metadata/tenant-1`)).body.data.keys).toEqual(['github']);
    });

    it('keeps agents: makes, changes, lists and forgets them', async () => {
      const path = '_agents/a2';
      expect((await worker.post(`${kv}/data/${path}`, { data: {}, options: { cas: 0 } })).status).toBe(200);
      expect((await worker.post(`${kv}/data/${path}`, { data: {}, options: { cas: 1 } })).status).toBe(200);
      expect((await worker.get(`${kv}/data/${path}`)).status).toBe(200);
      expect((await worker.list(`${kv}/metadata/_agents`)).body.data.keys).toContain('a2');
      expect((await worker.delete(`${kv}/metadata/${path}`)).status).toBe(204);
      expect((await worker.list(`${kv}/metadata/_agents`)).body.data.keys).not.toContain('a2');
    });

    it('keeps clients and makes their key: writes, reads, lists and forgets them', async () => {
      const path = '_clients/linear';
      expect((await worker.post(`${refresh}/keys/_clients`)).status).toBeLessThan(300);
      const { body } = await worker.post(`${refresh}/encrypt/_clients`, { plaintext: hello });
      expect((await worker.post(`${refresh}/decrypt/_clients`, body.data)).body.data.plaintext).toBe(hello);
      expect((await worker.post(`${kv}/data/${path}`, { data: {}, options: { cas: 0 } })).status).toBe(200);
      expect((await worker.post(`${kv}/data/${path}`, { data: {}, options: { cas: 1 } })).status).toBe(200);
      expect((await worker.get(`${kv}/data/${path}`)).status).toBe(200);
      expect((await worker.post(`${kv}/destroy/${path}`, { versions: [1] })).status).toBe(204);
      expect((await worker.list(`${kv}/metadata/_clients`)).body.data.keys).toEqual(['github', 'linear']);
      expect((await worker.delete(`${kv}/metadata/${path}`)).status).toBe(204);
    });

    it('keeps webhooks, and lists who has them', async () => {
      const path = '_webhooks/tenant-2';
      expect((await worker.post(`${kv}/data/${path}`, { data: {}, options: { cas: 0 } })).status).toBe(200);
      expect((await worker.get(`${kv}/data/${path}`)).status).toBe(200);
      expect((await worker.get(`${kv}/metadata/${path}`)).status).toBe(200);
      expect((await worker.post(`${kv}/destroy/${path}`, { versions: [1] })).status).toBe(204);
      expect((await worker.list(`${kv}/metadata/_webhooks`)).body.data.keys).toContain('tenant-2');
    });

    it('makes, rotates and deletes the keys of a tenant on both mounts', async () => {
      for (const mount of [transit, refresh]) {
        const key = `${mount}/keys/tenant-3`;
        expect((await worker.post(key)).status).toBeLessThan(300);
        expect((await worker.post(`${key}/rotate`)).status).toBeLessThan(300);
        expect((await worker.get(key)).body.data.latest_version).toBe(2);
        expect((await worker.post(`${key}/config`, { deletion_allowed: true })).status).toBeLessThan(300);
        expect((await worker.delete(key)).status).toBe(204);
      }
    });

    it('encrypts and decrypts on both mounts', async () => {
      for (const mount of [transit, refresh]) {
        const { body } = await worker.post(`${mount}/encrypt/tenant-1`, { plaintext: hello });
        const back = await worker.post(`${mount}/decrypt/tenant-1`, body.data);
        expect(back.body.data.plaintext).toBe(hello);
      }
    });

    it('takes a data key for the spool', async () => {
      expect((await worker.post(`${refresh}/datakey/plaintext/_spool`)).status).toBe(200);
    });

    it.each([
      ['make a key by encrypting', 'POST', 'TRANSIT/encrypt/tenant-unknown'],
      ['take a data key of a tenant', 'POST', 'REFRESH/datakey/plaintext/tenant-1'],
      ['list keys', 'GET', 'TRANSIT/keys?list=true'],
      ['export a key', 'GET', 'TRANSIT/export/encryption-key/tenant-1'],
      ['back up a key', 'GET', 'TRANSIT/backup/tenant-1'],
      ['write outside of tenants', 'POST', 'KV/data/top'],
      ['write deeper than a credential', 'POST', 'KV/data/tenant-1/github/x'],
      ['change the rules of an agent’s versions', 'POST', 'KV/metadata/_agents/a1'],
      ['change the settings of the KV mount', 'POST', 'KV/config'],
      ['create a token', 'POST', 'auth/token/create'],
      ['make a secret id', 'POST', 'auth/approle/role/gateway/secret-id'],
      ['write a policy', 'PUT', 'sys/policies/acl/x'],
      ['list mounts', 'GET', 'sys/mounts'],
      ['seal', 'PUT', 'sys/seal'],
    ])('may not %s', async (_, method, path) => {
      const body = method === 'GET' ? undefined : { data: {}, plaintext: hello, policy: 'x' };
      expect(await worker.call(method, within(path), body)).toEqual(denied);
    });
  });

  function within(path: string): string {
    return path
      .replace('KV/', `${kv}/`)
      .replace('TRANSIT/', `${transit}/`)
      .replace('REFRESH/', `${refresh}/`);
  }
}
