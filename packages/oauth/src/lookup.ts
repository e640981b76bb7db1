import type { ProviderAccount, Secret } from '@connectors/vault-core';
import { fits, type CredentialFields } from './credential-fields.ts';
import { endpointUrl } from './endpoint-url.ts';
import type { ValueSource } from './field-rule.ts';
import { Injection } from './injection.ts';
import type { ReadyIntegration } from './integration.ts';
import { callProvider, TokenRequestError, type CallOptions } from './provider-call.ts';
import { accountTold, fieldsTold, partOf, valueAt, type Teller } from './told-fields.ts';

/** What other addresses of a provider say of new tokens. */
export interface Findings {
  fields: CredentialFields;
  account: ProviderAccount | undefined;
  /** The fields that stand in lists, and what there is to choose from; `fields` has the first. */
  choices: Choice[];
}

/** A field, and what it may be. */
export interface Choice {
  field: string;
  options: { value: string; label: string }[];
}

interface LookUp extends CallOptions {
  integration: ReadyIntegration;
  accessToken: Secret;
  /** What is known so far. */
  fields: CredentialFields;
}

/** Calls the addresses that a provider's definition names, with the access token. What does not answer counts as not found. */
export async function lookUp(request: LookUp): Promise<Findings> {
  const { provider } = request.integration;
  const { account } = provider;
  const sources = [...Object.values(provider.fields).map(({ from }) => from), account?.id, account?.name];
  const urls = new Set(
    sources.flatMap((from) => (from !== undefined && 'lookup' in from ? [from.lookup] : [])),
  );
  const answers = new Map(
    await Promise.all([...urls].map(async (url) => [url, await ask(request, url)] as const)),
  );
  const tell: Teller = (from) =>
    'lookup' in from ? valueAt(answers.get(from.lookup), from.path) : undefined;
  return {
    fields: fieldsTold(provider, tell),
    account: accountTold(provider, tell),
    choices: Object.entries(provider.fields).flatMap(([field, { from, pattern }]) => {
      const options = from === undefined ? [] : optionsOf(from, answers, pattern);
      return options.length > 0 ? [{ field, options }] : [];
    }),
  };
}

async function ask(
  { integration, accessToken, fields, ...options }: LookUp,
  address: string,
): Promise<unknown> {
  const { provider, clientId } = integration;
  const injection = new Injection({ ...provider.injection, headers: {} }, { accessToken, fields, clientId });
  const headers: Record<string, string> = { accept: 'application/json' };
  const sent = injection.headers();
  for (let index = 0; index < sent.length; index += 2) headers[sent[index] ?? ''] = sent[index + 1] ?? '';
  for (const { name, value } of injection.defaults) headers[name] = value;
  try {
    const url = new URL(endpointUrl(provider, address, fields));
    url.search = injection.intoQuery(url.search);
    const { status, body } = await callProvider({ method: 'GET', url: url.href, headers }, options);
    return status === 200 ? JSON.parse(body.reveal()) : undefined;
  } catch (error) {
    if (error instanceof TokenRequestError || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** The path of a value leads through the first item of a list; the same path leads through each of the others. */
function optionsOf(
  from: ValueSource,
  answers: ReadonlyMap<string, unknown>,
  pattern: string,
): Choice['options'] {
  if (!('lookup' in from)) return [];
  const body = answers.get(from.lookup);
  const at = (path: string, index: number) => valueAt(body, path.replace(/(^|\.)0(?=\.|$)/, `$1${index}`));
  if (!/(^|\.)0(\.|$)/.test(from.path)) return [];
  const options: Choice['options'] = [];
  for (let index = 0; index < maxOptions; index += 1) {
    const value = partOf(from, at(from.path, index));
    if (value === undefined) break;
    const label = from.label === undefined ? undefined : at(from.label, index);
    if (fits(value, pattern)) options.push({ value, label: label?.slice(0, 200) ?? value });
  }
  return options;
}

const maxOptions = 200;
