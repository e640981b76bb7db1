import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fingerprint } from '@connectors/dev-servers';
import { scheduleRefresh } from '@connectors/refresh';
import { refreshQueueName, requestQueueName } from '@connectors/vault-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { setExpiry } from '../../fleet/expiry.ts';
import { integration, startFleet, type Fleet } from '../../fleet/start-fleet.ts';

const tenantId = 'acme';
const agents = 200;

/** The status, and the fingerprint of the token that the upstream saw. */
async function call(url: string, key: string): Promise<string> {
  const response = await fetch(url, { headers: { authorization: `Bearer ${key}` } });
  const body = (await response.json()) as { tokenFingerprint?: string };
  return `${response.status} ${body.tokenFingerprint}`;
}

function tally(answers: string[]): Record<string, number> {
  return Object.fromEntries([...Map.groupBy(answers, String)].map(([answer, all]) => [answer, all.length]));
}

/** Until no request and no refresh is under way any more. */
async function quiet({ scheduling: { queues } }: Fleet): Promise<void> {
  for (const name of [requestQueueName, refreshQueueName(integration)]) {
    const busy = () => queues.queue(name).getJobCountByTypes('active', 'waiting', 'prioritized');
    await expect.poll(busy, { timeout: 10_000 }).toBe(0);
  }
}

describe.each([
  { cooldown: 'the default cooldown', env: {} },
  { cooldown: 'no cooldown', env: { REFRESH_COOLDOWN_SECONDS: '0' } },
])('two proxies and three workers, with $cooldown', ({ env }) => {
  const dir = mkdtempSync(join(tmpdir(), 'fleet-'));
  let fleet: Fleet;

  beforeAll(async () => {
    fleet = await startFleet(dir, { workers: 3, proxies: 2, workerEnv: env, proxyEnv: env });
  });

  afterAll(async () => {
    await fleet.close();
    rmSync(dir, { recursive: true });
  });

  it(`make one token request for ${agents} agents that meet a token that was revoked early`, async () => {
    const { granted } = await fleet.connect(tenantId);
    const aged = await setExpiry(fleet, tenantId, () => Date.now() + 50 * 60_000);
    await scheduleRefresh(fleet.scheduling, { tenantId, integration }, aged);
    const keys = await Promise.all(
      Array.from({ length: 5 }, () =>
        fleet.createAgent({ name: 'agent', grants: [{ tenants: [tenantId] }] }),
      ),
    );
    const callers = Array.from({ length: agents }, (_, index) => ({
      url: `${fleet.proxies[index % 2]?.url}/proxy/${integration}/`,
      key: keys[index % keys.length] ?? '',
    }));
    const callAll = () => Promise.all(callers.map(({ url, key }) => call(url, key)));

    expect(tally(await callAll())).toEqual({ [`200 ${fingerprint(granted.accessToken)}`]: agents });
    await fleet.authorizationServer.revokeAccessToken(granted.accessToken);
    // The upstream believes in a token for a second longer.
    await expect.poll(() => call(fleet.rest.url, granted.accessToken), { timeout: 5_000 }).toMatch('401');
    fleet.authorizationServer.tokenRequests.length = 0;

    const answers = await callAll();
    await quiet(fleet);
    const { accessToken } = await fleet.admin.getCredentials(tenantId, integration);
    expect(accessToken).not.toBe(granted.accessToken);
    expect(tally(answers)).toEqual({ [`200 ${fingerprint(accessToken)}`]: agents });
    expect(fleet.authorizationServer.tokenRequests).toMatchObject([
      { grantType: 'refresh_token', status: 200 },
    ]);
  });
});
