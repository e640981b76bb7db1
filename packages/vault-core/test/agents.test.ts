import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { keyFits, parseAgentKey, StoredDocumentError, type AgentKey } from '../src/index.ts';
import { startRelay } from './start-relay.ts';
import { eachVault } from './start-vault.ts';

const now = Date.parse('2025-11-08T12:00:00Z');
const grant = { name: 'an agent', tenants: ['tenant-123'], integrations: ['github'] };

describe('agent key', () => {
  it('names its agent and holds a secret', () => {
    const key = parseAgentKey('cak_abc123_s3cret');
    expect(key?.id).toBe('abc123');
    expect(key?.secret.reveal()).toBe('s3cret');
  });

  it('does not show its secret', () => {
    const key = parseAgentKey('cak_abc123_s3cret');
    expect(inspect(key, { showHidden: true }) + JSON.stringify(key)).not.toContain('s3cret');
  });

  it.each([
    '',
    'cak',
    'cak_',
    'cak_abc',
    'cak_abc_',
    'cak_a/b_secret',
    'cak_.._secret',
    'cak_abc_se_cret',
    'pat_abc_secret',
  ])('is not %j', (text) => {
    expect(parseAgentKey(text)).toBeUndefined();
  });
});

await eachVault((vault) => {
  const agents = () => vault().client({ now: () => now }).agents;
  const documentOf = (id: string) => vault().call('GET', `${vault().mounts.kvEngine}/data/_agents/${id}`);

  async function edit(id: string, change: object): Promise<void> {
    const { body } = await documentOf(id);
    const data = { ...body.data.data, ...change };
    await vault().call('POST', `${vault().mounts.kvEngine}/data/_agents/${id}`, { data });
  }

  describe('a new agent', () => {
    it('is found under the id in its key', async () => {
      const { id, key } = await agents().create(grant);
      expect(parseAgentKey(key.reveal())?.id).toBe(id);
      expect(await agents().find(id)).toMatchObject({ ...grant, id, createdAt: '2025-11-08T12:00:00.000Z' });
    });

    it('leaves only a hash of its key in Vault', async () => {
      const { id, key } = await agents().create(grant);
      const [, , secret] = key.reveal().split('_');
      expect(secret).toMatch(/^[a-z2-7]{52}$/);
      const { body } = await documentOf(id);
      expect(Object.keys(body.data.data).toSorted()).toEqual([
        'createdAt',
        'integrations',
        'name',
        'secretSha256',
        'tenants',
      ]);
      expect(JSON.stringify(body)).not.toContain(secret);
    });

    it('may be for all integrations', async () => {
      const { id } = await agents().create({ name: 'x', tenants: ['tenant-123'] });
      expect((await agents().find(id))?.integrations).toBeUndefined();
    });

    it('tells when it expires', async () => {
      const { id } = await agents().create({ ...grant, expiresAt: new Date('2026-01-01T00:00:00Z') });
      expect((await agents().find(id))?.expiresAt).toBe('2026-01-01T00:00:00.000Z');
    });

    it.each([
      ['no tenant', { tenants: [] }],
      ['a tenant that is no id', { tenants: ['tenant-1', '_agents'] }],
      ['an integration that is no id', { integrations: ['git/hub'] }],
    ])('is refused with %s', async (_what, change) => {
      await expect(agents().create({ ...grant, ...change })).rejects.toMatchObject({
        code: 'invalid_request',
      });
    });

    it('is made once, also when the answer to it is lost', async () => {
      const relay = await startRelay(vault().address);
      relay.disturb = ({ path }) =>
        path.includes('/_agents/') && relay.count(path) === 1 ? 'lost answer' : undefined;
      const { id, key } = await vault().client({ address: relay.address }).agents.create(grant);
      const agent = await agents().find(id);
      expect(agent && keyFits(agent, parseAgentKey(key.reveal()) as AgentKey)).toBe(true);
    });
  });

  describe('a key', () => {
    it('fits its own agent only', async () => {
      const [first, second] = [await agents().create(grant), await agents().create(grant)];
      const agent = await agents().find(first.id);
      const fits = (key: string) => agent && keyFits(agent, parseAgentKey(key) as AgentKey);
      expect(fits(first.key.reveal())).toBe(true);
      expect(fits(second.key.reveal())).toBe(false);
    });

    it.each([
      ['one character more', (key: string) => `${key}a`],
      ['one character less', (key: string) => key.slice(0, -1)],
      [
        'another first character',
        (key: string) => key.replace(/_(.)([^_]*)$/, (_, c, rest) => `_${c === 'a' ? 'b' : 'a'}${rest}`),
      ],
      ['upper case', (key: string) => key.replace(/[^_]*$/, (secret) => secret.toUpperCase())],
      ['the stored hash as its secret', undefined],
    ])('with %s does not fit', async (_what, change) => {
      const { id, key } = await agents().create(grant);
      const agent = await agents().find(id);
      const altered = change?.(key.reveal()) ?? `cak_${id}_${agent?.secretSha256}`;
      expect(agent && keyFits(agent, parseAgentKey(altered) as AgentKey)).toBe(false);
    });
  });

  describe('finding an agent', () => {
    it('gives nothing for an unknown id', async () => {
      expect(await agents().find('nobody')).toBeUndefined();
    });

    it('gives nothing for a deleted one', async () => {
      const { id } = await agents().create(grant);
      await agents().delete(id);
      expect(await agents().find(id)).toBeUndefined();
    });

    it('deletes nothing else, and again without harm', async () => {
      const [first, second] = [await agents().create(grant), await agents().create(grant)];
      await agents().delete(first.id);
      await agents().delete(first.id);
      await agents().delete('nobody');
      expect(await agents().find(second.id)).toBeDefined();
    });

    it.each([
      ['secretSha256', 'sesame'],
      ['tenants', []],
      ['tenants', 'tenant-123'],
      ['expiresAt', 'tomorrow'],
    ])('refuses a document whose %s is %j, without saying what it holds', async (field, value) => {
      const { id } = await agents().create(grant);
      await edit(id, { [field]: value });
      const finding = agents().find(id);
      await expect(finding).rejects.toBeInstanceOf(StoredDocumentError);
      await expect(finding).rejects.toThrow(
        `The document _agents/${id} in Vault is not as it should be: see ${field}`,
      );
    });
  });
});
