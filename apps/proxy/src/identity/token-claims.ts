import { createHash } from 'node:crypto';
import { ConnectorsError, grantsSchema, idRule, isId, type Grant } from '@connectors/vault-core';
import type { JWTPayload } from 'jose';

/** In which claims of a token its grants are. */
export interface ClaimNames {
  tenants: string;
  /** Absent: every token is for all integrations. */
  integrations: string | undefined;
  /** Grants in full; then the other two are not looked at. */
  grants: string | undefined;
}

/**
 * What a token grants.
 *
 * @throws ConnectorsError `agent_forbidden`, naming the claim that is missing or not as it should be
 */
export function readGrants(claims: JWTPayload, names: ClaimNames): Grant[] {
  if (names.grants !== undefined) return readFullGrants(claims[names.grants], names.grants);
  const tenants = readIds(claims[names.tenants], names.tenants);
  if (names.integrations === undefined) return [{ tenants }];
  return [{ tenants, integrations: readIds(claims[names.integrations], names.integrations) }];
}

function readFullGrants(value: unknown, claim: string): Grant[] {
  if (value === undefined) throw missing(claim);
  const { data, error } = grantsSchema.safeParse(value);
  if (data !== undefined) return data;
  const problems = error.issues.map(({ path, message }) => `${[claim, ...path].join('.')}: ${message}`);
  throw new ConnectorsError('agent_forbidden', `The token's grants are refused: ${problems.join('; ')}`);
}

function readIds(value: unknown, claim: string): string[] {
  if (value === undefined || (Array.isArray(value) && value.length === 0)) throw missing(claim);
  const ids: unknown[] = Array.isArray(value) ? value : [value];
  if (ids.every((id) => typeof id === 'string' && isId(id))) return ids as string[];
  throw new ConnectorsError('agent_forbidden', `The token's claim \`${claim}\` must hold ids: ${idRule}`);
}

function missing(claim: string): ConnectorsError {
  return new ConnectorsError('agent_forbidden', `The token grants nothing: it has no claim \`${claim}\``);
}

/**
 * The id of an agent that is known by its token. No two subjects share one: sessions are bound to it. One that is no
 * short printable text is told apart by its hash.
 */
export function agentIdOf(subject: string): string {
  if (/^[\x21-\x7d]{1,128}$/.test(subject)) return `jwt:${subject}`;
  const readable = subject.replace(/[^\x21-\x7d]/g, '').slice(0, 40);
  return `jwt:${readable}~${createHash('sha256').update(subject).digest('base64url').slice(0, 22)}`;
}
