import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { inParallel } from '@connectors/tools/fleet/in-parallel.ts';
import { refreshTogether, type JointRefresh } from '@connectors/tools/fleet/refresh-together.ts';
import { integration, startFleet, type Fleet } from '@connectors/tools/fleet/start-fleet.ts';
import type { BareLoopOrder } from './bare-loop.ts';
import { countRedisConnections, readWorkerLoad } from './worker-load.ts';

const workers = 3;
/** Refreshes at the same time in one worker: its default. */
const concurrency = 10;
const requiredRatio = 0.6;

const usage = `usage: npx pnpm@12 bench:refresh [--credentials 1000] [--rounds 5]

Lets that many credentials fall due in the same second, with ${workers} workers; then a bare loop makes the same calls to Vault and
to the token endpoint. Fails unless every credential is refreshed exactly once and in time, and the workers reach ${requiredRatio} of
the loop's throughput. After a round to warm up, the medians of the rounds count.`;

interface Round {
  /** Credentials in a second. */
  fleet: number;
  bareLoop: number;
}

const { credentials, rounds } = readFlags();
const tenants = Array.from({ length: credentials }, (_, index) => `tenant-${index}`);
const dir = mkdtempSync(join(tmpdir(), 'bench-'));
try {
  process.exitCode = (await run()) ? 0 : 1;
} finally {
  rmSync(dir, { recursive: true, force: true });
}

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
    console.log('a round to warm up');
    await runRound(fleet, loop);
    const measured: Round[] = [];
    for (let round = 1; round <= rounds; round++) measured.push(await runRound(fleet, loop));
    console.log(`Redis connections of a worker: ${await countRedisConnections(fleet)}`);
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
  const round = {
    fleet: credentials / joint.seconds,
    bareLoop: credentials / (await runBareLoop(fleet, loop)),
  };
  const cpuMs = ((load.cpuSeconds - before.cpuSeconds) * 1000) / credentials;
  console.log(
    `${describe(joint)}\n  workers ${round.fleet.toFixed(0)}/s, bare loop ${round.bareLoop.toFixed(0)}/s; ` +
      `CPU of the workers ${cpuMs.toFixed(1)} ms per refresh, event loop held up ${load.lagP99Ms.toFixed(0)} ms (99 %), ` +
      `${load.lagMaxMs.toFixed(0)} ms (max), memory ${load.memoryMb.toFixed(0)} MiB`,
  );
  if (!isFaultless(joint)) throw new Error('not every credential was refreshed once and in time');
  return round;
}

/** Seconds for all credentials. */
async function runBareLoop(fleet: Fleet, loop: ChildProcess): Promise<number> {
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
  const [answer] = (await once(loop, 'message')) as [{ seconds: number } | { error: string }];
  if ('error' in answer) throw new Error(`the bare loop failed: ${answer.error}`);
  return answer.seconds;
}

function isFaultless({ tokenRequests, granted, sentAgain, savedInTime }: JointRefresh): boolean {
  return [tokenRequests, granted, savedInTime].every((count) => count === credentials) && sentAgain === 0;
}

function describe({ tokenRequests, granted, sentAgain, savedInTime }: JointRefresh): string {
  return `${tokenRequests} token requests, ${granted} granted, ${sentAgain} sent again, ${savedInTime} saved in time`;
}

function judge(measured: readonly Round[]): boolean {
  const fleet = median(measured.map((round) => round.fleet));
  const bareLoop = median(measured.map((round) => round.bareLoop));
  // Neighbours in time are compared: the machine may have been busier in one round than in another.
  const ratio = median(measured.map((round) => round.fleet / round.bareLoop));
  const verdict = ratio >= requiredRatio ? 'enough' : `too little: ${requiredRatio} is required`;
  console.log(
    `medians: workers ${fleet.toFixed(0)}/s, bare loop ${bareLoop.toFixed(0)}/s, ratio ${ratio.toFixed(2)}, ${verdict}`,
  );
  return ratio >= requiredRatio;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return ((sorted[middle] ?? 0) + (sorted[sorted.length - 1 - middle] ?? 0)) / 2;
}

function readFlags(): { credentials: number; rounds: number } {
  const options = {
    credentials: { type: 'string', default: '1000' },
    rounds: { type: 'string', default: '5' },
    help: { type: 'boolean', default: false },
  } as const;
  try {
    const { values } = parseArgs({ options });
    if (values.help) {
      console.log(usage);
      process.exit(0);
    }
    return { credentials: count(values.credentials), rounds: count(values.rounds) };
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${usage}`);
    process.exit(2);
  }
}

function count(text: string): number {
  if (!/^[1-9]\d{0,4}$/.test(text)) throw new Error(`${text} is no number from 1 to 99999`);
  return Number(text);
}
