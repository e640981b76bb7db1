import { spawn } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import type { Member } from '../fleet/member.ts';
import { sealVault, unsealVault } from '../fleet/seal.ts';
import type { Fleet } from '../fleet/start-fleet.ts';
import type { Crashes } from './crashes.ts';
import type { FaultRecord } from './explain.ts';
import { kinds, type Fault, type FaultKind } from './schedule.ts';
import type { Mode, TokenEndpoint } from './token-endpoint.ts';

/** What can be broken. */
export interface World {
  fleet: Fleet;
  tokenEndpoint: TokenEndpoint;
  crashes: Crashes;
  /** The folder of the fleet. */
  dir: string;
  signal: AbortSignal;
}

/** Does its worst, waits, and puts it right again. */
type Inflict = (world: World, fault: Fault) => Promise<void>;

const inflictions: Record<FaultKind, Inflict> = {
  'worker-kill': (world, fault) => killAndRestart(world, fault, world.fleet.workers[fault.target], 'SIGKILL'),
  'worker-pause': (world, fault) => stopAndContinue(world, fault, world.fleet.workers[fault.target]),
  'worker-freeze': (world, fault) => stopAndContinue(world, fault, world.fleet.workers[fault.target]),
  'proxy-kill': (world, fault) => killAndRestart(world, fault, world.fleet.proxies[fault.target], 'SIGKILL'),
  'redis-restart': (world, fault) =>
    killAndRestart(world, fault, world.fleet.redis, fault.chance < 0.5 ? 'SIGTERM' : 'SIGKILL'),
  'redis-flush': async ({ fleet }) => {
    await fleet.redisConnection.flushall();
  },
  'vault-seal': sealAndUnseal,
  'vault-kill': (world, fault) => killAndRestart(world, fault, world.fleet.vault, 'SIGKILL'),
  'provider-503': (world, fault) => misbehave(world, fault, { kind: 'provider-503' }),
  'provider-429': async (world, fault) => {
    const retryAfterSeconds = 1 + Math.floor(fault.chance * 3);
    await misbehave(world, fault, { kind: 'provider-429', retryAfterSeconds, isDate: fault.chance < 0.5 });
    // It lasts as long as it has asked to wait.
    await delay(Math.max(0, world.tokenEndpoint.throttledUntil - Date.now()), undefined, world);
  },
  'provider-hang': async (world, fault) => {
    await misbehave(world, fault, { kind: 'provider-hang' });
    world.tokenEndpoint.dropHanging();
  },
  'response-cut': (world, fault) => misbehave(world, fault, { kind: 'response-cut', left: 3 }),
  'provider-clock': async (world, fault) => {
    const minutes = 1 + fault.chance * 10;
    world.tokenEndpoint.clockAheadMs = Math.round((fault.target === 0 ? 1 : -1) * minutes * 60_000);
    await last(world, fault);
    world.tokenEndpoint.clockAheadMs = 0;
  },
};

/**
 * Brings the faults of a plan over a system, each at its time, and writes down what happened when.
 *
 * @param records begun and ended faults, in the order of their beginning
 */
export async function inflict(world: World, plan: Fault[], records: FaultRecord[]): Promise<void> {
  const start = Date.now();
  const repaired = new Map<string, Promise<void>>();
  await Promise.all(
    plan.map(async (fault) => {
      const thing = thingOf(fault);
      // What is put right later than planned is not broken again before.
      const before = repaired.get(thing) ?? Promise.resolve();
      const own = before.then(async () => {
        await delay(Math.max(0, start + fault.from - Date.now()), undefined, world);
        const record: FaultRecord = { kind: fault.kind, ...victimOf(world, fault), from: Date.now() };
        records.push(record);
        await inflictions[fault.kind](world, fault);
        record.until = Date.now();
      });
      repaired.set(thing, own);
      await own;
    }),
  );
}

function victimOf({ fleet, tokenEndpoint }: World, { kind, target }: Fault): { victim?: string } {
  const worker = kinds[kind].breaks === 'worker' ? fleet.workers[target] : undefined;
  return worker === undefined ? {} : { victim: tokenEndpoint.processOf(worker.name) };
}

function thingOf({ kind, target }: Fault): string {
  const { breaks } = kinds[kind];
  return breaks === 'worker' || breaks === 'proxy' ? `${breaks} ${target}` : breaks;
}

async function last(world: World, { from, until }: Fault): Promise<void> {
  await delay(until - from, undefined, world);
}

async function killAndRestart(
  world: World,
  fault: Fault,
  member: Member | undefined,
  signal: 'SIGKILL' | 'SIGTERM',
): Promise<void> {
  if (member === undefined) return;
  world.crashes.expect(member);
  member.kill(signal);
  await member.ended;
  await last(world, fault);
  await member.restart();
  world.crashes.watch(member);
}

async function stopAndContinue(world: World, fault: Fault, member: Member | undefined): Promise<void> {
  if (member === undefined) return;
  // A stopped process would outlive us: whoever holds the other end of this pipe continues it when we are gone.
  const lifeline = spawn('sh', ['-c', 'read -r _; kill -CONT "$1"', 'sh', String(member.pid)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  member.kill('SIGSTOP');
  try {
    await last(world, fault);
  } finally {
    lifeline.kill('SIGKILL');
    member.kill('SIGCONT');
  }
}

async function sealAndUnseal(world: World, fault: Fault): Promise<void> {
  await sealVault(world.fleet);
  await last(world, fault);
  await unsealVault(world.fleet, world.dir);
}

async function misbehave(world: World, fault: Fault, mode: Mode): Promise<void> {
  world.tokenEndpoint.mode = mode;
  await last(world, fault);
  world.tokenEndpoint.mode = undefined;
}
