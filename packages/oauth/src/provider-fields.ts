import { mintingGrants } from '@connectors/vault-core';
import { z } from 'zod';
import { fieldSchema, isRegExp, sourceSchema } from './field-rule.ts';
import { headerName, headerValue, injectionSchema } from './injection-style.ts';
import { revocationSchema } from './revocation-style.ts';

const url = z.url({ protocol: /^https?$/, error: 'must be an http or https URL' }).refine((text) => {
  const parsed = URL.parse(text);
  return parsed === null || (parsed.username === '' && parsed.password === '' && parsed.hash === '');
}, 'must be a URL without credentials and fragment');
export const fieldName = z.string().regex(/^[a-z][A-Za-z0-9]{0,63}$/, 'must be a name in camel case');
const hostPattern = z.string().refine(isRegExp, 'must be a regular expression').optional();
const seconds = z.int().positive().optional();
const texts = z.record(z.string(), z.string());

/**
 * How an access token is obtained:
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

/** The names of the parts of a token response. */
const responseFieldsSchema = z.strictObject({
  accessToken: z.string().min(1),
  refreshToken: z.string().min(1),
  expiresIn: z.string().min(1),
  expiresAt: z.string().min(1),
  scope: z.string().min(1),
  /** The code of an error; `error` is looked for as well. */
  error: z.string().min(1),
});

/** Parameters of the RFCs that a provider does not want. Those that protect a flow cannot be left out. */
const omittedParamsSchema = z.strictObject({
  authorize: z.array(z.enum(['response_type', 'scope'])).optional(),
  exchange: z.array(z.enum(['grant_type', 'client_id', 'redirect_uri'])).optional(),
  refresh: z.array(z.enum(['grant_type', 'client_id'])).optional(),
});

