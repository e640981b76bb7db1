import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { StoredDocumentError, type WebhookSettings } from '../src/index.ts';
import { startRelay } from './start-relay.ts';
import { eachVault } from './start-vault.ts';

const start = Date.parse('2025-11-08T12:00:00Z');
const day = 24 * 3600_000;
const settings: WebhookSettings = {
  url: 'https://hooks.example.com/connectors',
  events: ['needs_reauth'],
  description: 'the duty phone',
  enabled: true,
};

let tenants = 0;

await eachVault((vault) => {
  let now = start;
  const webhooks = (options = {}) => vault().client({ now: () => now, ...options }).webhooks;
  const documentOf = (tenantId: string) =>
    vault().call('GET', `${vault().mounts.kvEngine}/data/_webhooks/${tenantId}`);

  /** A tenant of the test's own. */
  function newTenant(): string {
    now = start;
    return `tenant-${(tenants += 1)}`;
  }

  describe('a new endpoint', () => {
    it('is found and listed under its tenant', async () => {
      const tenantId = newTenant();
      const { endpoint } = await webhooks().create(tenantId, settings);
      expect(await webhooks().find(tenantId, endpoint.id)).toEqual(endpoint);
      expect(await webhooks().list(tenantId)).toEqual([endpoint]);
      expect(endpoint).toMatchObject({ ...settings, createdAt: '2025-11-08T12:00:00.000Z' });
    });

    it('makes its tenant one of those that have endpoints', async () => {
      const tenantId = newTenant();
      expect(await webhooks().listTenants()).not.toContain(tenantId);
      await webhooks().create(tenantId, settings);
      expect(await webhooks().listTenants()).toContain(tenantId);
    });

    it('has a secret of 32 random bytes as Standard Webhooks write it', async () => {
      const { secret } = await webhooks().create(newTenant(), settings);
      expect(secret.reveal()).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    });

    it('leaves its secret in Vault only as a ciphertext', async () => {
      const tenantId = newTenant();
      const { secret, ...rest } = await webhooks().create(tenantId, settings);
      const { body } = await documentOf(tenantId);
      expect(body.data.data.endpoints[0].secrets[0].ciphertext).toMatch(/^vault:v1:/);
      for (const text of [JSON.stringify(body), inspect({ secret, rest }, { depth: 9 })])
        expect(text).not.toContain(secret.reveal().slice('whsec_'.length));
    });

    it('signs with the secret that was shown', async () => {
      const tenantId = newTenant();
      const { endpoint, secret } = await webhooks().create(tenantId, settings);
      const [stored] = await webhooks().secrets(tenantId, endpoint);
      expect(stored?.reveal()).toBe(secret.reveal());
    });

    it('is made once, also when the answer to it is lost', async () => {
      const tenantId = newTenant();
      const relay = await startRelay(vault().address);
      relay.disturb = ({ path, method }) =>
        method !== 'GET' && path.includes('/_webhooks/') && relay.count(path) === 2
          ? 'lost answer'
          : undefined;
      const { endpoint } = await webhooks({ address: relay.address }).create(tenantId, settings);
      expect(await webhooks().list(tenantId)).toEqual([endpoint]);
    });

    it('is refused beside ten others', async () => {
      const tenantId = newTenant();
      for (let count = 0; count < 10; count += 1) await webhooks().create(tenantId, settings);
      await expect(webhooks().create(tenantId, settings)).rejects.toMatchObject({ code: 'invalid_request' });
    });

    it('is refused for a tenant that is no id', async () => {
      await expect(webhooks().create('../tenant', settings)).rejects.toMatchObject({
        code: 'invalid_request',
      });
    });

    it('is not lost when another is made at the same time', async () => {
      const tenantId = newTenant();
      const made = await Promise.all([1, 2, 3].map(() => webhooks().create(tenantId, settings)));
      const ids = (await webhooks().list(tenantId)).map(({ id }) => id);
      expect(ids.toSorted()).toEqual(made.map(({ endpoint }) => endpoint.id).toSorted());
    });
  });

  describe('a secret', () => {
    it('is bound to its tenant and its endpoint, besides the key', async () => {
      const tenantId = newTenant();
      const relay = await startRelay(vault().address);
      const { endpoint } = await webhooks({ address: relay.address }).create(tenantId, settings);
      const encrypt = relay.requests.find(({ path }) => path.endsWith(`/encrypt/${tenantId}`));
      const { batch_input: items } = JSON.parse(encrypt?.body ?? '{}') as {
        batch_input: { associated_data: string }[];
      };
      expect(items.map((item) => Buffer.from(item.associated_data, 'base64').toString())).toEqual([
        `_webhooks/${tenantId}/${endpoint.id}/secret`,
      ]);
    });

    it('is of no use in the document of another tenant', async () => {
      const [first, second] = [newTenant(), newTenant()];
      const { endpoint } = await webhooks().create(first, settings);
      await webhooks().create(second, settings);
      await expect(webhooks().secrets(second, endpoint)).rejects.toMatchObject({ reason: 'rejected' });
    });

    it('is of no use at another endpoint of its tenant', async () => {
      const tenantId = newTenant();
      const { endpoint } = await webhooks().create(tenantId, settings);
      const { endpoint: other } = await webhooks().create(tenantId, settings);
      await expect(
        webhooks().secrets(tenantId, { ...other, secrets: endpoint.secrets }),
      ).rejects.toMatchObject({ reason: 'rejected' });
    });

    it('is gone with the key of its tenant', async () => {
      const tenantId = newTenant();
      const { endpoint } = await webhooks().create(tenantId, settings);
      const key = `${vault().mounts.refreshTransitEngine}/keys/${tenantId}`;
      await vault().call('POST', `${key}/config`, { deletion_allowed: true });
      await vault().call('DELETE', key);
      await expect(webhooks().secrets(tenantId, endpoint)).rejects.toMatchObject({
        code: 'vault_unavailable',
      });
    });
  });

  describe('rotating a secret', () => {
    const reveal = async (tenantId: string, endpointId: string) => {
      const endpoint = await webhooks().find(tenantId, endpointId);
      if (endpoint === undefined) throw new Error('there is none');
      return (await webhooks().secrets(tenantId, endpoint)).map((secret) => secret.reveal());
    };

    it('lets both sign while they overlap, the new one first, and then the new one alone', async () => {
      const tenantId = newTenant();
      const { endpoint, secret: old } = await webhooks().create(tenantId, settings);
      const rotated = await webhooks().rotateSecret(tenantId, endpoint.id, day);
      const fresh = rotated?.secret.reveal();
      expect(fresh).not.toBe(old.reveal());
      expect(await reveal(tenantId, endpoint.id)).toEqual([fresh, old.reveal()]);
      now = start + day;
      expect(await reveal(tenantId, endpoint.id)).toEqual([fresh]);
    });

    it('again, for its answer was lost, leaves the one in use its overlap', async () => {
      const tenantId = newTenant();
      const { endpoint, secret: used } = await webhooks().create(tenantId, settings);
      const lost = await webhooks().rotateSecret(tenantId, endpoint.id, day);
      now = start + 1_000;
      const newest = await webhooks().rotateSecret(tenantId, endpoint.id, day);
      const secrets = [newest?.secret, lost?.secret, used].map((secret) => secret?.reveal());
      expect(await reveal(tenantId, endpoint.id)).toEqual(secrets);
      now = start + day;
      expect(await reveal(tenantId, endpoint.id)).toEqual(secrets.slice(0, 2));
    });

    it('without overlap ends the old one at once', async () => {
      const tenantId = newTenant();
      const { endpoint } = await webhooks().create(tenantId, settings);
      const rotated = await webhooks().rotateSecret(tenantId, endpoint.id, 0);
      expect(await reveal(tenantId, endpoint.id)).toEqual([rotated?.secret.reveal()]);
    });

    it('is done once, also when the answer to it is lost', async () => {
      const tenantId = newTenant();
      const { endpoint, secret: old } = await webhooks().create(tenantId, settings);
      const relay = await startRelay(vault().address);
      let isLost = false;
      relay.disturb = ({ path, method }) => {
        if (isLost || method === 'GET' || !path.includes('/_webhooks/')) return undefined;
        isLost = true;
        return 'lost answer';
      };
      const rotated = await webhooks({ address: relay.address }).rotateSecret(tenantId, endpoint.id, day);
      expect(await reveal(tenantId, endpoint.id)).toEqual([rotated?.secret.reveal(), old.reveal()]);
    });
  });

  describe('an endpoint', () => {
    it('takes what is changed and keeps the rest', async () => {
      const tenantId = newTenant();
      const { endpoint } = await webhooks().create(tenantId, settings);
      now = start + 1_000;
      const changed = await webhooks().update(tenantId, endpoint.id, { events: ['refresh-retry'] });
      expect(changed).toEqual({
        ...endpoint,
        events: ['refresh-retry'],
        updatedAt: '2025-11-08T12:00:01.000Z',
      });
      expect(await webhooks().find(tenantId, endpoint.id)).toEqual(changed);
    });

    it('of another tenant is not there: not to be found, changed, rotated or deleted', async () => {
      const [owner, other] = [newTenant(), newTenant()];
      const { endpoint } = await webhooks().create(owner, settings);
      expect(await webhooks().find(other, endpoint.id)).toBeUndefined();
      expect(await webhooks().update(other, endpoint.id, { enabled: false })).toBeUndefined();
      expect(await webhooks().rotateSecret(other, endpoint.id, 0)).toBeUndefined();
      expect(await webhooks().delete(other, endpoint.id)).toBe(false);
      expect(await webhooks().find(owner, endpoint.id)).toEqual(endpoint);
    });

    it('remembers since when it fails, until it works again', async () => {
      const tenantId = newTenant();
      const { endpoint } = await webhooks().create(tenantId, settings);
      await webhooks().markFailing(tenantId, endpoint.id, new Date(start));
      await webhooks().markFailing(tenantId, endpoint.id, new Date(start + day));
      const marked = await webhooks().find(tenantId, endpoint.id);
      expect(marked?.failingSince).toBe('2025-11-08T12:00:00.000Z');
      await webhooks().markWorking(tenantId, endpoint.id);
      expect(await webhooks().find(tenantId, endpoint.id)).toEqual(endpoint);
    });

    it('that was switched off says why, until somebody switches it on', async () => {
      const tenantId = newTenant();
      const { endpoint } = await webhooks().create(tenantId, settings);
      await webhooks().disable(tenantId, endpoint.id, 'gone');
      const off = await webhooks().find(tenantId, endpoint.id);
      expect(off).toMatchObject({ enabled: false, disabledReason: 'gone' });
      const on = await webhooks().update(tenantId, endpoint.id, { enabled: true });
      expect(on).toMatchObject({ enabled: true });
      expect(on).not.toHaveProperty('disabledReason');
    });

    it('that is deleted is gone, with what earlier versions of the document held, and its neighbour stays', async () => {
      const tenantId = newTenant();
      const { endpoint } = await webhooks().create(tenantId, settings);
      const { endpoint: neighbour } = await webhooks().create(tenantId, settings);
      expect(await webhooks().delete(tenantId, endpoint.id)).toBe(true);
      expect(await webhooks().delete(tenantId, endpoint.id)).toBe(false);
      expect(await webhooks().list(tenantId)).toEqual([neighbour]);
      const path = `${vault().mounts.kvEngine}/data/_webhooks/${tenantId}`;
      for (const version of [1, 2])
        expect((await vault().call('GET', `${path}?version=${version}`)).body.data.data).toBeNull();
    });

    it('keeps types of events that a newer version of ours has stored', async () => {
      const tenantId = newTenant();
      const { endpoint } = await webhooks().create(tenantId, settings);
      const stored = { ...endpoint, events: ['needs_reauth', 'from-the-future'] };
      await vault().call('POST', `${vault().mounts.kvEngine}/data/_webhooks/${tenantId}`, {
        data: { endpoints: [stored] },
      });
      expect((await webhooks().find(tenantId, endpoint.id))?.events).toEqual(stored.events);
    });
  });

  it('refuses a document that is not as it should be, without saying what it holds', async () => {
    const tenantId = newTenant();
    await vault().call('POST', `${vault().mounts.kvEngine}/data/_webhooks/${tenantId}`, {
      data: { endpoints: [{ url: 'https://sesame' }] },
    });
    const listing = webhooks().list(tenantId);
    await expect(listing).rejects.toBeInstanceOf(StoredDocumentError);
    await expect(listing).rejects.not.toThrow('sesame');
  });
});
