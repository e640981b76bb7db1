import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { adminToken, startWorld, type World } from '../../start-world.ts';
import { startProcess } from '../../start-process.ts';
import { startAdmin, type Admin } from './start-admin.ts';

vi.setConfig({ testTimeout: 60_000 });

let world: World;
let admin: Admin;

beforeAll(async () => {
  world = await startWorld();
  admin = await startAdmin(world);
});

afterAll(async () => {
  await admin.close();
  await world.close();
});

const client = { clientId: 'gh-client', clientSecret: 'canary-client-secret' };

describe('setting a client', () => {
  it('keeps it in Vault, and answers without its secret', async () => {
    const { status, body } = await admin.call('PUT', '/clients/github', client);
    expect([status, body]).toEqual([
      200,
      {
        integration: 'github',
        clientId: 'gh-client',
        hasSecret: true,
        hasKey: false,
        updatedAt: expect.any(String) as string,
        needsRestart: true,
      },
    ]);
    const { clients } = await world.admin.clients.readAll();
    expect(clients.get('github')?.clientSecret?.reveal()).toBe('canary-client-secret');
    expect((await admin.call('GET', '/clients/github')).body).toEqual(body);
    expect((await admin.call('GET', '/clients')).body).toEqual({ items: [body], unreadable: [] });
  });

  it('writes no secret into the log', () => {
    expect(admin.lines.join('\n')).toContain('"integration":"github","change":"set"');
    expect(admin.lines.join('\n')).not.toContain('canary');
  });

  it.each([
    ['an integration that there is not', '/clients/nobody', client, 'is not a provider of the catalog'],
    ['what still lacks something', '/clients/okta', client, 'integrations.okta.values.'],
    [
      'a key that is none',
      '/clients/github-app',
      { clientId: 'x', clientKey: 'canary-key' },
      'clientKey: Vault holds no private key in PEM',
    ],
    ['no client id', '/clients/github', { clientSecret: 'canary' }, 'clientId: '],
    [
      'a field that there is not',
      '/clients/github',
      { ...client, tenant: 'x' },
      'tenant: there is no such field here',
    ],
    ['an id that is none', '/clients/_agents', client, 'integration: must be 1 to 64 characters'],
  ])('is refused for %s, naming it and quoting nothing', async (_what, path, body, named) => {
    const answer = await admin.call('PUT', path, body);
    expect([answer.status, answer.body.detail]).toEqual([400, expect.stringContaining(named)]);
    expect(answer.body.detail).not.toContain('canary');
  });
});

it('deleting a client forgets it', async () => {
  await admin.call('PUT', '/clients/linear', client);
  expect((await admin.call('DELETE', '/clients/linear')).status).toBe(204);
  expect((await admin.call('GET', '/clients/linear')).status).toBe(404);
  expect((await admin.call('DELETE', '/clients/linear')).status).toBe(404);
});

describe('a worker', () => {
  it('switches on what Vault has a client for, and then needs no restart', async () => {
    await admin.call('PUT', '/clients/github', client);
    const { lines, url } = await startProcess(world.env);
    expect(lines.find(({ msg }) => msg === 'worker started')).toMatchObject({
      integrations: ['github', 'demo'],
    });
    const headers = { authorization: `Bearer ${adminToken}` };
    const answer = await fetch(`${url}/admin/clients/github`, { headers });
    expect(await answer.json()).toMatchObject({ needsRestart: false });
  });

  it('runs without Vault, and with its clients as soon as they can be read', async () => {
    await admin.call('PUT', '/clients/github', client);
    world.vaultServer.seal();
    try {
      const { lines, url, child, exited } = await startProcess(world.env);
      expect(lines).toContainEqual(
        expect.objectContaining({ msg: 'the clients in Vault cannot be read yet', reason: 'sealed' }),
      );
      expect((await fetch(`${url}/readyz`)).status).toBe(503);
      world.vaultServer.unseal();
      await vi.waitFor(
        () => {
          const starts = lines.filter(({ msg }) => msg === 'worker started');
          expect(starts.map((line) => (line as { integrations?: unknown }).integrations)).toEqual([
            ['demo'],
            ['github', 'demo'],
          ]);
        },
        { timeout: 30_000 },
      );
      child.kill('SIGTERM');
      expect(await exited).toEqual([0, null]);
    } finally {
      world.vaultServer.unseal();
    }
  });
});
