import type { Secret } from '@connectors/vault-core';
import { clientOf } from './client-authentication.ts';
import { callAsClient } from './client-call.ts';
import type { IntegrationCall } from './client-call.ts';
import type { ProviderAnswer } from './provider-call.ts';

export interface CodeExchange extends IntegrationCall {
  code: Secret;
  /** The one of the authorize URL. */
  redirectUri: string;
  codeVerifier: Secret;
}

/**
 * Redeems the code of a callback (RFC 6749 4.1.3).
 *
 * @throws {TokenRequestError}
 */
export async function exchangeCode(request: CodeExchange): Promise<ProviderAnswer> {
  const { tokenUrl, pkce } = request.integration.provider;
  return await askForTokens(request, tokenUrl, {
    grant_type: 'authorization_code',
    code: request.code.reveal(),
    redirect_uri: request.redirectUri,
    ...(pkce ? { code_verifier: request.codeVerifier.reveal() } : {}),
  });
}

export interface Refresh extends IntegrationCall {
  refreshToken: Secret;
}

/**
 * Spends a refresh token (RFC 6749 6). Where they rotate, it is worthless afterwards: whoever calls this must be able
 * to keep the answer.
 *
 * @throws {TokenRequestError} `sent` says whether the refresh token may be spent
 */
export async function refreshAccessToken(request: Refresh): Promise<ProviderAnswer> {
  const { refreshUrl, tokenUrl } = request.integration.provider;
  return await askForTokens(request, refreshUrl ?? tokenUrl, {
    grant_type: 'refresh_token',
    refresh_token: request.refreshToken.reveal(),
  });
}

/** Makes one token request in the name of the integration's client, or of another. */
export async function askForTokens(
  request: IntegrationCall,
  url: string,
  parameters: Record<string, string>,
  client = clientOf(request.integration),
): Promise<ProviderAnswer> {
  const { tokenParams, tokenRequestBody } = request.integration.provider;
  return await callAsClient(request, client, {
    url,
    parameters: { ...tokenParams, ...parameters },
    body: tokenRequestBody,
  });
}
