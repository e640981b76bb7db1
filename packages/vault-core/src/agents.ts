import { z } from 'zod';
import { newAgentKey } from './agent-key.ts';
import { ConnectorsError, StoredDocumentError } from './errors.ts';
import { grantsSchema, type Grant } from './grants.ts';
import { checkId, isId, newDocumentId } from './ids.ts';
import { maxOverlapping, rotateIn } from './overlap.ts';
import type { Secret } from './secret.ts';
import { readStored } from './stored-document.ts';
import type { KvEngine } from './vault/kv.ts';
import { VaultError } from './vault/vault-error.ts';

const time = z.iso.datetime();

/** A key is not stored: only the hash of its secret part. */
const keySchema = z.strictObject({
  secretSha256: z.string().regex(/^[0-9a-f]{64}$/),
  createdAt: time,
  /** Of a key that a newer one has replaced: until then both are good. */
  expiresAt: time.exactOptional(),
});

export type StoredKey = z.infer<typeof keySchema>;

/** The document at `_agents/{id}`. */
const storedAgentSchema = z.strictObject({
  name: z.string(),
  /** The newest first. */
  keys: z.array(keySchema).min(1).max(maxOverlapping),
  grants: grantsSchema,
  createdAt: time,
  expiresAt: time.exactOptional(),
});

type StoredAgent = z.infer<typeof storedAgentSchema>;

export interface Agent extends StoredAgent {
  id: string;
}

/** What an operator decides about an agent. */
export interface AgentSettings {
  name: string;
  /** A call must be allowed by one of them, as a whole. */
  grants: Grant[];
  expiresAt?: Date | undefined;
}

/** An agent and its new key `cak_{id}_{secret}`, which is shown once: nothing can bring it back. */
export interface AgentWithKey {
  agent: Agent;
  key: Secret;
}

/** How long previous keys may stay valid after a rotation, in milliseconds. */
export const maxKeyOverlapMs = 7 * 24 * 3_600_000;

/** How many documents are read at once when all agents are listed. */
const listConcurrency = 16;

export interface AgentList {
  agents: Agent[];
  /** Ids of those whose documents cannot be read. */
  unreadable: string[];
}

export interface AgentPage extends AgentList {
  next?: string;
}

/**
 * Agents, one document each. Methods throw `invalid_request` for what breaks a rule, VaultError when Vault cannot be used,
 * and StoredDocumentError. Proxies keep what they have read for a minute: whoever changes or deletes an agent announces
 * `agent-changed`, and they look at once.
 */
export class AgentStore {
  readonly #kv: KvEngine;
  readonly #now: () => number;

  constructor(kv: KvEngine, now: () => number) {
    this.#kv = kv;
    this.#now = now;
  }

  /** @param id that nobody has */
  async create(settings: AgentSettings, id = newDocumentId()): Promise<AgentWithKey> {
    const { key, secretSha256 } = newAgentKey(id);
    const createdAt = this.#timestamp();
    const agent: StoredAgent = {
      name: settings.name,
      keys: [{ secretSha256, createdAt }],
      grants: checkGrants(settings.grants),
      createdAt,
      ...expiryOf(settings.expiresAt),
    };
    await this.#insert(pathOf(id), agent);
    return { agent: { ...agent, id }, key };
  }

  async find(id: string): Promise<Agent | undefined> {
    return (await this.#read(id))?.agent;
  }

  /** All agents by id, and the ids of those whose documents cannot be read. */
  async list(): Promise<AgentList> {
    return this.#findAll((await this.#kv.list('_agents')).filter(isId));
  }

  /**
   * Some of the {@link list}: at most `limit`, from the first after `after` on.
   *
   * @returns `next`, if there may be more, is what `after` is then
   */
  async listPage(limit: number, after?: string): Promise<AgentPage> {
    const last = after === undefined ? '' : checkId('agentId', after);
    const names = await this.#kv.listPage('_agents', last, limit + 1);
    const ids = names.slice(0, limit).filter(isId);
    const next = ids.at(-1);
    const list = await this.#findAll(ids);
    return names.length > limit && next !== undefined ? { ...list, next } : list;
  }

  async #findAll(ids: readonly string[]): Promise<AgentList> {
    const agents: Agent[] = [];
    const unreadable: string[] = [];
    for (let first = 0; first < ids.length; first += listConcurrency) {
      const some = ids.slice(first, first + listConcurrency);
      const found = await Promise.all(some.map((id) => this.find(id).catch(orUnreadable)));
      for (const [index, agent] of found.entries()) {
        if (agent === 'unreadable') unreadable.push(some[index] ?? '');
        else if (agent !== undefined) agents.push(agent);
      }
    }
    return { agents, unreadable };
  }

