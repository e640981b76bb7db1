import { idRule, isId } from '@connectors/vault-core';
import { z } from 'zod';
import { hasOwnHost } from './api-address.ts';
import { catalog } from './catalog.ts';
import {
  needsClient,
  readClient,
  readVariable,
  signs,
  variable,
  type ClientEntry,
  type ClientSources,
  type Report,
} from './configured-client.ts';
import { configure } from './configured-values.ts';
import { readConnectorsFile } from './connectors-file.ts';
import { placeholders } from './credential-fields.ts';
import { showsClient } from './injection-style.ts';
import type { Integration } from './integration.ts';
import type { Provider } from './provider.ts';
import { isRequired, oauthDefaults, providerSchema } from './provider.ts';
import { fieldName, providerFields } from './provider-fields.ts';

const variableName = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'must be the name of an environment variable');

const scope = z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/, 'must be one scope, without spaces');

/** What an entry may override in part. */
const { injection, responseFields, revocation } = providerFields;
const inPart = {
  injection: injection.partial().describe(injection.description ?? ''),
  responseFields: responseFields.partial().describe(responseFields.description ?? ''),
  revocation: revocation.partial().describe(revocation.description ?? ''),
};

/** One entry of `connectors.yaml`: what makes it an integration, and any field of its provider. */
export const entrySchema = z.strictObject({
  provider: z
    .enum([...catalog.keys()])
    .optional()
    .describe(
      'The provider of the catalog whose definition is taken, and overridden by what else stands here. Left out: the one of the same name, else `oidc` if there is an `issuer`, else none.',
    ),
  clientId: z.string().min(1).optional().describe('Left out: read from `{ID}_CLIENT_ID`.'),
  clientSecretEnv: variableName
    .optional()
    .describe('The variable that holds the client secret. Left out: `{ID}_CLIENT_SECRET`.'),
  clientKeyEnv: variableName
    .optional()
    .describe(
      'The variable that holds the private key in PEM (line ends may be written as `\\n`). Left out: `{ID}_CLIENT_KEY`.',
    ),
  clientKeyId: z
    .string()
    .min(1)
    .optional()
    .describe('What the provider calls that key (`kid`), where it wants to know.'),
  scopes: z.array(scope).default([]).describe('What is asked for.'),
  values: z
    .record(fieldName, z.string())
    .default({})
    .describe(
      'What holds for every credential of the integration, by the name in `fields`: for example the `host` of your own GitLab.',
    ),
  upstream: z
    .strictObject({ rest: providerFields.apiBaseUrl, mcp: providerFields.mcpUrl })
    .default({})
    .describe('`rest` and `mcp`: base URLs of what agents reach through `/proxy/{id}` and `/mcp/{id}`.'),
  ...z.object({ ...providerFields, ...inPart }).partial().shape,
});

type Entry = z.infer<typeof entrySchema>;
type ProviderEntry = Omit<Entry, keyof ClientEntry | 'scopes' | 'values' | 'upstream'>;

export interface IntegrationSources extends Partial<ClientSources> {
  /** The text of `connectors.yaml`. */
  yaml?: string | undefined;
  env: ClientSources['env'];
  /** Whether this process asks for tokens, so that an integration without the key it signs with is a problem. */
  needsKeys?: boolean;
}

/**
 * Puts together the integrations from the environment, the text of `connectors.yaml` and the clients in Vault.
 *
 * `{PROVIDER}_CLIENT_ID` (upper case, `-` as `_`) switches a provider of the catalog on under its own id. The map
 * `integrations` in the file adds others and overrides these. Client secrets come from `{ID}_CLIENT_SECRET`, or the
 * variable that `clientSecretEnv` names, and private keys from `{ID}_CLIENT_KEY` or that of `clientKeyEnv`. A process
 * without them still gets all integrations, unless it `needsKeys`. What neither of these has comes from Vault, unless they name
 * another client id.
 *
 * @returns what could be loaded, and every problem at once: each names the field and the rule, none a value
 */
export function loadIntegrations({
  yaml = '',
  env,
  needsKeys = false,
  clients = new Map(),
}: IntegrationSources): { integrations: Map<string, Integration>; problems: string[] } {
  const file = readConnectorsFile(yaml);
  const problems = [...file.problems];
  const isKept = (id: string) => clients !== 'elsewhere' && clients.has(id);
  const switchedOn = [...catalog.keys()].filter(
    (id) => readVariable(env, id, 'CLIENT_ID') !== undefined || isKept(id),
  );
  const entries = new Map([...switchedOn.map((id) => [id, {}] as const), ...file.entries]);
  problems.push(...strayVariables(entries, env));

  const integrations = new Map<string, Integration>();
  for (const [id, raw] of entries) {
    const report: Report = (path, rule) => {
      problems.push(`${['integrations', id, ...path].map(String).join('.')}: ${rule}`);
    };
    const entry = isId(id) ? entrySchema.safeParse(raw) : undefined;
    if (entry === undefined) report([], `the name must be ${idRule}`);
    else if (!entry.success) for (const { path, message } of entry.error.issues) report(path, message);
    const integration = entry?.data && build(id, entry.data, { env, clients }, report);
    if (integration === undefined) continue;
    integrations.set(id, integration);
    if (
      needsKeys &&
      clients !== 'elsewhere' &&
      signs(integration.provider) &&
      integration.clientKey === undefined
    )
      report(
        ['clientKeyEnv'],
        `a private key is required, as ${variable(id, 'CLIENT_KEY')} or in the variable named here`,
      );
  }
  return { integrations, problems };
}

