import type { Secret } from '@connectors/vault-core';
import { clientOf } from './client-authentication.ts';
import { callAsClient } from './client-call.ts';
import type { IntegrationCall } from './client-call.ts';
import { brokenFields, fillText, placeholders, type CredentialFields } from './credential-fields.ts';
import { endpointUrl } from './endpoint-url.ts';
import type { Provider } from './provider.ts';
import type { ProviderAnswer } from './provider-call.ts';

export interface CodeExchange extends IntegrationCall {
  code: Secret;
  /** The one of the authorize URL. */
  redirectUri: string;
  codeVerifier: Secret;
  /** What is known of the credential so far. */
  fields?: CredentialFields;
}

/**
 * Redeems the code of a callback (RFC 6749 4.1.3).
 *
 * @throws {TokenRequestError}
 */
export async function exchangeCode(request: CodeExchange): Promise<ProviderAnswer> {
  const { provider } = request.integration;
  const parameters = {
    grant_type: 'authorization_code',
    code: request.code.reveal(),
    redirect_uri: request.redirectUri,
    ...(provider.pkce ? { code_verifier: request.codeVerifier.reveal() } : {}),
  };
  return await askForTokens(request, {
    url: endpointUrl(provider, provider.tokenUrl, request.fields ?? {}),
    parameters,
    omitted: provider.omittedParams.exchange ?? [],
  });
}

export interface Refresh extends IntegrationCall {
  refreshToken: Secret;
  fields?: CredentialFields;
}

/**
 * Spends a refresh token (RFC 6749 6). Where they rotate, it is worthless afterwards: whoever calls this must be able
 * to keep the answer.
 *
 * @throws {TokenRequestError} `sent` says whether the refresh token may be spent
 */
export async function refreshAccessToken(request: Refresh): Promise<ProviderAnswer> {
  const { refreshToken, fields = {} } = request;
  const { provider } = request.integration;
  const parameters = {
    ...filledParams(provider, fields),
    grant_type: 'refresh_token',
    refresh_token: refreshToken.reveal(),
  };
  return await askForTokens(request, {
    url: endpointUrl(provider, provider.refreshUrl ?? provider.tokenUrl, fields),
    parameters,
    omitted: provider.omittedParams.refresh ?? [],
  });
}

/** The parameters of a refresh that name fields of the credential; a field that is missing takes its parameter along. */
function filledParams(provider: Provider, fields: CredentialFields): Record<string, string> {
  const known = Object.entries(provider.refreshParams).filter(
    ([, text]) => brokenFields(provider, placeholders(text), fields).length === 0,
  );
  return Object.fromEntries(known.map(([name, text]) => [name, fillText(text, fields)]));
}

/** Makes one token request in the name of the integration's client, or of another. */
export async function askForTokens(
  request: IntegrationCall,
  {
    parameters,
    ...message
  }: { url: string; parameters: Record<string, string>; omitted?: readonly string[] },
  client = clientOf(request.integration),
): Promise<ProviderAnswer> {
  const { tokenParams, tokenHeaders, tokenRequestBody } = request.integration.provider;
  return await callAsClient(request, client, {
    ...message,
    parameters: { ...tokenParams, ...parameters },
    headers: tokenHeaders,
    body: tokenRequestBody,
  });
}
