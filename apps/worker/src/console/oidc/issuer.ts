import type { EgressGuard } from '@connectors/egress';
import { callProvider } from '@connectors/oauth';
import type { Secret } from '@connectors/vault-core';
import * as oidc from 'openid-client';
import type { Checks } from './sign-in-attempts.ts';

export interface IssuerOptions {
  issuer: string;
  clientId: string;
  clientSecret: Secret | undefined;
  /** Separated by spaces. */
  scope: string;
  redirectUri: string;
  guard: EgressGuard;
}

/** Claims of somebody whom the issuer knows. */
export type Claims = Readonly<Record<string, unknown>>;

/** The issuer that operators sign in at. */
export class Issuer {
  readonly #options: IssuerOptions;
  #client: Promise<oidc.Configuration> | undefined;

  constructor(options: IssuerOptions) {
    this.#options = options;
  }

  /** @throws when the issuer does not answer */
  async authorizationUrl({ state, nonce, codeVerifier }: Checks): Promise<URL> {
    const { redirectUri, scope } = this.#options;
    return oidc.buildAuthorizationUrl(await this.#discovered(), {
      redirect_uri: redirectUri,
      scope,
      state,
      nonce,
      code_challenge: await oidc.calculatePKCECodeChallenge(codeVerifier),
      code_challenge_method: 'S256',
    });
  }

  /**
   * Who came back from the issuer: what it says in the ID token and, on a second request, about its bearer.
   *
   * @param query of the request to the redirect URI
   * @throws unless all of the answer is sound: state, issuer, signature, audience, nonce, times
   */
  async claims(query: string, { state, nonce, codeVerifier }: Checks): Promise<Claims> {
    const client = await this.#discovered();
    const answer = new URL(this.#options.redirectUri);
    answer.search = query;
    const tokens = await oidc.authorizationCodeGrant(client, answer, {
      expectedState: state,
      expectedNonce: nonce,
      pkceCodeVerifier: codeVerifier,
      idTokenExpected: true,
    });
    const claims = tokens.claims();
    if (claims === undefined) throw new Error('The issuer sent no ID token');
    if (client.serverMetadata().userinfo_endpoint === undefined) return claims;
    const more = await oidc.fetchUserInfo(client, tokens.access_token, claims.sub);
    return { ...more, ...claims };
  }

  /** Its metadata, asked for once; after a failure, again. */
  #discovered(): Promise<oidc.Configuration> {
    this.#client ??= this.#discover().catch((error: unknown) => {
      this.#client = undefined;
      throw error;
    });
    return this.#client;
  }

  #discover(): Promise<oidc.Configuration> {
    const { issuer, clientId, clientSecret, guard } = this.#options;
    return oidc.discovery(new URL(issuer), clientId, {}, authentication(clientSecret), {
      [oidc.customFetch]: guardedFetch(guard),
      // Which hosts may be spoken to in plain http is the guard's decision.
      execute: [oidc.allowInsecureRequests, oidc.enableNonRepudiationChecks],
    });
  }
}

/** As the issuer takes it. OpenID Connect Discovery 3: if it does not say, that is `client_secret_basic`. */
function authentication(secret: Secret | undefined): oidc.ClientAuth {
  if (secret === undefined) return oidc.None();
  return (server, ...request) => {
    const methods = server.token_endpoint_auth_methods_supported ?? ['client_secret_basic'];
    const method = methods.includes('client_secret_basic') ? oidc.ClientSecretBasic : oidc.ClientSecretPost;
    return method(secret.reveal())(server, ...request);
  };
}

function guardedFetch(guard: EgressGuard): oidc.CustomFetch {
  return async (url, { method, headers, body }) => {
    const answer = await callProvider(
      {
        method: method === 'POST' ? 'POST' : 'GET',
        url,
        headers: { ...headers },
        ...(body === undefined || body === null ? {} : { body: String(body as URLSearchParams) }),
      },
      { guard },
    );
    const type = answer.headers['content-type'];
    return new Response(answer.body.reveal(), {
      status: answer.status,
      headers: type === undefined ? {} : { 'content-type': type },
    });
  };
}
