import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { RefreshJobData } from '@connectors/vault-core';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../eventually.ts';
import { disconnect, refreshCredential } from '../../src/index.ts';
import { setScene } from './scene.ts';

let revocationEndpoint: Server;
let whileRevoking: () => Promise<void>;
/** The tokens that were to be revoked at the endpoint of `slow`. */
let revoked: (string | null)[];
let job: RefreshJobData;

const scene = setScene(async () => {
  revocationEndpoint = createServer((request, response) => {
    void text(request).then(async (body) => {
      revoked.push(new URLSearchParams(body).get('token'));
      await whileRevoking();
      response.end();
    });
  }).listen(0, '127.0.0.1');
  await once(revocationEndpoint, 'listening');
  const revokeUrl = `http://127.0.0.1:${(revocationEndpoint.address() as AddressInfo).port}/`;
  return {
    slow: { revokeUrl },
    single: { revocationEnds: 'token' },
    gone: { revokeUrl: 'http://127.0.0.1:9/' },
  };
});

afterAll(() => {
  revocationEndpoint.close();
});

beforeEach(async () => {
  revoked = [];
  whileRevoking = () => Promise.resolve();
  scene.world.unrevoked.length = 0;
  await connect('demo');
});

async function connect(integration: string) {
  job = await scene.connect(integration);
}

function tokens() {
  return scene.world.vault.getCredentials(job.tenantId, job.integration);
}

/** Which versions of the document Vault still has. */
async function versions(): Promise<string[]> {
  const { url, rootToken } = scene.world.vaultServer;
  const path = `${url}/v1/secret/metadata/${job.tenantId}/${job.integration}`;
  const response = await fetch(path, { headers: { 'x-vault-token': rootToken } });
  const { data } = (await response.json()) as { data: { versions: Record<string, { destroyed: boolean }> } };
  return Object.keys(data.versions).filter((version) => data.versions[version]?.destroyed === false);
}

/** Whether the provider still takes a token, of either kind. */
async function isAlive(token = ''): Promise<boolean> {
  const { clientId, clientSecret } = scene.world.provider.introspectionClient;
  const response = await fetch(scene.world.provider.introspectionEndpoint, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa(`${clientId}:${clientSecret}`)}` },
    body: new URLSearchParams({ token }),
  });
  return ((await response.json()) as { active: boolean }).active;
}

/** Runs `during` after the provider rotated and before the worker has its answer. */
async function refreshAround(during: () => Promise<unknown>) {
  scene.world.provider.faults.next({ kind: 'hangAfterRotation' });
  const refresh = refreshCredential(scene.world.newEngine(), job);
  await eventually(() => expect(scene.world.provider.tokenRequests.at(-1)?.status).toBe(200));
  await during();
  scene.world.provider.faults.release();
  return refresh;
}

describe('new tokens that arrive after their credential was deleted', () => {
  it('are revoked at the provider', async () => {
    const { accessToken } = await tokens();
    await refreshAround(() => scene.world.vault.deleteCredentials(job.tenantId, job.integration));
    // The provider ends the grant with its refresh token.
    expect(await isAlive(accessToken)).toBe(false);
  });

  it('are reported where the provider cannot be asked', async () => {
    await connect('gone');
    await refreshAround(() => scene.world.vault.deleteCredentials(job.tenantId, job.integration));
    expect(scene.world.unrevoked).toMatchObject([{ tenantId: job.tenantId }]);
  });

  it('are revoked as well when another worker finds them in the spool', async () => {
    const { accessToken } = await tokens();
    const stopping = new AbortController();
    scene.world.provider.faults.next({ kind: 'hangAfterRotation' });
    const refresh = refreshCredential(scene.world.newEngine({ ahead: 0 }, stopping.signal), job);
    await eventually(() => expect(scene.world.provider.tokenRequests.at(-1)?.status).toBe(200));
    scene.world.vaultServer.seal();
    stopping.abort();
    scene.world.provider.faults.release();
    expect(await refresh).toMatchObject({ kind: 'retry' });
    scene.world.vaultServer.unseal();
    await scene.world.vault.deleteCredentials(job.tenantId, job.integration);
    expect(await refreshCredential(scene.world.newEngine(), job)).toEqual({ kind: 'superseded' });
    expect(await isAlive(accessToken)).toBe(false);
    expect(await scene.world.newEngine().spool.list()).toEqual([]);
  });
});

describe('new tokens that arrive after the user reconnected', () => {
  /** The user comes back, with tokens of another grant; gives the access token of the first one. */
  async function reconnectDuringRefresh() {
    const { accessToken } = await tokens();
    await refreshAround(() => scene.world.connect(job));
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

describe('disconnect leaves the refresh token alive at the provider', () => {
  it('both tokens end there, every stored version is destroyed, and the job is gone', async () => {
    await refreshCredential(scene.world.newEngine(), job);
    job = { ...job, revision: (await scene.stored(job)).metadata.revision };
    scene.world.events.length = 0;
    const { accessToken, refreshToken } = await tokens();
    expect((await versions()).length).toBeGreaterThan(1);
    expect(await disconnect(scene.world.newEngine(), job)).toEqual({
      existed: true,
      revocation: { kind: 'revoked' },
    });
    expect([await isAlive(accessToken), await isAlive(refreshToken)]).toEqual([false, false]);
    expect(await versions()).toEqual([]);
    expect(await scene.world.vault.credentials.find(job)).toBeUndefined();
    expect(await scene.world.queues.find(job)).toBeUndefined();
    expect(scene.world.events).toEqual([{ type: 'credential-deleted', ...job }]);
  });

  it('a provider that cannot be asked is named, and the credential is gone here all the same', async () => {
    await connect('gone');
    expect(await disconnect(scene.world.newEngine(), job)).toEqual({
      existed: true,
      revocation: { kind: 'failed', reason: 'connection_refused' },
    });
    expect(await scene.world.vault.credentials.find(job)).toBeUndefined();
  });

  it('a disconnect may be repeated', async () => {
    await disconnect(scene.world.newEngine(), job);
    expect(await disconnect(scene.world.newEngine(), job)).toEqual({ existed: false });
  });

  it('what a refresh stores in between ends as well', async () => {
    await connect('slow');
    const { refreshToken: first } = await tokens();
    let second: string | undefined;
    whileRevoking = async () => {
      whileRevoking = () => Promise.resolve();
      await refreshCredential(scene.world.newEngine(), job);
      second = (await tokens()).refreshToken;
    };
    await disconnect(scene.world.newEngine(), job);
    expect(second).not.toBe(first);
    expect(revoked).toEqual([first, second]);
  });

  it('a document that nobody can read is deleted, too', async () => {
    const { version } = await scene.world.vault.credentials.get(job);
    await scene.world.vault.credentials.write(job, { broken: true } as never, version);
    expect(await disconnect(scene.world.newEngine(), job)).toEqual({ existed: true });
  });
});
