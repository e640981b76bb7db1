import { setTimeout as delay } from 'node:timers/promises';
import { inParallel } from '../fleet/in-parallel.ts';
import type { Member } from '../fleet/member.ts';
import { startFleet, type Fleet } from '../fleet/start-fleet.ts';
import { callAllTheTime } from './agents.ts';
import type { Arguments } from './arguments.ts';
import { Crashes } from './crashes.ts';
import { checkStored } from './final-check.ts';
import { machineStall } from './explain.ts';
import type { Findings } from './findings.ts';
import { inflict, type World } from './inflict.ts';
import { Ledger } from './ledger.ts';
import { connect, LossFollowUp } from './losses.ts';
import { Random } from './random.ts';
import { countOverdue } from './recovery.ts';
import type { Fault } from './schedule.ts';
import { proxyCount, settings, workerCount } from './settings.ts';
import { TokenEndpoint } from './token-endpoint.ts';

const sampleMs = 250;
/** So late it is only when nothing else here has its turn either. */
const stallMs = 1_000;

/** What is told while it runs. */
export interface Progress {
  say(what: string): void;
  /** Shown until the next one. */
  show(findings: Findings, elapsedMs: number): void;
}

/**
 * Starts a system, lets agents call and faults happen, and ends it.
 *
 * @param dir where data and logs lie
 * @throws {Error} when it does not start, and when `signal` is aborted; nothing is left running then
 */
export async function runChaos(
  args: Arguments,
  plan: Fault[],
  dir: string,
  signal: AbortSignal,
  progress: Progress,
): Promise<Findings> {
  const ledger = new Ledger((settings.tokenLife * 1000) / 2);
  let fleet: Fleet | undefined;
  const tokenEndpoint = new TokenEndpoint({
    ledger,
    random: new Random(args.seed + 1),
    target: () => fleet?.authorizationServer.tokenEndpoint ?? '',
  });
  await tokenEndpoint.listen();
  try {
    progress.say('starting Redis, Vault, the authorization server, workers and proxies');
    fleet = await startSystem(dir, tokenEndpoint);
    signal.throwIfAborted();
    const crashes = new Crashes();
    const world = { fleet, tokenEndpoint, crashes, dir, signal };
    const findings = newFindings(args, ledger, crashes);
    await watchSystem({ args, plan, world, ledger, findings, progress });
    return findings;
  } finally {
    await fleet?.close();
    await tokenEndpoint.close();
  }
}

interface Run {
  args: Arguments;
  plan: Fault[];
  world: World;
  ledger: Ledger;
  findings: Findings;
  progress: Progress;
}

function newFindings(args: Arguments, ledger: Ledger, crashes: Crashes): Findings {
  return {
    arguments: args,
    requests: [],
    faults: [],
    samples: [],
    refreshes: 0,
    respends: ledger.respends,
    losses: [],
    crashes: crashes.found,
    stored: [],
  };
}

function startSystem(dir: string, tokenEndpoint: TokenEndpoint): Promise<Fleet> {
  const both = { REFRESH_COOLDOWN_SECONDS: String(settings.cooldown) };
  return startFleet(dir, {
    workers: workerCount,
    proxies: proxyCount,
    accessTokenTtl: settings.tokenLife,
    tokenUrl: (worker) => tokenEndpoint.newUrlFor(worker),
    workerEnv: {
      ...both,
      REFRESH_REQUEST_SECONDS: String(settings.request),
      REFRESH_ATTEMPT_SECONDS: String(settings.attempt),
      REFRESH_CLOCK_SKEW_SECONDS: String(settings.clockSkew),
      JOB_LOCK_SECONDS: String(settings.jobLock),
      STALLED_INTERVAL_SECONDS: String(settings.stalledInterval),
      SWEEP_INTERVAL_SECONDS: String(settings.sweepInterval),
      SHUTDOWN_SECONDS: String(settings.shutdown),
    },
    proxyEnv: { ...both, REFRESH_WAIT_MS: String(settings.refreshWait * 1000) },
  });
}

async function watchSystem(run: Run): Promise<void> {
  const { args, world, ledger, findings, progress } = run;
  const { fleet, crashes, signal } = world;
  const members = [fleet.redis, fleet.vault, ...fleet.workers, ...fleet.proxies];
  for (const member of members) crashes.watch(member);
  const followUp = new LossFollowUp(fleet, ledger, findings.faults, signal);
  findings.losses = followUp.losses;
  const random = new Random(args.seed);
  const tenants = Array.from({ length: args.tenants }, (_, index) => `tenant-${index + 1}`);
  progress.say(`connecting ${args.tenants} tenants`);
  await connectAll(world, ledger, tenants, random);
  await liveThrough(run, tenants, random);
  progress.say('waiting for the last users, and looking at what is stored');
  await followUp.settled();
  for (const member of members) crashes.expect(member);
  crashes.found.push(...(await endInOrder(fleet.workers)));
  findings.refreshes = ledger.refreshes;
  findings.stored = await checkStored(fleet, ledger, Date.now());
}

/** Lets agents call and faults happen for as long as the run is to last. */
async function liveThrough(
  { args, plan, world, ledger, findings, progress }: Run,
  tenants: string[],
  random: Random,
): Promise<void> {
  const over = new AbortController();
  const start = Date.now();
  let sampledAt = start;
  const sampler = setInterval(() => {
    const now = Date.now();
    if (now - sampledAt > stallMs) findings.faults.push({ kind: machineStall, from: sampledAt, until: now });
    sampledAt = now;
    findings.samples.push({ at: now, overdue: countOverdue(ledger.grants, now) });
    findings.refreshes = ledger.refreshes;
    progress.show(findings, now - start);
  }, sampleMs);
  const signals = { over: over.signal, interrupted: world.signal };
  const calling = callAllTheTime(world.fleet, tenants, random, findings.requests, signals);
  try {
    await Promise.all([
      delay(args.seconds * 1000, undefined, { signal: world.signal }),
      inflict(world, plan, findings.faults),
    ]);
  } finally {
    over.abort();
    clearInterval(sampler);
    await calling;
  }
}

/** As if they had connected one after the other: else all their refreshes would come together for ever. */
async function connectAll(
  { fleet, signal }: World,
  ledger: Ledger,
  tenants: string[],
  random: Random,
): Promise<void> {
  const lifeMs = settings.tokenLife * 1000;
  const lives = tenants.map((tenantId) => ({ tenantId, lifeMs: random.between(lifeMs / 4, lifeMs) }));
  await inParallel(lives, async (life) => {
    signal.throwIfAborted();
    await connect(fleet, ledger, life.tenantId, life.lifeMs);
  });
}

/** @returns which of them did not end as they should */
async function endInOrder(workers: Member[]): Promise<string[]> {
  await Promise.all(workers.map((worker) => worker.stop()));
  const ends = await Promise.all(workers.map(async ({ name, ended }) => ({ name, how: await ended })));
  return ends
    .filter(({ how }) => how !== 'exit code 0')
    .map(({ name, how }) => `${name} did not end in order: ${how}`);
}
