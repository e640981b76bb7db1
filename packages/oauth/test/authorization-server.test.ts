import { authorizeAs, startAuthorizationServer } from '@connectors/dev-servers';
import type { RunningAuthorizationServer } from '@connectors/dev-servers';
import { EgressGuard } from '@connectors/egress';
import { Secret } from '@connectors/vault-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  Discovery,
  exchangeCode,
  readRequestError,
  readTokenResponse,
  refreshAccessToken,
  requestToken,
  revokeToken,
  TokenRequestError,
} from '../src/index.ts';
import type { Integration, ReadyIntegration, TokenResult, TokenSet } from '../src/index.ts';
import { plainIntegration } from './fixtures.ts';
import { newKey } from './new-key.ts';

const guard = new EgressGuard({ allow: ['127.0.0.1'] });
const redirectUri = 'http://127.0.0.1/callback';
let server: RunningAuthorizationServer;
let integration: ReadyIntegration;

const keys = { rs256: newKey('RS256'), es256: newKey('ES256'), eddsa: newKey('EdDSA') };

beforeAll(async () => {
  const bot = {
    clientId: 'bot',
    clientSecret: 'bot-secret',
    redirectUris: [redirectUri],
    actsForItself: true,
  };
  const signers = Object.entries(keys).map(([clientId, { jwk }]) => ({
    ...bot,
    clientId,
    authMethod: 'private_key_jwt' as const,
    publicKeys: [jwk],
  }));
  server = await startAuthorizationServer({ accessTokenTtl: 60, clients: [bot, ...signers] });
  integration = await discovered({ clientId: 'bot', clientSecret: new Secret('bot-secret') });
});

afterAll(() => server.close());

async function discovered(
  client: Partial<Integration>,
  fields: Partial<Integration['provider']> = {},
): Promise<ReadyIntegration> {
  const { provider, clientSecret: _s, ...plain } = plainIntegration();
  const { authorizeUrl: _a, tokenUrl: _t, clientAuthentication: _c, ...unknown } = provider;
  const known = { ...unknown, issuer: server.issuer, ...fields };
  return await new Discovery({ guard }).complete({ ...plain, ...client, provider: known });
}

async function connect(client = integration): Promise<TokenSet> {
  const { code, codeVerifier } = await authorizeAs(server, {
    clientId: client.clientId ?? '',
    redirectUri,
    scopes: ['openid', 'offline_access', 'api:read'],
    login: 'ada',
  });
  const answer = await exchangeCode({
    guard,
    integration: client,
    code: new Secret(code),
    redirectUri,
    codeVerifier: new Secret(codeVerifier),
  });
  return tokensOf(readTokenResponse(client.provider, answer));
}

async function refresh(refreshToken: Secret | undefined, client = integration): Promise<TokenResult> {
  if (refreshToken === undefined) throw new Error('there is no refresh token');
  const answer = await refreshAccessToken({ guard, integration: client, refreshToken });
  return readTokenResponse(client.provider, answer);
}

