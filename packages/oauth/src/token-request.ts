import type { Secret } from '@connectors/vault-core';
import type { ReadyIntegration } from './integration.ts';
import { callProvider, TokenRequestError } from './provider-call.ts';
import type { CallOptions, ProviderAnswer } from './provider-call.ts';

export interface CodeExchange extends CallOptions {
  integration: ReadyIntegration;
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

export interface Refresh extends CallOptions {
  integration: ReadyIntegration;
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

async function askForTokens(
  request: CodeExchange | Refresh,
  url: string,
  parameters: Record<string, string>,
): Promise<ProviderAnswer> {
  const client = authenticateClient(request.integration);
  const json = request.integration.provider.tokenRequestBody === 'json';
  const all = { ...parameters, ...client.parameters };
  const contentType = json ? 'application/json' : 'application/x-www-form-urlencoded';
  return await callProvider(
    {
      method: 'POST',
      url,
      headers: { ...client.headers, 'content-type': contentType },
      body: json ? JSON.stringify(all) : new URLSearchParams(all).toString(),
    },
    request,
  );
}

function authenticateClient({ provider, clientId, clientSecret }: ReadyIntegration): {
  headers?: Record<string, string>;
  parameters?: Record<string, string>;
} {
  if (provider.clientAuthentication === 'none') return { parameters: { client_id: clientId } };
  if (clientSecret === undefined) throw new TokenRequestError('client_secret_missing', 'no');
  const secret = clientSecret.reveal();
  if (provider.clientAuthentication === 'post') {
    return { parameters: { client_id: clientId, client_secret: secret } };
  }
  // RFC 6749 2.3.1: both are form-encoded before they become user name and password.
  const pair = `${formEncode(clientId)}:${formEncode(secret)}`;
  return { headers: { authorization: `Basic ${Buffer.from(pair).toString('base64')}` } };
}

function formEncode(text: string): string {
  return new URLSearchParams([['', text]]).toString().slice(1);
}
