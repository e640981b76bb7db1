import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { ConnectorsError } from './errors.ts';
import { checkId, encodeBase32, isId } from './ids.ts';
import { Secret } from './secret.ts';
import { readStored } from './stored-document.ts';
import type { KvEngine } from './vault/kv.ts';
import { VaultError } from './vault/vault-error.ts';

/** What is stored of an agent at `_agents/{id}`. Its key is not: only the hash of the key's secret part. */
const storedAgentSchema = z.object({
  name: z.string(),
  secretSha256: z.string().regex(/^[0-9a-f]{64}$/),
  /** The tenants that the agent may act for; with more than one, a request names its own. */
  tenants: z.array(z.string()).min(1),
  /** The integrations that it may use; absent: all of them. */
  integrations: z.array(z.string()).optional(),
  createdAt: z.iso.datetime(),
  expiresAt: z.iso.datetime().optional(),
});

export type StoredAgent = z.infer<typeof storedAgentSchema>;

export interface Agent extends StoredAgent {
  id: string;
}

/** What an agent may do, as an operator states it. */
export interface AgentGrant {
  name: string;
  tenants: string[];
  integrations?: string[];
  expiresAt?: Date;
}

/** An agent key as presented: which agent it claims to be, and the proof. */
export interface AgentKey {
  id: string;
  secret: Secret;
}

/** Agents and their keys `cak_{id}_{secret}`. */
export class AgentStore {
  readonly #kv: KvEngine;
  readonly #now: () => number;

  constructor(kv: KvEngine, now: () => number) {
    this.#kv = kv;
    this.#now = now;
  }

  /** Creates an agent. The returned key is shown once: nothing can bring it back. */
  async create(grant: AgentGrant): Promise<{ id: string; key: Secret }> {
    if (grant.tenants.length === 0) throw new ConnectorsError('invalid_request', 'tenants must not be empty');
    for (const tenant of grant.tenants) checkId('tenantId', tenant);
    for (const integration of grant.integrations ?? []) checkId('integration', integration);
    const id = encodeBase32(randomBytes(10));
    const secret = encodeBase32(randomBytes(32));
    const { expiresAt, ...facts } = grant;
    const agent: StoredAgent = {
      ...facts,
      ...(expiresAt === undefined ? {} : { expiresAt: expiresAt.toISOString() }),
      secretSha256: sha256(secret).toString('hex'),
      createdAt: new Date(this.#now()).toISOString(),
    };
    await this.#insert(pathOf(id), agent);
    return { id, key: new Secret(`cak_${id}_${secret}`) };
  }

  /** @throws StoredDocumentError */
  async find(id: string): Promise<Agent | undefined> {
    const path = pathOf(id);
    const document = await this.#kv.read(path);
    if (document?.data === undefined) return undefined;
    return { ...readStored(storedAgentSchema, path, document.data), id };
  }

  /**
   * Forgets an agent. Proxies that know it admit its key until they look again: a minute later, or once Vault answers.
   * Whoever deletes an agent announces `agent-changed`, and they look at once.
   */
  async delete(id: string): Promise<void> {
    await this.#kv.destroyVersions(pathOf(id));
  }

  async #insert(path: string, agent: StoredAgent): Promise<void> {
    try {
      await this.#kv.write(path, agent, 0);
    } catch (error) {
      // The id is new and random: who was first can only be this very write, its answer lost.
      if (!(error instanceof VaultError && error.reason === 'cas_mismatch')) throw error;
    }
  }
}

function pathOf(id: string): string {
  return `_agents/${checkId('agentId', id)}`;
}

/** Takes an agent key apart; `undefined` if the text is none. */
export function parseAgentKey(text: string): AgentKey | undefined {
  const [scheme, id, secret, ...rest] = text.split('_');
  if (scheme !== 'cak' || id === undefined || !isId(id) || !secret || rest.length > 0) return undefined;
  return { id, secret: new Secret(secret) };
}

/** Whether a key's secret part is the agent's. Takes the same time wherever they differ. */
export function keyFits(agent: StoredAgent, key: AgentKey): boolean {
  return timingSafeEqual(sha256(key.secret.reveal()), Buffer.from(agent.secretSha256, 'hex'));
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
