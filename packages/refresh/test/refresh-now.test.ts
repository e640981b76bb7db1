import type { RefreshJobData } from '@connectors/vault-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { refreshNow } from '../src/index.ts';
import { startRefresh, type RefreshWorld } from './start-refresh.ts';

const minute = 60_000;
let world: RefreshWorld;
let job: RefreshJobData;
let tenants = 0;

beforeAll(async () => {
  world = await startRefresh();
});

afterAll(() => world.close());

beforeEach(async () => {
  tenants += 1;
  job = await world.connect({ tenantId: `tenant-${tenants}`, integration: 'demo' });
});

function ask(aheadMs: number, request = job) {
  return refreshNow(world.newEngine({ ahead: aheadMs }), request);
}

async function stateOfJob() {
  const found = await world.queues.find(job);
  return found?.getState();
}

describe('a request to refresh now', () => {
  it('brings the scheduled job to the front', async () => {
    expect(await ask(10 * minute)).toBe('hastened');
    expect(await stateOfJob()).toBe('prioritized');
  });

  it('within a minute after the token was issued is declined, or an upstream that refuses every token causes a storm', async () => {
    expect(await ask(30_000)).toBe('cooling_down');
    expect(await stateOfJob()).toBe('delayed');
  });

  it('is not declined for a fresh token whose refresh is due anyway', async () => {
    world.provider.setAccessTokenTtl(20);
    job = await world.connect({ tenantId: job.tenantId, integration: 'demo' });
    world.provider.setAccessTokenTtl(3600);
    expect(await ask(15_000)).toBe('hastened');
  });

  it('for a token that has been replaced already is declined', async () => {
    expect(await ask(10 * minute, { ...job, revision: 'older' })).toBe('superseded');
  });

  it('that is declined is announced, so that nobody waits for it', async () => {
    await ask(30_000);
    expect(world.events).toEqual([{ type: 'refresh-declined', ...job, error: 'cooling_down' }]);
  });

  it('for a credential without refresh token is declined', async () => {
    const tokens = { accessToken: 'static', scopes: [], tokenType: 'Bearer', integration: 'demo' };
    const { metadata } = await world.vault.storeCredentials(job.tenantId, 'demo', tokens);
    expect(await ask(10 * minute, { ...job, revision: metadata.revision })).toBe('not_refreshable');
  });
});
