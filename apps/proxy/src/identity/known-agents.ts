import {
  ReadCache,
  type Agent,
  type AgentStore,
  type ConnectorsEvent,
  type EventSubscription,
  type Served,
} from '@connectors/vault-core';
import { Permissions } from '../access/permissions.ts';

/** An agent as the steps of a request need it. */
export interface KnownAgent extends Agent {
  permissions: Permissions;
}

export interface KnownAgentsOptions {
  store: Pick<AgentStore, 'find'>;
  events: Pick<EventSubscription, 'isConnected'>;
  staleMaxMs: number;
  now: () => number;
}

/** Without events this is how long a revoked key may live on. */
const unsubscribedMs = 5_000;
/** A change is known at once if whoever makes it announces it; this is the bound if nobody does, or the event gets lost. */
const subscribedMs = 60_000;

const maxMet = 100_000;

/** The agents that have called lately. `null` stands for one that is not stored. */
export class KnownAgents {
  readonly #cache: ReadCache<KnownAgent | null>;
  readonly #met = new Set<string>();

  constructor({ store, events, staleMaxMs, now }: KnownAgentsOptions) {
    this.#cache = new ReadCache<KnownAgent | null>({
      read: async (id) => {
        const agent = await store.find(id);
        this.#remember(id, agent !== undefined);
        return agent === undefined ? null : { ...agent, permissions: new Permissions(agent.grants) };
      },
      freshUntil: (agent, readAt) =>
        readAt + (agent !== null && events.isConnected ? subscribedMs : unsubscribedMs),
      usableUntil: (agent, readAt) => readAt + (agent === null ? unsubscribedMs : staleMaxMs),
      now,
    });
  }

  /** Whether there was such an agent when it was last looked for, however long ago that is. */
  hasMet(id: string): boolean {
    return this.#met.has(id);
  }

  /** Whether what is known of an agent is what Vault says; else it serves on because Vault fails. */
  isCertainOf(id: string): boolean {
    return this.#cache.peek(id)?.from === 'cache';
  }

  peek(id: string): KnownAgent | null | undefined {
    return this.#cache.peek(id)?.value;
  }

  get(id: string): Promise<Served<KnownAgent | null>> {
    return this.#cache.get(id);
  }

  hear(event: ConnectorsEvent): void {
    if (event.type === 'agent-changed') this.#cache.drop(event.agentId);
  }

  hearGap(): void {
    this.#cache.expireAll();
  }

  #remember(id: string, isStored: boolean): void {
    this.#met.delete(id);
    if (!isStored) return;
    const [oldest] = this.#met;
    if (this.#met.size >= maxMet && oldest !== undefined) this.#met.delete(oldest);
    this.#met.add(id);
  }
}
