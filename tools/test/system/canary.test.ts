import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { connectRedis, EventSubscription, VaultClient } from '@connectors/vault-core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { filesBelow, keysOf, leaks, type Sink } from './sinks.ts';
import {
  callRest,
  killPart,
  newEnvironment,
  removeData,
  startSystem,
  type Environment,
  type System,
} from './start-system.ts';

/** Files that are there to hold a secret, and the authorization server's own database: it is the provider. */
const keepers = [
  /^run\.json$/,
  /^admin-token$/,
  /^demo-client-secret$/,
  /^approle\//,
  /^vault\/(root-token|.*key.*)$/,
  /^demo\//,
];

const secrets = new Map<string, string>();
const sinks: Sink[] = [];
let env: Environment;
let system: System;

function file(name: string): string {
  return readFileSync(join(system.dataDir, name), 'utf8').trim();
}

/** Everything secret that this run has, and everywhere it has written to. */
beforeAll(async () => {
  env = await newEnvironment();
  system = await startSystem(env);
  secrets.set('agent key', system.run.agentKey.split('_')[2] ?? '');
  secrets.set('admin token', system.run.adminToken);
  secrets.set('client secret', file('demo-client-secret'));
  secrets.set('Vault root token', file('vault/root-token'));
  secrets.set('worker’s secret id', file('approle/gateway/secret-id'));
  secrets.set('proxy’s secret id', file('approle/proxy/secret-id'));

  const redis = connectRedis(system.redisUrl, 'background', () => undefined);
  const events = new EventSubscription(
    connectRedis(system.redisUrl, 'background', () => undefined),
    'connectors',
  );
  events.on('event', (event) => sinks.push({ name: 'event', content: JSON.stringify(event) }));
  await collectTokens();
  await provokeErrors();
  sinks.push(...(await keysOf(redis)), ...(await figures()));
  events.close();
  redis.disconnect();
  await system.interrupt();
  sinks.push(...filesBelow(system.dataDir), {
    name: 'output of the start command',
    content: withoutPrintedSecrets(),
  });
}, 120_000);

afterAll(async () => {
  await system.interrupt();
  removeData(env);
});

/** Lives through three tokens. */
async function collectTokens(): Promise<void> {
  const vault = new VaultClient({
    address: `http://127.0.0.1:${env['VAULT_PORT']}`,
    token: file('vault/root-token'),
  });
  const revisions = new Set<string>();
  await vi.waitFor(
    async () => {
      await callRest(system);
      const held = await vault.getCredentials(system.run.tenantId, system.run.integration);
      revisions.add(held.metadata.revision);
      secrets.set(`access token ${revisions.size}`, held.accessToken);
      secrets.set(`refresh token ${revisions.size}`, held.refreshToken ?? '');
      expect(revisions.size).toBe(3);
    },
    { timeout: 40_000, interval: 200 },
  );
  await vault.close();
}

async function provokeErrors(): Promise<void> {
  const { proxyUrl, consoleUrl, rest, integration } = system.run;
  const secretInUrl = 'canary-in-a-query-string';
  secrets.set('secret in a query', secretInUrl);
  secrets.set('unknown agent key', 'canaryofanunknownagent');
  const headers = rest.headers;
  const requests: [string, RequestInit][] = [
    [`${rest.url}?access_token=${secretInUrl}`, { headers }],
    [rest.url, { headers: { Authorization: 'Bearer cak_unknown_canaryofanunknownagent' } }],
    [rest.url, { headers: { ...headers, 'X-Tenant-Id': 'other-tenant' } }],
    [`${proxyUrl}/proxy/unknown/account`, { headers }],
    [`${proxyUrl}/proxy/${integration}/%2e%2e%2faccount`, { headers }],
    [`${proxyUrl}/proxy/${integration}/status/401`, { headers }],
    [`${proxyUrl}/proxy/${integration}/status/500`, { headers }],
    [`${consoleUrl}/board`, { headers: { Authorization: `Bearer ${secretInUrl}` } }],
  ];
  for (const [url, init] of requests) await keepAnswer(url, init);
  killPart(system, 'vault/main.ts');
  await keepAnswer(rest.url, { headers: { Authorization: 'Bearer cak_another_canaryofanunknownagent' } });
}

async function keepAnswer(url: string, init: RequestInit): Promise<void> {
  const response = await fetch(url, init);
  // Our own answers only: the REST upstream is made to repeat what it received.
  const own = response.headers.has('connectors-error') ? await response.text() : '';
  sinks.push({
    name: `answer ${response.status}`,
    content: `${JSON.stringify([...response.headers])} ${own}`,
  });
}

function figures(): Promise<Sink[]> {
  const places = [system.run.proxyUrl, system.run.consoleUrl].map((url) => `${url}/metrics`);
  return Promise.all(places.map(async (url) => ({ name: url, content: await (await fetch(url)).text() })));
}

/** The agent key and the admin token are printed on purpose, once. */
function withoutPrintedSecrets(): string {
  return system.output().replaceAll(system.run.agentKey, '').replaceAll(system.run.adminToken, '');
}

describe('no secret', () => {
  const found = () =>
    leaks(
      secrets,
      sinks.filter(({ name }) => !keepers.some((keeper) => keeper.test(name))),
    );

  it('stands in a log, an event, an answer, a figure, Redis, the SQLite file or anything else that is written', () => {
    expect(found()).toEqual([]);
  });

  it('is overlooked: the search covers every sink, and finds what is where it belongs', () => {
    const names = sinks.map(({ name }) => name);
    expect(names).toEqual(
      expect.arrayContaining([
        'logs/proxy.log',
        'logs/worker.log',
        'logs/vault.log',
        'logs/vault-audit.log',
        'vault/vault.db',
        'event',
        'answer 401',
        'answer 403',
        'answer 400',
        expect.stringMatching(/^redis connectors:refresh-demo:/) as string,
        expect.stringMatching(/^redis\/appendonlydir\//) as string,
      ]),
    );
    expect(leaks(secrets, sinks)).toEqual(
      expect.arrayContaining(['agent key in run.json', 'client secret in demo-client-secret']),
    );
    expect(secrets.size).toBe(14);
  });
});
