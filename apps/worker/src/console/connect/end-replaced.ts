import { revokeUnused } from '@connectors/refresh';
import type { CredentialId, StoredCredential } from '@connectors/vault-core';
import type { ConnectOptions } from './connect.ts';

/**
 * Ends at the provider the tokens that a reconnect has replaced: nobody else knows them any more. Where that would end the new
 * ones as well, because it ends the whole grant of the same account, they are let be.
 */
export async function endReplaced(
  { vault: { credentials }, engine }: Pick<ConnectOptions, 'vault' | 'engine'>,
  id: CredentialId,
  before: StoredCredential,
  after: StoredCredential,
): Promise<void> {
  const { account: former } = before.metadata;
  const { account: current } = after.metadata;
  const isOther = former !== undefined && current !== undefined && former.id !== current.id;
  const [accessToken, refreshToken] = await Promise.all([
    credentials.decryptAccessToken(id, before),
    credentials.decryptRefreshToken(id, before),
  ]);
  const { tokenType, scopes, metadata } = before;
  const tokens = {
    accessToken,
    refreshToken,
    expiresAt: undefined,
    scopes,
    tokenType,
    fields: metadata.fields ?? {},
  };
  await revokeUnused(engine, id, tokens, isOther ? 'deleted' : 'replaced');
}
