import { integrationFields, readIntegrations } from '@connectors/oauth';
import {
  consoleUrlField,
  integer,
  readConfig,
  redisFields,
  refreshCooldownField,
  serverFields,
  vaultFields,
  vaultLoginRule,
} from '@connectors/vault-core';
import { z } from 'zod';
import { prepareUpstreams } from './upstream/upstreams.ts';

const seconds = (fallback: number) => integer({ unit: 'seconds', min: 0, max: 86_400, fallback });
const milliseconds = (fallback: number) => integer({ unit: 'milliseconds', min: 1, max: 600_000, fallback });

/** The proxy's environment variables. */
export const proxyConfigSchema = z.object({
  ...serverFields(8080),
  ...vaultFields,
  ...redisFields,
  ...integrationFields,
  ...consoleUrlField,
  CREDENTIAL_CACHE_SECONDS: seconds(60).describe(
    'How long a credential is used from memory before Vault is asked again, in seconds. Events end it earlier.',
  ),
  STALE_MAX_SECONDS: seconds(3_600).describe(
    'How long credentials and agent keys may be used from memory while Vault fails, in seconds. Never beyond the expiry of the token.',
  ),
  REFRESH_WAIT_MS: milliseconds(15_000).describe(
    'How long a request waits for the refresh of a token that was refused or is about to expire, in milliseconds.',
  ),
  ...refreshCooldownField,
  UPSTREAM_HEADERS_TIMEOUT_MS: milliseconds(60_000).describe(
    'How long an upstream may take to begin its response, in milliseconds.',
  ),
});

/**
 * Reads the configuration, and puts together what it describes.
 *
 * @throws {ConfigError} with every problem at once
 */
export function readProxyConfig(env: Readonly<Record<string, string | undefined>>) {
  const { integrations, guard, problems } = readIntegrations(env);
  const prepared = prepareUpstreams(integrations, guard);
  const rules = [vaultLoginRule, () => [...problems, ...prepared.problems]];
  const config = readConfig(proxyConfigSchema, env, rules);
  return { config, guard, upstreams: prepared.upstreams };
}