  /**
   * Changes what is named and keeps the rest; `expiresAt: undefined` takes the expiry away.
   *
   * @returns the agent as it is now; `undefined` if there is none
   */
  async update(id: string, changes: Partial<AgentSettings>): Promise<Agent | undefined> {
    const { name, grants, expiresAt } = changes;
    if (grants !== undefined) checkGrants(grants);
    return this.#change(id, ({ expiresAt: expiry, ...agent }) => ({
      ...agent,
      ...(name === undefined ? {} : { name }),
      ...(grants === undefined ? {} : { grants }),
      ...('expiresAt' in changes ? expiryOf(expiresAt) : expiry === undefined ? {} : { expiresAt: expiry }),
    }));
  }

  /**
   * Makes a new key. Those before stay good for `overlapMs` more, or for what is left to them, so that whoever runs the agent can
   * change it at their ease. So a rotation whose answer was lost may be repeated: the key in use goes on.
   *
   * @returns `undefined` if there is no such agent
   */
  async rotate(id: string, overlapMs: number): Promise<AgentWithKey | undefined> {
    if (!(overlapMs >= 0 && overlapMs <= maxKeyOverlapMs)) {
      throw new ConnectorsError('invalid_request', 'overlap must be between 0 and 7 days');
    }
    const { key, secretSha256 } = newAgentKey(checkId('agentId', id));
    const now = this.#now();
    const agent = await this.#change(id, (stored) => {
      // An earlier try of this write landed, and its answer was lost.
      if (stored.keys.some((known) => known.secretSha256 === secretSha256)) return stored;
      const newest: StoredKey = { secretSha256, createdAt: new Date(now).toISOString() };
      return { ...stored, keys: rotateIn(newest, stored.keys, now + overlapMs, now) };
    });
    return agent && { agent, key };
  }

  /** Forgets an agent with its history, also one that {@link find} cannot read. Says whether there was one. */
  async delete(id: string): Promise<boolean> {
    return this.#kv.remove(pathOf(id));
  }

  async #insert(path: string, agent: StoredAgent): Promise<void> {
    try {
      await this.#kv.write(path, agent, 0);
    } catch (error) {
      // The id is new and random: who was first can only be this very write, its answer lost.
      if (!isCasMismatch(error)) throw error;
    }
  }

  /**
   * Changes an agent, over and over until nobody else has changed it meanwhile.
   *
   * @param change is safe to repeat: an earlier try of its write may have landed and its answer been lost
   */
  async #change(id: string, change: (stored: StoredAgent) => StoredAgent): Promise<Agent | undefined> {
    for (;;) {
      const found = await this.#read(id);
      if (found === undefined) return undefined;
      const { id: _id, ...stored } = found.agent;
      const changed = change(stored);
      try {
        await this.#kv.write(pathOf(id), changed, found.version);
        return { ...changed, id };
      } catch (error) {
        if (!isCasMismatch(error)) throw error;
      }
    }
  }

  async #read(id: string): Promise<{ agent: Agent; version: number } | undefined> {
    const path = pathOf(id);
    const document = await this.#kv.read(path);
    if (document?.data === undefined) return undefined;
    return {
      agent: { ...readStored(storedAgentSchema, path, document.data), id },
      version: document.version,
    };
  }

  #timestamp(): string {
    return new Date(this.#now()).toISOString();
  }
}

function pathOf(id: string): string {
  return `_agents/${checkId('agentId', id)}`;
}

function checkGrants(grants: Grant[]): Grant[] {
  const { error } = grantsSchema.safeParse(grants);
  if (error === undefined) return grants;
  const problems = error.issues.map(({ path, message }) => `${['grants', ...path].join('.')}: ${message}`);
  throw new ConnectorsError('invalid_request', problems.join('; '));
}

function expiryOf(expiresAt: Date | undefined): { expiresAt?: string } {
  return expiresAt === undefined ? {} : { expiresAt: expiresAt.toISOString() };
}

function orUnreadable(error: unknown): 'unreadable' {
  if (error instanceof StoredDocumentError) return 'unreadable';
  throw error;
}

function isCasMismatch(error: unknown): boolean {
  return error instanceof VaultError && error.reason === 'cas_mismatch';
}
