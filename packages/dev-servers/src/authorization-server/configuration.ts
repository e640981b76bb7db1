import type { JsonWebKey } from 'node:crypto';
import { errors, type Configuration } from 'oidc-provider';
import type { Store } from './store.ts';

/** A confidential client of the authorization server. */
export interface OAuthClient {
  clientId: string;
  clientSecret: string;
  redirectUris: string[];
  /** How it authenticates at the token endpoint; `client_secret_basic` unless told. */
  authMethod?: 'client_secret_basic' | 'client_secret_post' | 'private_key_jwt';
  /** What its assertions are checked with, for `private_key_jwt`; then the secret is of no use. */
  publicKeys?: JsonWebKey[];
  /** Whether it may have tokens for itself as well (`client_credentials`). */
  actsForItself?: boolean;
}

interface Settings {
  clients: OAuthClient[];
  introspectionClient: OAuthClient;
  scopes: string[];
  claims: (login: string) => Record<string, unknown>;
  /** Seconds. Like its neighbour it is read whenever a token is issued, so it may change. */
  accessTokenTtl: number;
  refreshTokenTtl: number;
  codeTtl: number;
}

const tenYears = 10 * 365 * 86_400;

/** The settings of oidc-provider. Each function that is set here also silences the library's notice about its default. */
export function providerConfiguration(store: Store, settings: Settings): Configuration {
  const { clients, introspectionClient, scopes } = settings;
  return {
    adapter: store.adapterFor,
    jwks: store.keys.jwks,
    cookies: { keys: [store.keys.cookieKey] },
    clients: [...clients, introspectionClient].map(clientMetadata),
    clientDefaults: { id_token_signed_response_alg: 'ES256' },
    scopes,
    findAccount: (_ctx, id) => ({ accountId: id, claims: () => ({ ...settings.claims(id), sub: id }) }),
    claims: {
      openid: ['sub'],
      email: ['email', 'email_verified'],
      profile: ['name', 'preferred_username', 'groups'],
    },
    pkce: { required: () => true },
    rotateRefreshToken: true,
    // As most providers do: a client that may refresh gets a refresh token, whether it asked for offline_access or not.
    issueRefreshToken: async (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    expiresWithSession: () => false,
    interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
    features: features(introspectionClient),
    ttl: {
      AccessToken: () => settings.accessTokenTtl,
      AuthorizationCode: () => settings.codeTtl,
      ClientCredentials: () => settings.accessTokenTtl,
      RefreshToken: () => settings.refreshTokenTtl,
      Grant: tenYears,
      IdToken: 3600,
      Interaction: 3600,
      Session: 86_400,
    },
    clientBasedCORS: () => false,
    renderError: (ctx, out) => {
      ctx.type = 'json';
      ctx.body = JSON.stringify(out);
    },
  };
}

function features(introspectionClient: OAuthClient): NonNullable<Configuration['features']> {
  return {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    resourceIndicators: { enabled: false },
    rpInitiatedLogout: { enabled: false },
    revocation: {
      enabled: true,
      allowedPolicy: (_ctx, client, token) => {
        if (token.clientId === client.clientId) return true;
        throw new errors.InvalidRequest('the token belongs to another client');
      },
    },
    introspection: {
      enabled: true,
      allowedPolicy: (_ctx, client, token) =>
        client.clientId === introspectionClient.clientId || client.clientId === token.clientId,
    },
  };
}

function isLoopback(uri: string): boolean {
  return uri.startsWith('http://127.0.0.1');
}

function clientMetadata(client: OAuthClient): NonNullable<Configuration['clients']>[number] {
  const authMethod = client.authMethod ?? 'client_secret_basic';
  const withUsers = client.redirectUris.length > 0;
  return {
    client_id: client.clientId,
    ...(authMethod === 'private_key_jwt'
      ? { jwks: { keys: client.publicKeys ?? [] } }
      : { client_secret: client.clientSecret }),
    redirect_uris: client.redirectUris,
    // As a program on the user's machine, whose redirect URI may have any port (RFC 8252 7.3).
    ...(client.redirectUris.every(isLoopback) ? { application_type: 'native' as const } : {}),
    response_types: withUsers ? ['code'] : [],
    grant_types: [
      ...(withUsers ? ['authorization_code', 'refresh_token'] : []),
      ...(client.actsForItself === true ? ['client_credentials'] : []),
    ],
    token_endpoint_auth_method: authMethod,
  };
}
