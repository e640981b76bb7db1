import { integrationFields, readIntegrations } from '@connectors/oauth';
import { refreshFields, refreshRule } from '@connectors/refresh';
import {
  consoleUrlField,
  origins,
  readConfig,
  redisFields,
  Secret,
  serverFields,
  vaultFields,
  vaultLoginRule,
  type ConfigRule,
  type KeptClient,
  type OAuthClient,
} from '@connectors/vault-core';
import { z } from 'zod';
import { oidcFields, oidcRule } from './console/oidc/oidc-settings.ts';

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
    .describe(
      'Token with which the operator signs in to the console and calls the admin API. Required unless `CONSOLE` is off.',
    ),
  ...oidcFields,
  BOARD_WRITABLE: onOff
    .prefault('off')
    .describe('`on`: jobs can be retried, promoted and removed on the board.'),
  CONNECT_RETURN_ORIGINS: origins()
    .prefault('')
    .describe('Web origins to which users may be sent back once they have connected, separated by commas.'),
  CONNECT_SIGN_IN_URL: z
    .string()
    .refine(isSignInUrl, 'must be an http or https URL; it may contain `{tenant}` and `{integration}`')
    .optional()
    .describe(
      'Where to send users who open a connect page without a session: a page of your own that asks for a connect session. `{tenant}` and `{integration}` are replaced.',
    ),
  ...vaultFields,
  ...redisFields,
  ...integrationFields,
  ...refreshFields,
});

function isSignInUrl(text: string): boolean {
  return /^https?:$/.test(URL.parse(text)?.protocol ?? '');
}

const rules: ConfigRule[] = [
  vaultLoginRule,
  ({ CONSOLE, ADMIN_TOKEN }) =>
    CONSOLE !== 'off' && ADMIN_TOKEN === undefined ? ['ADMIN_TOKEN: is required, unless CONSOLE is off'] : [],
  refreshRule,
  oidcRule,
];

export type WorkerConfig = ReturnType<typeof readWorkerConfig>;

/**
 * Reads the environment and the file it names.
 *
 * @param clients what Vault keeps; `elsewhere` while it cannot be read: an integration may lack its client then
 * @throws {ConfigError} with every problem of both
 */
export function readWorkerConfig(
  env: NodeJS.ProcessEnv,
  clients: ReadonlyMap<string, KeptClient> | 'elsewhere' = new Map(),
) {
  const { integrations, guard, problems } = readIntegrations(env, { needsKeys: true, clients });
  const config = readConfig(workerConfigSchema, env, [...rules, () => problems]);
  return {
    ...config,
    integrations,
    guard,
    clients: clients === 'elsewhere' ? undefined : clients,
    /** What would keep a worker from starting, or from using the client, if Vault kept it for this integration. */
    findClientProblems: (id: string, client: OAuthClient): string[] => {
      const kept = new Map([[id, client]]);
      const loaded = readIntegrations(env, { needsKeys: true, clients: kept });
      const found = loaded.problems.filter((problem) => problem.startsWith(`integrations.${id}.`));
      if (found.length > 0 || loaded.integrations.has(id)) return found;
      return [`integration: ${id} is not a provider of the catalog, and has no entry in connectors.yaml`];
    },
  };
}
