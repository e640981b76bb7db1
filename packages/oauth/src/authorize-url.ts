import type { CredentialFields } from './credential-fields.ts';
import { endpointUrl } from './endpoint-url.ts';
import { askedScopes } from './granted-scopes.ts';
import type { ReadyIntegration } from './integration.ts';

export interface AuthorizeRequest {
  redirectUri: string;
  /** Unguessable, bound to the user's session and checked at the callback (RFC 6749 10.12). */
  state: string;
  /** From `codeChallenge`; left out for providers that do not take it. */
  codeChallenge: string;
  /** Binds an ID token to this request (OpenID Connect). */
  nonce?: string;
  /** What the address is filled with, where each credential has its own. */
  fields?: CredentialFields;
}

/**
 * Where the user's browser is sent to grant access.
 *
 * @throws {TypeError} for a grant that no user gives
 * @throws {TokenRequestError} `fields_invalid`
 */
export function authorizeUrl(
  { provider, clientId, scopes }: ReadyIntegration,
  request: AuthorizeRequest,
): URL {
  if (provider.authorizeUrl === undefined) throw new TypeError(`${provider.grant} needs no consent`);
  const url = new URL(endpointUrl(provider, provider.authorizeUrl, request.fields ?? {}));
  const asked = askedScopes(provider, scopes);
  const omitted: readonly string[] = provider.omittedParams.authorize ?? [];
  const parameters: Record<string, string | undefined> = {
    ...provider.authorizeParams,
    response_type: 'code',
    client_id: clientId,
    redirect_uri: request.redirectUri,
    scope: asked.length === 0 ? undefined : asked.join(provider.scopeSeparator),
    state: request.state,
    nonce: request.nonce,
    ...(provider.pkce ? { code_challenge: request.codeChallenge, code_challenge_method: 'S256' } : {}),
  };
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined && !omitted.includes(name)) url.searchParams.set(name, value);
  }
  return url;
}
