import {
  ReadCache,
  type Agent,
  type AgentStore,
  type ConnectorsEvent,
  type EventSubscription,
  type Served,
} from '@connectors/vault-core';

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

/** The agents that have called lately. `null` stands for one that is not stored. */
export class KnownAgents {
  readonly #cache: ReadCache<Agent | null>;

  constructor({ store, events, staleMaxMs, now }: KnownAgentsOptions) {
    this.#cache = new ReadCache<Agent | null>({
      read: async (id) => (await store.find(id)) ?? null,
      freshUntil: (agent, readAt) =>
        readAt + (agent !== null && events.isConnected ? subscribedMs : unsubscribedMs),
      usableUntil: (agent, readAt) => readAt + (agent === null ? unsubscribedMs : staleMaxMs),
      now,
    });
  }

  peek(id: string): Agent | null | undefined {
    return this.#cache.peek(id)?.value;
  }

  get(id: string): Promise<Served<Agent | null>> {
    return this.#cache.get(id);
  }

  hear(event: ConnectorsEvent): void {
    if (event.type === 'agent-changed') this.#cache.drop(event.agentId);
  }

  hearGap(): void {
    this.#cache.expireAll();
  }
}
