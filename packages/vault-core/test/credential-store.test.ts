import { beforeAll, describe, expect, it } from 'vitest';
import {
  CredentialNotFoundError,
  newRevision,
  type CredentialId,
  type CredentialRecord,
  type VaultClient,
} from '../src/index.ts';
import { granted, newId } from './granted.ts';
import { startRelay, type RelayedRequest } from './start-relay.ts';
import { eachVault } from './start-vault.ts';

/** The document with another revision, as a refresh writes it. */
function refreshed({ credential }: CredentialRecord) {
  return { ...credential, metadata: { ...credential.metadata, revision: newRevision() } };
}

await eachVault((vault) => {
  let client: VaultClient;

  beforeAll(() => {
    client = vault().client();
  });

  async function stored(id = newId()): Promise<{ id: typeof id; record: CredentialRecord }> {
    await client.storeCredentials(id.tenantId, id.integration, granted);
    return { id, record: await client.credentials.get(id) };
  }

  function isWriteTo({ tenantId, integration }: CredentialId, { method, path }: RelayedRequest): boolean {
    return method === 'POST' && path === `${vault().mounts.kvEngine}/data/${tenantId}/${integration}`;
  }

  /** A deletion that breaks after its tombstone. */
  async function interruptDeletion({ tenantId, integration }: CredentialId) {
    const relay = await startRelay(vault().address);
    relay.disturb = ({ path }) => (path.includes('/metadata/') ? 'reset' : undefined);
    const through = vault().client({ address: relay.address, maxRetries: 0 });
    await expect(through.deleteCredentials(tenantId, integration)).rejects.toMatchObject({
      reason: 'unreachable',
    });
  }

  describe('a write', () => {
    it('lands on the version that was read', async () => {
      const { id, record } = await stored();
      expect(await client.credentials.write(id, refreshed(record), record.version)).toBe(record.version + 1);
    });

    it('is refused when another one was first', async () => {
      const { id, record } = await stored();
      await client.credentials.write(id, refreshed(record), record.version);
      await expect(client.credentials.write(id, refreshed(record), record.version)).rejects.toMatchObject({
        code: 'vault_unavailable',
        reason: 'cas_mismatch',
        isTransient: false,
      });
    });

    it('of many at once lands for exactly one', async () => {
      const { id, record } = await stored();
      const writes = Array.from({ length: 10 }, () =>
        client.credentials.write(id, refreshed(record), record.version),
      );
      const results = await Promise.allSettled(writes);
      expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    });
  });

  describe('a reconnect', () => {
    it('wins over a refresh in flight', async () => {
      const { id, record } = await stored();
      await client.storeCredentials(id.tenantId, id.integration, { ...granted, accessToken: 'gho_new' });
      await expect(client.credentials.write(id, refreshed(record), record.version)).rejects.toMatchObject({
        reason: 'cas_mismatch',
      });
      expect((await client.getCredentials(id.tenantId, id.integration)).accessToken).toBe('gho_new');
    });

    it('wins over a writer that is always faster', async () => {
      const { id, record } = await stored();
      const relay = await startRelay(vault().address);
      let rivals = 0;
      relay.disturb = async (request) => {
        if (!isWriteTo(id, request) || rivals === 3) return undefined;
        rivals += 1;
        const { version } = await client.credentials.get(id);
        await client.credentials.write(id, refreshed(record), version);
        return undefined;
      };
      const through = vault().client({ address: relay.address });
      const { metadata } = await through.storeCredentials(id.tenantId, id.integration, granted);
      expect((await client.credentials.get(id)).credential.metadata.revision).toBe(metadata.revision);
      expect(rivals).toBe(3);
    });

    it('whose answer was lost keeps the claim that was made on it since', async () => {
      const id = newId();
      const relay = await startRelay(vault().address);
      const attempt = { id: 'a', sentAt: '2025-01-01T00:00:00Z', deadline: '2025-01-01T00:01:00Z' };
      let writes = 0;
      relay.disturb = async (request) => {
        if (!isWriteTo(id, request)) return undefined;
        writes += 1;
        if (writes === 1) return 'lost answer';
        const { credential, version } = await client.credentials.get(id);
        await client.credentials.write(
          id,
          { ...credential, metadata: { ...credential.metadata, attempt } },
          version,
        );
        return undefined;
      };
      const through = vault().client({ address: relay.address });
      await through.storeCredentials(id.tenantId, id.integration, granted);
      expect(writes).toBe(2);
      expect((await client.credentials.get(id)).credential.metadata.attempt).toEqual(attempt);
    });
  });

  describe('a deletion', () => {
    it('destroys every version', async () => {
      const { id } = await stored();
      await client.storeCredentials(id.tenantId, id.integration, granted);
      await client.deleteCredentials(id.tenantId, id.integration);
      const { body } = await vault().call('GET', `${vault().mounts.kvEngine}/metadata/${id.tenantId}/github`);
      const versions = Object.values(body.data.versions as Record<string, { destroyed: boolean }>);
      expect(versions.map((version) => version.destroyed)).toEqual([true, true, true]);
    });

    it('wins over a refresh in flight, for good', async () => {
      const { id, record } = await stored();
      await client.deleteCredentials(id.tenantId, id.integration);
      for (const cas of [0, record.version, record.version]) {
        await expect(client.credentials.write(id, refreshed(record), cas)).rejects.toMatchObject({
          reason: 'cas_mismatch',
        });
      }
      expect(await client.credentials.find(id)).toBeUndefined();
    });

    it('makes get throw CredentialNotFoundError', async () => {
      const { id } = await stored();
      await client.deleteCredentials(id.tenantId, id.integration);
      await expect(client.credentials.get(id)).rejects.toBeInstanceOf(CredentialNotFoundError);
    });

    it('lets the user connect again', async () => {
      const { id } = await stored();
      await client.deleteCredentials(id.tenantId, id.integration);
      await client.storeCredentials(id.tenantId, id.integration, { ...granted, accessToken: 'gho_again' });
      expect((await client.getCredentials(id.tenantId, id.integration)).accessToken).toBe('gho_again');
      expect(await client.listCredentials(id.tenantId)).toEqual(['github']);
    });

    it('leaves other integrations and tenants alone', async () => {
      const [{ id: other }, { id }] = [await stored(), await stored()];
      await stored({ ...id, integration: 'slack' });
      await client.deleteCredentials(id.tenantId, id.integration);
      expect(await client.listCredentials(id.tenantId)).toEqual(['slack']);
      expect(await client.listCredentials(other.tenantId)).toEqual(['github']);
    });

    it('that was interrupted leaves a tombstone, which is no credential', async () => {
      const { id } = await stored();
      await interruptDeletion(id);
      expect(await client.credentials.find(id)).toBeUndefined();
      expect(await client.listCredentials(id.tenantId)).toEqual([]);
    });

    it('that was interrupted is finished by the next one', async () => {
      const { id, record } = await stored();
      await interruptDeletion(id);
      expect(await client.deleteCredentials(id.tenantId, id.integration)).toBe(false);
      const path = `${vault().mounts.kvEngine}/data/${id.tenantId}/github?version=${record.version}`;
      expect((await vault().call('GET', path)).body.data.metadata.destroyed).toBe(true);
    });

    it('spares what the user connects while it is under way', async () => {
      const { id } = await stored();
      const relay = await startRelay(vault().address);
      relay.disturb = async ({ path }) => {
        // Between the tombstone and the destruction of the versions before it.
        if (path.includes('/metadata/')) await stored(id);
        return undefined;
      };
      await vault().client({ address: relay.address }).deleteCredentials(id.tenantId, id.integration);
      expect((await client.getCredentials(id.tenantId, id.integration)).accessToken).toBe('gho_canary');
    });
  });

  describe('listing', () => {
    it('leaves out what was deleted', async () => {
      const { id } = await stored();
      await stored({ ...id, integration: 'slack' });
      await client.deleteCredentials(id.tenantId, 'slack');
      expect(await client.listCredentials(id.tenantId)).toEqual(['github']);
    });

    it('of tenants hides the system’s own folders and what others keep on the mount', async () => {
      const { id } = await stored();
      await client.agents.create({ name: 'an agent', grants: [{ tenants: [id.tenantId] }] });
      for (const path of ['a.folder/x', 'document-at-the-top']) {
        await vault().call('POST', `${vault().mounts.kvEngine}/data/${path}`, { data: {} });
      }
      const names = await client.credentials.listTenants();
      expect(names).toContain(id.tenantId);
      expect(names.filter((name) => /^_|\.|document/.test(name))).toEqual([]);
    });

    it('of tenants comes in pages, in one order and each tenant once', async () => {
      for (const tenantId of ['b', 'a', 'a-b', 'B', 'a_b']) await stored({ tenantId, integration: 'github' });
      await client.agents.create({ name: 'an agent', grants: [{ tenants: ['a'] }] });
      const all = (await client.credentials.listTenants()).length;
      const found: string[] = [];
      let page: { tenants: string[]; next?: string } = { tenants: [] };
      do {
        page = await client.credentials.listTenantPage(2, page.next);
        expect(page.tenants.length).toBe(page.next === undefined ? page.tenants.length : 2);
        found.push(...page.tenants);
      } while (page.next !== undefined);
      expect(found).toHaveLength(all);
      expect(found.filter((name) => /^(?:a|b)/i.test(name))).toEqual(['B', 'a-b', 'a', 'a_b', 'b']);
    });

    it('of tenants may begin with some letters, and goes on within them', async () => {
      for (const tenantId of ['acme', 'acme-1', 'acme-2', 'acme_x', 'acm', 'acmf'])
        await stored({ tenantId, integration: 'github' });
      const first = await client.credentials.listTenantPage(3, undefined, 'acme');
      expect(first).toEqual({ tenants: ['acme-1', 'acme-2', 'acme'], next: 'acme' });
      expect(await client.credentials.listTenantPage(3, first.next, 'acme')).toEqual({ tenants: ['acme_x'] });
      expect(await client.credentials.listTenantPage(3, undefined, 'acme_x')).toEqual({
        tenants: ['acme_x'],
      });
      expect(await client.credentials.listTenantPage(3, undefined, 'acme-3')).toEqual({ tenants: [] });
    });

    it('of tenants asks for no more than a page', async () => {
      const relay = await startRelay(vault().address);
      const through = vault().client({ address: relay.address });
      await through.credentials.listTenantPage(2, 'a');
      const [{ query }] = relay.requests.filter(({ path }) => path.includes('/metadata/')) as [
        RelayedRequest,
      ];
      expect(Object.fromEntries(new URLSearchParams(query))).toEqual({
        list: 'true',
        after: 'a/',
        limit: '3',
      });
    });

    it('of tenants goes on after one that is gone', async () => {
      await stored({ tenantId: 'zz', integration: 'github' });
      expect((await client.credentials.listTenantPage(5, 'zy')).tenants).toEqual(['zz']);
      await expect(client.credentials.listTenantPage(5, '../_agents')).rejects.toMatchObject({
        code: 'invalid_request',
      });
    });

    it('of integrations hides deeper folders', async () => {
      const { id } = await stored();
      const path = `${vault().mounts.kvEngine}/data/${id.tenantId}/folder/x`;
      await vault().call('POST', path, { data: {} });
      expect(await client.credentials.listIntegrations(id.tenantId)).toEqual(['github']);
    });
  });
});
