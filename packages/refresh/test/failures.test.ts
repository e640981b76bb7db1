import type { RefreshJobData } from '@connectors/vault-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { refreshCredential } from '../src/index.ts';
import { startRefresh, type RefreshWorld } from './start-refresh.ts';

let world: RefreshWorld;
let job: RefreshJobData;
let tenants = 0;

beforeAll(async () => {
  world = await startRefresh();
});

afterAll(() => world.close());

beforeEach(async () => {
  world.provider.faults.clear();
  tenants += 1;
  job = await world.connect({ tenantId: `tenant-${tenants}`, integration: 'demo' });
});

function stored() {
  return world.vault.credentials.get(job).then(({ credential }) => credential);
}

function refresh(aheadMs = 0) {
  return refreshCredential(world.newEngine({ ahead: aheadMs }), job);
}

describe.each([
  ['503', { status: 503 }],
  ['429', { status: 429, headers: { 'retry-after': '120' } }],
  ['a wrong client secret', { status: 401, body: { error: 'invalid_client' } }],
  ['a page of HTML', { status: 502, headers: { 'content-type': 'text/html' }, body: '<h1>Bad gateway</h1>' }],
  ['404', { status: 404 }],
])('a provider that answers %s', (_name, answer) => {
  it('costs no credential: the next try works', async () => {
    world.provider.faults.next({ kind: 'status', ...answer });
    expect(await refresh()).toMatchObject({ kind: 'retry' });
    expect((await stored()).metadata.status).toBe('active');
    expect(await refresh()).toMatchObject({ kind: 'refreshed' });
  });
});

describe('a provider that throttles', () => {
  it('is not asked before the time it names', async () => {
    world.provider.faults.next({ kind: 'status', status: 429, headers: { 'retry-after': '120' } });
    const started = Date.now();
    const outcome = await refresh();
    const wait = outcome.kind === 'retry' ? (outcome.notBefore ?? 0) - started : 0;
    expect(wait).toBeGreaterThan(118_000);
    expect(wait).toBeLessThan(130_000);
  });
});

describe('a provider that still fails after the refresh token has reached its end', () => {
  const day = 24 * 60 * 60_000;

  /** The end of the refresh token was so long ago. */
  async function refreshPastEnd(agoMs: number) {
    const { credential, version } = await world.vault.credentials.get(job);
    const refreshTokenExpiresAt = new Date(Date.now() - agoMs).toISOString();
    const metadata = { ...credential.metadata, refreshTokenExpiresAt };
    await world.vault.credentials.write(job, { ...credential, metadata }, version);
    world.provider.faults.next({ kind: 'status', status: 503 });
    return refresh();
  }

  it('is asked again for another day: clocks differ, and some providers are generous', async () => {
    expect(await refreshPastEnd(day / 2)).toMatchObject({ kind: 'retry' });
    expect(await refresh()).toMatchObject({ kind: 'refreshed' });
  });

  it('costs the credential then: its user has to connect again', async () => {
    expect(await refreshPastEnd(2 * day)).toEqual({ kind: 'needs_reauth', reason: 'refresh_token_expired' });
    expect(await refresh()).toEqual({ kind: 'superseded' });
  });
});
