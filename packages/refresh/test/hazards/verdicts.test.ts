import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readRequestError, readTokenResponse, TokenRequestError } from '@connectors/oauth';
import { refreshQueueName, Secret, type RefreshJobData, type StoredCredential } from '@connectors/vault-core';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { refreshCredential, sweepTenant } from '../../src/index.ts';
import { eventually } from '../eventually.ts';
import { startWorkers } from '../start-workers.ts';
import { failureTable, type FailureCase } from './failure-table.ts';
import { isWrite, setScene } from './scene.ts';

let endpoint: Server;
/** What the token endpoint of the providers of the catalog does with a request. */
let respond: (response: ServerResponse) => Promise<void>;
let asked: number;

const scene = setScene(async () => {
  endpoint = createServer((request, response) => {
    asked += 1;
    request.resume().once('end', () => void respond(response));
  }).listen(0, '127.0.0.1');
  await once(endpoint, 'listening');
  const tokenUrl = `http://127.0.0.1:${(endpoint.address() as AddressInfo).port}/token`;
  const ofCatalog = (provider: string) => ({ provider, issuer: undefined, tokenUrl });
  return {
    oidc: { authorizeUrl: 'http://127.0.0.1:9/', tokenUrl },
    github: ofCatalog('github'),
    slack: ofCatalog('slack'),
    google: ofCatalog('google'),
  };
});

afterAll(() => {
  endpoint.close();
});

beforeEach(async () => {
  asked = 0;
  await scene.world.redis.flushall();
});

/** One run of the job on a worker: the queue is stopped before the provider answers. */
async function refreshOnce(job: RefreshJobData, { answer, job: state }: FailureCase) {
  const queue = scene.world.queues.queue(refreshQueueName(job.integration));
  respond = async (response) => {
    await queue.pause();
    if (answer === 'cut') return void response.socket?.destroy();
    const { status, headers = { 'content-type': 'application/json' }, body = '' } = answer;
    response.writeHead(status, headers).end(typeof body === 'string' ? body : JSON.stringify(body));
  };
  // The first sweep of the worker must be over: it revives a job that fails while it looks.
  await scene.world.queues.remove(job);
  const { events } = await startWorkers(scene.world);
  await scene.jobAs('delayed', job);
  await scene.world.queues.hasten(job, Date.now());
  await eventually(async () => expect((await scene.world.queues.find(job))?.attemptsMade).toBe(1));
  const ended = await scene.jobAs(state, job);
  await eventually(() => expect(events.length).toBeGreaterThan(0));
  return { ended, events };
}

function classOf({ provider, answer }: FailureCase): string | undefined {
  const definition = scene.world.integrations.get(provider)?.provider;
  if (definition === undefined) throw new Error('there is no such provider');
  if (answer === 'cut')
    return readRequestError(definition, new TokenRequestError('connection_lost', 'maybe')).class;
  const { status, headers = {}, body = '' } = answer;
  const text = new Secret(typeof body === 'string' ? body : JSON.stringify(body));
  const result = readTokenResponse(definition, { status, headers, body: text, receivedAt: Date.now() });
  return result.kind === 'failure' ? result.failure.class : undefined;
}

function rememberedOf({ metadata: { attempt } }: StoredCredential): FailureCase['attempt'] {
  if (attempt === undefined) return 'over';
  return attempt.inDoubt === true ? 'in doubt' : 'live until its deadline';
}

