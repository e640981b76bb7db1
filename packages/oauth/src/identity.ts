import type { ProviderAccount } from '@connectors/vault-core';
import { decodeJwt } from 'jose';
import type { ReadyIntegration } from './integration.ts';
import type { ProviderAnswer } from './provider-call.ts';
import { parseBody } from './token-response.ts';
import { accountTold, inCallback, inResponse, toAccount } from './told-fields.ts';

/** Whose tokens the provider has issued. */
export type Identity =
  | { kind: 'known'; account: ProviderAccount }
  | { kind: 'unknown' }
  /** The ID token is not for us, or not for this connect. */
  | { kind: 'refused' };

/**
 * Reads whose tokens came: from where the provider's definition says, else from the ID token. That came straight from the
 * token endpoint, so TLS vouches for it (OpenID Connect Core 3.1.3.7, 6).
 *
 * @param nonce the one of the authorize URL
 * @param query the one of the callback
 */
export function readIdentity(
  { provider, clientId }: ReadyIntegration,
  answer: ProviderAnswer,
  { nonce, query }: { nonce: string; query: URLSearchParams },
): Identity {
  const body = parseBody(answer);
  const claims = claimsOf(body['id_token']);
  if (claims !== undefined) {
    const { aud, iss, nonce: told } = claims;
    const isForUs = aud === undefined || [aud].flat().some((each) => each === clientId);
    const isFromIssuer = provider.issuer === undefined || iss === provider.issuer;
    // Some leave it out. One that is there is another user's if it is another one.
    const isForThis = told === undefined || told === nonce;
    if (!isForUs || !isFromIssuer || !isForThis) return { kind: 'refused' };
  }
  const name = claims?.['email'] ?? claims?.['preferred_username'] ?? claims?.['name'];
  const account =
    provider.account === undefined
      ? toAccount(claims?.sub, name)
      : (accountTold(provider, inResponse(body)) ?? accountTold(provider, inCallback(query)));
  return account === undefined ? { kind: 'unknown' } : { kind: 'known', account };
}

function claimsOf(token: unknown): ReturnType<typeof decodeJwt> | undefined {
  try {
    return typeof token === 'string' ? decodeJwt(token) : undefined;
  } catch {
    return undefined;
  }
}
