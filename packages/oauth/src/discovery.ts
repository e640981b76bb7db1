import { z } from 'zod';
import type { Integration, ReadyIntegration } from './integration.ts';
import { hasEndpoints } from './provider.ts';
import type { ClientAuthentication } from './provider.ts';
import { callProvider, TokenRequestError } from './provider-call.ts';
import type { CallOptions } from './provider-call.ts';

/** Milliseconds until the next try to fetch a document that could not be fetched again. */
const retryAfter = 60 * 1000;

/** Milliseconds a discovery document is taken as current. */
const freshFor = 60 * 60 * 1000;

const documentSchema = z.object({
  issuer: z.string(),
  // RFC 8414 2: absent where no grant uses it.
  authorization_endpoint: z.url().optional(),
  token_endpoint: z.url(),
  revocation_endpoint: z.url().optional(),
  // RFC 9207 3.
  authorization_response_iss_parameter_supported: z.boolean().default(false),
  // RFC 8414 2: if the document does not say, it is client_secret_basic.
  token_endpoint_auth_methods_supported: z.array(z.string()).default(['client_secret_basic']),
});
type DiscoveryDocument = z.infer<typeof documentSchema>;

/**
 * Finds the endpoints of providers that are known by their issuer. Documents are kept for an hour; when one cannot
 * be fetched again the last one serves on, so that refreshes do not depend on it.
 */
export class Discovery {
  readonly #options: CallOptions & { now: () => number };
  readonly #known = new Map<string, { document: DiscoveryDocument; fetchedAt: number }>();
  readonly #underWay = new Map<string, Promise<DiscoveryDocument>>();

  constructor(options: Omit<CallOptions, 'signal'>) {
    this.#options = { now: Date.now, ...options };
  }

  /**
   * Completes an integration; without I/O if its definition has the endpoints. Call it before a refresh token is
   * claimed.
   *
   * @throws {TokenRequestError} with `sent: 'no'`: `egress_refused`, `discovery_failed` (no document) or
   *   `discovery_invalid` (a document that is not one, or of another issuer)
   */
  async complete(integration: Integration): Promise<ReadyIntegration> {
    const { provider } = integration;
    if (hasEndpoints(provider)) {
      return {
        ...integration,
        provider: { ...provider, clientAuthentication: provider.clientAuthentication ?? 'basic' },
      };
    }
    if (provider.issuer === undefined) throw new TokenRequestError('discovery_invalid', 'no');
    const document = await this.#document(provider.issuer);
    const complete = {
      ...provider,
      authorizeUrl: provider.authorizeUrl ?? document.authorization_endpoint,
      tokenUrl: provider.tokenUrl ?? document.token_endpoint,
      revokeUrl: provider.revokeUrl ?? document.revocation_endpoint,
      namesIssuer: document.authorization_response_iss_parameter_supported,
      clientAuthentication:
        provider.clientAuthentication ??
        chooseAuthentication(document.token_endpoint_auth_methods_supported, integration),
    };
    if (!hasEndpoints(complete)) throw new TokenRequestError('discovery_invalid', 'no');
    return { ...integration, provider: complete };
  }

  async #document(issuer: string): Promise<DiscoveryDocument> {
    const known = this.#known.get(issuer);
    if (known !== undefined && this.#options.now() - known.fetchedAt < freshFor) return known.document;
    let fetching = this.#underWay.get(issuer);
    if (fetching === undefined) {
      fetching = this.#fetch(issuer).finally(() => this.#underWay.delete(issuer));
      this.#underWay.set(issuer, fetching);
    }
    try {
      return await fetching;
    } catch (error) {
      if (known === undefined) throw error;
      // Refreshes must not wait for a server that is away, one after the other.
      known.fetchedAt = this.#options.now() - freshFor + retryAfter;
      return known.document;
    }
  }

  async #fetch(issuer: string): Promise<DiscoveryDocument> {
    for (const url of wellKnownUrls(issuer)) {
      const answer = await callProvider({ method: 'GET', url }, this.#options).catch((error: unknown) => {
        // Nothing of a token request was sent, whatever became of this one.
        throw error instanceof TokenRequestError && error.code !== 'egress_refused'
          ? new TokenRequestError('discovery_failed', 'no')
          : error;
      });
      if (answer.status === 404) continue;
      if (answer.status !== 200) throw new TokenRequestError('discovery_failed', 'no');
      const document = readDocument(issuer, answer.body.reveal());
      this.#known.set(issuer, { document, fetchedAt: answer.receivedAt });
      return document;
    }
    throw new TokenRequestError('discovery_failed', 'no');
  }
}

/** Where an issuer's metadata are. OpenID Connect Discovery 4 appends the well-known path to the issuer, RFC 8414 3.1 puts it before the path. */
export function wellKnownUrls(issuer: string): string[] {
  const { origin, pathname } = new URL(issuer);
  const path = pathname.replace(/\/$/, '');
  return [
    `${origin}${path}/.well-known/openid-configuration`,
    `${origin}/.well-known/oauth-authorization-server${path}`,
  ];
}

/** A document that names another issuer would mix up that one's codes and tokens with this one's (RFC 8414 3.3). */
function readDocument(issuer: string, text: string): DiscoveryDocument {
  const document = documentSchema.safeParse(parseJson(text));
  if (!document.success || document.data.issuer !== issuer)
    throw new TokenRequestError('discovery_invalid', 'no');
  return document.data;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function chooseAuthentication(
  supported: readonly string[],
  { clientKey, clientSecret }: Integration,
): ClientAuthentication {
  // A client that has both keeps to its secret: the key may be there for assertions that are grants.
  if (clientKey !== undefined && clientSecret === undefined && supported.includes('private_key_jwt'))
    return 'private_key_jwt';
  if (supported.includes('client_secret_basic')) return 'basic';
  if (supported.includes('client_secret_post')) return 'post';
  return supported.includes('none') ? 'none' : 'basic';
}
