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
  const open = (stored: StoredCredential) =>
    Promise.all([credentials.decryptAccessToken(id, stored), credentials.decryptRefreshToken(id, stored)]);
  const [accessToken, refreshToken] = await open(before);
  const living = (await open(after)).map((token) => token?.reveal());
  // Some providers grant the same token again: to end it would end the new connection.
  if ([accessToken, refreshToken].some((token) => token !== undefined && living.includes(token.reveal())))
    return;
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
