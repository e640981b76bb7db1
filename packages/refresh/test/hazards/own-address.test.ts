import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { RefreshJobData } from '@connectors/vault-core';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { disconnect, storeGranted } from '../../src/index.ts';
import { setScene } from './scene.ts';

let server: Server;
/** What the server was asked for. */
let paths: string[];
/** Where it says that the account is from now on. */
let moved: string | undefined;
let whileAsked: () => Promise<unknown>;

const scene = setScene(async () => {
  server = createServer((request, response) => {
    paths.push(request.url ?? '');
    const tokens = { access_token: 'at-2', refresh_token: 'rt-2', expires_in: 3600, region: moved };
    void whileAsked().then(() => response.end(JSON.stringify(tokens)));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    regional: {
      fields: { region: { pattern: '[a-z]{2}', from: { response: 'region' } } },
      authorizeUrl: `${url}/authorize`,
      tokenUrl: `${url}/{region}/token`,
      revokeUrl: `${url}/{region}/revoke`,
    },
  };
});

afterAll(() => {
  server.close();
});

beforeEach(() => {
  paths = [];
  moved = undefined;
  whileAsked = () => Promise.resolve();
});

async function connect(fields?: Record<string, string>): Promise<RefreshJobData> {
  const id = { tenantId: `tenant-${crypto.randomUUID()}`, integration: 'regional' };
  const { metadata } = await storeGranted(scene.world.vault, scene.world.newEngine(), id, {
    accessToken: 'at-1',
    refreshToken: 'rt-1',
    expiresAt: new Date(Date.now() + 60_000),
    scopes: [],
    tokenType: 'Bearer',
    integration: 'regional',
    ...(fields === undefined ? {} : { fields }),
  });
  return { ...id, revision: metadata.revision };
}

const hour = 3_600_000;

describe('a provider that has an address for each credential', () => {
  it('is asked for new tokens there, and they keep it', async () => {
    const job = await connect({ region: 'eu' });
    expect(await scene.refresh(job, hour)).toMatchObject({ kind: 'refreshed' });
    expect(paths).toEqual(['/eu/token']);
    expect((await scene.stored(job)).metadata.fields).toEqual({ region: 'eu' });
  });

  it('may say that it has moved', async () => {
    const job = await connect({ region: 'eu' });
    moved = 'us';
    await scene.refresh(job, hour);
    expect((await scene.stored(job)).metadata.fields).toEqual({ region: 'us' });
  });

  it.each([undefined, 'eu'])(
    'leaves what somebody chose meanwhile, unless it says otherwise: %s',
    async (told) => {
      const job = await connect({ region: 'eu' });
      moved = told;
      whileAsked = async () => {
        const { credential, version } = await scene.world.vault.credentials.get(job);
        const metadata = { ...credential.metadata, fields: { region: 'us' } };
        await scene.world.vault.credentials.write(job, { ...credential, metadata }, version);
      };
      expect(await scene.refresh(job, hour)).toMatchObject({ kind: 'refreshed' });
      expect((await scene.stored(job)).metadata.fields).toEqual({ region: 'us' });
    },
  );

  it('is asked nothing where the address is not known, which costs no credential', async () => {
    const job = await connect();
    expect(await scene.refresh(job, hour)).toMatchObject({ kind: 'retry' });
    expect(paths).toEqual([]);
    expect((await scene.stored(job)).metadata.status).toBe('active');
  });

  it('is asked to end tokens there', async () => {
    const job = await connect({ region: 'eu' });
    expect(await disconnect(scene.world.newEngine(), job)).toMatchObject({ revocation: { kind: 'revoked' } });
    expect(paths).toEqual(['/eu/revoke']);
  });

  it('is asked to end there what came for a credential that was deleted meanwhile', async () => {
    const job = await connect({ region: 'eu' });
    whileAsked = () =>
      scene.world.vault.deleteCredentials(job.tenantId, job.integration).catch(() => undefined);
    await scene.refresh(job, hour);
    expect(paths).toEqual(['/eu/token', '/eu/revoke']);
  });
});