describe('transient is treated as fatal, or fatal as transient', () => {
  const rows = failureTable.map((row) => [row.provider, row.says, row.class, row.status, row] as const);

  it.each(rows)(
    '%s says: %s (%s, and the credential is %s)',
    async (_provider, _says, _class, _status, row) => {
      const job = await scene.connect(row.provider);
      const { accessToken, refreshToken, expiresAt } = await scene.stored(job);
      const { ended, events } = await refreshOnce(job, row);
      expect(asked).toBe(1);
      expect(classOf(row)).toBe(row.class);
      const count = row.event === 'refresh-retry' ? { retryCount: 1 } : {};
      expect(events).toEqual([{ type: row.event, ...job, error: row.reason, ...count }]);

      const after = await scene.stored(job);
      expect(after).toMatchObject({ accessToken, refreshToken, expiresAt });
      expect(after.metadata).toMatchObject({ status: row.status, revision: job.revision });
      expect(after.metadata.statusReason).toBe(row.status === 'active' ? undefined : row.reason);
      expect(rememberedOf(after)).toBe(row.attempt);

      expect(ended.failedReason).toBe(row.reason);
      const waitMs = typeof row.nextTry === 'number' ? row.nextTry * 1_000 : 0;
      const leastMs = row.nextTry === 'never' ? 0 : Math.max(1_000, waitMs - 5_000);
      expect(ended.delay).toBeGreaterThanOrEqual(leastMs);
      const pausedMs = await scene.world.queues.throttledForMs(row.provider);
      expect(pausedMs > 0).toBe(row.class === 'throttled');
      expect(pausedMs).toBeLessThanOrEqual(waitMs);
    },
  );
});

describe('a dead refresh token is retried for ever', () => {
  async function endGrant({ tenantId, integration }: RefreshJobData) {
    const { accessToken } = await scene.world.vault.getCredentials(tenantId, integration);
    await scene.world.provider.revokeGrant(accessToken);
  }

  it('one refusal is the end: it is latched, announced once, and nobody asks again', async () => {
    const job = await scene.connect();
    await endGrant(job);
    const { events } = await startWorkers(scene.world, 2);
    await scene.world.queues.hasten(job, Date.now());
    await eventually(async () =>
      expect((await scene.stored(job)).metadata).toMatchObject({
        status: 'needs_reauth',
        statusReason: 'invalid_grant',
      }),
    );

    await scene.world.queues.request(job);
    await eventually(() => expect(events.map(({ type }) => type)).toContain('refresh-declined'));
    await sweepTenant(scene.world.newEngine(), job.tenantId);
    // Even if somebody retries the job on the board.
    await scene.world.queues.hasten(job, Date.now());
    expect((await scene.jobAs('completed', job)).returnvalue).toEqual({ superseded: true });
    expect(scene.world.provider.tokenRequests).toHaveLength(1);
    expect(events.filter(({ type }) => type === 'refresh-failed')).toHaveLength(1);
  });

  it('one whose worker died before it could tell is told by the next, once', async () => {
    const job = await scene.connect();
    await endGrant(job);
    const dying = { ...scene.world.newEngine(), announce: () => Promise.reject(new Error('killed')) };
    await expect(refreshCredential(dying, job)).rejects.toThrow('killed');
    expect((await scene.stored(job)).metadata.status).toBe('needs_reauth');
    scene.world.events.length = 0;
    expect(await scene.refresh(job)).toEqual({ kind: 'needs_reauth', reason: 'invalid_grant' });
    expect(await scene.refresh(job)).toEqual({ kind: 'superseded' });
    expect(scene.world.events).toEqual([{ type: 'refresh-failed', ...job, error: 'invalid_grant' }]);
    expect(scene.world.provider.tokenRequests).toHaveLength(1);
  });

  it('one whose latch was stored, and the answer to it lost, is told all the same', async () => {
    const job = await scene.connect();
    await endGrant(job);
    const { relay, engine } = await scene.workerBehindRelay({ maxRetries: 1 });
    let writes = 0;
    relay.disturb = (request) => (isWrite(request) && ++writes === 2 ? 'lost answer' : undefined);
    expect(await refreshCredential(engine, job)).toMatchObject({ kind: 'needs_reauth' });
    expect(scene.world.events).toEqual([{ type: 'refresh-failed', ...job, error: 'invalid_grant' }]);
    expect((await scene.stored(job)).metadata.attempt).toBeUndefined();
  });

  it('a user who comes back is served at once all the same', async () => {
    const job = await scene.connect();
    await endGrant(job);
    expect(await scene.refresh(job)).toEqual({ kind: 'needs_reauth', reason: 'invalid_grant' });
    const reconnected = await scene.world.connect(job);
    expect((await scene.stored(job)).metadata.status).toBe('active');
    await scene.expectLivingGrant(reconnected);
  });
});
