import { findingsOf, type Finding } from './finding.ts';

/** Judges a clock beside ours. Workers wait for each other by the clock: what they may differ by is configured. */
export function judgeClock(
  whose: 'Vault' | 'Redis',
  theirs: number,
  ours: number,
  allowedMs: number,
): Finding {
  const { ok, failed } = findingsOf('system');
  const check = `clock.${whose.toLowerCase()}`;
  const apartMs = Math.abs(theirs - ours);
  const seconds = (apartMs / 1_000).toFixed(1);
  if (apartMs <= allowedMs) return ok(check, `the clock of ${whose} differs by ${seconds} s`);
  return failed(
    check,
    `the clock of ${whose} differs from this machine's by ${seconds} s, more than REFRESH_CLOCK_SKEW_SECONDS allows: tokens may expire unnoticed, and two workers may refresh at once`,
    'Set the clocks by NTP on every machine, or raise REFRESH_CLOCK_SKEW_SECONDS',
  );
}
