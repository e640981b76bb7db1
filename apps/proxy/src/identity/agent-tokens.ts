import { ConnectorsError } from '@connectors/vault-core';
import { errors, jwtVerify, type JWTPayload } from 'jose';
import { Permissions } from '../access/permissions.ts';
import type { Admission } from './admissions.ts';
import type { IssuerKeys } from './issuer-keys.ts';
import { agentIdOf, readGrants, type ClaimNames } from './token-claims.ts';

export interface AgentTokensOptions {
  issuer: string;
  audience: string;
  claims: ClaimNames;
  keys: Pick<IssuerKeys, 'find'>;
  now: () => number;
}

/** With a symmetric one, whoever may verify tokens could make them, and a public key be taken for a secret. */
const algorithms = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'Ed25519',
  'EdDSA',
];

/** Seconds by which the clocks of issuer and proxy may differ. */
const clockTolerance = 30;

/** A token is verified again after so many milliseconds: the issuer may have taken its key back. */
const trustedMs = 10 * 60_000;

/** RFC 9068 2.1; many issuers say `JWT`, or nothing. Tokens of any other kind are for something else. */
const types = new Set([undefined, 'jwt', 'at+jwt', 'application/at+jwt']);

/** Agents that present a JWT of the configured issuer instead of a key. */
export class AgentTokens {
  readonly #options: AgentTokensOptions;

  constructor(options: AgentTokensOptions) {
    this.#options = options;
  }

  /**
   * @throws ConnectorsError `agent_unauthenticated`, `issuer_unavailable`, or `agent_forbidden` for a good token that grants
   *   nothing
   */
  async verify(token: string): Promise<Admission> {
    const { payload, typ } = await this.#check(token);
    const { sub, exp } = payload;
    if (!types.has(typ?.toLowerCase())) throw refused('its type is another');
    if (typeof sub !== 'string' || sub === '') throw refused('it has no subject');
    const now = this.#options.now();
    const expiresAt = ((exp ?? 0) + clockTolerance) * 1_000;
    const trustedUntil = Math.min(expiresAt, now + trustedMs);
    const grants = readGrants(payload, this.#options.claims);
    const id = agentIdOf(sub);
    const createdAt = new Date(now).toISOString();
    const agent = { id, name: id, keys: [], grants, createdAt, permissions: new Permissions(grants) };
    return { agent, expiresAt, trustedUntil, isStored: false };
  }

  async #check(token: string): Promise<{ payload: JWTPayload; typ: string | undefined }> {
    const { issuer, audience, keys, now } = this.#options;
    try {
      const { payload, protectedHeader } = await jwtVerify(token, keys.find, {
        issuer,
        audience,
        algorithms,
        clockTolerance,
        requiredClaims: ['exp', 'sub'],
        currentDate: new Date(now()),
      });
      return { payload, typ: protectedHeader.typ };
    } catch (error) {
      throw error instanceof errors.JOSEError ? refused(reasonOf(error)) : error;
    }
  }
}

/** In words of our own: messages of errors could hold parts of the token. */
function reasonOf(error: errors.JOSEError): string {
  if (error instanceof errors.JWTExpired) return 'it has expired';
  if (error instanceof errors.JWTClaimValidationFailed) {
    const claim = ['iss', 'aud', 'exp', 'nbf', 'sub', 'iat'].find((name) => name === error.claim);
    return claim === undefined ? 'a claim is not accepted' : `its claim \`${claim}\` is not accepted`;
  }
  if (error instanceof errors.JOSEAlgNotAllowed) return 'its algorithm is not accepted';
  if (error instanceof errors.JWKSNoMatchingKey) return 'the issuer has no such key';
  return 'it is malformed, or its signature is wrong';
}

function refused(reason: string): ConnectorsError {
  return new ConnectorsError('agent_unauthenticated', `The token is not valid: ${reason}`);
}
