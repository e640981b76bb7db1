import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { grantAs, type TokenResponse } from '../../src/authorization-server/grant-as.ts';
import { listen } from '../../src/listen.ts';
import { basic } from '../authorization-server/client.ts';

const client = { clientId: 'demo', clientSecret: 'kept in the environment' };
const redirectUri = 'http://127.0.0.1:9/done';
const flags = ['--client-id', client.clientId, '--redirect-uri', redirectUri];

interface Ready {
  authorizationEndpoint: string;
  tokenEndpoint: string;
  restUrl: string;
  mcpUrl: string;
}

test('runs all three servers, and keeps grants over a restart', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'demo-'));
  onTestFinished(() => rm(dataDir, { recursive: true, force: true }));
  const first = await startDemo([...flags, '--data-dir', dataDir, '--access-token-ttl', '90']);
  const tokens = await grantAs(first.ready, { ...client, redirectUri, scopes: ['api:read'], login: 'ann' });
  expect(tokens.expires_in).toBe(90);
  expect(await callRest(first.ready, tokens)).toMatchObject({ account: 'ann' });
  expect(await stop(first.process)).toBe(0);

  const second = await startDemo([...flags, '--data-dir', dataDir]);
  const refreshed = await fetch(second.ready.tokenEndpoint, {
    method: 'POST',
    headers: { authorization: basic(client) },
    body: new URLSearchParams({ grant_type: 'refresh_token', refresh_token: tokens.refresh_token }),
  });
  const renewed = (await refreshed.json()) as TokenResponse;
  expect(renewed.expires_in).toBe(60);
  expect(await callRest(second.ready, renewed)).toMatchObject({ account: 'ann' });
  const mcp = await fetch(second.ready.mcpUrl, { method: 'POST' });
  expect(mcp.status).toBe(401);
});

test('says which port is taken, and ends', async () => {
  const other = createServer();
  const port = await listen(other, 0, 'a test');
  onTestFinished(() => void other.close());
  const demo = run(['--rest-port', `${port}`], 'secret');
  const [stderr, [code]] = await Promise.all([text(demo.stderr!), once(demo, 'exit') as Promise<[number]>]);
  expect(code).toBe(1);
  expect(stderr).toContain(`Port ${port} is taken, so the REST upstream cannot listen on it`);
});

test('wants the client secret from the environment', async () => {
  const demo = run([], '');
  const [stderr, [code]] = await Promise.all([text(demo.stderr!), once(demo, 'exit') as Promise<[number]>]);
  expect([code, stderr]).toEqual([1, expect.stringContaining('CLIENT_SECRET')]);
});

test('ends when the process that forked it is gone', async () => {
  const demo = await startDemo(flags);
  const ended = once(demo.process, 'exit');
  demo.process.disconnect();
  expect(await ended).toEqual([0, null]);
});

function run(args: string[], clientSecret: string): ChildProcess {
  const main = fileURLToPath(new URL('../../src/demo/main.ts', import.meta.url));
  const demo = spawn(process.execPath, [main, ...args], {
    env: { ...process.env, CLIENT_SECRET: clientSecret },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  onTestFinished(() => void demo.kill('SIGKILL'));
  return demo;
}

async function startDemo(args: string[]): Promise<{ process: ChildProcess; ready: Ready }> {
  const demo = run(args, client.clientSecret);
  for await (const line of createInterface({ input: demo.stdout! })) {
    return { process: demo, ready: JSON.parse(line) as Ready };
  }
  throw new Error('it ended without a word');
}

async function stop(demo: ChildProcess): Promise<unknown> {
  demo.kill('SIGTERM');
  const [code]: unknown[] = await once(demo, 'exit');
  return code;
}

async function callRest({ restUrl }: Ready, tokens: TokenResponse): Promise<unknown> {
  const response = await fetch(restUrl, { headers: { authorization: `Bearer ${tokens.access_token}` } });
  return await response.json();
}
