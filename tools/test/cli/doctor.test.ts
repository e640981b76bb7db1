import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Subjects } from '../../cli/doctor/subjects.ts';
import { sealVault, unsealVault } from '../../fleet/seal.ts';
import { finding, findingsOf, startDoctor, withToken, type Doctor } from './start-doctor.ts';

let cli: Doctor;
let worker: Record<string, string>;
let proxy: Record<string, string>;
let operatorToken: string;

beforeAll(async () => {
  cli = await startDoctor();
  ({ worker, proxy, operatorToken } = cli);
});

afterAll(() => cli.close());

it('finds nothing wrong with a deployment that is as it should be', async () => {
  const findings = await findingsOf({ worker, proxy, operatorToken }, { asksProviders: true });
  expect(findings.filter(({ status }) => status === 'failed')).toEqual([]);
  expect(findings.filter(({ status }) => status === 'warning').map(({ check }) => check)).toEqual([
    // Redis of this test has no users, and Vault no audit device.
    'vault.audit',
    'redis.least_privilege',
  ]);
  expect(findings.map(({ check }) => check)).toEqual(
    expect.arrayContaining([
      'configuration',
      'vault.rights',
      'vault.least_privilege',
      'vault.cas',
      'clock.vault',
      'redis.persistence',
      'clock.redis',
      'discovery',
      'client',
      'callback',
      'console.reachable',
      'workers.alive',
      'workers.sweeping',
      'spool',
      'credentials.failing',
    ]),
  );
});

it('takes a default that one app names and the other does not for the same, which was said to differ', async () => {
  const user = (url = '') => url.replace('redis://', 'redis://default:@');
  const named = {
    ...proxy,
    VAULT_KV_ENGINE: 'secret',
    REFRESH_COOLDOWN_SECONDS: '60',
    REDIS_URL: user(proxy['REDIS_URL']),
  };
  const { VAULT_KV_ENGINE: _engine, REFRESH_COOLDOWN_SECONDS: _cooldown, ...silent } = worker;
  const findings = await findingsOf({ worker: silent, proxy: named });
  expect(findings.filter(({ check }) => check === 'agreement')).toMatchObject([{ status: 'ok' }]);
});

it('leaves nothing behind in Vault', async () => {
  await findingsOf({ worker });
  expect((await cli.vault('GET', 'secret/metadata?list=true')).data['keys']).not.toContain('_doctor/');
});

