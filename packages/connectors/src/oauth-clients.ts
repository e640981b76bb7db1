import { readIntegrations } from '@connectors/oauth';
import { refreshFields } from '@connectors/refresh';
import { ConfigError } from '@connectors/vault-core';
import type { OAuthProxyOptions } from './oauth-proxy.ts';

/** A client that is registered with a provider. Integrations that the catalog knows, such as `github`, keep its definition. */
export interface OAuthClientConfig {
  clientId: string | undefined;
  clientSecret: string | undefined;
  tokenEndpoint: string;
  authEndpoint: string;
  /** What is asked for, and taken as granted where a token response does not say. */
  scopes?: string[];
}

/**
 * The clients in the words of the configuration that all processes share, so that one set of rules checks them.
 *
 * @throws ConfigError with every problem, none with a value in it
 */
export function describeClients(
  mcpBaseUrl: string,
  clients: ReadonlyMap<string, OAuthClientConfig>,
  { upstreams = {}, allowHosts = [], env: given = {} }: OAuthProxyOptions,
) {
  const base = mcpBaseUrl.replace(/\/+$/, '');
  const entries = [...clients].map(([id, client], index) => {
    const rest = upstreams[id] ?? `${base}/${id}`;
    const entry = {
      ...(client.clientId === undefined ? {} : { clientId: client.clientId }),
      clientSecretEnv: secretVariable(index),
      authorizeUrl: client.authEndpoint,
      tokenUrl: client.tokenEndpoint,
      scopes: client.scopes ?? [],
      upstream: { rest },
    };
    return [id, entry] as const;
  });
  const secrets = [...clients.values()].map(
    ({ clientSecret }, index) => [secretVariable(index), clientSecret] as const,
  );
  const settings = Object.keys(refreshFields).map((name) => [name, given[name]] as const);
  // The caller names these in code, so that they may be private.
  const named = entries.map(([, { upstream }]) => URL.parse(upstream.rest)?.host ?? '');
  const allow = [...allowHosts, ...named.filter((host) => host !== '')];
  const env = Object.fromEntries([...settings, ...secrets, ['EGRESS_ALLOW_HOSTS', allow.join(',')]]);
  // JSON is YAML.
  const connectorsYaml = JSON.stringify({ integrations: Object.fromEntries(entries) });
  const { integrations, guard, problems } = readIntegrations(env, { yaml: connectorsYaml, needsKeys: true });
  if (problems.length > 0) throw new ConfigError(problems);
  return { env, connectorsYaml, integrations, guard };
}

function secretVariable(index: number): string {
  return `CLIENT_SECRET_${index}`;
}
