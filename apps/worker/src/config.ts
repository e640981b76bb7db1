import { integrationFields, readIntegrations } from '@connectors/oauth';
import { refreshFields, refreshRule } from '@connectors/refresh';
import {
  consoleUrlField,
  readConfig,
  redisFields,
  Secret,
  serverFields,
  vaultFields,
  vaultLoginRule,
  type ConfigRule,
} from '@connectors/vault-core';
import { z } from 'zod';

const { PORT: CONSOLE_PORT, ...server } = serverFields(8090);

const onOff = z.enum(['on', 'off'], 'must be on or off').transform((value) => value === 'on');

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
  ...refreshFields,
});

const rules: ConfigRule[] = [
  vaultLoginRule,
  ({ CONSOLE, ADMIN_TOKEN }) =>
    CONSOLE !== 'off' && ADMIN_TOKEN === undefined ? ['ADMIN_TOKEN: is required, unless CONSOLE is off'] : [],
  refreshRule,
];

export type WorkerConfig = ReturnType<typeof readWorkerConfig>;

/**
 * Reads the environment and the file it names.
 *
 * @throws {ConfigError} with every problem of both
 */
export function readWorkerConfig(env: NodeJS.ProcessEnv) {
  const { integrations, guard, problems } = readIntegrations(env, { needsKeys: true });
  const config = readConfig(workerConfigSchema, env, [...rules, () => problems]);
  return { ...config, integrations, guard };
}
