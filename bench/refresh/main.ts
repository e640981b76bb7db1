import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inParallel } from '@connectors/tools/fleet/in-parallel.ts';
import { refreshTogether } from '@connectors/tools/fleet/refresh-together.ts';
import { integration, startFleet, type Fleet } from '@connectors/tools/fleet/start-fleet.ts';
import { readFlags } from '../flags.ts';
import { median } from '../quantiles.ts';
import type { BareLoopAnswer, BareLoopOrder } from './bare-loop.ts';
import { countRedisConnections, readWorkerLoad, type WorkerLoad } from './worker-load.ts';

const workers = 3;
/** Refreshes at the same time in one worker: its default. */
const concurrency = 10;
const requiredRatio = 0.6;

const usage = `usage: npx pnpm@12 bench:refresh [--credentials 1000] [--rounds 5]

Lets that many credentials fall due in the same second, with ${workers} workers; then a bare loop makes the same calls to Vault and
to the token endpoint. Fails unless every credential is refreshed exactly once and in time, and the workers reach ${requiredRatio} of
the loop's throughput: in the median of the rounds, after two to warm up.`;

interface Round {
  /** Credentials in a second. */
  workers: number;
  loop: number;
  /** CPU time of a refresh, in milliseconds. */
  workersCpu: number;
  loopCpu: number;
  load: WorkerLoad;
}

const { credentials, rounds } = readFlags(usage, { credentials: 1_000, rounds: 5 });
const tenants = Array.from({ length: credentials }, (_, index) => `tenant-${index}`);
const dir = mkdtempSync(join(tmpdir(), 'bench-'));

async function run(): Promise<boolean> {
  const fleet = await startFleet(dir, {
    workers,
    proxies: 0,
    // What the workers can do, not what a provider is to be spared.
    refreshesPerSecond: 1_000_000,
    workerEnv: { REFRESH_CONCURRENCY: String(concurrency), SWEEP_INTERVAL_SECONDS: '86400' },
  });
  const loop = fork(join(import.meta.dirname, 'bare-loop.ts'));
  try {
    console.log(`connecting ${credentials} tenants`);
    await inParallel(tenants, (tenant) => fleet.connect(tenant));
    console.log('warming up');
    for (let round = 0; round < 2; round++) await runRound(fleet, loop);
    console.log(header);
    const measured: Round[] = [];
    for (let round = 1; round <= rounds; round++) {
      const result = await runRound(fleet, loop);
      console.log(row(result));
      measured.push(result);
    }
    console.log(
      `in each round ${credentials} token requests, none twice, and all tokens saved before expiry`,
    );
    console.log(`connections of a worker to Redis: ${await countRedisConnections(fleet)}`);
    return judge(measured);
  } finally {
    loop.disconnect();
    await fleet.close();
  }
}

/** @throws {Error} when a credential was not refreshed as it should be */
async function runRound(fleet: Fleet, loop: ChildProcess): Promise<Round> {
  const before = await readWorkerLoad(fleet);
  const joint = await refreshTogether(fleet, tenants);
  const load = await readWorkerLoad(fleet);
  const { tokenRequests, granted, savedInTime, sentAgain } = joint;
  const isFaultless = [tokenRequests, granted, savedInTime].every((count) => count === credentials);
  if (!isFaultless || sentAgain > 0)
    throw new Error(`not every credential was refreshed once and in time: ${JSON.stringify(joint)}`);
  const bare = await runBareLoop(fleet, loop);
  return {
    workers: credentials / joint.seconds,
    loop: credentials / bare.seconds,
    workersCpu: ((load.cpuSeconds - before.cpuSeconds) * 1000) / credentials,
    loopCpu: (bare.cpuSeconds * 1000) / credentials,
    load,
  };
}

let loopCpuBefore = 0;

async function runBareLoop(
  fleet: Fleet,
  loop: ChildProcess,
): Promise<{ seconds: number; cpuSeconds: number }> {
  const order: BareLoopOrder = {
    tenants,
    integration,
    concurrency: workers * concurrency,
    vault: fleet.vault.url,
    approleDir: join(dir, 'approle/gateway'),
    configFile: join(dir, 'worker-1.yaml'),
    clientSecret: fleet.client.clientSecret,
  };
  loop.send(order);
  const [answer] = (await once(loop, 'message')) as [BareLoopAnswer];
  if ('error' in answer) throw new Error(`the bare loop failed: ${answer.error}`);
  const cpuSeconds = answer.cpuSeconds - loopCpuBefore;
  loopCpuBefore = answer.cpuSeconds;
  return { seconds: answer.seconds, cpuSeconds };
}

const columns = [
  ['workers', (round: Round) => `${round.workers.toFixed(0)}/s`],
  ['bare loop', (round: Round) => `${round.loop.toFixed(0)}/s`],
  ['ratio', (round: Round) => (round.workers / round.loop).toFixed(2)],
  ['CPU workers', (round: Round) => `${round.workersCpu.toFixed(1)} ms`],
  ['CPU loop', (round: Round) => `${round.loopCpu.toFixed(1)} ms`],
  ['lag 99 %', (round: Round) => `${round.load.lagP99Ms.toFixed(0)} ms`],
  ['lag max', (round: Round) => `${round.load.lagMaxMs.toFixed(0)} ms`],
  ['memory', (round: Round) => `${round.load.memoryMb.toFixed(0)} MiB`],
] as const;

const header = columns.map(([title]) => title.padStart(11)).join(' ');

function row(round: Round): string {
  return columns.map(([, show]) => show(round).padStart(11)).join(' ');
}

function judge(measured: readonly Round[]): boolean {
  const fleet = median(measured.map((round) => round.workers));
  const loop = median(measured.map((round) => round.loop));
  // Neighbours in time are compared: the machine may have been busier in one round than in another.
  const ratio = median(measured.map((round) => round.workers / round.loop));
  const verdict = ratio >= requiredRatio ? 'enough' : `too little: ${requiredRatio} is required`;
  console.log(
    `medians: workers ${fleet.toFixed(0)}/s, bare loop ${loop.toFixed(0)}/s, ratio ${ratio.toFixed(2)}, ${verdict}`,
  );
  return ratio >= requiredRatio;
}

process.once('exit', () => rmSync(dir, { recursive: true, force: true }));
// All others end with us.
process.once('SIGINT', () => process.exit(130));
try {
  process.exitCode = (await run()) ? 0 : 1;
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
