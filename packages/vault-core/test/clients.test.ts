import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { Secret } from '../src/index.ts';
import { eachVault } from './start-vault.ts';

let clientsMade = 0;

await eachVault((vault) => {
  const store = (now = Date.parse('2025-11-08T12:00:00Z')) => vault().client({ now: () => now }).clients;
  const pathOf = (integration: string) => `${vault().mounts.kvEngine}/data/_clients/${integration}`;

  async function keep(secret = 'canary-client-secret') {
    const integration = `provider-${(clientsMade += 1)}`;
    const summary = await store().set(integration, {
      clientId: 'the-client',
      clientSecret: new Secret(secret),
    });
    return { integration, summary };
  }

  describe('a client that is kept', () => {
    it('is read back with its secrets, by a process that has just started', async () => {
      const { integration } = await keep();
      await store().set(`${integration}-key`, {
        clientId: 'signs',
        clientKey: new Secret('canary-pem'),
        clientKeyId: 'k1',
      });
      const { clients, unreadable } = await store().readAll();
      expect(unreadable).toEqual([]);
      expect(clients.get(integration)?.clientSecret?.reveal()).toBe('canary-client-secret');
      const signing = clients.get(`${integration}-key`);
      expect(signing).toMatchObject({ clientId: 'signs', clientKeyId: 'k1' });
      expect(signing?.clientKey?.reveal()).toBe('canary-pem');
      expect(signing).not.toHaveProperty('clientSecret');
    });

    it('lies in Vault as a ciphertext, and is shown without its secrets', async () => {
      const { integration, summary } = await keep();
      const { body } = await vault().call('GET', pathOf(integration));
      expect(body.data.data.clientSecret).toMatch(/^vault:v1:/);
      const { clients } = await store().readAll();
      for (const text of [JSON.stringify([body, summary, [...clients]]), inspect(clients, { depth: 9 })])
        expect(text).not.toContain('canary');
      expect(await store().find(integration)).toEqual({
        integration,
        clientId: 'the-client',
        hasSecret: true,
        hasKey: false,
        updatedAt: '2025-11-08T12:00:00.000Z',
      });
    });

    it('is replaced as a whole, and nothing is left of what was before', async () => {
      const { integration } = await keep();
      await store().set(integration, { clientId: 'public-one' });
      const { clients } = await store().readAll();
      expect(clients.get(integration)).toEqual({
        clientId: 'public-one',
        updatedAt: '2025-11-08T12:00:00.000Z',
      });
      const { status, body } = await vault().call('GET', `${pathOf(integration)}?version=1`);
      expect([status, body.data.metadata.destroyed]).toEqual([404, true]);
    });

    it('is forgotten when it is deleted', async () => {
      const { integration } = await keep();
      expect(await store().delete(integration)).toBe(true);
      expect(await store().find(integration)).toBeUndefined();
      expect((await store().readAll()).clients.has(integration)).toBe(false);
      expect(await store().delete(integration)).toBe(false);
    });

    it('cannot be used under the name of another integration', async () => {
      const { integration } = await keep();
      const { body } = await vault().call('GET', pathOf(integration));
      await vault().call('POST', pathOf('moved'), { data: body.data.data });
      const { clients, unreadable } = await store().readAll();
      expect(unreadable).toEqual(['moved']);
      expect(clients.has(integration)).toBe(true);
      await store().delete('moved');
    });

    it('does not keep the others from being read when it was changed by hand', async () => {
      const { integration } = await keep();
      await vault().call('POST', pathOf('damaged'), { data: { clientId: 7 } });
      const { clients, unreadable } = await store().readAll();
      expect([unreadable, clients.has(integration)]).toEqual([['damaged'], true]);
      expect((await store().list()).unreadable).toEqual(['damaged']);
      await store().delete('damaged');
    });
  });

  it('is kept for one that follows the rule for ids only', async () => {
    await expect(store().set('../agents', { clientId: 'x' })).rejects.toMatchObject({
      code: 'invalid_request',
    });
  });
});
