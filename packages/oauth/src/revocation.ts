import type { Secret } from '@connectors/vault-core';
import { clientOf } from './client-authentication.ts';
import { callAsClient } from './client-call.ts';
import type { IntegrationCall } from './client-call.ts';
import type { Provider } from './provider.ts';
import { TokenRequestError } from './provider-call.ts';
import type { ProviderAnswer } from './provider-call.ts';
import { readFailure } from './token-failure.ts';
import { parseBody } from './token-response.ts';

export interface RevocationRequest extends IntegrationCall {
  token: Secret;
  hint: 'access_token' | 'refresh_token';
}

export type Revocation =
  /** The token works no longer, by this call or before it. */
  | { kind: 'revoked' }
  /** There is no way to do it from here: the user has to remove the app at the provider. */
  | { kind: 'unsupported' }
  /** It may still work; `reason` is a code as in `TokenFailure`. */
  | { kind: 'failed'; reason: string };

/**
 * Ends a token at its provider (RFC 7009), and with `revocationEnds: 'grant'` all tokens of its grant. May be repeated.
 */
export async function revokeToken(request: RevocationRequest): Promise<Revocation> {
  const { integration, token, hint } = request;
  const { provider } = integration;
  const client = clientOf(integration);
  // Without a client of the integration tokens are minted for the tenant's own, and soon expire.
  if (provider.revokeUrl === undefined || client === undefined) return { kind: 'unsupported' };
  try {
    const answer = await callAsClient(request, client, {
      url: provider.revokeUrl,
      parameters: { token: token.reveal(), token_type_hint: hint },
      body: 'form',
    });
    return readRevocation(provider, answer);
  } catch (error) {
    if (!(error instanceof TokenRequestError)) throw error;
    return { kind: 'failed', reason: error.code };
  }
}

function readRevocation(provider: Provider, answer: ProviderAnswer): Revocation {
  if (answer.status >= 200 && answer.status < 300) return { kind: 'revoked' };
  const { reason } = readFailure(provider, answer, parseBody(answer)['error']);
  // RFC 7009 2.2 has no error for a token that is dead already; some providers have one.
  if (reason === 'invalid_token') return { kind: 'revoked' };
  return reason === 'unsupported_token_type' ? { kind: 'unsupported' } : { kind: 'failed', reason };
}
