import { integrationFields, readIntegrations } from '@connectors/oauth';
import {
  consoleUrlField,
  integer,
  readConfig,
  redisFields,
  refreshCooldownField,
  Secret,
  serverFields,
  vaultFields,
  vaultLoginRule,
  type ConfigRule,
} from '@connectors/vault-core';
import { z } from 'zod';

const { PORT: CONSOLE_PORT, ...server } = serverFields(8090);

const onOff = z.enum(['on', 'off'], 'must be on or off').transform((value) => value === 'on');

function seconds(min: number, max: number, fallback: number) {
  return integer({ unit: 'seconds', min, max, fallback });
}

/** The environment of a worker; docs/configuration.md is made from it. */
export const workerConfigSchema = z.object({
  ...server,
  CONSOLE_PORT: CONSOLE_PORT.describe('Port of the console, of health and of metrics; 0 picks a free one.'),
  CONSOLE: onOff.prefault('on').describe('`off`: the port serves health and metrics only.'),
  ...consoleUrlField,
  ADMIN_TOKEN: z
    .string()
    .min(24, 'must have at least 24 characters')
    .transform((value) => new Secret(value))
    .optional()
    .describe('What the operator signs in to the console with. Required unless `CONSOLE` is off.'),
  BOARD_WRITABLE: onOff
    .prefault('off')
    .describe('`on`: jobs can be retried, promoted and removed on the board.'),
  ...vaultFields,
  ...redisFields,
  ...integrationFields,
  REFRESH_CONCURRENCY: integer({ min: 1, max: 1_000, fallback: 10 }).describe(
    'Refreshes at the same time, per integration and worker.',
  ),
  REFRESH_REQUEST_SECONDS: seconds(1, 120, 15).describe(
    'How much of an attempt must be left when its token request is sent: what a provider is given to answer at the least.',
  ),
  REFRESH_ATTEMPT_SECONDS: seconds(2, 300, 30).describe(
    'How long an attempt owns a credential, from its claim until the new token is stored. Longer than REFRESH_REQUEST_SECONDS.',
  ),
  REFRESH_CLOCK_SKEW_SECONDS: seconds(0, 300, 5).describe('How far the clocks of two workers may be apart.'),
  ...refreshCooldownField,
  SWEEP_INTERVAL_SECONDS: seconds(1, 86_400, 300).describe('How often the schedule is rebuilt from Vault.'),
  JOB_LOCK_SECONDS: seconds(1, 600, 30).describe('How long a job belongs to a worker that has gone silent.'),
  STALLED_INTERVAL_SECONDS: seconds(1, 600, 30).describe('How often jobs of silent workers are looked for.'),
});

const rules: ConfigRule[] = [
  vaultLoginRule,
  ({ CONSOLE, ADMIN_TOKEN }) =>
    CONSOLE !== 'off' && ADMIN_TOKEN === undefined ? ['ADMIN_TOKEN: is required, unless CONSOLE is off'] : [],
  ({ REFRESH_REQUEST_SECONDS: request = '15', REFRESH_ATTEMPT_SECONDS: attempt = '30' }) =>
    Number(attempt) <= Number(request)
      ? ['REFRESH_ATTEMPT_SECONDS: must be longer than REFRESH_REQUEST_SECONDS']
      : [],
];

export type WorkerConfig = ReturnType<typeof readWorkerConfig>;

/**
 * Reads the environment and the file it names.
 *
 * @throws {ConfigError} with every problem of both
 */
export function readWorkerConfig(env: NodeJS.ProcessEnv) {
  const { integrations, guard, problems } = readIntegrations(env);
  const config = readConfig(workerConfigSchema, env, [...rules, () => problems]);
  return { ...config, integrations, guard };
}
