import { integrationFields, readIntegrations } from '@connectors/oauth';
import {
  baseUrl,
  consoleUrlField,
  integer,
  origins,
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
import { trustedProxiesField } from './identity/client-address.ts';
import { tokenFields, tokenRule, tokenSettings } from './identity/token-settings.ts';
import { prepareUpstreams } from './upstream/upstreams.ts';

const seconds = (fallback: number) => integer({ unit: 'seconds', min: 0, max: 86_400, fallback });
const count = (fallback: number, min = 1) => integer({ min, max: 1_000_000, fallback });
const milliseconds = (fallback: number) => integer({ unit: 'milliseconds', min: 1, max: 600_000, fallback });

/** The proxy's environment variables. */
export const proxyConfigSchema = z.object({
  ...serverFields(8080),
  ...vaultFields,
  ...redisFields,
  ...integrationFields,
  ...consoleUrlField,
  PROXY_URL: baseUrl()
    .optional()
    .describe(
      'Address at which agents reach the proxy, for the metadata that tells MCP clients how to authenticate. Needed if something in front of the proxy terminates TLS; by default the `Host` of each request.',
    ),
  ...trustedProxiesField,
  CREDENTIAL_CACHE_SECONDS: seconds(60).describe(
    'How long a credential is used from memory before Vault is asked again, in seconds. An event drops it earlier.',
  ),
  STALE_MAX_SECONDS: seconds(3_600).describe(
    'How long credentials and agent keys may be used from memory while Vault is down, in seconds. Never beyond the expiry of the token.',
  ),
  REFRESH_WAIT_MS: milliseconds(15_000).describe(
    'How long a request waits for the refresh of a token that was refused or is about to expire, in milliseconds.',
  ),
  ...refreshCooldownField,
  ...tokenFields,
  MCP_SESSION_KEY: z
    .string()
    .min(32, 'must have at least 32 characters')
    .transform((value) => new Secret(value))
    .optional()
    .describe(
      'Key that signs MCP session ids; must be the same for all proxies. Required if an integration has an MCP upstream.',
    ),
  MCP_ALLOWED_ORIGINS: origins()
    .optional()
    .describe(
      'Web origins whose pages may call MCP servers, separated by commas. Programs, which send no `Origin`, always may.',
    ),
  TENANT_REQUESTS_PER_SECOND: count(1_000, 0).describe(
    'How many requests a tenant may send per second, over all of its agents and all proxies. 0: no limit.',
  ),
  TENANT_BURST: count(2_000).describe('How many of these requests may come at once.'),
  TENANT_VAULT_READS_PER_SECOND: count(20).describe(
    'How many credentials of a tenant a proxy reads from Vault per second, up to five times as many at once. Credentials in memory are not affected.',
  ),
  UPSTREAM_MAX_CONCURRENT_REQUESTS: count(1_000).describe(
    'How many requests a proxy may have under way to one integration, unless that sets its own `maxConcurrentRequests`. Event streams count only until they have begun.',
  ),
  MAX_REQUESTS_IN_FLIGHT: count(10_000).describe(
    'How many requests a proxy may have under way in all. Event streams count only until they have begun.',
  ),
  TENANT_MAX_STREAMS: count(2_000).describe(
    'How many event streams and WebSockets of a tenant a proxy may have open. Of all other requests under way, one tenant may have at most half.',
  ),
  MAX_EVENT_LOOP_LAG_MS: milliseconds(200).describe(
    'How late the event loop may be, for a whole second, before requests are turned away, in milliseconds.',
  ),
  AUDIT_LOG: z
    .enum(['on', 'off'])
    .default('on')
    .describe('Whether a line is written for every use of a credential, whatever `LOG_LEVEL` says.'),
  UPSTREAM_HEADERS_TIMEOUT_MS: milliseconds(60_000).describe(
    'How long an upstream may take to begin its response, in milliseconds.',
  ),
  AGENT_IDLE_MS: milliseconds(60_000).describe(
    'How long an agent may take to send the headers of a request, and how long it may pause within a body, in milliseconds.',
  ),
  UPSTREAM_HTTP2: z
    .enum(['on', 'off'])
    .default('off')
    .describe(
      'Whether to use HTTP/2 with upstreams that offer it. Header names are then in lower case. Bodies over 1 MiB still go over HTTP/1.1, because the HTTP/2 client does not tell a body that breaks off from a complete one.',
    ),
});

/**
 * Reads the configuration, and puts together what it describes.
 *
 * @throws {ConfigError} with every problem at once
 */
export function readProxyConfig(env: Readonly<Record<string, string | undefined>>) {
  const { integrations, guard, problems } = readIntegrations(env, { clients: 'elsewhere' });
  const prepared = prepareUpstreams(integrations, guard);
  const hasMcp = [...integrations.values()].some(({ upstreams }) => upstreams.mcp !== undefined);
  const sessionKeyRule: ConfigRule = ({ MCP_SESSION_KEY }) =>
    hasMcp && MCP_SESSION_KEY === undefined
      ? ['MCP_SESSION_KEY: is required, because an integration has an MCP upstream']
      : [];
  const rules = [vaultLoginRule, tokenRule(guard), sessionKeyRule, () => [...problems, ...prepared.problems]];
  const config = readConfig(proxyConfigSchema, env, rules);
  return { config, guard, upstreams: prepared.upstreams, tokens: tokenSettings(config) };
}
