import { isId, idRule, mintingGrants } from '@connectors/vault-core';
import { z } from 'zod';
import { placeholders } from './credential-fields.ts';
import { injectedFields, injectionSchema, styleProblem } from './injection-style.ts';

const url = z.url({ protocol: /^https?$/, error: 'must be an http or https URL' }).refine((text) => {
  const parsed = URL.parse(text);
  return parsed === null || (parsed.username === '' && parsed.password === '' && parsed.hash === '');
}, 'must be a URL without credentials and fragment');
const fieldName = z.string().regex(/^[a-z][A-Za-z0-9]{0,63}$/, 'must be a name in camel case');

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

/** The fields of a provider, each of which `connectors.yaml` can set; docs/connectors-yaml.md is made from them. */
export const providerFields = {
  name: z.string().min(1).describe('Shown to users.'),
  issuer: url
    .optional()
    .describe('An OpenID or RFC 8414 issuer: the endpoints come from its discovery document.'),
  grant: z.enum(grants).describe('How access tokens are had.'),
  fields: z
    .record(fieldName, fieldSchema)
    .describe(
      'What each credential has to bring along, by name: `pattern` is a regular expression for the whole value, `optional` says that it may be missing.',
    ),
  authorizeUrl: url.optional().describe('Where users are sent to consent.'),
  tokenUrl: url
    .optional()
    .describe(
      'Where tokens are asked for. Where no user consents, `{name}` in its path stands for a field of the credential.',
    ),
  refreshUrl: url.optional().describe('Where refresh tokens are redeemed, if not at `tokenUrl`.'),
  revokeUrl: url.optional().describe('Where tokens are ended (RFC 7009).'),
  revocationEnds: z
    .enum(['token', 'grant'])
    .describe(
      'What a revocation ends. With `grant`, to end an old token would end those of a reconnect, too.',
    ),
  clientAuthentication: z
    .enum(['basic', 'post', 'none', 'private_key_jwt'])
    .optional()
    .describe(
      '`basic`: RFC 6749 2.3.1; `post`: id and secret in the body; `none`: a public client; `private_key_jwt`: an assertion signed with the private key (RFC 7523 2.2). Left out: as discovered, else `basic`.',
    ),
  assertionAudience: z
    .string()
    .min(1)
    .optional()
    .describe('Who signed assertions are for. Left out: the token endpoint.'),
  scopeInAssertion: z
    .boolean()
    .describe('With `jwt_bearer`: whether the scopes stand in the assertion, not beside it.'),
  tokenParams: z.record(z.string(), z.string()).describe('Added to every token request.'),
  tokenRequestBody: z.enum(['form', 'json']).describe('How the parameters of a token request are written.'),
  pkce: z.boolean().describe('Whether the provider takes PKCE (RFC 7636).'),
  scopeSeparator: z.enum([' ', ',']).describe('Between scopes in a request.'),
  grantedScopeSeparator: z.enum([' ', ',']).describe('Between scopes in a token response.'),
  authorizeParams: z.record(z.string(), z.string()).describe('Added to every authorize URL.'),
  accessTokenField: z.string().min(1).describe('Where the access token stands in a token response.'),
  assumedLifetime: z
    .int()
    .positive()
    .optional()
    .describe(
      'Seconds an access token lives when the response does not say. Left out: it does not expire as far as we know.',
    ),
  refreshTokenRotates: z
    .boolean()
    .describe('Whether a refresh spends the refresh token. When unsure: yes, it only makes us more careful.'),
  refreshTokenIdleLifetime: z
    .int()
    .positive()
    .optional()
    .describe(
      'Seconds a refresh token lives unless it is used, when the response does not say. Left out: for ever.',
    ),
  refreshConcurrency: z
    .int()
    .positive()
    .optional()
    .describe('How many token requests of the integration a worker may have under way.'),
  refreshesPerSecond: z
    .number()
    .positive()
    .optional()
    .describe('How many token requests of the integration may begin in a second, over all workers.'),
  errors: z
    .record(z.string(), z.enum(failureClasses))
    .describe(
      `What the provider's own error codes mean, beyond those of RFC 6749: ${failureClasses.join(', ')}. They win over the defaults.`,
    ),
  tokenRefusedStatuses: z
    .array(z.int().min(400).max(499))
    .describe(
      'Statuses by which its API says that a token is dead. A `WWW-Authenticate` with `invalid_token` or `insufficient_scope` counts for more.',
    ),
  maxConcurrentRequests: z
    .int()
    .positive()
    .optional()
    .describe(
      'How many requests of agents a proxy may have under way to its API. Left out: `UPSTREAM_MAX_CONCURRENT_REQUESTS`.',
    ),
  apiBaseUrl: url
    .optional()
    .describe(
      'Base URL of its API, where `upstream.rest` names no other. `{name}` stands for a field of the credential, also in the host if `apiHost` is given.',
    ),
  apiHost: z
    .string()
    .refine(isRegExp, 'must be a regular expression')
    .optional()
    .describe(
      "With fields in the host of `apiBaseUrl` or an `upstream`: a regular expression for the whole host, its port included. A credential's token goes to no other.",
    ),
  mcpUrl: url.optional().describe('Its MCP server, where `upstream.mcp` names no other.'),
  injection: injectionSchema.describe(
    'How the token gets into requests: `header` and the `scheme` before it (may be empty), or `basic` (user and password), or `query` (a parameter); `headers` that are always sent, and `defaultHeaders` for requests that lack them.',
  ),
};

/** An authorization server and its quirks, as plain data. */
export const providerSchema = z
  .strictObject({ id: z.string().refine(isId, `must be ${idRule}`), ...providerFields })
  .superRefine((provider, context) => {
    const missing = missingEndpoint(provider);
    if (missing !== undefined) context.addIssue({ code: 'custom', ...missing });
    const style = styleProblem(provider.injection);
    if (style !== undefined) context.addIssue({ code: 'custom', path: ['injection'], message: style });
    for (const name of injectedFields(provider.injection)) {
      if (isRequired(provider, name)) continue;
      context.addIssue({ code: 'custom', path: ['fields', name], message: 'required, injection names it' });
    }
    const names = placeholders(provider.tokenUrl);
    if (names.length > 0 && !isMinted(provider))
      context.addIssue({
        code: 'custom',
        path: ['tokenUrl'],
        message: 'may not name fields with this grant',
      });
    for (const name of names) {
      if (isRequired(provider, name)) continue;
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

/** Whether new tokens are asked for without a refresh token: nothing is spent, and no answer can be lost. */
export function isMinted({ grant }: Pick<Provider, 'grant'>): boolean {
  return grant !== 'authorization_code' && grant !== 'api_key';
}

/** Whether every credential has this field. */
export function isRequired({ fields }: Pick<Provider, 'fields'>, name: string): boolean {
  return Object.hasOwn(fields, name) && fields[name]?.optional !== true;
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
  tokenRefusedStatuses: [401],
  injection: { header: 'Authorization', scheme: 'Bearer', headers: {}, defaultHeaders: {} },
} satisfies Partial<Provider>;
