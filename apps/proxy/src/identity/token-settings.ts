import { EgressRefusedError, type EgressGuard } from '@connectors/egress';
import type { ConfigRule } from '@connectors/vault-core';
import { z } from 'zod';
import type { ClaimNames } from './token-claims.ts';

/** As a token's `iss` has it, to the last slash. */
const url = z
  .string()
  .refine((text) => /^https?:$/.test(URL.parse(text)?.protocol ?? ''), 'must be an https URL')
  .optional();
const claim = z.string();

/** Which tokens agents may present. They go with {@link tokenRule}. */
export const tokenFields = {
  AGENT_JWT_ISSUER: url.describe(
    'Issuer whose JWTs agents may present instead of an agent key: their `iss`, for example `https://login.example.com/`. Left out: no JWTs are accepted.',
  ),
  AGENT_JWT_AUDIENCE: z
    .string()
    .optional()
    .describe('Audience that the `aud` of those JWTs must name. Required with an issuer.'),
  AGENT_JWT_JWKS_URL: url.describe('Address of the issuer’s public keys. Left out: taken from its metadata.'),
  AGENT_JWT_TENANTS_CLAIM: claim
    .default('tenants')
    .describe('Claim that holds the tenants of an agent: one id, or a list.'),
  AGENT_JWT_INTEGRATIONS_CLAIM: claim
    .optional()
    .describe('Claim that holds the integrations of an agent. Left out: all of them.'),
  AGENT_JWT_GRANTS_CLAIM: claim
    .optional()
    .describe('Claim that holds complete grants, in the form of docs/agents.md, instead of the two above.'),
};

export interface TokenSettings {
  issuer: string;
  audience: string;
  jwksUrl: string | undefined;
  claims: ClaimNames;
}

/** Nothing of an issuer without the issuer, no issuer without an audience, and none that cannot be asked. */
export function tokenRule(guard: EgressGuard): ConfigRule {
  return (given) => {
    const names = Object.keys(tokenFields).filter((name) => given[name] !== undefined);
    if (names.length === 0) return [];
    if (given['AGENT_JWT_ISSUER'] === undefined) {
      return [`AGENT_JWT_ISSUER: is required, since there is ${names.join(', ')}`];
    }
    const problems = ['AGENT_JWT_ISSUER', 'AGENT_JWT_JWKS_URL'].flatMap((name) =>
      refusal(guard, name, given[name]),
    );
    if (given['AGENT_JWT_AUDIENCE'] !== undefined) return problems;
    return [...problems, 'AGENT_JWT_AUDIENCE: is required with AGENT_JWT_ISSUER'];
  };
}

function refusal(guard: EgressGuard, name: string, address: string | undefined): string[] {
  try {
    if (address !== undefined && URL.canParse(address)) guard.check(address);
    return [];
  } catch (error) {
    if (!(error instanceof EgressRefusedError)) throw error;
    return [`${name}: ${error.message}`];
  }
}

export function tokenSettings(config: z.infer<z.ZodObject<typeof tokenFields>>): TokenSettings | undefined {
  const { AGENT_JWT_ISSUER: issuer, AGENT_JWT_AUDIENCE: audience } = config;
  if (issuer === undefined || audience === undefined) return undefined;
  return {
    issuer,
    audience,
    jwksUrl: config.AGENT_JWT_JWKS_URL,
    claims: {
      tenants: config.AGENT_JWT_TENANTS_CLAIM,
      integrations: config.AGENT_JWT_INTEGRATIONS_CLAIM,
      grants: config.AGENT_JWT_GRANTS_CLAIM,
    },
  };
}
