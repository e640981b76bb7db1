import { isId, idRule } from '@connectors/vault-core';
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
  authorizeUrl: url.optional(),
  tokenUrl: url.optional(),
  /** Where refresh tokens are redeemed, if not at `tokenUrl`. */
  refreshUrl: url.optional(),
  revokeUrl: url.optional(),
  /** `basic`: RFC 6749 2.3.1; `post`: id and secret in the body; `none`: a public client. Absent: as discovered. */
  clientAuthentication: z.enum(['basic', 'post', 'none']).optional(),
  /** How the parameters of a token request are written. */
  tokenRequestBody: z.enum(['form', 'json']),
  pkce: z.boolean(),
  /** Between scopes in the authorize URL. */
  scopeSeparator: z.enum([' ', ',']),
  /** Between scopes in a token response. */
  grantedScopeSeparator: z.enum([' ', ',']),
  /** Added to every authorize URL. */
  authorizeParams: z.record(z.string(), z.string()),
  /** Seconds an access token lives when the response does not say; absent: it does not expire as far as we know. */
  assumedLifetime: z.int().positive().optional(),
  /** Whether a refresh spends the refresh token. When unsure say true: it only makes us more careful. */
  refreshTokenRotates: z.boolean(),
  /** The provider's own error codes, beyond those of RFC 6749; they win over the defaults. */
  errors: z.record(z.string(), z.enum(failureClasses)),
  apiBaseUrl: url.optional(),
  mcpUrl: url.optional(),
  injection: injectionSchema,
};

/** An authorization server and its quirks, as plain data. */
export const providerSchema = z
  .strictObject({ id: z.string().refine(isId, `must be ${idRule}`), ...providerFields })
  .refine((provider) => provider.issuer !== undefined || hasEndpoints(provider), {
    path: ['issuer'],
    error: 'required, unless authorizeUrl and tokenUrl are given',
  });

export type Provider = z.infer<typeof providerSchema>;
export type ClientAuthentication = NonNullable<Provider['clientAuthentication']>;

/** A provider whose endpoints are known, from its definition or by discovery. */
export type ReadyProvider = Provider & {
  authorizeUrl: string;
  tokenUrl: string;
  clientAuthentication: ClientAuthentication;
};

/** Whether nothing has to be discovered before this provider can be asked. */
export function hasEndpoints<P extends { authorizeUrl?: string | undefined; tokenUrl?: string | undefined }>(
  provider: P,
): provider is P & { authorizeUrl: string; tokenUrl: string } {
  return provider.authorizeUrl !== undefined && provider.tokenUrl !== undefined;
}

/** What RFC 6749, 7636 and 6750 say where a provider says nothing; every definition starts from it. */
export const oauthDefaults = {
  tokenRequestBody: 'form',
  pkce: true,
  scopeSeparator: ' ',
  grantedScopeSeparator: ' ',
  authorizeParams: {},
  refreshTokenRotates: true,
  errors: {},
  injection: { header: 'Authorization', scheme: 'Bearer', defaultHeaders: {} },
} satisfies Partial<Provider>;
