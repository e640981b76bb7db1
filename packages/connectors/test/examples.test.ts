import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { startDeployment, type Deployment } from './start-deployment.ts';

const examples = fileURLToPath(new URL('../examples/', import.meta.url));

let deployment: Deployment;

beforeAll(async () => {
  deployment = await startDeployment();
});

afterAll(() => deployment.close());

/** Runs an example as a process of its own. */
function run(name: string, env: Record<string, string> = {}) {
  const child = spawn(process.execPath, [join(examples, `${name}.ts`)], {
    env: {
      NODE_COMPILE_CACHE: join(tmpdir(), 'connectors-compile-cache'),
      VAULT_ADDR: deployment.vaultServer.url,
      ...env,
    },
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  // Beside them there may be lines of the log, which are JSON.
  const said = () => output.split('\n').filter((line) => line !== '' && !line.startsWith('{"'));
  return { child, said, exited: once(child, 'close') };
}

it.each(['vault-client', 'refresh-scheduler', 'oauth-proxy'])('the README shows %s as it stands', (name) => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  expect(readme).toContain(`\`\`\`ts\n${readFileSync(join(examples, `${name}.ts`), 'utf8')}\`\`\`\n`);
});

it('vault-client stores, reads, and misses what nobody connected', async () => {
  const { said, exited } = run('vault-client');
  expect(await exited).toEqual([0, null]);
  const [token, ...rest] = said();
  expect(token).toBe('gho_abc123...');
  expect(rest.slice(0, 2)).toEqual(['{', "  integration: 'github',"]);
  expect(rest.at(-1)).toBe('User needs to connect integration');
  expect(rest.join('\n')).not.toMatch(/gho_|ghr_/);
});

it('refresh-scheduler tells of retries, successes and failures, and ends when it is asked to', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'connectors-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const config = join(folder, 'connectors.yaml');
  await writeFile(config, deployment.connectorsYaml);
  const env = { ...deployment.env, REDIS_URL: deployment.redisServer.url, CONNECTORS_CONFIG: config };
  const { child, said, exited } = run('refresh-scheduler', env);

  const scheduler = deployment.newScheduler();
  const [lasting, ended] = [await deployment.grant('tenant-1', 0), await deployment.grant('tenant-2', 0)];
  await deployment.provider.revokeGrant(ended.accessToken);
  await scheduler.storeCredentials('tenant-2', 'demo', ended);
  await expect.poll(said).toEqual(['Refresh failed: tenant-2/demo invalid_grant']);
  deployment.provider.faults.next({ kind: 'status', status: 503 });
  await scheduler.storeCredentials('tenant-1', 'demo', lasting);
  await expect.poll(said).toHaveLength(3);
  const { expiresAt } = await deployment.vault.getCredentials('tenant-1', 'demo');
  expect(said().slice(1)).toEqual([
    'Retrying refresh: tenant-1/demo (attempt 1)',
    `Token refreshed: tenant-1/demo, expires ${expiresAt?.toISOString()}`,
  ]);

  child.kill('SIGTERM');
  expect(await exited).toEqual([0, null]);
});

it('oauth-proxy calls an API, and tells when it asks to wait', async () => {
  const seen: string[] = [];
  const api = createServer((request, response) => {
    seen.push(`${request.method} ${request.url} ${request.headers.authorization}`);
    const isFirst = seen.length === 1;
    response.writeHead(isFirst ? 201 : 429, { 'content-type': 'application/json', 'retry-after': '2' });
    response.end(isFirst ? '{"number":123}' : '{}');
  });
  onTestFinished(() => void api.close());
  await once(api.listen(0, '127.0.0.1'), 'listening');
  const env = {
    REDIS_URL: deployment.redisServer.url,
    MCP_BASE_URL: `http://127.0.0.1:${(api.address() as AddressInfo).port}`,
    GITHUB_CLIENT_ID: 'an-id',
    GITHUB_CLIENT_SECRET: 'a-secret',
  };
  const [served, limited] = [run('oauth-proxy', env), run('oauth-proxy', env)];
  expect([await served.exited, await limited.exited]).toEqual([
    [0, null],
    [0, null],
  ]);
  expect([...served.said(), ...limited.said()].toSorted()).toEqual([
    '201 { number: 123 }',
    'Rate limited, retry after 2000ms',
  ]);
  expect(new Set(seen)).toEqual(new Set(['POST /github/repos/owner/repo/pulls Bearer gho_new_token']));
});
