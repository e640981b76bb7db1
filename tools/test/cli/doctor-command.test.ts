import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startRedis } from '@connectors/dev-servers';
import { connectRedis } from '@connectors/vault-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { Finding } from '../../cli/doctor/finding.ts';
import { finding, startDoctor, type Doctor } from './start-doctor.ts';

let cli: Doctor;
let worker: Record<string, string>;
let proxy: Record<string, string>;
let operatorToken: string;

beforeAll(async () => {
  cli = await startDoctor();
  ({ worker, proxy, operatorToken } = cli);
});

afterAll(() => cli.close());

describe('of Redis it says', () => {
  async function startOther() {
    const server = await startRedis();
    const redis = connectRedis(server.url, 'background', () => undefined);
    onTestFinished(async () => {
      redis.disconnect();
      await server.close();
    });
    return { url: server.url, redis };
  }

  it('that it evicts, and that it keeps nothing', async () => {
    const { url, redis } = await startOther();
    await redis.config('SET', 'maxmemory-policy', 'allkeys-lru', 'save', '', 'appendonly', 'no');
    const subjects = { worker: { ...worker, REDIS_URL: url } };
    expect(await finding(subjects, 'redis.eviction')).toMatchObject({
      status: 'failed',
      fix: 'Set maxmemory-policy noeviction in redis.conf',
    });
    expect(await finding(subjects, 'redis.persistence')).toMatchObject({
      status: 'warning',
      fix: 'Set appendonly yes in redis.conf',
    });
    expect(await finding(subjects, 'workers.sweeping')).toMatchObject({ status: 'failed' });
  });

  it('whether the proxy has the rights that are shipped, no more and no less', async () => {
    const { url, redis } = await startOther();
    const user = (name: string, ...rules: string[]) =>
      redis.call('ACL', 'SETUSER', name, 'reset', 'on', '>password', ...rules);
    await user(
      'proxy',
      '&fleet:events',
      '+ping',
      '+info',
      '+subscribe',
      '(~fleet:refresh-requests:* +exists)',
      '(~fleet:rate:* +eval)',
    );
    await user('nobody', '+ping', '+info');
    const as = (name: string, password = 'password') => ({
      proxy: { ...proxy, REDIS_URL: url.replace('redis://', `redis://${name}:${password}@`) },
    });
    expect(await finding(as('proxy'), 'redis.least_privilege')).toMatchObject({ status: 'ok' });
    expect(await finding(as('proxy'), 'redis.reachable')).toMatchObject({ status: 'ok' });
    expect(await finding(as('nobody'), 'redis.reachable')).toMatchObject({
      status: 'failed',
      detail: 'its user in Redis may not use the queue refresh-requests, nor count rates, nor hear events',
    });
    expect(await finding(as('proxy', 'canary'), 'redis.reachable')).toMatchObject({
      status: 'failed',
      fix: 'Correct the user and the password in REDIS_URL',
    });
  });

  it('that tokens wait in the spool, and that credentials failed', async () => {
    const connection = cli.fleet.redisConnection;
    await connection.hset('fleet:spool', 'acme/demo/r', '{}');
    await connection.zadd('fleet:refresh-demo:failed', 1, 'acme.r');
    const [spool, failing] = await Promise.all([
      finding({ worker }, 'spool'),
      finding({ worker }, 'credentials.failing'),
    ]);
    await connection.del('fleet:spool', 'fleet:refresh-demo:failed');
    expect(spool).toMatchObject({
      status: 'warning',
      detail: expect.stringContaining('1 token response') as string,
    });
    expect(failing).toMatchObject({
      status: 'warning',
      detail: expect.stringContaining('1 of demo') as string,
    });
  });
});

describe('the command', () => {
  it('prints each finding with what to do, and exits with 1 when one has failed', async () => {
    const { code, stdout, stderr } = await cli.run(['doctor'], { ...worker, VAULT_KV_ENGINE: 'other' });
    expect([code, stderr]).toEqual([1, expect.stringMatching(/^\d+ check\(s\) failed\.\n$/)]);
    expect(stdout).toMatch(
      /✗ FAILED +vault\.mounts +there is no mount other\/ that it may use\n +→ Correct VAULT_KV_ENGINE/,
    );
    expect(stdout).toMatch(/✓ ok +redis\.version/);
  });

  it('exits with 0 when nothing has failed, and shows everything as JSON', async () => {
    const { code, stdout } = await cli.run(['doctor', '--json'], worker);
    const { findings } = JSON.parse(stdout) as { findings: Finding[] };
    expect([code, findings.some(({ check }) => check === 'vault.rights')]).toEqual([0, true]);
  });

  it('takes the environments of both apps from files', async () => {
    const write = (name: string, env: Record<string, string>) => {
      const file = join(cli.dir, name);
      writeFileSync(
        file,
        Object.entries(env)
          .map(([key, value]) => `${key}=${value}\n`)
          .join(''),
      );
      return file;
    };
    const files = ['--worker-env', write('worker.env', worker), '--proxy-env', write('proxy.env', proxy)];
    const { code, stdout } = await cli.run(['doctor', ...files], {});
    expect([code, stdout]).toEqual([0, expect.stringMatching(/worker[^]*proxy[^]*agreement/)]);
  });

  it('examines the system that runs here, if nothing is named', async () => {
    const dataDir = join(cli.dir, 'data');
    mkdirSync(join(dataDir, 'vault'), { recursive: true });
    writeFileSync(join(dataDir, 'vault/root-token'), operatorToken);
    writeFileSync(join(dataDir, 'run.json'), JSON.stringify({ environments: { worker, proxy } }));
    const { code, stdout } = await cli.run(['doctor'], { CONNECTORS_DATA_DIR: dataDir });
    expect([code, stdout]).toEqual([0, expect.stringContaining('! warning  vault.audit')]);
    const nothing = await cli.run(['doctor'], {});
    expect(nothing).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('There is nothing to examine.') as string,
    });
  });

  it('prints no secret', async () => {
    const env = {
      ...worker,
      VAULT_SECRET_ID: 'canary-secret-id',
      DEMO_CLIENT_SECRET: 'canary-client',
      REDIS_URL: worker['REDIS_URL']?.replace('//', '//user:canary@') ?? '',
    };
    const { stdout, stderr } = await cli.run(['doctor', '--providers'], env);
    expect(stdout).toContain('FAILED');
    for (const secret of ['canary', cli.adminToken]) expect(stdout + stderr).not.toContain(secret);
  });
});
