import { openWebhook } from '@connectors/dev-servers';
import { webhookEventTypes } from '@connectors/vault-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { startProcess } from './start-process.ts';
import { startReceiver } from './start-receiver.ts';
import { startWorld, type World } from './start-world.ts';

// Processes take their time to start on a machine that is busy.
vi.setConfig({ testTimeout: 60_000 });

let world: World;
let tenants = 0;

beforeAll(async () => {
  world = await startWorld();
});

afterAll(() => world.close());

beforeEach(() => world.clear());

/** A tenant whose endpoint wants to know everything. */
async function startTenant() {
  const receiver = await startReceiver();
  const tenantId = `tenant-${(tenants += 1)}`;
  const { secret } = await world.admin.webhooks.create(tenantId, {
    url: receiver.url,
    events: [...webhookEventTypes],
    enabled: true,
  });
  const opened = () => receiver.received.map((request) => openWebhook(secret.reveal(), request));
  return { receiver, id: { tenantId, integration: 'demo' }, opened };
}

const refused = { kind: 'status', status: 400, body: { error: 'invalid_grant' } } as const;

describe('a tenant is told', () => {
  it('of a refresh, with when its token expires', async () => {
    const { id, opened } = await startTenant();
    await startProcess(world.env);
    await world.jobAs('completed', await world.connect(id));
    await vi.waitFor(() => expect(opened()).toHaveLength(1), 10_000);
    const { expiresAt, metadata } = await world.stored(id);
    const data = { ...id, revision: metadata.revision, expiresAt };
    expect(opened()).toMatchObject([{ type: 'refresh-success', data }]);
  });

  it('that its user has to connect again, why and where', async () => {
    const { id, opened } = await startTenant();
    await startProcess({ ...world.env, CONSOLE_URL: 'https://console.example.com' });
    await world.jobAs('failed', await world.connect(id, { meets: refused }));
    await vi.waitFor(() => expect(opened()).toHaveLength(2), 10_000);
    const connectUrl = `https://console.example.com/connect/${id.tenantId}/demo`;
    expect(opened()).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          type: 'needs_reauth',
          data: expect.objectContaining({ reason: 'invalid_grant', connectUrl }) as object,
        }),
      ]),
    );
  });

  it('that a refresh is tried again', async () => {
    const { id, opened } = await startTenant();
    await startProcess(world.env);
    await world.connect(id, { meets: { kind: 'status', status: 503 } });
    await vi.waitFor(() => expect(opened().length).toBeGreaterThan(0), 10_000);
    expect(opened()[0]).toMatchObject({ type: 'refresh-retry', data: { error: 'http_503', retryCount: 1 } });
  });

  it('by another worker, with the same id, when the one that was at it is killed', async () => {
    const { id, receiver, opened } = await startTenant();
    receiver.respond = () => undefined;
    const first = await startProcess(world.env);
    await world.connect(id, { meets: refused });
    await vi.waitFor(() => expect(receiver.received).toHaveLength(2), 10_000);
    first.child.kill('SIGKILL');
    await first.exited;
    receiver.respond = (response) => response.writeHead(204).end();
    await startProcess(world.env);
    await vi.waitFor(() => expect(receiver.received).toHaveLength(4), 20_000);
    const [lost, again] = [opened().slice(0, 2), opened().slice(2)].map((some) =>
      some.toSorted((a, b) => a.type.localeCompare(b.type)),
    );
    expect(again).toEqual(lost);
  });
});

it('a worker that is asked to end waits for the answer to a delivery', async () => {
  const { id, receiver } = await startTenant();
  const held = Promise.withResolvers<void>();
  receiver.respond = (response) => void held.promise.then(() => response.writeHead(204).end());
  const worker = await startProcess(world.env);
  await world.connect(id, { meets: refused });
  await vi.waitFor(() => expect(receiver.received).toHaveLength(2), 10_000);
  worker.child.kill('SIGTERM');
  await vi.waitFor(
    () => expect(worker.lines.map(({ msg }) => msg)).toContain('finishing what is in flight'),
    10_000,
  );
  held.resolve();
  expect(await worker.exited).toEqual([0, null]);
  expect(receiver.received).toHaveLength(2);
});
