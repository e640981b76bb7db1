import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { faultKinds } from '../../chaos/schedule.ts';
import { processesOn } from '../system/start-system.ts';

const root = join(import.meta.dirname, '../../..');
/** Real processes on a machine that is busy with other tests take their time. */
const patienceMs = 240_000;

let folder: string;
let child: ChildProcess | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'connectors-'));
});

afterEach(async () => {
  child?.kill('SIGKILL');
  await allGone();
  rmSync(folder, { recursive: true });
});

/** Waits until no process works in the folder any more. */
function allGone(): Promise<void> {
  return vi.waitFor(() => {
    const left = processesOn(folder);
    if (left.length > 0) throw new Error(`still there: ${left.map(({ command }) => command).join(', ')}`);
  }, 30_000);
}

/** Runs the command in a folder for temporary files of its own, where it leaves nothing unless it fails. */
function launch(...args: string[]) {
  const launched = spawn(process.execPath, ['tools/chaos/main.ts', ...args], {
    cwd: root,
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], TMPDIR: folder },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child = launched;
  let text = '';
  for (const stream of [launched.stdout, launched.stderr])
    stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const ended = once(launched, 'close').then(([code]) => code as number | null);
  return { process: launched, output: () => text, ended };
}

/** What it has left behind; the compile cache is the apps' own. */
function leftovers(): string[] {
  return readdirSync(folder).filter((name) => name.startsWith('connectors-chaos'));
}

describe('chaos', () => {
  it(
    'is survived for half a minute, with every kind of fault',
    async () => {
      const run = launch('--seconds', '30', '--seed', '1', '--tenants', '16');
      const code = await run.ended;
      expect(run.output()).toContain('seed 1, 30 s, 16 tenants');
      for (const kind of faultKinds) expect(run.output()).toMatch(new RegExp(`\\| ${kind} +\\| +1 \\|`));
      expect(run.output().split('\n').slice(-12).join('\n')).not.toContain('without an excuse');
      expect({ code, output: run.output() }).toMatchObject({ code: 0 });
      expect(leftovers()).toEqual([]);
    },
    patienceMs,
  );

  it(
    'ends at Ctrl-C, and everything with it',
    async () => {
      const run = launch('--seconds', '60', '--tenants', '2');
      await vi.waitFor(() => expect(run.output()).toContain('0/60 s'), patienceMs);
      run.process.kill('SIGINT');
      expect(await run.ended).toBe(130);
      expect(processesOn(folder)).toEqual([]);
      expect(leftovers()).toEqual([]);
    },
    patienceMs,
  );

  it(
    'ends with its process also when that is killed',
    async () => {
      const run = launch('--seconds', '60', '--tenants', '2');
      await vi.waitFor(() => expect(run.output()).toContain('0/60 s'), patienceMs);
      expect(processesOn(folder).length).toBeGreaterThan(6);
      run.process.kill('SIGKILL');
      await allGone();
    },
    patienceMs,
  );

  it('explains itself, and what it does not understand', async () => {
    const help = launch('--help');
    expect(await help.ended).toBe(0);
    expect(help.output()).toContain('usage: npx pnpm@12 chaos');
    const wrong = launch('--seconds', 'soon');
    expect(await wrong.ended).toBe(2);
    expect(wrong.output()).toContain('--seconds must be a whole number');
  });
});
