import type { Secret } from '@connectors/vault-core';
import { authenticateClient, clientOf, type Client } from './client-authentication.ts';
import type { IntegrationCall } from './client-call.ts';
import { fillUrl, type CredentialFields } from './credential-fields.ts';
import { endpointUrl } from './endpoint-url.ts';
import type { Provider, ReadyProvider } from './provider.ts';
import { callProvider, TokenRequestError } from './provider-call.ts';
import type { Call, ProviderAnswer } from './provider-call.ts';
import { readFailure } from './token-failure.ts';
import { errorOf, parseBody } from './token-response.ts';

export interface RevocationRequest extends IntegrationCall {
  accessToken: Secret;
  refreshToken?: Secret | undefined;
  fields?: CredentialFields;
}

export type Revocation =
  /** The token works no longer, by this call or before it. */
  | { kind: 'revoked' }
  /** There is no way to do it from here: the user has to remove the app at the provider. */
  | { kind: 'unsupported' }
  /** It may still work; `reason` is a code as in `TokenFailure`. */
  | { kind: 'failed'; reason: string };

/**
 * Ends a token at its provider (RFC 7009): the refresh token if there is one, unless the provider takes another, and with
 * `revocationEnds: 'grant'` all tokens of its grant. May be repeated.
 */
export async function revokeToken(request: RevocationRequest): Promise<Revocation> {
  const { integration, now = Date.now } = request;
  const { provider } = integration;
  const client = clientOf(integration);
  const token = chooseToken(provider, request);
  // Without a client of the integration tokens are minted for the tenant's own, and soon expire.
  if (provider.revokeUrl === undefined || client === undefined || token === undefined)
    return { kind: 'unsupported' };
  try {
    const call = await revocationCall(provider, client, token, { fields: request.fields ?? {}, now: now() });
    return readRevocation(provider, await callProvider(call, request));
  } catch (error) {
    if (!(error instanceof TokenRequestError)) throw error;
    return { kind: 'failed', reason: error.code };
  }
}

interface ChosenToken {
  text: string;
  hint: 'access_token' | 'refresh_token';
}

function chooseToken(
  { revocation: { takes } }: Provider,
  { accessToken, refreshToken }: RevocationRequest,
): ChosenToken | undefined {
  if (refreshToken !== undefined && takes !== 'access')
    return { text: refreshToken.reveal(), hint: 'refresh_token' };
  return takes === 'refresh' ? undefined : { text: accessToken.reveal(), hint: 'access_token' };
}

async function revocationCall(
  provider: ReadyProvider,
  client: Client,
  { text, hint }: ChosenToken,
  { fields, now }: { fields: CredentialFields; now: number },
): Promise<Call> {
  const { method, body, parameter } = provider.revocation;
  const asking = await authenticate(provider, client, text, now);
  const url = fillToken(provider, { token: text, clientId: client.id }, fields);
  const headers = { ...provider.tokenHeaders, ...asking.headers };
  if (body === 'none') return { method, url, headers };
  const parameters = { [parameter]: text, ...asking.parameters };
  const form = new URLSearchParams({ ...parameters, token_type_hint: hint });
  return body === 'json'
    ? {
        method,
        url,
        headers: { ...headers, 'content-type': 'application/json' },
        body: JSON.stringify(parameters),
      }
    : {
        method,
        url,
        headers: { ...headers, 'content-type': 'application/x-www-form-urlencoded' },
        body: form.toString(),
      };
}

async function authenticate(
  provider: ReadyProvider,
  client: Client,
  token: string,
  now: number,
): Promise<{ headers?: Record<string, string>; parameters?: Record<string, string> }> {
  switch (provider.revocation.authentication) {
    case 'client':
      return await authenticateClient(provider, client, now);
    case 'basic':
      return await authenticateClient({ ...provider, clientAuthentication: 'basic' }, client, now);
    case 'bearer':
      return { headers: { authorization: `Bearer ${token}` } };
    case 'client_scheme':
      if (client.secret === undefined) throw new TokenRequestError('client_secret_missing', 'no');
      return {
        headers: { authorization: `Client ${client.secret.reveal()}` },
        parameters: { client_id: client.id },
      };
    case 'none':
      return {};
  }
}

/** A token or the client's id in the path; never in the host. */
function fillToken(
  provider: ReadyProvider,
  values: { token: string; clientId: string },
  fields: CredentialFields,
): string {
  const [, origin = '', path = ''] = /^([^:]+:\/\/[^/?#]*)(.*)$/.exec(provider.revokeUrl ?? '') ?? [];
  const filled = path.replaceAll(/\{(?:token|clientId)\}/g, (place) => fillUrl(place, values));
  return endpointUrl(provider, `${origin}${filled}`, fields);
}

function readRevocation(provider: Provider, answer: ProviderAnswer): Revocation {
  const { authentication, alreadyRevoked } = provider.revocation;
  const isSuccess = answer.status >= 200 && answer.status < 300;
  const error = errorOf(provider, parseBody(answer));
  // Some say with 200 that they did not.
  if (isSuccess && typeof error !== 'string') return { kind: 'revoked' };
  const { reason } = readFailure(provider, answer, error);
  const codes = [reason, `http_${answer.status}`];
  if (codes.some((code) => alreadyRevoked.includes(code))) return { kind: 'revoked' };
  // Who is let in by the token alone has ended it when it lets nobody in.
  if (authentication === 'bearer' && answer.status === 401) return { kind: 'revoked' };
  return reason === 'unsupported_token_type' ? { kind: 'unsupported' } : { kind: 'failed', reason };
}
