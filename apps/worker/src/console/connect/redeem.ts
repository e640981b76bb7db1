import {
  askedScopes,
  brokenFields,
  exchangeCode,
  isPassing,
  lookUp,
  readIdentity,
  readRequestError,
  readTokenResponse,
  TokenRequestError,
  type CredentialFields,
  type ProviderAnswer,
  type ReadyIntegration,
  type TokenFailure,
  type TokenSet,
} from '@connectors/oauth';
import { revokeUnused } from '@connectors/refresh';
import { callbackUrl, type OAuthCredentials, type Secret } from '@connectors/vault-core';
import type { ConnectOptions } from './connect.ts';
import type { Ending } from './callback.ts';
import type { Flow, FlowSecrets } from './connect-states.ts';

/** Milliseconds for what is looked up with new tokens: they lie nowhere but in memory meanwhile. */
const lookUpMs = 5_000;

export interface Redeemed {
  kind: 'granted';
  granted: OAuthCredentials;
  /** For who has to end them. */
  tokens: TokenSet;
  /** Whether a field could be something else as well. */
  isSeveral: boolean;
  /** Fields that the credential needs, and that nobody has told. */
  unknownFields: string[];
}

interface Redeeming {
  integration: ReadyIntegration;
  flow: Flow;
  secrets: FlowSecrets;
  code: Secret;
  /** What is known before. */
  fields: CredentialFields;
  query: URLSearchParams;
}

/** Redeems the code of a callback, and finds out all that belongs to its tokens. */
export async function redeem(
  options: ConnectOptions,
  redeeming: Redeeming,
): Promise<Redeemed | (Ending & { kind: 'failed' })> {
  const { integration, flow, secrets } = redeeming;
  const answer = await exchange(options, redeeming);
  if (answer instanceof TokenRequestError) return refusal(readRequestError(integration.provider, answer));
  const result = readTokenResponse(integration.provider, answer, 'consent');
  if (result.kind === 'failure') return refusal(result.failure);
  const { tokens } = result;
  const identity = readIdentity(integration, answer, {
    nonce: secrets.nonce,
    query: redeeming.query,
  });
  if (identity.kind === 'refused') {
    // Nobody knows whose they are: to end their whole grant could end somebody's connection.
    await revokeUnused(options.engine, flow, tokens, 'replaced');
    return { kind: 'failed', code: 'wrong_identity' };
  }
  const known = { ...redeeming.fields, ...tokens.fields };
  const found = await lookUp({
    integration,
    accessToken: tokens.accessToken,
    fields: known,
    guard: options.engine.guard,
    timeoutMs: lookUpMs,
  });
  const fields = { ...known, ...found.fields };
  const account = identity.kind === 'known' ? identity.account : found.account;
  return {
    kind: 'granted',
    tokens,
    granted: toGranted(integration, flow, tokens, fields, account),
    isSeveral: found.choices.some(({ options: { length } }) => length > 1),
    unknownFields: brokenFields(integration.provider, requiredOf(integration), fields),
  };
}

async function exchange(
  { consoleUrl, engine: { guard, now } }: ConnectOptions,
  { integration, code, secrets, fields }: Redeeming,
): Promise<ProviderAnswer | TokenRequestError> {
  try {
    return await exchangeCode({
      integration,
      code,
      redirectUri: callbackUrl(consoleUrl, integration.id),
      codeVerifier: secrets.verifier,
      fields,
      guard,
      now,
    });
  } catch (error) {
    if (error instanceof TokenRequestError) return error;
    throw error;
  }
}

function refusal(failure: TokenFailure): Ending & { kind: 'failed' } {
  const code = isPassing(failure) ? 'provider_unavailable' : 'exchange_refused';
  return { kind: 'failed', code, reason: failure.reason };
}

function requiredOf({ provider: { fields } }: ReadyIntegration): string[] {
  return Object.keys(fields).filter((name) => fields[name]?.optional !== true);
}

function toGranted(
  { id, provider, scopes }: ReadyIntegration,
  flow: Flow,
  tokens: TokenSet,
  fields: CredentialFields,
  account: OAuthCredentials['account'],
): OAuthCredentials {
  return {
    accessToken: tokens.accessToken.reveal(),
    refreshToken: tokens.refreshToken?.reveal(),
    expiresAt: tokens.expiresAt,
    refreshTokenExpiresAt: tokens.refreshTokenExpiresAt,
    // RFC 6749 5.1: left out where they are what was asked for.
    scopes: tokens.scopes ?? askedScopes(provider, flow.scopes ?? scopes),
    tokenType: tokens.tokenType,
    integration: id,
    ...(Object.keys(fields).length === 0 ? {} : { fields }),
    ...(account === undefined ? {} : { account }),
  };
}
