import { randomBytes } from 'node:crypto';
import { createServer, type RequestListener } from 'node:http';
import { Provider } from 'oidc-provider';
import { closeServer, listen } from '../listen.ts';
import { providerConfiguration, type OAuthClient } from './configuration.ts';
import { Faults } from './faults.ts';
import { serveInteraction } from './interaction-pages.ts';
import { quirkyEndpoints, type QuirkyServer } from './quirky-endpoints.ts';
import type { Quirks } from './quirks.ts';
import { openStore } from './store.ts';
import { watchTokenEndpoint, type TokenRequest } from './token-endpoint.ts';

export interface AuthorizationServerOptions {
  /** 0, the default, picks a free one. */
  port?: number;
  /** Without any there is one, `connectors`, with a random secret. */
  clients?: OAuthClient[];
  /** Seconds; 60 unless told. */
  accessTokenTtl?: number;
  /** Seconds, counted anew at every rotation; 30 days unless told. */
  refreshTokenTtl?: number;
  /** The scopes it knows besides openid and offline_access; api:read and api:write unless told. */
  scopes?: string[];
  /** What it says of somebody besides `sub`, under the scopes email and profile; nothing unless told. */
  claims?: (login: string) => Record<string, unknown>;
  /** A SQLite file that keeps grants, tokens and keys over a restart; without it they end with the process. */
  dataFile?: string;
  /** How its token endpoint departs from the RFCs, and with `revocation` a second one to end tokens at, `/revoke`. */
  quirks?: Quirks;
}

/** Where the endpoints of an authorization server are: enough to be its client. */
export interface AuthorizationServerEndpoints {
  issuer: string;
  authorizationEndpoint: string;
  tokenEndpoint: string;
  revocationEndpoint: string;
  introspectionEndpoint: string;
}

export interface RunningAuthorizationServer extends AuthorizationServerEndpoints {
  url: string;
  clients: OAuthClient[];
  /** May introspect every token: for the upstreams. */
  introspectionClient: OAuthClient;
  /** Every request to the token endpoint, in the order of their arrival. */
  tokenRequests: TokenRequest[];
  faults: Faults;
  /** For the tokens issued from now on, in seconds. */
  setAccessTokenTtl(seconds: number): void;
  /** Ends this access token alone: a client that uses it meets a 401, and its refresh token still works. */
  revokeAccessToken(accessToken: string): Promise<void>;
  /** Ends the grant that this access or refresh token belongs to, as when the user disconnects the app. */
  revokeGrant(token: string): Promise<void>;
  close(): Promise<void>;
}

/**
 * Starts a certified OAuth 2 and OpenID Connect server on 127.0.0.1: opaque access tokens that live
 * shortly, refresh tokens that rotate, and a grant that ends when a refresh token is used twice.
 *
 * @throws {Error} when the port is taken
 */
export async function startAuthorizationServer(
  options: AuthorizationServerOptions = {},
): Promise<RunningAuthorizationServer> {
  const server = createServer();
  const url = `http://127.0.0.1:${await listen(server, options.port ?? 0, 'the authorization server')}`;
  const settings = {
    clients: options.clients ?? [newClient('connectors', ['http://127.0.0.1/callback'])],
    introspectionClient: newClient('upstreams', []),
    accessTokenTtl: options.accessTokenTtl ?? 60,
    refreshTokenTtl: options.refreshTokenTtl ?? 30 * 86_400,
    claims: options.claims ?? (() => ({})),
    codeTtl: options.quirks?.callback?.codeLifetime ?? 60,
    scopes: ['openid', 'offline_access', ...(options.scopes ?? ['api:read', 'api:write'])],
  };
  const store = openStore(options.dataFile);
  const provider = new Provider(url, providerConfiguration(store, settings));
  const tokenRequests: TokenRequest[] = [];
  const faults = new Faults();
  watchTokenEndpoint(provider, tokenRequests, faults);
  server.on('request', handler(provider, url, { ...options, clients: settings.clients }));
  return {
    url,
    ...endpointsAt(url),
    clients: settings.clients,
    introspectionClient: settings.introspectionClient,
    tokenRequests,
    faults,
    setAccessTokenTtl: (seconds) => {
      settings.accessTokenTtl = seconds;
    },
    revokeAccessToken: (token) => revokeAccessToken(provider, token),
    revokeGrant: (token) => revokeGrant(provider, token),
    close: async () => {
      await closeServer(server);
      faults.release();
      store.close();
    },
  };
}

function endpointsAt(url: string): AuthorizationServerEndpoints {
  return {
    issuer: url,
    authorizationEndpoint: `${url}/auth`,
    tokenEndpoint: `${url}/token`,
    revocationEndpoint: `${url}/token/revocation`,
    introspectionEndpoint: `${url}/token/introspection`,
  };
}

function handler(
  provider: Provider,
  url: string,
  { clients, quirks }: { clients: OAuthClient[]; quirks?: Quirks },
): RequestListener {
  const toProvider = provider.callback();
  const byTheBook: RequestListener = (request, response) => {
    if (request.url?.startsWith('/interaction/')) void serveInteraction(provider, request, response);
    else void toProvider(request, response);
  };
  if (quirks === undefined) return byTheBook;
  const server: QuirkyServer = {
    url,
    clients,
    revokeAccessToken: (token) => revokeAccessToken(provider, token),
    kindOf: (token) => kindOf(provider, token),
  };
  return quirkyEndpoints(quirks, server, byTheBook);
}

function newClient(clientId: string, redirectUris: string[]): OAuthClient {
  return { clientId, clientSecret: randomBytes(24).toString('base64url'), redirectUris };
}

async function revokeAccessToken(provider: Provider, token: string): Promise<void> {
  const found = (await provider.AccessToken.find(token)) ?? (await provider.ClientCredentials.find(token));
  await found?.destroy();
}

async function kindOf(provider: Provider, token: string): Promise<'access' | 'refresh' | undefined> {
  if ((await provider.RefreshToken.find(token)) !== undefined) return 'refresh';
  return (await provider.AccessToken.find(token)) === undefined ? undefined : 'access';
}

async function revokeGrant(provider: Provider, token: string): Promise<void> {
  const found = (await provider.RefreshToken.find(token)) ?? (await provider.AccessToken.find(token));
  const grantId = found?.grantId;
  if (grantId === undefined) return;
  await provider.AccessToken.revokeByGrantId(grantId);
  await provider.RefreshToken.revokeByGrantId(grantId);
  await (await provider.Grant.find(grantId))?.destroy();
}
