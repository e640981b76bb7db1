import { Random } from './random.ts';
import { aftermathMs, proxyCount, workerCount } from './settings.ts';

interface Kind {
  /** What it breaks. Two faults never break the same thing at the same time. */
  breaks: 'worker' | 'proxy' | 'redis' | 'vault' | 'token endpoint' | 'clock';
  /** How long it lasts, in milliseconds. */
  lasts: [min: number, max: number];
}

/** Everything that is done to the system. */
export const kinds = {
  'worker-kill': { breaks: 'worker', lasts: [0, 2_000] },
  /** Shorter than any deadline, so that nothing may be lost by it. */
  'worker-pause': { breaks: 'worker', lasts: [300, 1_000] },
  /** Longer than job lock and attempt: others take over what it was doing. */
  'worker-freeze': { breaks: 'worker', lasts: [4_500, 8_000] },
  'proxy-kill': { breaks: 'proxy', lasts: [0, 1_500] },
  'redis-restart': { breaks: 'redis', lasts: [300, 3_000] },
  'redis-flush': { breaks: 'redis', lasts: [0, 0] },
  'vault-seal': { breaks: 'vault', lasts: [1_000, 5_000] },
  'vault-kill': { breaks: 'vault', lasts: [300, 4_000] },
  'provider-503': { breaks: 'token endpoint', lasts: [1_500, 5_000] },
  'provider-429': { breaks: 'token endpoint', lasts: [1_500, 4_000] },
  'provider-hang': { breaks: 'token endpoint', lasts: [1_500, 6_000] },
  'response-cut': { breaks: 'token endpoint', lasts: [2_000, 3_000] },
  'provider-clock': { breaks: 'clock', lasts: [4_000, 9_000] },
} as const satisfies Record<string, Kind>;

export type FaultKind = keyof typeof kinds;
export const faultKinds = Object.keys(kinds) as FaultKind[];

/** One fault; times in milliseconds from the start of the run. */
export interface Fault {
  kind: FaultKind;
  from: number;
  until: number;
  /** Which of several, counted from 0. */
  target: number;
  /** From 0 to 1: decides whatever else there is to decide. */
  chance: number;
}

/** The clock goes fast or slow. */
const targets = { worker: workerCount, proxy: proxyCount, redis: 1, vault: 1, 'token endpoint': 1, clock: 2 };

const warmUpMs = 3_000;
/** Long enough to see the system recover, and then to see that nothing fails any more. */
const minQuietMs = aftermathMs + 4_000;
/** A group of faults and the quiet time after it, on average. */
const roundMs = 13_000;

/**
 * The faults of a run, in groups with quiet times between. Every kind occurs: in a long run alone at least once, so that the
 * recovery from it can be measured, and then together with others; in a short run with others only.
 */
export function planFaults(seed: number, seconds: number): Fault[] {
  const random = new Random(seed);
  for (let count = Math.max(1, Math.floor((seconds * 1000) / roundMs)); ; count -= 1) {
    const groups = dealKinds(count, random).map((group) => arrange(group, count, random));
    const busyMs = groups.map(lengthOf).reduce((sum, length) => sum + length, 0);
    const quietMs = Math.floor((seconds * 1000 - warmUpMs - busyMs) / count);
    if (quietMs >= minQuietMs || count === 1) return inSequence(groups, quietMs);
  }
}

/** Which kinds come together in each of `count` groups. */
function dealKinds(count: number, random: Random): FaultKind[][] {
  const alone = random.shuffled(faultKinds);
  if (count < alone.length) {
    const groups: FaultKind[][] = Array.from({ length: count }, () => []);
    // What breaks the same thing comes apart, for it could not overlap.
    const sorted = alone.sort((a, b) => kinds[a].breaks.localeCompare(kinds[b].breaks));
    for (const [index, kind] of sorted.entries()) groups[index % count]?.push(kind);
    return random.shuffled(groups);
  }
  const together = Array.from({ length: count - alone.length }, () =>
    random.shuffled(faultKinds).slice(0, random.between(2, 4)),
  );
  return random.shuffled([...alone.map((kind) => [kind]), ...together]);
}

/** The faults of one group, from its own start. They begin within two seconds, if what they break is not broken already. */
function arrange(group: FaultKind[], count: number, random: Random): Fault[] {
  const freeFrom = new Map<string, number>();
  return group.map((kind) => {
    const { breaks, lasts } = kinds[kind];
    const target = random.between(0, targets[breaks] - 1);
    const thing = breaks === 'clock' ? breaks : `${breaks} ${target}`;
    const from = Math.max(random.between(0, 2_000), freeFrom.get(thing) ?? 0);
    const [min, max] = lasts;
    // In a short run all of them have to find room.
    const length = random.between(min, count < faultKinds.length && max < 5_500 ? (min + max) / 2 : max);
    freeFrom.set(thing, from + length + 500);
    return { kind, from, until: from + length, target, chance: random.next() };
  });
}

function lengthOf(group: Fault[]): number {
  return Math.max(...group.map(({ until }) => until));
}

function inSequence(groups: Fault[][], quietMs: number): Fault[] {
  let start = warmUpMs;
  return groups.flatMap((group) => {
    const shift = start;
    start += lengthOf(group) + quietMs;
    return group
      .map((fault) => ({ ...fault, from: fault.from + shift, until: fault.until + shift }))
      .sort((a, b) => a.from - b.from);
  });
}
