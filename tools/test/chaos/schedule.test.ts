import { describe, expect, it } from 'vitest';
import { faultKinds, kinds, planFaults, type Fault } from '../../chaos/schedule.ts';
import { aftermathMs } from '../../chaos/settings.ts';

const seeds = Array.from({ length: 40 }, (_, index) => index);
const lengths = [30, 60, 300, 3_600];

/** Every seed and length that is looked at. */
const plans = lengths.flatMap((seconds) =>
  seeds.map((seed) => ({ seconds, faults: planFaults(seed, seconds) })),
);

function thingOf({ kind, target }: Fault): string {
  const { breaks } = kinds[kind];
  return breaks === 'clock' ? breaks : `${breaks} ${target}`;
}

describe('the plan of faults', () => {
  it('is the same for the same seed and length', () => {
    expect(planFaults(7, 300)).toEqual(planFaults(7, 300));
  });

  it('is another one for another seed', () => {
    expect(planFaults(7, 300)).not.toEqual(planFaults(8, 300));
  });

  it('has every kind of fault, in half a minute too', () => {
    for (const { faults } of plans)
      expect(new Set(faults.map(({ kind }) => kind))).toEqual(new Set(faultKinds));
  });

  it('never breaks a thing that is broken already', () => {
    for (const { faults } of plans)
      for (const sameThing of Map.groupBy(faults, thingOf).values())
        for (const [index, fault] of sameThing.entries())
          expect(fault.from).toBeGreaterThanOrEqual(sameThing[index - 1]?.until ?? 0);
  });

  it('lets faults overlap', () => {
    const faults = planFaults(1, 300);
    const overlaps = faults.filter((one) =>
      faults.some((other) => other !== one && other.from < one.until && other.until > one.from),
    );
    expect(overlaps.length).toBeGreaterThan(4);
  });

  it('ends early enough to see that nothing is felt any more', () => {
    for (const { seconds, faults } of plans)
      expect(Math.max(...faults.map(({ until }) => until))).toBeLessThan(
        seconds * 1000 - aftermathMs - 1_000,
      );
  });

  it('leaves quiet times between, in which nothing may fail', () => {
    const faults = planFaults(1, 300);
    const quiet = faults.filter(({ until }) =>
      faults.every((other) => other.until <= until || other.from > until + aftermathMs + 2_000),
    );
    expect(quiet.length).toBeGreaterThan(10);
  });

  it('stops workers for less than any deadline, and for more than all of them', () => {
    const lengthsOf = (wanted: string) =>
      plans.flatMap(({ faults }) =>
        faults.filter(({ kind }) => kind === wanted).map(({ from, until }) => until - from),
      );
    expect(Math.max(...lengthsOf('worker-pause'))).toBeLessThanOrEqual(1_000);
    expect(Math.min(...lengthsOf('worker-freeze'))).toBeGreaterThan(4_000);
  });
});
