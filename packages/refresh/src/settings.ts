import { integer, refreshCooldownField, type ConfigRule } from '@connectors/vault-core';
import type { z } from 'zod';
import type { RefreshLimits } from './engine.ts';

/** What a process that refreshes can be told. */
export interface RefreshSettings {
  /** Refreshes at the same time, per integration that sets no number of its own. */
  concurrency: number;
  /** How often the schedule is rebuilt from Vault, in milliseconds. */
  sweepIntervalMs: number;
  /** How many calls to Vault a sweep makes per second, all workers together, unless Redis was wiped. */
  sweepCallsPerSecond: number;
  /** How long a job belongs to a process that has gone silent, in milliseconds. */
  lockMs: number;
  /** How often jobs of silent processes are looked for, in milliseconds. */
  stalledMs: number;
  limits: RefreshLimits;
}

/** The environment variables of {@link RefreshSettings}. They go with {@link refreshRule}. */
export const refreshFields = {
  REFRESH_CONCURRENCY: integer({ min: 1, max: 1_000, fallback: 10 }).describe(
    'How many refreshes run at the same time, per integration and worker.',
  ),
  REFRESH_REQUEST_SECONDS: seconds(1, 120, 15).describe(
    'How much of an attempt must be left when its token request is sent, in seconds: the least time that a provider gets to answer.',
  ),
  REFRESH_ATTEMPT_SECONDS: seconds(2, 300, 30).describe(
    'How long an attempt owns a credential, from its claim until the new token is stored, in seconds. Must be longer than `REFRESH_REQUEST_SECONDS`.',
  ),
  REFRESH_CLOCK_SKEW_SECONDS: seconds(0, 300, 5).describe(
    'How far the clocks of two workers may be apart, in seconds.',
  ),
  ...refreshCooldownField,
  SWEEP_INTERVAL_SECONDS: seconds(1, 86_400, 300).describe(
    'How often the schedule is rebuilt from Vault, in seconds.',
  ),
  SWEEP_CALLS_PER_SECOND: integer({ min: 1, max: 100_000, fallback: 100 }).describe(
    'How many calls to Vault a sweep makes per second, over all workers. If Redis has lost the schedule, a sweep runs as fast as it can.',
  ),
  JOB_LOCK_SECONDS: seconds(1, 600, 30).describe(
    'How long a job still belongs to a worker that has gone silent, in seconds.',
  ),
  STALLED_INTERVAL_SECONDS: seconds(1, 600, 30).describe(
    'How often workers look for jobs of silent workers, in seconds.',
  ),
};

type RefreshConfig = z.infer<z.ZodObject<typeof refreshFields>>;

/** An attempt must last longer than its token request. */
export const refreshRule: ConfigRule = ({
  REFRESH_REQUEST_SECONDS: request = '15',
  REFRESH_ATTEMPT_SECONDS: attempt = '30',
}) =>
  Number(attempt) <= Number(request)
    ? ['REFRESH_ATTEMPT_SECONDS: must be longer than REFRESH_REQUEST_SECONDS']
    : [];

/** What a configuration says about refreshes, in milliseconds. */
export function refreshSettings(config: RefreshConfig): RefreshSettings {
  return {
    concurrency: config.REFRESH_CONCURRENCY,
    sweepIntervalMs: config.SWEEP_INTERVAL_SECONDS * 1000,
    sweepCallsPerSecond: config.SWEEP_CALLS_PER_SECOND,
    lockMs: config.JOB_LOCK_SECONDS * 1000,
    stalledMs: config.STALLED_INTERVAL_SECONDS * 1000,
    limits: {
      attemptMs: config.REFRESH_ATTEMPT_SECONDS * 1000,
      requestMs: config.REFRESH_REQUEST_SECONDS * 1000,
      clockSkewMs: config.REFRESH_CLOCK_SKEW_SECONDS * 1000,
      cooldownMs: config.REFRESH_COOLDOWN_SECONDS * 1000,
    },
  };
}

function seconds(min: number, max: number, fallback: number) {
  return integer({ unit: 'seconds', min, max, fallback });
}
