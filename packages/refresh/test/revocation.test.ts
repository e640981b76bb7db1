import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { RefreshJobData } from '@connectors/vault-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { disconnect, refreshCredential } from '../src/index.ts';
import { startRefresh, type RefreshWorld } from './start-refresh.ts';

let world: RefreshWorld;
let revocationEndpoint: Server;
let whileRevoking: () => Promise<void>;
/** The tokens that were to be revoked at the endpoint of `slow`. */
let revoked: (string | null)[];
let job: RefreshJobData;
let tenants = 0;

beforeAll(async () => {
  revocationEndpoint = createServer((request, response) => {
    void text(request).then(async (body) => {
      revoked.push(new URLSearchParams(body).get('token'));
      await whileRevoking();
      response.end();
    });
  }).listen(0, '127.0.0.1');
  await once(revocationEndpoint, 'listening');
  const revokeUrl = `http://127.0.0.1:${(revocationEndpoint.address() as AddressInfo).port}/`;
  world = await startRefresh({
    slow: { revokeUrl },
    single: { revocationEnds: 'token' },
    gone: { revokeUrl: 'http://127.0.0.1:9/' },
  });
});

afterAll(async () => {
  revocationEndpoint.close();
  await world.close();
});

beforeEach(async () => {
  revoked = [];
  whileRevoking = () => Promise.resolve();
  world.unrevoked.length = 0;
  await connect('demo');
});

async function connect(integration: string) {
  tenants += 1;
  job = await world.connect({ tenantId: `tenant-${tenants}`, integration });
}

function tokens() {
  return world.vault.getCredentials(job.tenantId, job.integration);
}

/** Whether the provider still takes an access token. */
async function isAlive(accessToken: string): Promise<boolean> {
  const { clientId, clientSecret } = world.provider.introspectionClient;
  const response = await fetch(world.provider.introspectionEndpoint, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa(`${clientId}:${clientSecret}`)}` },
    body: new URLSearchParams({ token: accessToken }),
  });
  return ((await response.json()) as { active: boolean }).active;
}

/** Runs `during` after the provider rotated and before the worker has its answer. */
async function refreshAround(during: () => Promise<unknown>) {
  world.provider.faults.next({ kind: 'hangAfterRotation' });
  const refresh = refreshCredential(world.newEngine(), job);
  await vi.waitFor(() => expect(world.provider.tokenRequests.at(-1)?.status).toBe(200));
  await during();
  world.provider.faults.release();
  return refresh;
}

describe('new tokens that arrive after their credential was deleted', () => {
  it('are revoked at the provider', async () => {
    const { accessToken } = await tokens();
    await refreshAround(() => world.vault.deleteCredentials(job.tenantId, job.integration));
    // The provider ends the grant with its refresh token.
    expect(await isAlive(accessToken)).toBe(false);
  });

  it('are reported where the provider cannot be asked', async () => {
    await connect('gone');
    await refreshAround(() => world.vault.deleteCredentials(job.tenantId, job.integration));
    expect(world.unrevoked).toMatchObject([{ tenantId: job.tenantId }]);
  });

  it('are revoked as well when another worker finds them in the spool', async () => {
    const { accessToken } = await tokens();
    const stopping = new AbortController();
    world.provider.faults.next({ kind: 'hangAfterRotation' });
    const refresh = refreshCredential(world.newEngine({ ahead: 0 }, stopping.signal), job);
    await vi.waitFor(() => expect(world.provider.tokenRequests.at(-1)?.status).toBe(200));
    world.vaultServer.seal();
    stopping.abort();
    world.provider.faults.release();
    expect(await refresh).toMatchObject({ kind: 'retry' });
    world.vaultServer.unseal();
    await world.vault.deleteCredentials(job.tenantId, job.integration);
    expect(await refreshCredential(world.newEngine(), job)).toEqual({ kind: 'superseded' });
    expect(await isAlive(accessToken)).toBe(false);
    expect(await world.newEngine().spool.list()).toEqual([]);
  });
});

describe('new tokens that arrive after the user reconnected', () => {
  /** The user comes back, with tokens of another grant; gives the access token of the first one. */
  async function reconnectDuringRefresh() {
    const { accessToken } = await tokens();
    await refreshAround(() => world.connect(job));
    return accessToken;
  }

  it('are let be: a revocation could end the new connection as well', async () => {
    expect(await isAlive(await reconnectDuringRefresh())).toBe(true);
  });

  it('are revoked at a provider where that ends nothing else', async () => {
    await connect('single');
    expect(await isAlive(await reconnectDuringRefresh())).toBe(false);
    expect(await isAlive((await tokens()).accessToken)).toBe(true);
  });
});

describe('disconnecting', () => {
  it('ends the tokens at the provider, deletes every version and the job, and is announced', async () => {
    const { accessToken } = await tokens();
    expect(await disconnect(world.newEngine(), job)).toEqual({
      existed: true,
      revocation: { kind: 'revoked' },
    });
    expect(await isAlive(accessToken)).toBe(false);
    expect(await world.vault.credentials.find(job)).toBeUndefined();
    expect(await world.queues.find(job)).toBeUndefined();
    expect(world.events).toEqual([{ type: 'credential-deleted', ...job }]);
  });

  it('succeeds here also where the provider cannot be asked, and says so', async () => {
    await connect('gone');
    expect(await disconnect(world.newEngine(), job)).toEqual({
      existed: true,
      revocation: { kind: 'failed', reason: 'connection_refused' },
    });
    expect(await world.vault.credentials.find(job)).toBeUndefined();
  });

  it('may be repeated', async () => {
    await disconnect(world.newEngine(), job);
    expect(await disconnect(world.newEngine(), job)).toEqual({ existed: false });
  });

  it('ends also what a refresh stores in between', async () => {
    await connect('slow');
    const { refreshToken: first } = await tokens();
    let second: string | undefined;
    whileRevoking = async () => {
      whileRevoking = () => Promise.resolve();
      await refreshCredential(world.newEngine(), job);
      second = (await tokens()).refreshToken;
    };
    await disconnect(world.newEngine(), job);
    expect(second).not.toBe(first);
    expect(revoked).toEqual([first, second]);
  });

  it('deletes a document that nobody can read', async () => {
    const { version } = await world.vault.credentials.get(job);
    await world.vault.credentials.write(job, { broken: true } as never, version);
    expect(await disconnect(world.newEngine(), job)).toEqual({ existed: true });
  });
});
