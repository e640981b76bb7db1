import { startRedis } from '@connectors/dev-servers';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { CredentialNotFoundError, RefreshScheduler, VaultClient } from '../src/index.ts';
import { hear, keepLog, startDeployment, type Deployment } from './start-deployment.ts';

let deployment: Deployment;
let tenantId: string;
let tenants = 0;

beforeAll(async () => {
  deployment = await startDeployment();
});

afterAll(() => deployment.close());

beforeEach(async () => {
  await deployment.clear();
  tenants += 1;
  tenantId = `tenant-${tenants}`;
});

async function start(options?: Parameters<Deployment['newScheduler']>[0]) {
  const scheduler = deployment.newScheduler(options);
  await scheduler.start();
  return scheduler;
}

/** Stores what a user grants through a scheduler; due at once, unless told. */
async function connect(scheduler: RefreshScheduler, { expiresIn = 0, user = tenantId } = {}) {
  const { metadata } = await scheduler.storeCredentials(
    user,
    'demo',
    await deployment.grant(user, expiresIn),
  );
  return { tenantId: user, integration: 'demo', revision: metadata.revision };
}

describe('a credential that is stored through a scheduler', () => {
  it('is refreshed when that is due', async () => {
    const scheduler = await start();
    const before = await connect(scheduler);
    await expect
      .poll(async () => (await deployment.vault.getCredentials(tenantId, 'demo')).metadata)
      .toMatchObject({ refreshCount: 1, revision: expect.not.stringMatching(before.revision) as string });
  });

  it('is not refreshed before', async () => {
    const scheduler = await start();
    await connect(scheduler, { expiresIn: 3_600 });
    const heard = hear(scheduler);
    await connect(scheduler, { user: `${tenantId}-due` });
    await expect.poll(() => heard).toMatchObject([['refresh-success', { tenantId: `${tenantId}-due` }]]);
  });
});

it('a credential that was stored without a scheduler is found when one starts', async () => {
  await deployment.vault.storeCredentials(tenantId, 'demo', await deployment.grant(tenantId, 0));
  const scheduler = deployment.newScheduler({ prefix: tenantId });
  const heard = hear(scheduler);
  await scheduler.start();
  await expect.poll(() => heard).toContainEqual(['refresh-success', expect.objectContaining({ tenantId })]);
});

describe('refresh-success', () => {
  it('names the new state of the credential, and when its token expires', async () => {
    const scheduler = await start();
    const heard = hear(scheduler);
    await connect(scheduler);
    await expect.poll(() => heard).toHaveLength(1);
    const { expiresAt, metadata } = await deployment.vault.getCredentials(tenantId, 'demo');
    expect(expiresAt).toBeInstanceOf(Date);
    const { revision } = metadata;
    expect(heard).toEqual([['refresh-success', { tenantId, integration: 'demo', revision, expiresAt }]]);
  });

  it('has no expiry if the provider names none', async () => {
    const scheduler = await start();
    const heard = hear(scheduler);
    const body = { access_token: 'endless', token_type: 'Bearer' };
    const granted = await deployment.grant(tenantId, 0);
    deployment.provider.faults.next({ kind: 'status', status: 200, body });
    await scheduler.storeCredentials(tenantId, 'demo', granted);
    await expect.poll(() => heard).toMatchObject([['refresh-success', { tenantId, expiresAt: undefined }]]);
  });
});

it('refresh-retry tells a failure that passes, with its code and its number, before the success', async () => {
  const scheduler = await start();
  const heard = hear(scheduler);
  const granted = await deployment.grant(tenantId, 0);
  deployment.provider.faults.next({ kind: 'status', status: 503 });
  const { metadata } = await scheduler.storeCredentials(tenantId, 'demo', granted);
  await expect.poll(() => heard).toHaveLength(2);
  const { revision } = metadata;
  const retry = { tenantId, integration: 'demo', revision, error: 'http_503', retryCount: 1 };
  expect(heard).toEqual([
    ['refresh-retry', retry],
    ['refresh-success', expect.objectContaining({ tenantId })],
  ]);
});

it('refresh-failed tells that the user has to connect again, with the reason as a code', async () => {
  const scheduler = await start();
  const heard = hear(scheduler);
  const granted = await deployment.grant(tenantId, 0);
  await deployment.provider.revokeGrant(granted.accessToken);
  const { metadata } = await scheduler.storeCredentials(tenantId, 'demo', granted);
  await expect.poll(() => heard).toHaveLength(1);
  const { revision } = metadata;
  expect(heard).toEqual([
    ['refresh-failed', { tenantId, integration: 'demo', revision, error: 'invalid_grant' }],
  ]);
});