async function isActive(token: Secret): Promise<boolean> {
  const { clientId, clientSecret } = server.introspectionClient;
  const response = await fetch(server.introspectionEndpoint, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}` },
    body: new URLSearchParams({ token: token.reveal() }),
  });
  return ((await response.json()) as { active: boolean }).active;
}

function tokensOf(result: TokenResult): TokenSet {
  if (result.kind === 'failure') throw new Error(result.failure.reason);
  return result.tokens;
}

describe('against a certified authorization server', () => {
  it('a code becomes tokens with scopes and a lifetime', async () => {
    const before = Date.now();
    const tokens = await connect();
    expect(tokens.scopes).toContain('api:read');
    expect(tokens.expiresAt?.getTime()).toBeGreaterThanOrEqual(before + 60_000);
    expect(tokens.expiresAt?.getTime()).toBeLessThanOrEqual(Date.now() + 60_000);
  });

  it('a refresh brings a new access token and a new refresh token', async () => {
    const first = await connect();
    const second = tokensOf(await refresh(first.refreshToken));
    expect(second.accessToken.reveal()).not.toBe(first.accessToken.reveal());
    expect(second.refreshToken?.reveal()).not.toBe(first.refreshToken?.reveal());
  });

  it('a refresh token used twice is dead, and so is the one that replaced it', async () => {
    const first = await connect();
    const second = tokensOf(await refresh(first.refreshToken));
    const dead = {
      kind: 'failure',
      failure: { class: 'permanent', reason: 'invalid_grant', mayHaveRotated: false },
    };
    expect(await refresh(first.refreshToken)).toEqual(dead);
    expect(await refresh(second.refreshToken)).toEqual(dead);
  });

  it('an answer lost after the rotation is told from a refusal', async () => {
    const { refreshToken } = await connect();
    server.faults.next({ kind: 'cutAfterRotation' });
    const error: unknown = await refresh(refreshToken).catch((failure: unknown) => failure);
    expect(error).toBeInstanceOf(TokenRequestError);
    if (!(error instanceof TokenRequestError)) return;
    expect(readRequestError(integration.provider, error)).toEqual({
      class: 'lost_response',
      reason: 'connection_lost',
      mayHaveRotated: true,
    });
    expect(await refresh(refreshToken)).toMatchObject({ failure: { class: 'permanent' } });
  });

  it('a wrong client secret is the operator’s and leaves the grant alive', async () => {
    const { refreshToken = new Secret('') } = await connect();
    const wrong = { ...integration, clientSecret: new Secret('wrong') };
    const answer = await refreshAccessToken({ guard, integration: wrong, refreshToken });
    expect(readTokenResponse(integration.provider, answer)).toMatchObject({
      failure: { class: 'operator', reason: 'invalid_client' },
    });
    expect((await refresh(refreshToken)).kind).toBe('tokens');
  });
});

describe('a client that has a private key and no secret', () => {
  it.each(Object.entries(keys))('connects and refreshes with it: %s', async (clientId, { pem }) => {
    const signer = await discovered({ clientId, clientKey: pem });
    expect(signer.provider.clientAuthentication).toBe('private_key_jwt');
    const { refreshToken } = await connect(signer);
    expect((await refresh(refreshToken, signer)).kind).toBe('tokens');
  });

  it('is refused as the operator’s matter when the key is another, and the grant stays alive', async () => {
    const signer = await discovered({ clientId: 'rs256', clientKey: keys.rs256.pem });
    const { refreshToken } = await connect(signer);
    const wrong = { ...signer, clientKey: newKey('RS256').pem };
    expect(await refresh(refreshToken, wrong)).toMatchObject({
      failure: { class: 'operator', reason: 'invalid_client', mayHaveRotated: false },
    });
    expect((await refresh(refreshToken, signer)).kind).toBe('tokens');
  });
});

describe('a client that acts for itself', () => {
  const acting = { grant: 'client_credentials' } as const;

  it.each([
    ['a secret', { clientId: 'bot', clientSecret: new Secret('bot-secret') }],
    ['a private key', { clientId: 'es256', clientKey: keys.es256.pem }],
  ])('gets an access token that works and no refresh token, for %s', async (_, client) => {
    const bot = await discovered({ ...client, scopes: ['api:read'] }, acting);
    const answer = await requestToken({ integration: bot, fields: {}, guard });
    const tokens = tokensOf(readTokenResponse(bot.provider, answer));
    expect(tokens).toMatchObject({ refreshToken: undefined, scopes: ['api:read'] });
    expect(await isActive(tokens.accessToken)).toBe(true);
  });

  it('gets another one when the answer with the first was lost', async () => {
    const bot = await discovered(
      { clientId: 'bot', clientSecret: new Secret('bot-secret'), scopes: [] },
      acting,
    );
    server.faults.next({ kind: 'cutAfterRotation' });
    const lost: unknown = await requestToken({ integration: bot, fields: {}, guard }).catch(
      (e: unknown) => e,
    );
    expect(lost instanceof TokenRequestError && readRequestError(bot.provider, lost)).toEqual({
      class: 'transient',
      reason: 'connection_lost',
      mayHaveRotated: false,
    });
    const answer = await requestToken({ integration: bot, fields: {}, guard });
    expect(readTokenResponse(bot.provider, answer).kind).toBe('tokens');
  });
});

describe('a revocation', () => {
  it('of a refresh token ends its grant, and may be repeated', async () => {
    const { accessToken, refreshToken = new Secret('') } = await connect();
    const revocation = { integration, accessToken, refreshToken, guard };
    expect(await revokeToken(revocation)).toEqual({ kind: 'revoked' });
    expect(await isActive(accessToken)).toBe(false);
    expect(await refresh(refreshToken)).toMatchObject({ failure: { class: 'permanent' } });
    expect(await revokeToken(revocation)).toEqual({ kind: 'revoked' });
  });

  it('leaves the grant of a reconnect alive, where each connect is a grant of its own', async () => {
    const [before, after] = [await connect(), await connect()];
    await revokeToken({
      integration,
      accessToken: before.accessToken,
      refreshToken: before.refreshToken,
      guard,
    });
    expect(await isActive(after.accessToken)).toBe(true);
  });

  it('is told when the client is refused', async () => {
    const { accessToken } = await connect();
    const wrong = { ...integration, clientSecret: new Secret('wrong') };
    const refused = await revokeToken({
      integration: wrong,
      accessToken,
      guard,
    });
    expect(refused).toEqual({ kind: 'failed', reason: 'invalid_client' });
    expect(await isActive(accessToken)).toBe(true);
  });
});
