import {
  refreshAccessToken,
  requestToken,
  type CallOptions,
  type ProviderAnswer,
  type ReadyIntegration,
} from '@connectors/oauth';
import type { CredentialId, StoredCredential } from '@connectors/vault-core';
import type { RefreshEngine } from './engine.ts';

/** Asks a provider for new tokens, once. */
export type TokenSource = (call: CallOptions & { integration: ReadyIntegration }) => Promise<ProviderAnswer>;

/** Reads what new tokens of a credential are asked for with: its refresh token, or the secret they are minted with. */
export async function openTokenSource(
  engine: RefreshEngine,
  id: CredentialId,
  credential: StoredCredential,
): Promise<TokenSource | undefined> {
  const { grant, fields = {} } = credential.metadata;
  if (grant !== undefined) {
    const grantSecret = await engine.credentials.decryptGrantSecret(id, credential);
    return (call) => requestToken({ ...call, fields, grantSecret });
  }
  const refreshToken = await engine.credentials.decryptRefreshToken(id, credential);
  return refreshToken && ((call) => refreshAccessToken({ ...call, refreshToken, fields }));
}
