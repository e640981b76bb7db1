import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { read, repository } from './deployables.ts';

const executable = ['vault', 'bao']
  .map((command) => spawnSync('sh', ['-c', `command -v ${command}`], { encoding: 'utf8' }).stdout.trim())
  .find((path) => path !== '');

describe.skipIf(executable === undefined)('vault-init (skipped without vault or bao on the PATH)', () => {
  const folder = mkdtempSync(join(tmpdir(), 'vault-'));
  const ready = join(folder, 'ready');
  const running: ChildProcess[] = [];
  let env: NodeJS.ProcessEnv;

  beforeAll(async () => {
    for (const name of ['bin', 'file', 'keys']) mkdirSync(join(folder, name));
    symlinkSync(executable!, join(folder, 'bin/vault'));
    const [api, cluster] = await freePorts(2);
    const config = read('vault/config.hcl')
      .replaceAll('/vault/file', join(folder, 'file'))
      .replaceAll(/(0\.0\.0\.0|connectors-vault):8200/g, `127.0.0.1:${api}`)
      .replaceAll(':8201', `:${cluster}`);
    writeFileSync(join(folder, 'config.hcl'), config);
    env = {
      PATH: `${join(folder, 'bin')}:${process.env['PATH']}`,
      HOME: folder,
      VAULT_ADDR: `http://127.0.0.1:${api}`,
      KEYS_DIR: join(folder, 'keys'),
      APPROLE_DIR: join(folder, 'approle'),
      READY_FILE: ready,
      DEV_ROOT_TOKEN: 'dev-root-token',
      POLL_SECONDS: '0.2',
      VAULT_AUDIT_LOG: join(folder, 'audit.log'),
    };
  });

  afterAll(async () => {
    await Promise.all(running.map(kill));
    rmSync(folder, { recursive: true });
  });

  const start = (command: string, ...args: string[]): ChildProcess => {
    const child = spawn(command, args, { env, stdio: 'ignore' });
    running.push(child);
    return child;
  };
  const startVault = () =>
    start(join(folder, 'bin/vault'), 'server', `-config=${join(folder, 'config.hcl')}`);
  const startKeeper = () => start('sh', join(repository, 'vault/keep-unsealed.sh'));
  const untilReady = (wanted: boolean) =>
    expect.poll(() => existsSync(ready), { timeout: 30_000, interval: 50 }).toBe(wanted);
  const vault = (...args: string[]) =>
    execFileSync('vault', args, { env: { ...env, VAULT_TOKEN: 'dev-root-token' }, encoding: 'utf8' });
  const secretId = (role: string) => readFileSync(join(folder, 'approle', role, 'secret-id'), 'utf8');

  it(
    'initialises and provisions a new Vault, and keeps it through restarts of both',
    { timeout: 120_000 },
    async () => {
      let server = startVault();
      let keeper = startKeeper();
      await untilReady(true);
      vault('kv', 'put', 'secret/acme/github', 'accessToken=ciphertext');
      const [keys, gateway] = [readFileSync(join(folder, 'keys/init.txt'), 'utf8'), secretId('gateway')];
      expect(gateway).not.toBe(secretId('proxy'));

      await kill(server);
      await untilReady(false);
      server = startVault();
      await untilReady(true);
      expect(vault('kv', 'get', '-field=accessToken', 'secret/acme/github')).toBe('ciphertext');

      await kill(keeper);
      rmSync(ready);
      keeper = startKeeper();
      await untilReady(true);
      expect(readFileSync(join(folder, 'keys/init.txt'), 'utf8')).toBe(keys);
      expect(secretId('gateway')).toBe(gateway);
    },
  );
});

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, '127.0.0.1');
      await once(server, 'listening');
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}
