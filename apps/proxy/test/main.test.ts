import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { bearer, call } from './call.ts';

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));
/** Neither Vault nor Redis is there. */
const alone = {
  VAULT_ADDR: 'http://127.0.0.1:1',
  VAULT_TOKEN: 'root',
  REDIS_URL: 'redis://127.0.0.1:1',
  PORT: '0',
};

function start(env: Record<string, string>) {
  const child = spawn(process.execPath, [main], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

async function started(env: Record<string, string>) {
  const child = start(env);
  for await (const line of createInterface(child.stdout)) {
    const { msg, url } = JSON.parse(line) as { msg: string; url: string };
    if (msg === 'proxy started') {
      child.stdout.resume();
      return { child, url };
    }
  }
  throw new Error('It did not start');
}

test('says everything that is wrong with its configuration, and ends', async () => {
  const child = start({});
  expect(await text(child.stderr)).toMatch(/VAULT_ADDR: is required\n- REDIS_URL: is required/);
  expect(child.exitCode ?? (await once(child, 'exit'))[0]).toBe(1);
});

test('names the port that is taken, and what to do', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  onTestFinished(() => void other.close());
  const { port } = other.address() as AddressInfo;
  const child = start({ ...alone, PORT: String(port) });
  expect(await text(child.stderr)).toBe(
    `Port ${port} is taken, so the proxy cannot listen on it: stop what runs there, or set PORT.\n`,
  );
  expect(child.exitCode ?? (await once(child, 'exit'))[0]).toBe(1);
});

test('starts without Vault and Redis, lives, and is not ready', async () => {
  const { url } = await started(alone);
  const [health, ready] = [await call(url, '/healthz'), await call(url, '/readyz')];
  expect([health.status, ready.status]).toEqual([200, 503]);
  expect(JSON.parse(ready.text)).toEqual({ status: 'unavailable', vault: 'down', redis: 'down' });
});

test.each(['SIGTERM', 'SIGINT'] as const)('ends cleanly on %s', async (signal) => {
  const { child, url } = await started(alone);
  await call(url, '/healthz');
  child.kill(signal);
  expect(await once(child, 'exit')).toEqual([0, null]);
});

/** A Vault that takes its time: it answers, badly, when it is told to. */
async function startSlowVault() {
  const asked = Promise.withResolvers<() => void>();
  const server = createServer((_request, response) => asked.resolve(() => response.writeHead(500).end()));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => server.closeAllConnections());
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, asked: asked.promise };
}

test('lets what is in flight end before it ends itself', async () => {
  const vault = await startSlowVault();
  const { child, url } = await started({ ...alone, VAULT_ADDR: vault.url, VAULT_MAX_RETRIES: '0' });
  const answering = call(url, '/proxy/demo/', { headers: bearer('cak_a_b') });
  const answerNow = await vault.asked;
  child.kill('SIGTERM');
  // It no longer listens.
  await expect.poll(() => call(url, '/healthz').catch(() => 'refused')).toBe('refused');
  answerNow();
  expect((await answering).status).toBe(503);
  expect(await once(child, 'exit')).toEqual([0, null]);
});

test('waits for what is in flight no longer than SHUTDOWN_SECONDS', async () => {
  const vault = await startSlowVault();
  const { child, url } = await started({ ...alone, VAULT_ADDR: vault.url, SHUTDOWN_SECONDS: '0' });
  const answering = call(url, '/proxy/demo/', { headers: bearer('cak_a_b') }).catch(
    (error: Error) => error.message,
  );
  await vault.asked;
  child.kill('SIGTERM');
  expect(await answering).toBe('socket hang up');
  expect(await once(child, 'exit')).toEqual([0, null]);
});

test('ends when asked to, also when nobody reads its log any more', async () => {
  const { child } = await started(alone);
  child.stdout.destroy();
  child.kill('SIGTERM');
  expect((await once(child, 'exit'))[0]).toBe(0);
});
