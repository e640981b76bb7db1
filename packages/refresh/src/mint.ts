import {
  fieldProblems,
  readRequestError,
  readTokenResponse,
  requestToken,
  TokenRequestError,
  type CredentialFields,
  type Integration,
  type TokenResult,
} from '@connectors/oauth';
import {
  ConnectorsError,
  mintingGrants,
  type CredentialId,
  type Secret,
  type StoredCredential,
  type VaultClient,
} from '@connectors/vault-core';
import type { RefreshEngine } from './engine.ts';
import { storeGranted } from './store.ts';

/** What a tenant brings along where tokens are minted without a user. */
export interface MintedConnection {
  /** As the provider's definition names them, for example `installationId`. */
  fields: CredentialFields;
  /** The tenant's own private key or client secret, if it is not the operator's that mints. */
  grantSecret?: Secret;
}

/**
 * Connects a tenant without a user's consent: asks for a first token, so that a wrong key or id is told at once, and stores it
 * with what the next ones are asked for with.
 *
 * @returns the document as stored; or why there is no token, and then nothing was stored
 * @throws ConnectorsError `integration_unknown`; `invalid_request`, naming the field and the rule
 */
export async function connectMinted(
  vault: VaultClient,
  engine: RefreshEngine,
  id: CredentialId,
  connection: MintedConnection,
): Promise<{ kind: 'stored'; credential: StoredCredential } | Exclude<TokenResult, { kind: 'tokens' }>> {
  const integration = engine.integrations.get(id.integration);
  if (integration === undefined) throw new ConnectorsError('integration_unknown');
  const grant = mintingGrants.find((each) => each === integration.provider.grant);
  if (grant === undefined)
    throw new ConnectorsError(
      'invalid_request',
      `integration: ${id.integration} needs the consent of a user`,
    );
  const problems = fieldProblems(integration.provider, connection.fields);
  if (problems.length > 0)
    throw new ConnectorsError('invalid_request', problems.map((problem) => `fields.${problem}`).join('; '));

  const result = await mint(engine, integration, connection);
  if (result.kind === 'failure') return result;
  const { tokens } = result;
  const credential = await storeGranted(vault, engine, id, {
    accessToken: tokens.accessToken.reveal(),
    expiresAt: tokens.expiresAt,
    scopes: tokens.scopes ?? [...integration.scopes],
    tokenType: tokens.tokenType,
    integration: id.integration,
    grant,
    grantSecret: connection.grantSecret?.reveal(),
    fields: connection.fields,
  });
  return { kind: 'stored', credential };
}

async function mint(
  { discovery, guard, now }: RefreshEngine,
  integration: Integration,
  connection: MintedConnection,
): Promise<TokenResult> {
  try {
    const ready = await discovery.complete(integration);
    const answer = await requestToken({ integration: ready, ...connection, guard, now });
    return readTokenResponse(integration.provider, answer);
  } catch (error) {
    if (!(error instanceof TokenRequestError)) throw error;
    return { kind: 'failure', failure: readRequestError(integration.provider, error) };
  }
}
