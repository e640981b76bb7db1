import { authenticateClient } from './client-authentication.ts';
import type { Client } from './client-authentication.ts';
import type { ReadyIntegration } from './integration.ts';
import { callProvider } from './provider-call.ts';
import type { CallOptions, ProviderAnswer } from './provider-call.ts';

export interface IntegrationCall extends CallOptions {
  integration: ReadyIntegration;
}

export interface ClientMessage {
  url: string;
  parameters: Record<string, string>;
  /** Where the parameters go; with `query` those of the client stay in a form. */
  body: 'form' | 'json' | 'query';
  headers?: Record<string, string>;
  /** The names of parameters that are left out after all. */
  omitted?: readonly string[];
}

/**
 * Posts parameters to an endpoint of the integration's provider, and says which client they are from; without one,
 * nobody.
 *
 * @throws {TokenRequestError}
 */
export async function callAsClient(
  request: IntegrationCall,
  client: Client | undefined,
  { url, parameters, body, headers = {}, omitted = [] }: ClientMessage,
): Promise<ProviderAnswer> {
  const { integration, now = Date.now } = request;
  const authenticated =
    client === undefined ? {} : await authenticateClient(integration.provider, client, now());
  const inUrl = body === 'query' ? without(parameters, omitted) : {};
  const inBody = without({ ...(body === 'query' ? {} : parameters), ...authenticated.parameters }, omitted);
  const contentType = body === 'json' ? 'application/json' : 'application/x-www-form-urlencoded';
  return await callProvider(
    {
      method: 'POST',
      url: withQuery(url, inUrl),
      headers: { ...headers, ...authenticated.headers, 'content-type': contentType },
      body: body === 'json' ? JSON.stringify(inBody) : new URLSearchParams(inBody).toString(),
    },
    request,
  );
}

function without(parameters: Record<string, string>, omitted: readonly string[]): Record<string, string> {
  return Object.fromEntries(Object.entries(parameters).filter(([name]) => !omitted.includes(name)));
}

function withQuery(url: string, parameters: Record<string, string>): string {
  const filled = new URL(url);
  for (const [name, value] of Object.entries(parameters)) filled.searchParams.set(name, value);
  return filled.href;
}
