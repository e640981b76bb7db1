import type { Secret } from '@connectors/vault-core';
import { signAssertion } from './assertion.ts';
import type { Integration } from './integration.ts';
import type { ReadyProvider } from './provider.ts';
import { TokenRequestError } from './provider-call.ts';

/** How a provider identifies a caller of its token endpoint. */
export interface Client {
  id: string;
  secret?: Secret | undefined;
  key?: Secret | undefined;
  keyId?: string | undefined;
}

/** How a request identifies its client. */
export interface ClientAuthenticated {
  headers?: Record<string, string>;
  parameters?: Record<string, string>;
}

/** The client of an integration, as a provider knows it. */
export function clientOf({
  clientId,
  clientSecret,
  clientKey,
  clientKeyId,
}: Integration): Client | undefined {
  return clientId === undefined
    ? undefined
    : { id: clientId, secret: clientSecret, key: clientKey, keyId: clientKeyId };
}

/**
 * Authenticates a client as its provider wants it.
 *
 * @throws {TokenRequestError} `client_secret_missing`, `private_key_missing`, `private_key_invalid`
 */
export async function authenticateClient(
  provider: ReadyProvider,
  client: Client,
  now: number,
): Promise<ClientAuthenticated> {
  const { id, secret } = client;
  switch (provider.clientAuthentication) {
    case 'none':
      return { parameters: { client_id: id } };
    case 'private_key_jwt':
      return { parameters: { client_id: id, ...(await clientAssertion(provider, client, now)) } };
    case 'post':
      return { parameters: { client_id: id, client_secret: revealed(secret) } };
    case 'secret_as_user':
      return { headers: { authorization: basicAuthorization(revealed(secret), '') } };
    case 'basic':
      return { headers: { authorization: basicAuthorization(id, revealed(secret)) } };
  }
}

/** RFC 6749 2.3.1: both are form-encoded before they become user name and password. */
function basicAuthorization(user: string, password: string): string {
  return `Basic ${Buffer.from(`${formEncode(user)}:${formEncode(password)}`).toString('base64')}`;
}

/** RFC 7523 2.2. */
async function clientAssertion(
  { assertionAudience, tokenUrl }: ReadyProvider,
  { id, key, keyId }: Client,
  now: number,
): Promise<Record<string, string>> {
  if (key === undefined) throw new TokenRequestError('private_key_missing', 'no');
  const claims = { iss: id, sub: id, aud: assertionAudience ?? tokenUrl };
  return {
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: await signAssertion({ key, keyId, claims, now }),
  };
}

function revealed(secret: Secret | undefined): string {
  if (secret === undefined) throw new TokenRequestError('client_secret_missing', 'no');
  return secret.reveal();
}

function formEncode(text: string): string {
  return new URLSearchParams([['', text]]).toString().slice(1);
}