describe('two schedulers', () => {
  it('share the work, and each emits every event once', async () => {
    const [one, other] = await Promise.all([start(), start()]);
    const heard = [hear(one), hear(other)];
    const users = Array.from({ length: 8 }, (_, number) => `${tenantId}-${number}`);
    await Promise.all(users.map((user) => connect(one, { user })));
    await expect.poll(() => heard.map((events) => events.length)).toEqual([8, 8]);
    // What was told twice would come before this.
    users.push(tenantId);
    await connect(other);
    const told = (events: (typeof heard)[number]) =>
      events.map(([name, event]) => `${name} ${(event as { tenantId: string }).tenantId}`).toSorted();
    const expected = users.map((user) => `refresh-success ${user}`).toSorted();
    await expect.poll(() => heard.map(told)).toEqual([expected, expected]);
  });

  it('hear of each other also before they are started', async () => {
    const listening = deployment.newScheduler();
    const heard = hear(listening);
    await connect(await start());
    await expect.poll(() => heard).toMatchObject([['refresh-success', { tenantId }]]);
  });

  it('with different prefixes know nothing of each other', async () => {
    const [one, other] = [await start(), await start({ prefix: `${tenantId}-other` })];
    const heard = hear(other);
    const told = hear(one);
    await connect(one);
    await expect.poll(() => told).toHaveLength(1);
    expect(heard).toEqual([]);
  });
});

describe('refreshNow', () => {
  it('refreshes a token that would live on', async () => {
    const scheduler = await start({ env: { REFRESH_COOLDOWN_SECONDS: '0' } });
    const heard = hear(scheduler);
    await connect(scheduler, { expiresIn: 3_600 });
    expect(await scheduler.refreshNow(tenantId, 'demo')).toBe('hastened');
    await expect.poll(() => heard).toMatchObject([['refresh-success', { tenantId }]]);
  });

  it('leaves a token alone that was just issued', async () => {
    const scheduler = await start();
    await connect(scheduler, { expiresIn: 3_600 });
    expect(await scheduler.refreshNow(tenantId, 'demo')).toBe('cooling_down');
  });

  it('says so if nothing can refresh the credential', async () => {
    const scheduler = await start();
    const { refreshToken: _none, ...granted } = await deployment.grant(tenantId, 3_600);
    await scheduler.storeCredentials(tenantId, 'demo', granted);
    expect(await scheduler.refreshNow(tenantId, 'demo')).toBe('not_refreshable');
  });

  it('throws CredentialNotFoundError for what the tenant has not connected', async () => {
    const scheduler = await start();
    await expect(scheduler.refreshNow(tenantId, 'demo')).rejects.toBeInstanceOf(CredentialNotFoundError);
  });

  it('throws queue_unavailable without Redis', async () => {
    const scheduler = deployment.newScheduler({
      redisUrl: 'redis://127.0.0.1:1',
      env: { REFRESH_COOLDOWN_SECONDS: '0' },
    });
    await connect(scheduler, { expiresIn: 3_600 });
    await expect(scheduler.refreshNow(tenantId, 'demo')).rejects.toMatchObject({ code: 'queue_unavailable' });
  });
});

it('disconnect ends a connection in Vault and at the provider', async () => {
  const scheduler = await start();
  await connect(scheduler, { expiresIn: 3_600 });
  const revocation = { kind: 'revoked' };
  expect(await scheduler.disconnect(tenantId, 'demo')).toEqual({ existed: true, revocation });
  expect(await deployment.vault.listCredentials(tenantId)).toEqual([]);
  expect(await scheduler.disconnect(tenantId, 'demo')).toEqual({ existed: false });
});

describe('a listener', () => {
  const error = Object.assign(new Error('gho_message'), { token: 'gho_property' });
  const failing: [string, () => void][] = [
    [
      'that throws',
      () => {
        throw error;
      },
    ],
    ['that rejects', () => Promise.reject(error)],
  ];

  it.each(failing)('%s disturbs neither refreshes nor other listeners', async (_, listener) => {
    const scheduler = await start();
    scheduler.on('refresh-success', listener);
    const heard = hear(scheduler);
    await connect(scheduler);
    await expect.poll(() => heard).toMatchObject([['refresh-success', { tenantId }]]);
    await connect(scheduler, { user: `${tenantId}-next` });
    await expect.poll(() => heard).toHaveLength(2);
  });

  it.each(failing)('%s is logged without what its error holds', async (_, listener) => {
    const { lines, log } = keepLog();
    const scheduler = await start({ log });
    scheduler.on('refresh-success', listener);
    await connect(scheduler);
    await expect.poll(() => lines.join('\n')).toContain('a listener failed');
    const line = lines.find((text) => text.includes('a listener failed')) ?? '';
    expect(JSON.parse(line)).toMatchObject({ event: 'refresh-success', err: { name: 'Error' } });
    expect(lines.join('\n')).not.toContain('gho_');
  });

  it('that wants to hear once hears once', async () => {
    const scheduler = await start();
    const heard = hear(scheduler);
    const once = vi.fn<() => void>();
    scheduler.once('refresh-success', once);
    await connect(scheduler);
    await connect(scheduler, { user: `${tenantId}-next` });
    await expect.poll(() => heard).toHaveLength(2);
    expect(once).toHaveBeenCalledTimes(1);
  });
});

