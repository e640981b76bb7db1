import { describe, expect, it } from 'vitest';
import { Secret } from '../src/index.ts';
import { granted, newId } from './granted.ts';
import { eachVault } from './start-vault.ts';

await eachVault((vault) => {
  const keyOf = async (mount: string, tenantId: string) => vault().call('GET', `${mount}/keys/${tenantId}`);

  describe('the keys', () => {
    it('of a tenant are made when it first connects, on both mounts', async () => {
      const { tenantId } = newId();
      const { transitEngine, refreshTransitEngine } = vault().mounts;
      expect((await keyOf(transitEngine, tenantId)).status).toBe(404);
      await vault().client().storeCredentials(tenantId, 'github', granted);
      expect((await keyOf(transitEngine, tenantId)).status).toBe(200);
      expect((await keyOf(refreshTransitEngine, tenantId)).status).toBe(200);
    });

    it('stay as they are when it connects more', async () => {
      const { tenantId } = newId();
      const client = vault().client();
      await client.storeCredentials(tenantId, 'github', granted);
      const { transitEngine } = vault().mounts;
      const before = (await keyOf(transitEngine, tenantId)).body.data;
      await client.storeCredentials(tenantId, 'slack', granted);
      expect((await keyOf(transitEngine, tenantId)).body.data).toEqual(before);
    });

    it('are one pair, however many first connections there are at once', async () => {
      const { tenantId } = newId();
      const client = vault().client();
      const integrations = Array.from({ length: 10 }, (_, index) => `integration-${index}`);
      await Promise.all(integrations.map((name) => client.storeCredentials(tenantId, name, granted)));
      const { data } = (await keyOf(vault().mounts.transitEngine, tenantId)).body;
      expect(data.latest_version).toBe(1);
      for (const name of integrations) {
        expect((await client.getCredentials(tenantId, name)).accessToken).toBe(granted.accessToken);
      }
    });

    it('are not made by encrypting: a tenant that is gone stays gone', async () => {
      const id = newId();
      const encrypting = vault().client().credentials.encrypt(id, 'accessToken', new Secret('x'));
      await expect(encrypting).rejects.toMatchObject({ reason: 'denied' });
      expect((await keyOf(vault().mounts.transitEngine, id.tenantId)).status).toBe(404);
    });

    it('once deleted leave nothing to read', async () => {
      const id = newId();
      const client = vault().client();
      await client.storeCredentials(id.tenantId, id.integration, granted);
      const key = `${vault().mounts.transitEngine}/keys/${id.tenantId}`;
      await vault().call('POST', `${key}/config`, { deletion_allowed: true });
      await vault().call('DELETE', key);
      await expect(client.getCredentials(id.tenantId, id.integration)).rejects.toMatchObject({
        reason: 'key_not_found',
      });
    });
  });

  describe('a ciphertext', () => {
    it('of a refresh token does not open under the keys that proxies may use', async () => {
      const id = newId();
      const { refreshToken } = await vault().client().storeCredentials(id.tenantId, id.integration, granted);
      const context = Buffer.from(`${id.tenantId}/${id.integration}/refreshToken`).toString('base64');
      const decrypt = (mount: string) =>
        vault().call('POST', `${mount}/decrypt/${id.tenantId}`, {
          ciphertext: refreshToken,
          associated_data: context,
        });
      expect((await decrypt(vault().mounts.transitEngine)).status).toBe(400);
      expect((await decrypt(vault().mounts.refreshTransitEngine)).body.data.plaintext).toBe(
        Buffer.from(granted.refreshToken ?? '').toString('base64'),
      );
    });

    it.each([
      ['another tenant', 'accessToken', { tenantId: 'tenant-moved', integration: 'github' }],
      ['another integration', 'accessToken', { integration: 'slack' }],
      ['another field', 'refreshToken', {}],
    ] as const)('moved to %s does not decrypt', async (_where, field, change) => {
      const client = vault().client();
      const id = newId();
      const { accessToken } = await client.storeCredentials(id.tenantId, id.integration, granted);
      const target = { ...id, ...change };
      await client.storeCredentials(target.tenantId, target.integration, granted);
      const { credential } = await client.credentials.get(target);
      const moved = { ...credential, [field]: accessToken };
      const decrypting =
        field === 'accessToken'
          ? client.credentials.decryptAccessToken(target, moved)
          : client.credentials.decryptRefreshToken(target, moved);
      await expect(decrypting).rejects.toMatchObject({ reason: 'rejected' });
    });

    it('moved to another field of one mount does not decrypt', async () => {
      // With both mounts the same, only the associated data tell the fields apart.
      const { transitEngine } = vault().mounts;
      const client = vault().client({ token: vault().token, refreshTransitEngine: transitEngine });
      const id = newId();
      const credential = await client.storeCredentials(id.tenantId, id.integration, granted);
      const moved = { ...credential, accessToken: credential.refreshToken ?? '' };
      await expect(client.credentials.decryptAccessToken(id, moved)).rejects.toMatchObject({
        reason: 'rejected',
      });
    });

    it('that was changed does not decrypt', async () => {
      const client = vault().client();
      const id = newId();
      const credential = await client.storeCredentials(id.tenantId, id.integration, granted);
      const bytes = Buffer.from(credential.accessToken.slice('vault:v1:'.length), 'base64');
      bytes[bytes.length - 1]! ^= 1;
      const changed = { ...credential, accessToken: `vault:v1:${bytes.toString('base64')}` };
      await expect(client.credentials.decryptAccessToken(id, changed)).rejects.toMatchObject({
        reason: 'rejected',
      });
    });
  });
});
