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
  TokenRequestError,
} from '../src/index.ts';
import type { ReadyIntegration, TokenResult, TokenSet } from '../src/index.ts';
import { plainIntegration } from './fixtures.ts';

const guard = new EgressGuard({ allow: ['127.0.0.1'] });
const redirectUri = 'http://127.0.0.1/callback';
let server: RunningAuthorizationServer;
let integration: ReadyIntegration;

beforeAll(async () => {
  server = await startAuthorizationServer({ accessTokenTtl: 60 });
  const [client] = server.clients;
  if (client === undefined) throw new Error('the server has no client');
  const {
    authorizeUrl: _a,
    tokenUrl: _t,
    clientAuthentication: _c,
    ...provider
  } = plainIntegration().provider;
  integration = await new Discovery({ guard }).complete({
    ...plainIntegration(),
    provider: { ...provider, issuer: server.issuer },
    clientId: client.clientId,
    clientSecret: new Secret(client.clientSecret),
  });
});

afterAll(() => server.close());

async function connect(): Promise<TokenSet> {
  const { code, codeVerifier } = await authorizeAs(server, {
    clientId: integration.clientId ?? '',
    redirectUri,
    scopes: ['openid', 'offline_access', 'api:read'],
    login: 'ada',
  });
  const answer = await exchangeCode({
    guard,
    integration,
    code: new Secret(code),
    redirectUri,
    codeVerifier: new Secret(codeVerifier),
  });
  return tokensOf(readTokenResponse(integration.provider, answer));
}

async function refresh(refreshToken: Secret | undefined): Promise<TokenResult> {
  if (refreshToken === undefined) throw new Error('there is no refresh token');
  return readTokenResponse(
    integration.provider,
    await refreshAccessToken({ guard, integration, refreshToken }),
  );
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
