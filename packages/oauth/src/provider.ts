import { isId, idRule, mintingGrants } from '@connectors/vault-core';
import { z } from 'zod';

const url = z.url({ protocol: /^https?$/, error: 'must be an http or https URL' }).refine((text) => {
  const parsed = URL.parse(text);
  return parsed === null || (parsed.username === '' && parsed.password === '' && parsed.hash === '');
}, 'must be a URL without credentials and fragment');
const headerName = z.string().regex(/^[A-Za-z0-9-]+$/, 'must be a header name');
const headerValue = z.string().regex(/^[\x20-\x7e]*$/, 'must be printable ASCII');

/** How the access token gets into a request to the provider's API. */
const injectionSchema = z.strictObject({
  header: headerName,
  /** What stands before the token, for example `Bearer`; empty for a bare token. */
  scheme: headerValue,
  /** Sent when the agent's request has no header of that name, for APIs that insist on one. */
  defaultHeaders: z.record(headerName, headerValue),
});

/** A value that every credential has of its own, for example the id of an installation. */
const fieldSchema = z.strictObject({
  /** A regular expression (flag `u`) for the value as a whole: it is anchored when it is used. */
  pattern: z.string().refine(isRegExp, 'must be a regular expression'),
  optional: z.boolean().optional(),
});

/**
 * How an access token is had:
 * `authorization_code`: a user consents, a refresh token renews it (RFC 6749 4.1);
 * `client_credentials`: for the client itself (RFC 6749 4.4);
 * `jwt_bearer`: for an assertion that is signed here, as with service accounts (RFC 7523 2.1);
 * `github_app`: for an installation of a GitHub App;
 * `api_key`: it was given, does not expire and is only injected.
 */
const grants = ['authorization_code', ...mintingGrants, 'api_key'] as const;
export type Grant = (typeof grants)[number];

/**
 * What a failed token request means for the credential:
 * `permanent`: the grant is gone, the user has to connect again;
 * `transient`: try again with backoff;
 * `operator`: the operator has to mend something, the user's credential is fine;
 * `throttled`: too many requests, try again after `retryAfterMs`;
 * `lost_response`: the provider may have rotated the refresh token and we do not have the new one.
 */
export const failureClasses = ['permanent', 'transient', 'operator', 'throttled', 'lost_response'] as const;
export type FailureClass = (typeof failureClasses)[number];

/** The fields of a provider, each of which `connectors.yaml` can set. */
export const providerFields = {
  /** Shown to users. */
  name: z.string().min(1),
  /** An OpenID or RFC 8414 issuer: the endpoints come from its discovery document. */
  issuer: url.optional(),
  grant: z.enum(grants),
  /** What a credential has to bring along, by name. */
  fields: z.record(z.string().regex(/^[a-z][A-Za-z0-9]{0,63}$/, 'must be a name in camel case'), fieldSchema),
  authorizeUrl: url.optional(),
  /** May have `{name}` in its path for a field of the credential, where the grant is minted. */
  tokenUrl: url.optional(),
  /** Where refresh tokens are redeemed, if not at `tokenUrl`. */
  refreshUrl: url.optional(),
  revokeUrl: url.optional(),
  /** What a revocation ends: with `grant` one that is meant for an old token kills those of a reconnect, too. */
  revocationEnds: z.enum(['token', 'grant']),
  /**
   * `basic`: RFC 6749 2.3.1; `post`: id and secret in the body; `none`: a public client; `private_key_jwt`: an assertion
   * signed with the client's key (RFC 7523 2.2). Absent: as discovered.
   */
  clientAuthentication: z.enum(['basic', 'post', 'none', 'private_key_jwt']).optional(),
  /** Who our assertions are for; absent: the token endpoint. */
  assertionAudience: z.string().min(1).optional(),
  /** With `jwt_bearer`: whether the scopes stand in the assertion, and not beside it. */
  scopeInAssertion: z.boolean(),
  /** Added to every token request. */
  tokenParams: z.record(z.string(), z.string()),
  /** How the parameters of a token request are written. */
  tokenRequestBody: z.enum(['form', 'json']),
  pkce: z.boolean(),
  /** Between scopes in the authorize URL. */
  scopeSeparator: z.enum([' ', ',']),
  /** Between scopes in a token response. */
  grantedScopeSeparator: z.enum([' ', ',']),
  /** Added to every authorize URL. */
  authorizeParams: z.record(z.string(), z.string()),
  /** Where the access token stands in a token response. */
  accessTokenField: z.string().min(1),
  /** Seconds an access token lives when the response does not say; absent: it does not expire as far as we know. */
  assumedLifetime: z.int().positive().optional(),
  /** Whether a refresh spends the refresh token. When unsure say true: it only makes us more careful. */
  refreshTokenRotates: z.boolean(),
  /** Seconds a refresh token lives unless it is used, when the response does not say; absent: for ever. */
  refreshTokenIdleLifetime: z.int().positive().optional(),
  /** How many token requests of an integration a worker may have under way. */
  refreshConcurrency: z.int().positive().optional(),
  /** How many token requests of an integration may begin in a second, over all workers. */
  refreshesPerSecond: z.number().positive().optional(),
  /** The provider's own error codes, beyond those of RFC 6749; they win over the defaults. */
  errors: z.record(z.string(), z.enum(failureClasses)),
  apiBaseUrl: url.optional(),
  mcpUrl: url.optional(),
  injection: injectionSchema,
};

