import { authenticateClient } from './client-authentication.ts';
import type { Client } from './client-authentication.ts';
import type { ReadyIntegration } from './integration.ts';
import { callProvider } from './provider-call.ts';
import type { CallOptions, ProviderAnswer } from './provider-call.ts';

export interface IntegrationCall extends CallOptions {
  integration: ReadyIntegration;
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
  { url, parameters, body }: { url: string; parameters: Record<string, string>; body: 'form' | 'json' },
): Promise<ProviderAnswer> {
  const { integration, now = Date.now } = request;
  const authenticated =
    client === undefined ? {} : await authenticateClient(integration.provider, client, now());
  const all = { ...parameters, ...authenticated.parameters };
  const contentType = body === 'json' ? 'application/json' : 'application/x-www-form-urlencoded';
  return await callProvider(
    {
      method: 'POST',
      url,
      headers: { ...authenticated.headers, 'content-type': contentType },
      body: body === 'json' ? JSON.stringify(all) : new URLSearchParams(all).toString(),
    },
    request,
  );
}
