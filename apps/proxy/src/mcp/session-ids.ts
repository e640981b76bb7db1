import { createHmac, createSecretKey, timingSafeEqual, type KeyObject } from 'node:crypto';
import type { CredentialId, Secret } from '@connectors/vault-core';

/** Whose a session is: nobody else can use it, and this agent only for this tenant and integration. */
export interface SessionOwner extends CredentialId {
  agentId: string;
}

/**
 * The ids of MCP sessions as agents see them: the upstream's, a dot, and an HMAC over it and its owner. Nothing is stored,
 * so that every proxy with the same key knows them, also after a restart.
 */
export class SessionIds {
  readonly #key: KeyObject;

  constructor(key: Secret) {
    this.#key = createSecretKey(Buffer.from(key.reveal()));
  }

  /** The id to show to an agent. */
  sign(upstreamId: string, owner: SessionOwner): string {
    const { agentId, tenantId, integration } = owner;
    // As JSON, none of the parts can take over characters of the next.
    const signed = JSON.stringify(['mcp-session', agentId, tenantId, integration, upstreamId]);
    const mac = createHmac('sha256', this.#key).update(signed).digest('base64url');
    return `${upstreamId}.${mac}`;
  }

  /** The upstream's id of one that an agent presents; `undefined` unless it was signed for this owner. */
  verify(presented: string, owner: SessionOwner): string | undefined {
    const dot = presented.lastIndexOf('.');
    if (dot <= 0) return undefined;
    const upstreamId = presented.slice(0, dot);
    const given = Buffer.from(presented);
    const expected = Buffer.from(this.sign(upstreamId, owner));
    return given.length === expected.length && timingSafeEqual(given, expected) ? upstreamId : undefined;
  }
}
