import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { integration, startFleet, type Fleet } from '../../fleet/start-fleet.ts';
import { visitLink } from '../visit-link.ts';

const root = join(import.meta.dirname, '../../..');

const adminToken = 'the-admin-token-of-this-test';
let dir: string;
let fleet: Fleet;
let env: Record<string, string>;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'connectors-examples-'));
  fleet = await startFleet(dir, {
    workers: 1,
    proxies: 1,
    workerEnv: { CONSOLE: 'on', ADMIN_TOKEN: adminToken },
  });
  const agent = { name: 'an agent', grants: [{ tenants: ['acme'] }] };
  env = { PROXY_URL: fleet.proxies[0]?.url ?? '', AGENT_KEY: await fleet.createAgent(agent) };
});
afterAll(async () => {
  await fleet.close();
  rmSync(dir, { recursive: true });
});

/** Runs an example as a process of its own. */
function run(name: string, args: string[], more: Record<string, string> = {}) {
  const child = spawn(process.execPath, [join(root, 'examples', `${name}.ts`), ...args], {
    env: { NODE_COMPILE_CACHE: join(tmpdir(), 'connectors-compile-cache'), ...env, ...more },
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  return {
    said: () => output,
    ended: once(child, 'close').then(([code]) => ({ code: code as number, output })),
  };
}

it('rest-agent names the link for the user while the tenant has not connected', async () => {
  const { code, output } = await run('rest-agent', [integration, '/account']).ended;
  expect(code).toBe(1);
  expect(output).toMatch(/^credential_not_found: .*\nAsk the user to open http:.*\/connect\/acme\/demo\n$/);
});

it('connect-tenant prints a link, and waits until its user has consented', async () => {
  const { workers } = fleet;
  const example = run('connect-tenant', ['acme', integration], {
    CONSOLE_URL: workers[0]?.url ?? '',
    ADMIN_TOKEN: adminToken,
  });
  await expect.poll(example.said).toMatch(/^Open http.*\n/);
  const link = /^Open (\S+)/.exec(example.said())?.[1] ?? '';
  await visitLink(link, { login: 'somebody' });
  const { code, output } = await example.ended;
  expect([code, output.split('\n')[1]]).toEqual([0, 'acme has connected demo']);
  const { metadata } = (await fleet.admin.credentials.get({ tenantId: 'acme', integration })).credential;
  expect(metadata).toMatchObject({ status: 'active', autoRefresh: true });
});

it('rest-agent prints what the API answers', async () => {
  const { code, output } = await run('rest-agent', [integration, '/account']).ended;
  expect(code).toBe(0);
  expect(JSON.parse(output)).toMatchObject({ account: 'somebody', path: '/account' });
});

it('mcp-client lists the tools, and calls one', async () => {
  const { code, output } = await run('mcp-client', [integration, 'whoami']).ended;
  const [tools, result = ''] = output.split('\n');
  expect([code, tools]).toEqual([0, expect.stringContaining('whoami')]);
  expect(JSON.parse(result)).toMatchObject({ account: 'somebody' });
});
