import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RunFile } from '../../start/state.ts';

const root = join(import.meta.dirname, '../../..');
const portVariables = [
  'PORT',
  'CONSOLE_PORT',
  'VAULT_PORT',
  'REDIS_PORT',
  'AUTHORIZATION_PORT',
  'REST_PORT',
  'MCP_PORT',
];

export type Environment = Record<string, string>;

/** A data directory and ports of its own, so that systems run side by side. */
export async function newEnvironment(extra: Environment = {}): Promise<Environment> {
  const servers = portVariables.map(() => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => String((server.address() as AddressInfo).port));
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return {
    PATH: process.env['PATH'] ?? '',
    HOME: process.env['HOME'] ?? '',
    CONNECTORS_DATA_DIR: mkdtempSync(join(tmpdir(), 'connectors-')),
    DEMO_TOKEN_SECONDS: '8',
    SWEEP_INTERVAL_SECONDS: '1',
    ...Object.fromEntries(portVariables.map((name, index) => [name, ports[index] ?? ''])),
    ...extra,
  };
}

export interface System {
  run: RunFile;
  dataDir: string;
  redisUrl: string;
  process: ChildProcess;
  /** Everything it has printed so far. */
  output(): string;
  /** Presses Ctrl-C. Resolves with the exit code. */
  interrupt(): Promise<number | null>;
}

/** Runs the start command until it says that it runs. */
export async function startSystem(env: Environment): Promise<System> {
  const { child, output } = launch(env);
  const dataDir = env['CONNECTORS_DATA_DIR'] ?? '';
  await new Promise<void>((resolve, reject) => {
    child.stdout?.on('data', () => {
      if (output().includes('Ctrl-C stops everything')) resolve();
    });
    child.once('exit', () => reject(new Error(`The start command ended:\n${output()}`)));
  });
  return {
    run: JSON.parse(readFileSync(join(dataDir, 'run.json'), 'utf8')) as RunFile,
    dataDir,
    redisUrl: `redis://127.0.0.1:${env['REDIS_PORT']}`,
    process: child,
    output,
    interrupt: () => interrupt(child),
  };
}

/** Runs the start command to its end, and says what it printed. */
export async function runToEnd(env: Environment): Promise<Ended> {
  const { child, output } = launch(env);
  await once(child, 'close');
  return { code: child.exitCode, output: output() };
}

interface Ended {
  code: number | null;
  output: string;
}

/** Runs the start command, and presses Ctrl-C when it has printed `words` and `meanwhile` is over. */
export async function interruptAt(
  words: string,
  env: Environment,
  meanwhile: () => Promise<void> = () => Promise.resolve(),
): Promise<Ended> {
  const { child, output } = launch(env);
  await new Promise<void>((resolve) => {
    child.stdout.on('data', () => {
      if (output().includes(words)) resolve();
    });
    child.once('exit', () => resolve());
  });
  await meanwhile();
  await interrupt(child);
  return { code: child.exitCode, output: output() };
}

function launch(env: Environment) {
  const child = spawn(process.execPath, ['tools/start/main.ts'], {
    cwd: root,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
  return { child, output: () => text };
}

async function interrupt(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  child.kill('SIGINT');
  await once(child, 'close');
  return child.exitCode;
}

export function removeData(env: Environment): void {
  rmSync(env['CONNECTORS_DATA_DIR'] ?? '', { recursive: true, force: true });
}

/** The processes that work on a data directory, by the program they run. */
export function processesOn(dataDir: string): { pid: number; command: string }[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .map((name) => ({
      pid: Number(name),
      command: ofProcess(name, 'cmdline'),
      // Redis writes its title over its arguments and its environment.
      traces: ofProcess(name, 'environ') + ofProcess(name, 'cwd'),
    }))
    .filter(({ command, traces }) => `${command} ${traces}`.includes(dataDir));
}

function ofProcess(pid: string, file: 'cmdline' | 'environ' | 'cwd'): string {
  const path = `/proc/${pid}/${file}`;
  try {
    return file === 'cwd' ? readlinkSync(path) : readFileSync(path, 'utf8').replaceAll('\0', ' ');
  } catch {
    // It ended meanwhile, or is not ours to see.
    return '';
  }
}

/** `kill -9` of the part of a system whose command contains `words`. */
export function killPart({ dataDir }: System, words: string): void {
  const part = processesOn(dataDir).find(({ command }) => command.includes(words));
  if (part === undefined) throw new Error(`There is no process that runs ${words}`);
  process.kill(part.pid, 'SIGKILL');
}

/** Calls the REST upstream through the proxy. */
export async function callRest({
  run,
}: System): Promise<{ status: number; account: string; tokenFingerprint: string }> {
  const response = await fetch(run.rest.url, { headers: run.rest.headers });
  const body = (await response.json()) as { account: string; tokenFingerprint: string };
  return { status: response.status, ...body };
}
