import { describe, expect, it } from 'vitest';
import { Secret, type VaultClient } from '../src/index.ts';
import { granted } from './granted.ts';
import { startRelay } from './start-relay.ts';
import { eachVault } from './start-vault.ts';

await eachVault((vault) => {
  describe('ids', () => {
    const bad = { tenantId: '../other', integration: '../../sys' };

    it.each([
      [
        'storeCredentials',
        (client: VaultClient) => client.storeCredentials('tenant-1', bad.integration, granted),
      ],
      [
        'storeCredentials for a tenant',
        (client: VaultClient) => client.storeCredentials(bad.tenantId, 'x', granted),
      ],
      ['getCredentials', (client: VaultClient) => client.getCredentials('tenant-1', bad.integration)],
      ['deleteCredentials', (client: VaultClient) => client.deleteCredentials(bad.tenantId, 'github')],
      ['listCredentials', (client: VaultClient) => client.listCredentials(bad.tenantId)],
      ['encrypt', (client: VaultClient) => client.credentials.encrypt(bad, 'accessToken', new Secret('x'))],
      [
        'decrypt',
        (client: VaultClient) => client.credentials.decryptAccessToken(bad, { accessToken: 'x' } as never),
      ],
      ['write', (client: VaultClient) => client.credentials.write(bad, {} as never, 0)],
      ['has', (client: VaultClient) => client.credentials.has(bad)],
      ['ensureKeys', (client: VaultClient) => client.credentials.ensureKeys(bad.tenantId)],
      ['agents.find', (client: VaultClient) => client.agents.find('../tenant-1')],
      ['agents.delete', (client: VaultClient) => client.agents.delete('a/b')],
      ['agents.update', (client: VaultClient) => client.agents.update('..', { name: 'x' })],
      ['agents.rotate', (client: VaultClient) => client.agents.rotate('..', 0)],
      [
        'agents.create',
        (client: VaultClient) => client.agents.create({ name: 'x', grants: [{ tenants: ['../x'] }] }),
      ],
    ])('are checked by %s before anything is sent', async (_method, act) => {
      const relay = await startRelay(vault().address);
      const client = vault().client({ address: relay.address });
      await expect(act(client)).rejects.toMatchObject({ code: 'invalid_request' });
      expect(relay.requests).toEqual([]);
    });

    it('that spell a path of Vault’s own are ordinary names', async () => {
      const client = vault().client();
      const id = { tenantId: 'sys', integration: 'health' };
      expect(await client.credentials.find(id)).toBeUndefined();
      await client.storeCredentials(id.tenantId, id.integration, granted);
      const record = await client.credentials.get(id);
      await expect(client.credentials.write(id, record.credential, 0)).rejects.toMatchObject({
        reason: 'cas_mismatch',
      });
    });
  });
});
