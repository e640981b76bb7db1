import { idRule, isId } from '@connectors/vault-core';
import { z } from 'zod';
import { hasOwnHost } from './api-address.ts';
import { placeholders } from './credential-fields.ts';
import { injectedFields, styleProblem } from './injection-style.ts';
import { providerFields, providerNotes } from './provider-fields.ts';
import type { Grant } from './provider-fields.ts';

/** An authorization server and its quirks, as plain data. */
export const providerSchema = z
  .strictObject({ id: z.string().refine(isId, `must be ${idRule}`), ...providerFields, ...providerNotes })
  .superRefine((provider, context) => {
    const report = (path: string[], message: string) => context.addIssue({ code: 'custom', path, message });
    const missing = missingEndpoint(provider);
    if (missing !== undefined) report(missing.path, missing.message);
    const style = styleProblem(provider.injection);
    if (style !== undefined) report(['injection'], style);
    for (const name of injectedFields(provider.injection)) {
      if (!isRequired(provider, name)) report(['fields', name], 'required, injection names it');
    }
    for (const [endpoint, template] of endpointTemplates(provider)) {
      for (const name of placeholders(template)) {
        if (!isRequired(provider, name)) report(['fields', name], `required, ${endpoint} names it`);
      }
      if (hasOwnHost(template) && provider.authorizationHost === undefined)
        report(['authorizationHost'], `required, fields stand in the host of ${endpoint}`);
    }
  });

export type Provider = z.infer<typeof providerSchema>;
export type ClientAuthentication = NonNullable<Provider['clientAuthentication']>;

/** A provider whose endpoints are known, from its definition or by discovery. */
export type ReadyProvider = Provider & {
  tokenUrl: string;
  clientAuthentication: ClientAuthentication;
  /** Its callbacks always say who it is (RFC 9207). */
  namesIssuer?: boolean;
};

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
  if (provider.tokenUrl !== undefined) return { path: ['authorizeUrl'], message: 'required' };
  const endpoints = provider.grant === 'authorization_code' ? 'authorizeUrl and tokenUrl are' : 'tokenUrl is';
  return { path: ['issuer'], message: `required, unless ${endpoints} given` };
}

/** The addresses of the authorization server, and what they name of a credential's fields. */
function endpointTemplates(provider: Provider): [string, string][] {
  const { authorizeUrl, tokenUrl, refreshUrl, revokeUrl } = provider;
  return Object.entries({ authorizeUrl, tokenUrl, refreshUrl, revokeUrl: withoutToken(revokeUrl) }).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
}

/** In a revocation's path these two names are not fields. */
function withoutToken(revokeUrl: string | undefined): string | undefined {
  return revokeUrl?.replaceAll(/(?<=:\/\/[^/?#]+\/[^?#]*)\{(?:token|clientId)\}/g, '-');
}

/** Whether new tokens are asked for without a refresh token: nothing is spent, and no answer can be lost. */
export function isMinted({ grant }: Pick<Provider, 'grant'>): boolean {
  return grant !== 'authorization_code' && grant !== 'api_key';
}

/** Whether every credential has this field. */
export function isRequired({ fields }: Pick<Provider, 'fields'>, name: string): boolean {
  return Object.hasOwn(fields, name) && fields[name]?.optional !== true;
}

/** What RFC 6749, 7009, 7636 and 6750 say where a provider says nothing; every definition starts from it. */
export const oauthDefaults = {
  grant: 'authorization_code',
  fields: {},
  revocation: {
    method: 'POST',
    authentication: 'client',
    body: 'form',
    parameter: 'token',
    takes: 'any',
    // RFC 7009 2.2 has no error for a token that is dead already; some providers have one.
    alreadyRevoked: ['invalid_token'],
  },
  revocationEnds: 'grant',
  scopeInAssertion: false,
  tokenParams: {},
  refreshParams: {},
  tokenHeaders: {},
  tokenRequestBody: 'form',
  omittedParams: {},
  pkce: true,
  scopeSeparator: ' ',
  grantedScopeSeparator: ' ',
  offlineScopes: [],
  authorizeParams: {},
  codeEncodedTwice: false,
  declinedErrors: ['access_denied'],
  responseFields: {
    accessToken: 'access_token',
    refreshToken: 'refresh_token',
    expiresIn: 'expires_in',
    expiresAt: 'expires_at',
    scope: 'scope',
    error: 'error',
  },
  refreshTokenRotates: true,
  errors: {},
  tokenRefusedStatuses: [401],
  tokenRefusedErrors: [],
  injection: { header: 'Authorization', scheme: 'Bearer', headers: {}, defaultHeaders: {} },
  unverified: [],
} satisfies Partial<Provider>;
