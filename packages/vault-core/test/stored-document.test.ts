import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { StoredDocumentError } from '../src/index.ts';
import { granted, newId } from './granted.ts';
import { eachVault } from './start-vault.ts';

await eachVault((vault) => {
  /** A credential that an operator has changed in Vault. */
  async function edited(change: (document: Record<string, unknown>) => object) {
    const id = newId();
    const client = vault().client();
    await client.storeCredentials(id.tenantId, id.integration, granted);
    const path = `${vault().mounts.kvEngine}/data/${id.tenantId}/${id.integration}`;
    const { body } = await vault().call('GET', path);
    await vault().call('POST', path, { data: change(body.data.data as Record<string, unknown>) });
    return { client, id };
  }

  describe('a document that was edited by hand', () => {
    it('is named by its path and its fields, without what they hold', async () => {
      const { client, id } = await edited((document) => ({
        ...document,
        accessToken: 'gho_plain',
        scopes: 7,
      }));
      const reading = client.getCredentials(id.tenantId, id.integration);
      await expect(reading).rejects.toBeInstanceOf(StoredDocumentError);
      const error: unknown = await reading.catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({
        code: 'internal_error',
        message: `The document ${id.tenantId}/github in Vault is not as it should be: see accessToken, scopes`,
      });
      expect(inspect(error, { showHidden: true, depth: 9 }) + JSON.stringify(error)).not.toContain(
        'gho_plain',
      );
    });

    it('is told to lack its metadata when there is none', async () => {
      const { client, id } = await edited(({ metadata: _gone, ...document }) => document);
      await expect(client.credentials.find(id)).rejects.toThrow(/see metadata$/);
    });

    it('names nested fields', async () => {
      const { client, id } = await edited((document) => ({
        ...document,
        metadata: { ...(document['metadata'] as object), status: 'fine', revision: undefined },
      }));
      await expect(client.credentials.find(id)).rejects.toThrow(/see metadata\.status, metadata\.revision$/);
    });

    it('is listed, so that an operator finds it', async () => {
      const { client, id } = await edited(() => ({ password: 'x' }));
      expect(await client.listCredentials(id.tenantId)).toEqual(['github']);
    });

    it('can be deleted and stored over', async () => {
      const { client, id } = await edited(() => ({ password: 'x' }));
      expect(await client.deleteCredentials(id.tenantId, id.integration)).toBe(true);
      const second = await edited(() => ({ password: 'x' }));
      await client.storeCredentials(second.id.tenantId, 'github', granted);
      expect((await client.getCredentials(second.id.tenantId, 'github')).accessToken).toBe('gho_canary');
    });
  });
});