/** The fields of a provider, each of which `connectors.yaml` can set; docs/integration-fields.md is made from them. */
export const providerFields = {
  name: z.string().min(1).describe('Shown to users.'),
  issuer: url
    .optional()
    .describe('An OpenID or RFC 8414 issuer: the endpoints come from its discovery document.'),
  grant: z.enum(grants).describe('How access tokens are obtained.'),
  fields: z
    .record(fieldName, fieldSchema)
    .describe(
      'Values that addresses, headers and token requests refer to as `{name}`. `pattern` is a regular expression for the whole value; with `optional` it may be missing. Each credential has its own value, unless the rule says `configured`: then it is set under `values`, or is the `default`. `from` says where the value comes from: `response` (a field of the token response), `callback` (a parameter) or `lookup` (another address, with the `path` in its answer and, for a list from which the user may choose, the `label` of an item); `part: host` takes the host of a URL. The field `redirectUri` is always known: the redirect URI of the connect.',
    ),
  account: z
    .strictObject({ id: sourceSchema, name: sourceSchema.optional() })
    .optional()
    .describe(
      'Where to find whose tokens they are: a permanent `id` and a `name` for people, each written like `from` of a field. Left out: `sub` and `email` of the ID token, if there is one.',
    ),
  codeEncodedTwice: z
    .boolean()
    .describe('Whether the code of a callback has to be percent-decoded once more before it is redeemed.'),
  declinedErrors: z
    .array(z.string().min(1))
    .describe('What the `error` of a callback is when the user said no.'),
  authorizeUrl: url
    .optional()
    .describe('Where users are sent to consent. Here and in the next three, `{name}` stands for a field.'),
  tokenUrl: url.optional().describe('Where tokens are requested.'),
  refreshUrl: url.optional().describe('Where refresh tokens are redeemed, if not at `tokenUrl`.'),
  revokeUrl: url
    .optional()
    .describe('Where tokens are revoked (RFC 7009). Its path may contain `{token}` and `{clientId}`.'),
  authorizationHost: hostPattern.describe(
    "Required if the host of one of these four contains a credential's field: a regular expression for the whole host. The client's secret goes to no other.",
  ),
  revocation: revocationSchema.describe(
    'How a token is revoked: `method`; `authentication` (`client`, `basic`, `bearer`: the token itself, `client_scheme`, `none`); `body` (`form`, `json`, `none`); the `parameter` that carries the token; which tokens it `takes` (`any`, `access`, `refresh`); `alreadyRevoked`: reasons that mean that it was revoked before.',
  ),
  revocationEnds: z
    .enum(['token', 'grant'])
    .describe(
      'What a revocation ends. With `grant`, revoking an old token would also end those of a reconnect, so it is not done.',
    ),
  clientAuthentication: z
    .enum(['basic', 'post', 'none', 'private_key_jwt', 'secret_as_user'])
    .optional()
    .describe(
      '`basic`: RFC 6749 2.3.1; `post`: id and secret in the body; `none`: a public client; `private_key_jwt`: an assertion signed with the private key (RFC 7523 2.2); `secret_as_user`: the secret as the user name of `basic`, without a password. Left out: as discovered, else `basic`.',
    ),
  assertionAudience: z
    .string()
    .min(1)
    .optional()
    .describe('Audience of signed assertions. Left out: the token endpoint.'),
  scopeInAssertion: z
    .boolean()
    .describe('With `jwt_bearer`: whether the scopes are part of the assertion, not of the request.'),
  tokenParams: texts.describe('Added to every token request.'),
  refreshParams: texts.describe(
    'Added to refresh requests; `{name}` stands for a field of the credential. A parameter whose field is missing is left out.',
  ),
  tokenHeaders: z.record(headerName, headerValue).describe('Headers of every token request.'),
  tokenRequestBody: z
    .enum(['form', 'json', 'query'])
    .describe(
      'How the parameters of a token request are sent. With `query` they are part of the URL, and only what identifies the client is in a form.',
    ),
  omittedParams: omittedParamsSchema.describe(
    'Parameters of RFC 6749 that are not sent, by request: `authorize`, `exchange` (of the code), `refresh`.',
  ),
  pkce: z.boolean().describe('Whether the provider accepts PKCE (RFC 7636).'),
  scopeSeparator: z.enum([' ', ',']).describe('Separates scopes in a request.'),
  grantedScopeSeparator: z.enum([' ', ',']).describe('Separates scopes in a token response.'),
  offlineScopes: z
    .array(z.string().min(1))
    .describe('Requested besides `scopes`: without them the provider issues no refresh token.'),
  authorizeParams: texts.describe('Added to every authorize URL.'),
  tokensIn: z
    .string()
    .min(1)
    .optional()
    .describe('Name of the object in a token response that holds the tokens, if there is one.'),
  responseFields: responseFieldsSchema.describe(
    'Names of the parts of a token response: `accessToken`, `refreshToken`, `expiresIn`, `expiresAt`, `scope`, `error`.',
  ),
  assumedLifetime: seconds.describe(
    'Seconds that an access token lives if the response does not say. Left out: it does not expire as far as we know.',
  ),
  refreshTokenRotates: z
    .boolean()
    .describe(
      'Whether a refresh spends the refresh token. If unsure, leave it `true`: that only makes us more careful.',
    ),
  refreshTokenGrace: seconds.describe(
    'Seconds for which a spent refresh token still works, so that a lost answer can be requested again.',
  ),
  refreshTokenIdleLifetime: seconds.describe(
    'Seconds that an unused refresh token lives if the response does not say. Left out: for ever.',
  ),
  refreshTokenLifetime: seconds.describe(
    'Seconds from the consent to the end of its last refresh token, however often it is used, if the response does not say.',
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
      `What the provider's own error codes mean, beyond those of RFC 6749: ${failureClasses.join(', ')}. They override the defaults.`,
    ),
  tokenRefusedStatuses: z
    .array(z.int().min(400).max(499))
    .describe(
      'Statuses by which its API says that a token is dead. A `WWW-Authenticate` with `invalid_token` or `insufficient_scope` takes precedence.',
    ),
  tokenRefusedErrors: z
    .array(z.string().min(1))
    .describe(
      'Codes by which its API says in a success that a token is dead: the `error` of a JSON answer of at most 4 KiB.',
    ),
  maxConcurrentRequests: z
    .int()
    .positive()
    .optional()
    .describe(
      'How many requests a proxy may have under way to its API. Left out: `UPSTREAM_MAX_CONCURRENT_REQUESTS`.',
    ),
  apiBaseUrl: url
    .optional()
    .describe(
      'Base URL of its API, unless `upstream.rest` names another. `{name}` stands for a field; a credential’s field may be part of the host only if `apiHost` is given.',
    ),
  apiHost: hostPattern.describe(
    "Required if the host of `apiBaseUrl` or an `upstream` contains a credential's field: a regular expression for the whole host, its port included. A credential's token goes to no other.",
  ),
  mcpUrl: url.optional().describe('Its MCP server, unless `upstream.mcp` names another.'),
  injection: injectionSchema.describe(
    'How the token gets into requests: `header` and the `scheme` before it (may be empty), or `basic` (user and password), or `query` (a parameter); `headers` that are always sent, and `defaultHeaders` for requests that lack them.',
  ),
};

/** What a definition of the catalog says for docs/providers.md; `connectors.yaml` cannot. */
export const providerNotes = {
  docsUrl: url.optional(),
  /** The fields whose values nobody has confirmed yet at the provider itself. */
  unverified: z.array(z.string()),
  /** What has to be set up at the provider or in `connectors.yaml`, or will change: Markdown. */
  note: z.string().optional(),
};
