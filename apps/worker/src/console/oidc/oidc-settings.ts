import { Secret, type ConfigRule } from '@connectors/vault-core';
import { z } from 'zod';
import { readClaimRules, type ClaimRule } from './claim-rules.ts';

/** How operators sign in with an account of theirs. They go with {@link oidcRule}. */
export const oidcFields = {
  ADMIN_OIDC_ISSUER: z
    .string()
    .refine((text) => /^https?:$/.test(URL.parse(text)?.protocol ?? ''), 'must be an https URL')
    .optional()
    .describe('OpenID Connect issuer at which operators may sign in, besides the admin token.'),
  ADMIN_OIDC_CLIENT_ID: z
    .string()
    .optional()
    .describe(
      'Client id of the console at that issuer. Its redirect URI is `{CONSOLE_URL}/sign-in/callback`. Required with an issuer.',
    ),
  ADMIN_OIDC_CLIENT_SECRET: z
    .string()
    .transform((value) => new Secret(value))
    .optional()
    .describe('Secret of that client, unless it is a public client.'),
  ADMIN_OIDC_ALLOW: z
    .string()
    .transform((text, context) => {
      const rules = readClaimRules(text);
      if (rules === undefined)
        context.addIssue({ code: 'custom', message: 'must be claim=value, or a list of them with commas' });
      return rules ?? z.NEVER;
    })
    .optional()
    .describe(
      'Who is an operator: a list of claims, of which one must match, for example `email=a@example.com,groups=ops`. An `email` counts only if the issuer says `email_verified`. Required with an issuer.',
    ),
  ADMIN_OIDC_SCOPES: z
    .string()
    .regex(/^openid( \S+)*$/, 'must begin with openid, and have single spaces')
    .default('openid email profile')
    .describe('Scopes that are requested there.'),
};

export interface OidcSettings {
  issuer: string;
  clientId: string;
  clientSecret: Secret | undefined;
  scope: string;
  allow: ClaimRule[];
}

/** Nothing of an issuer without the issuer; with it, a client, and somebody who may sign in. */
export const oidcRule: ConfigRule = (given) => {
  const names = Object.keys(oidcFields).filter((name) => given[name] !== undefined);
  if (names.length === 0) return [];
  if (given['ADMIN_OIDC_ISSUER'] === undefined)
    return [`ADMIN_OIDC_ISSUER: is required, since there is ${names.join(', ')}`];
  return ['ADMIN_OIDC_CLIENT_ID', 'ADMIN_OIDC_ALLOW']
    .filter((name) => given[name] === undefined)
    .map((name) => `${name}: is required with ADMIN_OIDC_ISSUER`);
};

export function oidcSettings(config: z.infer<z.ZodObject<typeof oidcFields>>): OidcSettings | undefined {
  const { ADMIN_OIDC_ISSUER: issuer, ADMIN_OIDC_CLIENT_ID: clientId, ADMIN_OIDC_ALLOW: allow } = config;
  if (issuer === undefined || clientId === undefined || allow === undefined) return undefined;
  const { ADMIN_OIDC_CLIENT_SECRET: clientSecret, ADMIN_OIDC_SCOPES: scope } = config;
  return { issuer, clientId, clientSecret, scope, allow };
}