function build(id: string, entry: Entry, sources: ClientSources, report: Report): Integration | undefined {
  const { clientId, clientSecretEnv, clientKeyEnv, clientKeyId, scopes, values, upstream, ...named } = entry;
  const known = mergeProvider(id, named);
  const template = {
    ...known,
    apiBaseUrl: upstream.rest ?? known.apiBaseUrl,
    mcpUrl: upstream.mcp ?? known.mcpUrl,
  };
  let configured = true;
  const merged = configure(template, values, (name, rule) => {
    configured = false;
    report(['values', name], rule);
  });
  const provider = providerSchema.safeParse(merged);
  const upstreams = { rest: merged.apiBaseUrl, mcp: merged.mcpUrl };
  const reachable = upstreams.rest !== undefined || upstreams.mcp !== undefined;
  const client = readClient(id, { clientId, clientSecretEnv, clientKeyEnv, clientKeyId }, sources, report);
  const isClientNeeded =
    (sources.clients !== 'elsewhere' && needsClient(merged)) ||
    (provider.data?.injection !== undefined && showsClient(provider.data.injection));
  const lacksClient = isClientNeeded && client.clientId === undefined;

  for (const { path, message } of provider.error?.issues ?? []) report(path, message);
  if (lacksClient) report(['clientId'], `required, here or as ${variable(id, 'CLIENT_ID')}`);
  if (!reachable) report(['upstream'], 'rest or mcp is required');
  if (!provider.success || !configured || lacksClient || !reachable) return undefined;
  reportFields(provider.data, upstreams, report);
  return { id, provider: provider.data, ...client, scopes, upstreams };
}

/** What a base URL is filled with must be there, and a host that is filled needs a rule of its own. */
function reportFields(provider: Provider, upstreams: Integration['upstreams'], report: Report): void {
  for (const [surface, template] of Object.entries(upstreams)) {
    for (const name of placeholders(template)) {
      if (!isRequired(provider, name)) report(['fields', name], `required, upstream.${surface} names it`);
    }
    if (template !== undefined && hasOwnHost(template) && provider.apiHost === undefined)
      report(['apiHost'], `required, fields stand in the host of upstream.${surface}`);
  }
}

/** The fields of an entry on top of the provider it names or is named after, else of the plain OAuth defaults. */
function mergeProvider(id: string, { provider, ...overrides }: ProviderEntry) {
  const known = catalog.get(provider ?? (overrides.issuer === undefined ? id : 'oidc'));
  const base: Provider = known ?? { ...oauthDefaults, id, name: id };
  return {
    ...base,
    ...overrides,
    grant: overrides.grant ?? base.grant,
    fields: { ...base.fields, ...overrides.fields },
    // Where tokens come from another server, the one that knows whose they are is another as well.
    account: overrides.account ?? (overrides.tokenUrl === undefined ? base.account : undefined),
    authorizeParams: { ...base.authorizeParams, ...overrides.authorizeParams },
    tokenParams: { ...base.tokenParams, ...overrides.tokenParams },
    refreshParams: { ...base.refreshParams, ...overrides.refreshParams },
    tokenHeaders: { ...base.tokenHeaders, ...overrides.tokenHeaders },
    omittedParams: { ...base.omittedParams, ...overrides.omittedParams },
    responseFields: { ...base.responseFields, ...overrides.responseFields },
    errors: { ...base.errors, ...overrides.errors },
    revocation: { ...base.revocation, ...overrides.revocation },
    injection: { ...base.injection, ...overrides.injection },
  };
}

/** Two ids that read the same variables would send one provider's secret to the other; a lone secret is a slip. */
function strayVariables(entries: ReadonlyMap<string, unknown>, env: ClientSources['env']): string[] {
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
    if (entries.has(id)) continue;
    for (const field of ['CLIENT_SECRET', 'CLIENT_KEY']) {
      if (readVariable(env, id, field) === undefined) continue;
      problems.push(`${variable(id, field)}: set without ${variable(id, 'CLIENT_ID')}`);
    }
  }
  return problems;
}