/** An authorization server and its quirks, as plain data. */
export const providerSchema = z
  .strictObject({ id: z.string().refine(isId, `must be ${idRule}`), ...providerFields })
  .superRefine((provider, context) => {
    const missing = missingEndpoint(provider);
    if (missing !== undefined) context.addIssue({ code: 'custom', ...missing });
    for (const name of placeholders(provider.tokenUrl)) {
      if (Object.hasOwn(provider.fields, name) && provider.fields[name]?.optional !== true) continue;
      context.addIssue({ code: 'custom', path: ['fields', name], message: 'required, tokenUrl names it' });
    }
  });

export type Provider = z.infer<typeof providerSchema>;
export type ClientAuthentication = NonNullable<Provider['clientAuthentication']>;

/** A provider whose endpoints are known, from its definition or by discovery. */
export type ReadyProvider = Provider & { tokenUrl: string; clientAuthentication: ClientAuthentication };

interface Endpoints {
  grant: Grant;
  issuer?: string | undefined;
  authorizeUrl?: string | undefined;
  tokenUrl?: string | undefined;
}

/** Whether nothing has to be discovered before this provider can be asked. */
export function hasEndpoints<P extends Endpoints>(provider: P): provider is P & { tokenUrl: string } {
  const { grant, authorizeUrl, tokenUrl } = provider;
  return tokenUrl !== undefined && (grant !== 'authorization_code' || authorizeUrl !== undefined);
}

function missingEndpoint(provider: Endpoints): { path: string[]; message: string } | undefined {
  if (provider.grant === 'api_key' || hasEndpoints(provider)) return undefined;
  // No discovery document knows the addresses of GitHub's API.
  if (provider.grant === 'github_app') return { path: ['tokenUrl'], message: 'required' };
  if (provider.issuer !== undefined) return undefined;
  const endpoints = provider.grant === 'authorization_code' ? 'authorizeUrl and tokenUrl are' : 'tokenUrl is';
  return { path: ['issuer'], message: `required, unless ${endpoints} given` };
}

/** The names of the fields that a URL has to be filled with. */
function placeholders(url = ''): string[] {
  return [...url.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
}

/** Whether new tokens are asked for without a refresh token: nothing is spent, and no answer can be lost. */
export function isMinted({ grant }: Pick<Provider, 'grant'>): boolean {
  return grant !== 'authorization_code' && grant !== 'api_key';
}

function isRegExp(pattern: string): boolean {
  try {
    return new RegExp(pattern, 'u') instanceof RegExp;
  } catch {
    return false;
  }
}

/** What RFC 6749, 7009, 7636 and 6750 say where a provider says nothing; every definition starts from it. */
export const oauthDefaults = {
  grant: 'authorization_code',
  fields: {},
  revocationEnds: 'grant',
  scopeInAssertion: false,
  tokenParams: {},
  tokenRequestBody: 'form',
  pkce: true,
  scopeSeparator: ' ',
  grantedScopeSeparator: ' ',
  authorizeParams: {},
  accessTokenField: 'access_token',
  refreshTokenRotates: true,
  errors: {},
  injection: { header: 'Authorization', scheme: 'Bearer', defaultHeaders: {} },
} satisfies Partial<Provider>;
