import { startRedis, type RunningRedis } from '@connectors/dev-servers';
import { connectRedis, type ConnectorsEvent } from '@connectors/vault-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { StateIndex, type IndexedState } from '../src/index.ts';

let server: RunningRedis;
let redis: ReturnType<typeof connectRedis>;
let index: StateIndex;
let now: number;

beforeAll(async () => {
  server = await startRedis();
  redis = connectRedis(server.url, 'background', () => undefined);
});

afterAll(async () => {
  redis.disconnect();
  await server.close();
});

beforeEach(async () => {
  await redis.flushall();
  now = 1_000;
  index = new StateIndex(redis, 'connectors', () => now);
});

const id = (integration = 'github') => ({ tenantId: 'acme', integration, revision: 'r' });
const none: Record<IndexedState, number> = { needs_reauth: 0, failing: 0, expiring: 0, active: 0 };
const stored: ConnectorsEvent = { type: 'credential-stored', ...id() };
const refused: ConnectorsEvent = { type: 'refresh-failed', ...id(), error: 'invalid_grant' };

describe('a tenant', () => {
  it.each<[IndexedState, ConnectorsEvent]>([
    ['active', stored],
    ['active', { type: 'refresh-success', ...id() }],
    ['failing', { type: 'refresh-retry', ...id(), error: 'http_500', retryCount: 1 }],
    ['needs_reauth', refused],
  ])('is %s after %o', async (state, event) => {
    await index.note(event);
    expect(await index.count()).toEqual({ ...none, [state]: 1 });
  });

  it('is in the state of the worst of its credentials', async () => {
    await index.note({ ...stored, ...id('slack') });
    await index.note(refused);
    expect(await index.count()).toEqual({ ...none, needs_reauth: 1 });
    await index.note(stored);
    expect(await index.count()).toEqual({ ...none, active: 1 });
  });

  it('is in none without credentials', async () => {
    await index.note(stored);
    await index.note({ type: 'credential-deleted', ...id() });
    expect(await index.count()).toEqual(none);
    expect(await redis.keys('*')).toEqual([]);
  });

  it('is put right by a sweep', async () => {
    await index.note(refused);
    await index.replace('acme', { slack: { state: 'expiring' }, jira: { state: 'active' } });
    expect(await index.count()).toEqual({ ...none, expiring: 1 });
    await index.replace('acme', {});
    expect(await index.count()).toEqual(none);
  });

  it('that is offboarded is forgotten', async () => {
    await index.note(refused);
    await index.forget('acme');
    expect(await redis.keys('*')).toEqual([]);
  });
});

it('names tenants in a state with since when and why, those that came last first', async () => {
  await index.note(refused);
  now = 2_000;
  await index.replace('umbrella', { github: { state: 'needs_reauth', reason: 'unreadable' } });
  now = 3_000;
  // A sweep that finds what is known changes nothing.
  await index.replace('acme', { github: { state: 'needs_reauth', reason: 'invalid_grant' } });
  expect(await index.tenantsIn('needs_reauth', 10)).toEqual([
    {
      tenantId: 'umbrella',
      since: 2_000,
      credentials: { github: { state: 'needs_reauth', reason: 'unreadable' } },
    },
    {
      tenantId: 'acme',
      since: 1_000,
      credentials: { github: { state: 'needs_reauth', reason: 'invalid_grant' } },
    },
  ]);
  expect(await index.tenantsIn('needs_reauth', 1)).toHaveLength(1);
});
