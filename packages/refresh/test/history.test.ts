import { startRedis, type RunningRedis } from '@connectors/dev-servers';
import { connectRedis, EventSubscription, publishEvent, type ConnectorsEvent } from '@connectors/vault-core';
import { afterAll, beforeAll, beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import { EventHistory, type HistoryEntry } from '../src/history.ts';

let server: RunningRedis;
let redis: ReturnType<typeof connectRedis>;
let live: EventSubscription;
let history: EventHistory;

beforeAll(async () => {
  server = await startRedis();
  redis = connectRedis(server.url, 'background', () => undefined);
  live = new EventSubscription(
    connectRedis(server.url, 'background', () => undefined),
    'connectors',
  );
  history = new EventHistory(redis, 'connectors', live);
  await vi.waitUntil(() => live.isConnected, 10_000);
});

afterAll(async () => {
  live.close();
  redis.disconnect();
  await server.close();
});

beforeEach(() => redis.flushall());

const stored = (tenantId: string, revision = 'r'): ConnectorsEvent => ({
  type: 'credential-stored',
  tenantId,
  integration: 'demo',
  revision,
});

/** As a worker announces it. */
async function announce(event: ConnectorsEvent) {
  await history.add(event);
  await publishEvent(redis, 'connectors', event);
}

/** What a subscriber is told until the test is over. */
function follow(tenantId?: string, since?: string) {
  const heard: HistoryEntry[] = [];
  onTestFinished(history.subscribe({ tenantId }, (entry) => heard.push(entry), since));
  return heard;
}

const revisions = (entries: HistoryEntry[]) =>
  entries.map((entry) => ('revision' in entry ? entry.revision : undefined));

it('remembers the last hundred events of a tenant', async () => {
  for (let round = 0; round < 101; round += 1) await history.add(stored('acme', `r${round}`));
  const { items, next } = await history.page({ tenantId: 'acme' }, 200);
  expect(revisions(items).at(-1)).toBe('r1');
  expect(items).toHaveLength(100);
  expect(next).toBeUndefined();
});

it('forgets a tenant that nothing happens to after a month', async () => {
  await history.add(stored('acme'));
  expect(await redis.ttl('connectors:history:acme')).toBe(30 * 24 * 3600);
});

it('has nothing that is older than the oldest id there can be, which was said to be Redis out of reach', async () => {
  await history.add(stored('acme'));
  expect(await history.page({}, 1, '0-0')).toEqual({ items: [] });
});

it('says when an event was announced', async () => {
  await history.add(stored('acme'));
  const { items } = await history.page({}, 1);
  expect(Math.abs(Date.parse(items[0]?.at ?? '') - Date.now())).toBeLessThan(60_000);
});

it('passes over what a newer version wrote', async () => {
  await redis.xadd('connectors:history', '*', 'event', JSON.stringify({ type: 'from-the-future' }));
  await history.add(stored('acme'));
  expect((await history.page({}, 10)).items).toHaveLength(1);
});

it('does not remember refreshes that were declined: any request may ask for one', async () => {
  const { type: _type, ...credential } = stored('acme');
  await history.add({ ...credential, type: 'refresh-declined', error: 'cooling_down' } as ConnectorsEvent);
  expect((await history.page({}, 10)).items).toEqual([]);
});

it('tells who follows a tenant of its events as they happen, and of no others', async () => {
  const heard = follow('acme', await history.newestId({ tenantId: 'acme' }));
  await announce(stored('umbrella'));
  await announce(stored('acme', 'first'));
  await announce(stored('acme', 'second'));
  await expect.poll(() => revisions(heard)).toEqual(['first', 'second']);
});

it('tells who follows all of every tenant', async () => {
  const heard = follow(undefined, '0-0');
  await announce(stored('acme', 'first'));
  await announce(stored('umbrella', 'second'));
  await expect.poll(() => revisions(heard)).toEqual(['first', 'second']);
});

it('tells first what came after the id that a page ended with', async () => {
  await announce(stored('acme', 'shown'));
  const [newest] = (await history.page({ tenantId: 'acme' }, 1)).items;
  await announce(stored('acme', 'missed'));
  const heard = follow('acme', newest?.id);
  await announce(stored('acme', 'new'));
  await expect.poll(() => revisions(heard)).toEqual(['missed', 'new']);
});

it('tells what happened while Redis could not be heard', async () => {
  const heard = follow('acme', await history.newestId({ tenantId: 'acme' }));
  // Added, and not published: as if the message had got lost.
  await history.add(stored('acme', 'missed'));
  live.emit('gap');
  await expect.poll(() => revisions(heard)).toEqual(['missed']);
});

it('tells nobody who has gone', async () => {
  const heard: HistoryEntry[] = [];
  history.subscribe({}, (entry) => heard.push(entry), '0-0')();
  const witness = follow(undefined, '0-0');
  await announce(stored('acme'));
  await expect.poll(() => witness.length).toBe(1);
  expect(heard).toEqual([]);
});
