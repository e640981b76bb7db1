import { authorizeAs, startAuthorizationServer } from '@connectors/dev-servers';
import type { Quirks } from '@connectors/dev-servers';
import { EgressGuard } from '@connectors/egress';
import { Secret } from '@connectors/vault-core';
import { onTestFinished } from 'vitest';
import {
  catalog,
  exchangeCode,
  readCallback,
  readTokenResponse,
  refreshAccessToken,
  revokeToken,
} from '../../src/index.ts';
import type {
  CredentialFields,
  Provider,
  ReadyProvider,
  Revocation,
  TokenResult,
  TokenSet,
} from '../../src/index.ts';
import { plainIntegration } from '../fixtures.ts';

const guard = new EgressGuard({ allow: ['127.0.0.1'] });
const client = {
  clientId: 'quirky',
  clientSecret: 'quirky+secret',
  redirectUris: ['http://127.0.0.1/callback'],
};
export const redirectUri = 'http://127.0.0.1/callback';

/** A definition of the catalog; its endpoints are replaced when it is used with a server. */
export function definitionOf(id: string): Provider {
  const definition = catalog.get(id);
  if (definition === undefined) throw new Error(`there is no ${id}`);
  return definition;
}

/** A real authorization server with quirks, and a client of it that knows them from its provider's definition. */
export async function startQuirky(quirks: Quirks, definition: Partial<Provider> = {}) {
  const server = await startAuthorizationServer({ quirks, accessTokenTtl: 3600, clients: [client] });
  onTestFinished(() => server.close());
  const { authorizationHost: _host, tokenUrl: _url, clientAuthentication, ...known } = definition;
  const { refreshUrl, revokeUrl, ...provider } = known;
  const endpoints: Partial<ReadyProvider> = {
    authorizeUrl: server.authorizationEndpoint,
    tokenUrl: server.tokenEndpoint,
    ...(refreshUrl === undefined ? {} : { refreshUrl: `${server.url}/token/refresh` }),
    ...(revokeUrl === undefined
      ? {}
      : { revokeUrl: `${server.url}/revoke${revokeUrl.includes('{token}') ? '/{token}' : ''}` }),
    clientAuthentication: clientAuthentication ?? 'post',
    // The server inside insists on it.
    pkce: true,
  };
  const integration = plainIntegration(
    {
      clientId: client.clientId,
      clientSecret: new Secret(client.clientSecret),
      scopes: ['api:read', 'api:write'],
    },
    { ...provider, ...endpoints },
  );

  /** Lets a user consent, and answers what they come back with. */
  const consent = async () => {
    const scopes = ['openid', 'offline_access', 'api:read', 'api:write'];
    const login = { clientId: client.clientId, redirectUri, scopes, login: 'ada' };
    const { callbackUrl, codeVerifier } = await authorizeAs(server, login);
    return { callback: readCallback(integration, callbackUrl.searchParams), codeVerifier };
  };
  const connect = async (): Promise<TokenResult> => {
    const { callback, codeVerifier } = await consent();
    if (callback.kind !== 'code') throw new Error('there is no code');
    const { code } = callback;
    const answer = await exchangeCode({
      guard,
      integration,
      code,
      redirectUri,
      codeVerifier: new Secret(codeVerifier),
    });
    return readTokenResponse(integration.provider, answer, 'consent');
  };
  const refresh = async (
    refreshToken: Secret | undefined,
    fields: CredentialFields = {},
  ): Promise<TokenResult> => {
    const answer = await refreshAccessToken({
      guard,
      integration,
      refreshToken: refreshToken ?? new Secret('none'),
      fields,
    });
    return readTokenResponse(integration.provider, answer);
  };
  const revoke = async (tokens: Pick<TokenSet, 'accessToken' | 'refreshToken'>): Promise<Revocation> =>
    await revokeToken({ guard, integration, ...tokens });
  return {
    server,
    integration,
    consent,
    connect,
    refresh,
    revoke,
    isActive: (token: Secret) => isActive(server, token),
  };
}

export function tokensOf(result: TokenResult): TokenSet {
  if (result.kind === 'failure') throw new Error(`no tokens: ${result.failure.reason}`);
  return result.tokens;
}

async function isActive(
  server: Awaited<ReturnType<typeof startAuthorizationServer>>,
  token: Secret,
): Promise<boolean> {
  const { clientId, clientSecret } = server.introspectionClient;
  const response = await fetch(server.introspectionEndpoint, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}` },
    body: new URLSearchParams({ token: token.reveal() }),
  });
  return ((await response.json()) as { active: boolean }).active;
}

export const dead = (reason: string) => ({
  kind: 'failure',
  failure: { class: 'permanent', reason, mayHaveRotated: false },
});
