import { idRule, isId, Secret } from '@connectors/vault-core';
import { z } from 'zod';
import { catalog } from './catalog.ts';
import { readConnectorsFile } from './connectors-file.ts';
import type { Integration } from './integration.ts';
import type { Provider } from './provider.ts';
import { oauthDefaults, providerFields, providerSchema } from './provider.ts';

/** One entry of `connectors.yaml`: what makes it an integration, and any field of its provider. */
const entrySchema = z.strictObject({
  provider: z.enum([...catalog.keys()]).optional(),
  clientId: z.string().min(1).optional(),
  clientSecretEnv: z
    .string()
    .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'must be the name of an environment variable')
    .optional(),
  scopes: z
    .array(z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/, 'must be one scope, without spaces'))
    .default([]),
  upstream: z.strictObject({ rest: providerFields.apiBaseUrl, mcp: providerFields.mcpUrl }).default({}),
  ...z.object({ ...providerFields, injection: providerFields.injection.partial() }).partial().shape,
});

type Entry = z.infer<typeof entrySchema>;
type ProviderEntry = Omit<Entry, 'clientId' | 'clientSecretEnv' | 'scopes' | 'upstream'>;
type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Puts together the integrations from the environment and the text of `connectors.yaml`.
 *
 * `{PROVIDER}_CLIENT_ID` (upper case, `-` as `_`) switches a provider of the catalog on under its own id. The map
 * `integrations` in the file adds others and overrides these. Client secrets come from `{ID}_CLIENT_SECRET`, or the
 * variable that `clientSecretEnv` names; a process without them still gets all integrations.
 *
 * @returns what could be loaded, and every problem at once: each names the field and the rule, none a value
 */
export function loadIntegrations({ yaml = '', env }: { yaml?: string; env: Environment }): {
  integrations: Map<string, Integration>;
  problems: string[];
} {
  const file = readConnectorsFile(yaml);
  const problems = [...file.problems];
  const switchedOn = [...catalog.keys()].filter((id) => read(env, id, 'CLIENT_ID') !== undefined);
  const entries = new Map([...switchedOn.map((id) => [id, {}] as const), ...file.entries]);
  problems.push(...strayVariables(entries, env));

  const integrations = new Map<string, Integration>();
  for (const [id, raw] of entries) {
    const report = (path: readonly PropertyKey[], rule: string) => {
      problems.push(`${['integrations', id, ...path].map(String).join('.')}: ${rule}`);
    };
    const entry = isId(id) ? entrySchema.safeParse(raw) : undefined;
    if (entry === undefined) report([], `the name must be ${idRule}`);
    else if (!entry.success) for (const { path, message } of entry.error.issues) report(path, message);
    const integration = entry?.data && build(id, entry.data, env, report);
    if (integration !== undefined) integrations.set(id, integration);
  }
  return { integrations, problems };
}

function build(
  id: string,
  entry: Entry,
  env: Environment,
  report: (path: readonly PropertyKey[], rule: string) => void,
): Integration | undefined {
  const { clientId = read(env, id, 'CLIENT_ID'), clientSecretEnv, scopes, upstream, ...named } = entry;
  const merged = mergeProvider(id, named);
  const provider = providerSchema.safeParse(merged);
  const upstreams = { rest: upstream.rest ?? merged.apiBaseUrl, mcp: upstream.mcp ?? merged.mcpUrl };
  const reachable = upstreams.rest !== undefined || upstreams.mcp !== undefined;

  for (const { path, message } of provider.error?.issues ?? []) report(path, message);
  if (clientId === undefined) report(['clientId'], `required, here or as ${variable(id, 'CLIENT_ID')}`);
  if (!reachable) report(['upstream'], 'rest or mcp is required');
  if (!provider.success || clientId === undefined || !reachable) return undefined;

  const secret =
    clientSecretEnv === undefined ? read(env, id, 'CLIENT_SECRET') : present(env[clientSecretEnv]);
  const clientSecret = secret === undefined ? {} : { clientSecret: new Secret(secret) };
  return { id, provider: provider.data, clientId, ...clientSecret, scopes, upstreams };
}

/** The fields of an entry on top of the provider it names or is named after, else of the plain OAuth defaults. */
function mergeProvider(id: string, { provider, ...overrides }: ProviderEntry) {
  const known = catalog.get(provider ?? (overrides.issuer === undefined ? id : 'oidc'));
  const base: Provider = known ?? { ...oauthDefaults, id, name: id };
  return {
    ...base,
    ...overrides,
    authorizeParams: { ...base.authorizeParams, ...overrides.authorizeParams },
    errors: { ...base.errors, ...overrides.errors },
    injection: { ...base.injection, ...overrides.injection },
  };
}

/** Two ids that read the same variables would send one provider's secret to the other; a lone secret is a slip. */
function strayVariables(entries: ReadonlyMap<string, unknown>, env: Environment): string[] {
  const problems: string[] = [];
  const idOf = new Map<string, string>();
  for (const id of entries.keys()) {
    const name = variable(id, '*');
    const other = idOf.get(name);
    if (other !== undefined)
      problems.push(`integrations.${id}: reads the same variables (${name}) as ${other}`);
    idOf.set(name, id);
  }
  for (const id of catalog.keys()) {
    if (entries.has(id) || read(env, id, 'CLIENT_SECRET') === undefined) continue;
    problems.push(`${variable(id, 'CLIENT_SECRET')}: set without ${variable(id, 'CLIENT_ID')}`);
  }
  return problems;
}

function variable(id: string, field: string): string {
  return `${id.toUpperCase().replaceAll('-', '_')}_${field}`;
}

function read(env: Environment, id: string, field: 'CLIENT_ID' | 'CLIENT_SECRET'): string | undefined {
  return present(env[variable(id, field)]);
}

/** Compose files and shells pass a variable that is not set as an empty one. */
function present(value: string | undefined): string | undefined {
  return value === '' ? undefined : value;
}
