import type { Secret } from '@connectors/vault-core';
import { signAssertion } from './assertion.ts';
import { clientOf } from './client-authentication.ts';
import type { Client } from './client-authentication.ts';
import { fieldProblems } from './credential-fields.ts';
import type { CredentialFields } from './credential-fields.ts';
import type { IntegrationCall } from './client-call.ts';
import { endpointUrl } from './endpoint-url.ts';
import { callProvider, TokenRequestError } from './provider-call.ts';
import type { ProviderAnswer } from './provider-call.ts';
import { askForTokens } from './token-request.ts';

export interface Mint extends IntegrationCall {
  fields: CredentialFields;
  /** The tenant's own: with `jwt_bearer` its private key in PEM, with `client_credentials` the secret of `fields.clientId`. */
  grantSecret?: Secret | undefined;
}

/**
 * Asks for an access token without a refresh token: for grants that `isMinted` tells of. May be repeated at will.
 *
 * @throws {TokenRequestError} also `fields_invalid`, `private_key_missing`, `private_key_invalid` and
 *   `client_secret_missing`, each before anything is sent
 */
export async function requestToken(mint: Mint): Promise<ProviderAnswer> {
  const { integration, fields } = mint;
  if (fieldProblems(integration.provider, fields).length > 0)
    throw new TokenRequestError('fields_invalid', 'no');
  const tokenUrl = endpointUrl(integration.provider, integration.provider.tokenUrl, fields);
  const provider = { ...integration.provider, tokenUrl };
  const filled = { ...mint, integration: { ...integration, provider } };
  switch (provider.grant) {
    case 'client_credentials':
      return await byClientCredentials(filled);
    case 'jwt_bearer':
      return await byAssertion(filled);
    case 'github_app':
      return await forInstallation(filled);
    case 'authorization_code':
    case 'api_key':
      throw new TypeError(`${provider.grant} mints no tokens`);
  }
}

/** RFC 6749 4.4. */
async function byClientCredentials(mint: Mint): Promise<ProviderAnswer> {
  const { integration, fields, grantSecret } = mint;
  const client: Client | undefined =
    fields['clientId'] === undefined
      ? clientOf(integration)
      : // Never the integration's secret: it belongs to another client.
        { id: fields['clientId'], secret: grantSecret, key: grantSecret, keyId: fields['keyId'] };
  const parameters = { grant_type: 'client_credentials', ...scopeOf(mint) };
  return await askForTokens(mint, { url: integration.provider.tokenUrl, parameters }, client);
}

/** RFC 7523 2.1. */
async function byAssertion(mint: Mint): Promise<ProviderAnswer> {
  const { integration, fields } = mint;
  const { assertionAudience, scopeInAssertion, tokenUrl } = integration.provider;
  const assertion = await sign(mint, {
    iss: fields['issuer'] ?? integration.clientId,
    sub: fields['subject'],
    aud: assertionAudience ?? tokenUrl,
    ...(scopeInAssertion ? scopeOf(mint) : {}),
  });
  const parameters = {
    grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
    assertion,
    ...(scopeInAssertion ? {} : scopeOf(mint)),
  };
  return await askForTokens(mint, { url: tokenUrl, parameters });
}

/** An app presents a JWT where others present a token, and there are no parameters. */
async function forInstallation(mint: Mint): Promise<ProviderAnswer> {
  const { clientId, provider } = mint.integration;
  const jwt = await sign(mint, { iss: clientId });
  const headers = { authorization: `Bearer ${jwt}` };
  return await callProvider({ method: 'POST', url: provider.tokenUrl, headers }, mint);
}

/** Signs with the tenant's key or the integration's, but never with the integration's in the name of another issuer. */
async function sign(mint: Mint, claims: Record<string, string | undefined>): Promise<string> {
  const { integration, fields, grantSecret, now = Date.now } = mint;
  const { clientKey, clientKeyId } = integration;
  const key = grantSecret ?? (fields['issuer'] === undefined ? clientKey : undefined);
  if (key === undefined) throw new TokenRequestError('private_key_missing', 'no');
  const keyId = grantSecret === undefined ? clientKeyId : fields['keyId'];
  return await signAssertion({ key, keyId, claims, now: now() });
}

function scopeOf({ integration: { provider, scopes } }: Mint): { scope?: string } {
  return scopes.length === 0 ? {} : { scope: scopes.join(provider.scopeSeparator) };
}
