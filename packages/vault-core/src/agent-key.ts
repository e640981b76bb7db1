import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { encodeBase32, isId } from './ids.ts';
import { Secret } from './secret.ts';

/** An agent key as presented: which agent it claims to be, and the proof. */
export interface AgentKey {
  id: string;
  secret: Secret;
}

/** A key for an agent. It is shown once: nothing can bring it back. */
export function newAgentKey(agentId: string): { key: Secret; secretSha256: string } {
  const secret = encodeBase32(randomBytes(32));
  return { key: new Secret(`cak_${agentId}_${secret}`), secretSha256: sha256(secret).toString('hex') };
}

/** Parses an agent key; `undefined` if the text is not one. */
export function parseAgentKey(text: string): AgentKey | undefined {
  const [scheme, id, secret, ...rest] = text.split('_');
  if (scheme !== 'cak' || id === undefined || !isId(id) || !secret || rest.length > 0) return undefined;
  return { id, secret: new Secret(secret) };
}

/** The stored key that was presented. Takes the same time wherever they differ. */
export function findFittingKey<K extends { secretSha256: string }>(
  keys: readonly K[],
  presented: AgentKey,
): K | undefined {
  const hash = sha256(presented.secret.reveal());
  return keys.find(({ secretSha256 }) => timingSafeEqual(hash, Buffer.from(secretSha256, 'hex')));
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