describe('without Redis', () => {
  it('a start waits for it, and the process lives on', async () => {
    const first = await startRedis();
    await first.close();
    const { lines, log } = keepLog();
    const scheduler = deployment.newScheduler({ redisUrl: first.url, log });
    const heard = hear(scheduler);
    let isStarted = false;
    const started = scheduler.start().then(() => (isStarted = true));
    await expect.poll(() => lines.join('\n')).toContain('Redis does not answer as it should');
    await connect(scheduler);
    expect(isStarted).toBe(false);

    const redis = await startRedis({ port: first.port });
    onTestFinished(() => redis.close());
    await started;
    await expect.poll(() => heard).toMatchObject([['refresh-success', { tenantId }]]);
  });

  it('a scheduler can be closed while it starts', async () => {
    const scheduler = deployment.newScheduler({ redisUrl: 'redis://127.0.0.1:1' });
    const started = scheduler.start();
    await scheduler.close();
    await expect(started).resolves.toBeUndefined();
  });
});

describe('a scheduler that is closed', () => {
  /** Closes a scheduler while the provider keeps it waiting. */
  async function closeDuringRequest(options?: Parameters<typeof start>[0]) {
    const scheduler = await start(options);
    const heard = hear(scheduler);
    const granted = await deployment.grant(tenantId, 0);
    deployment.provider.faults.next({ kind: 'hang' });
    await scheduler.storeCredentials(tenantId, 'demo', granted);
    await expect.poll(() => deployment.provider.tokenRequests).toHaveLength(1);
    let isClosed = false;
    const closed = scheduler.close().then(() => (isClosed = true));
    return { heard, closed, isClosed: () => isClosed };
  }

  async function refreshCount() {
    return (await deployment.vault.getCredentials(tenantId, 'demo')).metadata.refreshCount;
  }

  it('waits for the answer of a provider, saves it and tells of it', async () => {
    const { heard, closed, isClosed } = await closeDuringRequest();
    // A scheduler that did not wait would have closed by the time Vault has answered this.
    expect(await refreshCount()).toBe(0);
    expect(isClosed()).toBe(false);
    deployment.provider.faults.release();
    await closed;
    expect(await refreshCount()).toBe(1);
    expect(heard).toMatchObject([['refresh-success', { tenantId }]]);
  });

  it('leaves tokens that Vault cannot take to the next scheduler', async () => {
    const { closed } = await closeDuringRequest();
    deployment.vaultServer.seal();
    deployment.provider.faults.release();
    await closed;
    deployment.vaultServer.unseal();
    const next = await start();
    await next.refreshNow(tenantId, 'demo');
    await expect.poll(refreshCount).toBe(1);
    expect(deployment.provider.tokenRequests).toHaveLength(1);
  });

  it('waits for the answer and saves it also if Redis ends meanwhile', async () => {
    const redis = await startRedis();
    const { closed } = await closeDuringRequest({ redisUrl: redis.url });
    await redis.close();
    deployment.provider.faults.release();
    await closed;
    expect(await refreshCount()).toBe(1);
  });

  it('leaves a client that it was given open', async () => {
    const scheduler = await start();
    await scheduler.close();
    expect(await deployment.vault.listCredentials(tenantId)).toEqual([]);
  });

  it('may be closed again, and cannot be started', async () => {
    const scheduler = await start();
    await Promise.all([scheduler.close(), scheduler.close()]);
    await expect(scheduler.start()).rejects.toThrow('This scheduler is closed');
  });
});

describe('options', () => {
  it('may say how to reach Vault in place of a client', async () => {
    const { url: address, rootToken: token } = deployment.vaultServer;
    const scheduler = await start({ vault: { address, token } });
    const heard = hear(scheduler);
    await connect(scheduler);
    await expect.poll(() => heard).toMatchObject([['refresh-success', { tenantId }]]);
  });

  it('are refused with every problem at once, before anything is opened', () => {
    const wrong = {
      vault: new VaultClient({ address: 'http://127.0.0.1:1', token: 'none' }),
      redisUrl: 'localhost:6379',
      prefix: 'a b',
      env: { REFRESH_ATTEMPT_SECONDS: '5', REFRESH_CONCURRENCY: '0', EGRESS_ALLOW_HOSTS: ':' },
      connectorsYaml: 'integrations: { demo: { provider: none } }',
    };
    expect(() => new RefreshScheduler(wrong)).toThrow(
      expect.objectContaining({
        problems: [
          expect.stringMatching(/^redisUrl: must be/),
          expect.stringMatching(/^prefix: must be/),
          expect.stringMatching(/^EGRESS_ALLOW_HOSTS: must be/),
          expect.stringMatching(/^REFRESH_CONCURRENCY: must be/),
          'REFRESH_ATTEMPT_SECONDS: must be longer than REFRESH_REQUEST_SECONDS',
          expect.stringMatching(/^integrations\.demo\.provider: /),
        ] as string[],
      }) as Error,
    );
  });
});