describe('of a misconfiguration that was planted it names the fix:', () => {
  it.each<[string, string, () => Subjects | Promise<Subjects>, string, object?]>([
    [
      'an admin token that is too short',
      'configuration',
      () => ({ worker: { ...worker, ADMIN_TOKEN: 'short' } }),
      'Correct ADMIN_TOKEN',
    ],
    [
      'a variable that is missing',
      'configuration',
      () => ({ proxy: { ...proxy, MCP_SESSION_KEY: '' } }),
      'Correct MCP_SESSION_KEY',
    ],
    [
      'Vault at another address',
      'vault.reachable',
      () => ({ worker: { ...worker, VAULT_ADDR: 'http://127.0.0.1:1' } }),
      'VAULT_ADDR',
    ],
    [
      'Vault that has no certificate',
      'vault.reachable',
      () => ({ worker: { ...worker, VAULT_ADDR: worker['VAULT_ADDR']?.replace('http:', 'https:') } }),
      'Give Vault a certificate: it speaks plain http there',
    ],
    [
      'something else at the address of Vault',
      'vault.reachable',
      () => ({ worker: { ...worker, VAULT_ADDR: cli.fleet.rest.url } }),
      'Correct VAULT_ADDR',
    ],
    [
      'a wrong role id',
      'vault.login',
      () => {
        const { VAULT_ROLE_ID_FILE: _file, ...rest } = worker;
        return { worker: { ...rest, VAULT_ROLE_ID: 'wrong' } };
      },
      'Correct VAULT_ROLE_ID and VAULT_SECRET_ID',
    ],
    [
      'a token that Vault does not know',
      'vault.login',
      () => ({ worker: withToken(worker, 'hvs.unknown') }),
      'VAULT_TOKEN',
    ],
    [
      'a token that ends',
      'vault.token',
      async () => ({
        worker: withToken(
          worker,
          await cli.tokenWith('path "x" { capabilities = ["read"] }', { ttl: '1h', renewable: false }),
        ),
      }),
      'Log in with an AppRole',
    ],
    [
      'a mount that there is not',
      'vault.mounts',
      () => ({ worker: { ...worker, VAULT_KV_ENGINE: 'other' } }),
      'Correct VAULT_KV_ENGINE',
    ],
    [
      'a mount of another kind',
      'vault.mounts',
      () => ({ worker: { ...worker, VAULT_TRANSIT_ENGINE: 'secret' } }),
      'Correct VAULT_TRANSIT_ENGINE',
    ],
    [
      'one mount for access and refresh tokens',
      'vault.mounts',
      () => ({
        worker: { ...worker, VAULT_REFRESH_TRANSIT_ENGINE: 'transit' },
      }),
      'Give VAULT_REFRESH_TRANSIT_ENGINE a mount of its own',
    ],
    [
      'a policy that is too narrow',
      'vault.rights',
      async () => ({
        worker: withToken(worker, await cli.tokenWith('path "secret/data/+/+" { capabilities = ["read"] }')),
      }),
      'vault/policies/oauth-policy.hcl',
    ],
    [
      'a proxy that may decrypt refresh tokens',
      'vault.least_privilege',
      async () => ({
        proxy: withToken(
          proxy,
          await cli.tokenWith('path "transit-refresh/decrypt/+" { capabilities = ["update"] }'),
        ),
      }),
      'vault/policies/oauth-proxy-policy.hcl',
    ],
    [
      'a proxy with the rights of a worker',
      'vault.least_privilege',
      () => ({
        proxy: {
          ...proxy,
          VAULT_ROLE_ID_FILE: worker['VAULT_ROLE_ID_FILE'],
          VAULT_SECRET_ID_FILE: worker['VAULT_SECRET_ID_FILE'],
        },
      }),
      'vault/policies/oauth-proxy-policy.hcl',
    ],
    [
      'Vault without an audit log',
      'vault.audit',
      () => ({ worker, operatorToken }),
      'vault audit enable file',
    ],
    [
      'Redis at another address',
      'redis.reachable',
      () => ({ worker: { ...worker, REDIS_URL: 'redis://127.0.0.1:1' } }),
      'REDIS_URL',
    ],
    [
      'a prefix that no worker has',
      'workers.alive',
      () => ({ worker: { ...worker, REDIS_PREFIX: 'other' } }),
      'REDIS_PREFIX',
    ],
    [
      'a clock that is wrong',
      'clock.vault',
      () => ({ worker }),
      'REFRESH_CLOCK_SKEW_SECONDS',
      { now: () => Date.now() + 60_000 },
    ],
    [
      'a clock that is wrong, by that of Redis',
      'clock.redis',
      () => ({ worker }),
      'REFRESH_CLOCK_SKEW_SECONDS',
      { now: () => Date.now() + 60_000 },
    ],
    [
      'a wrong client secret',
      'client',
      () => ({ worker: { ...worker, DEMO_CLIENT_SECRET: 'wrong' } }),
      'DEMO_CLIENT_ID and _CLIENT_SECRET',
      { asksProviders: true },
    ],
    [
      'a client without its secret',
      'client',
      () => ({ worker: { ...worker, GITHUB_CLIENT_ID: 'gh' } }),
      'Set GITHUB_CLIENT_SECRET',
    ],
    [
      'an upstream that the egress guard refuses',
      'egress',
      () => ({ worker: { ...worker, EGRESS_ALLOW_HOSTS: '' } }),
      'to EGRESS_ALLOW_HOSTS',
    ],
    [
      'a host that is let through for nothing',
      'egress',
      () => ({ worker: { ...worker, EGRESS_ALLOW_HOSTS: '127.0.0.1,db.internal' } }),
      'Take it out of EGRESS_ALLOW_HOSTS',
    ],
    [
      'an issuer that has another name',
      'discovery',
      () => {
        const file = join(cli.dir, 'other-issuer.yaml');
        const issuer = cli.fleet.authorizationServer.issuer.replace('127.0.0.1', 'localhost');
        const demo = { provider: 'oidc', issuer, clientId: 'x', upstream: { rest: cli.fleet.rest.url } };
        writeFileSync(file, JSON.stringify({ integrations: { demo } }));
        return { worker: { ...worker, CONNECTORS_CONFIG: file, EGRESS_ALLOW_HOSTS: '127.0.0.1,localhost' } };
      },
      'Correct issuer of demo',
    ],
    [
      'a callback in plain http',
      'callback',
      () => ({ worker: { ...worker, CONSOLE_URL: 'http://console.example.com' } }),
      'Set CONSOLE_URL to the https address',
    ],
    [
      'a console that is elsewhere',
      'console.reachable',
      () => ({ worker: { ...worker, CONSOLE_URL: cli.fleet.rest.url } }),
      'CONSOLE_URL',
    ],
    [
      'apps that do not agree',
      'agreement',
      () => ({ worker, proxy: { ...proxy, REDIS_PREFIX: 'other' } }),
      'Give both the same REDIS_PREFIX',
    ],
    [
      'a proxy on another Redis, which hears no event',
      'agreement',
      () => ({ worker, proxy: { ...proxy, REDIS_URL: `${proxy['REDIS_URL']}/1` } }),
      'Give both the same REDIS_URL',
    ],
    [
      'a proxy that lacks an integration',
      'integrations',
      () => ({ worker: { ...worker, GITHUB_CLIENT_ID: 'gh', GITHUB_CLIENT_SECRET: 's' }, proxy }),
      'Name github in the connectors.yaml of the proxy',
    ],
  ])('%s', async (_what, check, plant, fix, options = {}) => {
    const found = await finding(await plant(), check, options);
    expect(found.status).not.toBe('ok');
    expect(found.fix).toContain(fix);
  });

  it('Vault that is sealed', async () => {
    await sealVault(cli.fleet);
    const found = await finding({ worker }, 'vault.reachable');
    await unsealVault(cli.fleet, cli.dir);
    expect(found).toMatchObject({ status: 'failed', fix: 'Run: vault operator unseal' });
  });

  it('no key for the spool', async () => {
    await cli.vault('POST', 'transit-refresh/keys/_spool/config', { deletion_allowed: true });
    await cli.vault('DELETE', 'transit-refresh/keys/_spool');
    const found = await finding({ worker }, 'vault.spool_key');
    await cli.vault('POST', 'transit-refresh/keys/_spool');
    expect(found).toMatchObject({ status: 'failed', fix: 'Run: vault write -f transit-refresh/keys/_spool' });
  });
});
