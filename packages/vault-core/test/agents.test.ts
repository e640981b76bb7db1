import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import {
  findFittingKey,
  parseAgentKey,
  StoredDocumentError,
  type Agent,
  type AgentKey,
  type AgentWithKey,
  type Grant,
} from '../src/index.ts';
import { startRelay } from './start-relay.ts';
import { eachVault } from './start-vault.ts';

function shown(made: AgentWithKey | undefined): { id: string; key: string } {
  if (made === undefined) throw new Error('there is no such agent');
  return { id: made.agent.id, key: made.key.reveal() };
}

const now = Date.parse('2025-11-08T12:00:00Z');
const grant: Grant = { tenants: ['tenant-123'], integrations: ['github'] };
const settings = { name: 'an agent', grants: [grant] };

function fits(agent: Agent | undefined, key: string): boolean {
  return agent !== undefined && findFittingKey(agent.keys, parseAgentKey(key) as AgentKey) !== undefined;
}

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

  const rotate = async (id: string, overlapMs: number) => shown(await agents().rotate(id, overlapMs));

  async function edit(id: string, change: object): Promise<void> {
    const { body } = await documentOf(id);
    const data = { ...body.data.data, ...change };
    await vault().call('POST', `${vault().mounts.kvEngine}/data/_agents/${id}`, { data });
  }

  /** Agents as seen through a connection that breaks after Vault's first write. */
  async function losingFirstAnswer() {
    const relay = await startRelay(vault().address);
    let writes = 0;
    relay.disturb = ({ method, path }) =>
      method === 'POST' && path.includes('/_agents/') && ++writes === 1 ? 'lost answer' : undefined;
    return vault().client({ address: relay.address, now: () => now }).agents;
  }

  /** An agent's id, and its key as text. */
  async function create(from = agents()) {
    return shown(await from.create(settings));
  }

  describe('a new agent', () => {
    it('is found under the id in its key', async () => {
      const { agent, key } = await agents().create(settings);
      expect(parseAgentKey(key.reveal())?.id).toBe(agent.id);
      const time = '2025-11-08T12:00:00.000Z';
      expect(agent).toMatchObject({ ...settings, createdAt: time, keys: [{ createdAt: time }] });
      expect(await agents().find(agent.id)).toEqual(agent);
    });

    it('leaves only a hash of its key in Vault', async () => {
      const { id, key } = await create();
      const [, , secret] = key.split('_');
      expect(secret).toMatch(/^[a-z2-7]{52}$/);
      const { body } = await documentOf(id);
      expect(Object.keys(body.data.data).toSorted()).toEqual(['createdAt', 'grants', 'keys', 'name']);
      expect(JSON.stringify(body)).not.toContain(secret);
    });

    it('tells when it expires', async () => {
      const { agent } = await agents().create({ ...settings, expiresAt: new Date('2026-01-01T00:00:00Z') });
      expect((await agents().find(agent.id))?.expiresAt).toBe('2026-01-01T00:00:00.000Z');
    });

    it.each<[string, object, string]>([
      ['no grant', [], 'grants'],
      ['no tenant', [{ tenants: [] }], 'grants.0.tenants'],
      ['a tenant that is no id', [grant, { tenants: ['tenant-1', '_agents'] }], 'grants.1.tenants.1'],
      ['an integration that is no id', [{ ...grant, integrations: ['git/hub'] }], 'grants.0.integrations.0'],
      ['a method that there is not', [{ ...grant, rest: { methods: ['get'] } }], 'grants.0.rest.methods.0'],
      ['a path that is none', [{ ...grant, rest: { paths: ['/a?b'] } }], 'grants.0.rest.paths.0'],
      ['a tool that is none', [{ ...grant, mcp: { tools: ['a b'] } }], 'grants.0.mcp.tools.0'],
      ['a restriction that nobody knows', [{ ...grant, hours: '9-17' }], 'grants.0'],
    ])('is refused with %s, naming it', async (_what, grants, named) => {
      const creating = agents().create({ ...settings, grants: grants as Grant[] });
      await expect(creating).rejects.toMatchObject({ code: 'invalid_request' });
      await expect(creating).rejects.toThrow(`${named}: `);
    });

    it('is made once, also when the answer to it is lost', async () => {
      const { id, key } = await create(await losingFirstAnswer());
      expect(fits(await agents().find(id), key)).toBe(true);
    });
  });

  describe('a key', () => {
    it('fits its own agent only', async () => {
      const [first, second] = [await create(), await create()];
      const agent = await agents().find(first.id);
      expect(fits(agent, first.key)).toBe(true);
      expect(fits(agent, second.key)).toBe(false);
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
      const { id, key } = await create();
      const agent = await agents().find(id);
      const altered = change?.(key) ?? `cak_${id}_${agent?.keys[0]?.secretSha256}`;
      expect(fits(agent, altered)).toBe(false);
    });
  });

  describe('a rotated key', () => {
    const hour = 3_600_000;

    it('is good beside the one before, which ends with the overlap', async () => {
      const { id, key } = await create();
      const rotated = await rotate(id, hour);
      const agent = await agents().find(id);
      expect([fits(agent, key), fits(agent, rotated.key)]).toEqual([true, true]);
      expect(agent?.keys.map(({ expiresAt }) => expiresAt)).toEqual([undefined, '2025-11-08T13:00:00.000Z']);
      expect(agent).toMatchObject(settings);
    });

    it('whose answer was lost is made again, and the one in use ended with that', async () => {
      const { id, key } = await create();
      await rotate(id, hour);
      const { key: newest } = await rotate(id, 2 * hour);
      const agent = await agents().find(id);
      expect([fits(agent, key), fits(agent, newest)]).toEqual([true, true]);
      const [, lost, used] = agent?.keys ?? [];
      expect([lost?.expiresAt, used?.expiresAt]).toEqual([
        '2025-11-08T14:00:00.000Z',
        '2025-11-08T13:00:00.000Z',
      ]);
    });

    it('is one of four at the most', async () => {
      const { id, key } = await create();
      const second = await rotate(id, hour);
      for (let i = 0; i < 3; i += 1) await rotate(id, hour);
      const agent = await agents().find(id);
      expect([fits(agent, key), fits(agent, second.key), agent?.keys.length]).toEqual([false, true, 4]);
    });

    it('ends those before at once if there is to be no overlap', async () => {
      const { id, key } = await create();
      const second = await rotate(id, hour);
      const rotated = await rotate(id, 0);
      const agent = await agents().find(id);
      expect([key, second.key, rotated.key].map((one) => fits(agent, one))).toEqual([false, false, true]);
    });

    it.each([-1, 7 * 24 * hour + 1, Number.NaN])('has no overlap of %d ms', async (overlapMs) => {
      const { id } = await create();
      await expect(agents().rotate(id, overlapMs)).rejects.toMatchObject({ code: 'invalid_request' });
    });

    it('is made once, also when the answer to it is lost', async () => {
      const { id, key } = await create();
      const rotated = shown(await (await losingFirstAnswer()).rotate(id, hour));
      const agent = await agents().find(id);
      expect([fits(agent, key), fits(agent, rotated.key)]).toEqual([true, true]);
    });

    it('is each one’s own when two are made at once', async () => {
      const { id } = await create();
      const made: string[] = [];
      const relay = await startRelay(vault().address);
      relay.disturb = async ({ method, path }) => {
        // The second is made between reading and writing of the first.
        if (method === 'POST' && path.includes('/_agents/') && made.length === 0)
          made.push((await rotate(id, hour)).key);
        return undefined;
      };
      const first = vault().client({ address: relay.address, now: () => now }).agents;
      made.push(shown(await first.rotate(id, hour)).key);
      const agent = await agents().find(id);
      expect(made.map((key) => fits(agent, key))).toEqual([true, true]);
    });

    it('is not made for nobody', async () => {
      expect(await agents().rotate('nobody', hour)).toBeUndefined();
    });
  });

  describe('changing an agent', () => {
    it('keeps what is not named', async () => {
      const { agent } = await agents().create({ ...settings, expiresAt: new Date('2026-01-01T00:00:00Z') });
      const grants = [{ tenants: ['tenant-9'], rest: { methods: ['GET'], paths: ['/user'] } }];
      expect(await agents().update(agent.id, { grants })).toEqual({ ...agent, grants });
      expect(await agents().update(agent.id, { name: 'new' })).toEqual({ ...agent, grants, name: 'new' });
      expect(await agents().find(agent.id)).toEqual({ ...agent, grants, name: 'new' });
    });

    it('takes its expiry away, or sets one', async () => {
      const { id } = await create();
      await agents().update(id, { expiresAt: new Date('2026-01-01T00:00:00Z') });
      expect((await agents().find(id))?.expiresAt).toBe('2026-01-01T00:00:00.000Z');
      await agents().update(id, { expiresAt: undefined });
      expect(await agents().find(id)).not.toHaveProperty('expiresAt');
    });

    it('loses no other change that is made at the same time', async () => {
      const { id } = await create();
      const rotating = rotate(id, 0);
      await Promise.all([rotating, agents().update(id, { name: 'new' })]);
      const agent = await agents().find(id);
      expect(agent?.name).toBe('new');
      expect(fits(agent, (await rotating).key)).toBe(true);
    });

    it('refuses grants that break a rule, and leaves the agent as it was', async () => {
      const { id } = await create();
      const changing = agents().update(id, { name: 'new', grants: [{ tenants: ['../x'] }] });
      await expect(changing).rejects.toMatchObject({ code: 'invalid_request' });
      expect(await agents().find(id)).toMatchObject(settings);
    });

    it('makes none where there is none', async () => {
      expect(await agents().update('nobody', { name: 'x' })).toBeUndefined();
    });
  });

  describe('finding an agent', () => {
    it('gives nothing for an unknown id', async () => {
      expect(await agents().find('nobody')).toBeUndefined();
    });

    it.each([
      ['grants.0.tenants', { grants: [{ tenants: [] }] }],
      ['grants.0.tenants', { grants: [{ tenants: 'tenant-123' }] }],
      ['grants.0', { grants: [{ tenants: ['tenant-123'], hours: '9-17' }] }],
      ['keys.0.secretSha256', { keys: [{ secretSha256: 'sesame', createdAt: '2025-11-08T12:00:00Z' }] }],
      ['keys', { keys: [] }],
      ['expiresAt', { expiresAt: 'tomorrow' }],
      ['all of it', { tenants: ['tenant-123'] }],
    ])(
      'refuses a document whose %s is not as it should be, without saying what it holds',
      async (field, change) => {
        const { id } = await create();
        await edit(id, change);
        const finding = agents().find(id);
        await expect(finding).rejects.toBeInstanceOf(StoredDocumentError);
        await expect(finding).rejects.toThrow(
          `The document _agents/${id} in Vault is not as it should be: see ${field}`,
        );
      },
    );
  });

  it('lists all agents, and names those that it cannot read', async () => {
    const [first, second, third] = [await create(), await create(), await create()];
    await agents().delete(second.id);
    await edit(third.id, { keys: 'none' });
    const { agents: listed, unreadable } = await agents().list();
    expect(listed).toContainEqual(await agents().find(first.id));
    expect(listed.map(({ id }) => id)).not.toContain(second.id);
    expect(unreadable).toContain(third.id);
    expect(unreadable).not.toContain(second.id);
  });

  describe('a deleted agent', () => {
    it('is not found, and leaves nothing behind', async () => {
      const { id } = await create();
      await agents().rotate(id, 0);
      expect(await agents().delete(id)).toBe(true);
      expect(await agents().find(id)).toBeUndefined();
      const metadata = await vault().call('GET', `${vault().mounts.kvEngine}/metadata/_agents/${id}`);
      expect(metadata.status).toBe(404);
    });

    it('is not there to be deleted again, and nobody else is', async () => {
      const [first, second] = [await create(), await create()];
      await agents().delete(first.id);
      expect(await agents().delete(first.id)).toBe(false);
      expect(await agents().delete('nobody')).toBe(false);
      expect(await agents().find(second.id)).toBeDefined();
    });

    it('may be one that nobody can read', async () => {
      const { id } = await create();
      await edit(id, { keys: 'none' });
      expect(await agents().delete(id)).toBe(true);
      expect(await agents().find(id)).toBeUndefined();
    });

    it('does not come back with a change that was under way', async () => {
      const { id } = await create();
      const relay = await startRelay(vault().address);
      relay.disturb = async ({ method, path }) => {
        if (method === 'POST' && path.includes('/_agents/')) await agents().delete(id);
        return undefined;
      };
      const rotating = vault()
        .client({ address: relay.address, now: () => now })
        .agents.rotate(id, 0);
      expect(await rotating).toBeUndefined();
    });
  });
});
