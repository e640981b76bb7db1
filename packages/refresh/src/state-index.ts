import type { ConnectorsEvent, CredentialId } from '@connectors/vault-core';
import type { Redis } from 'ioredis';

/** The worst first. A tenant is in the state of the worst of its credentials. */
export const indexedStates = ['needs_reauth', 'failing', 'expiring', 'active'] as const;

export type IndexedState = (typeof indexedStates)[number];

/** The states of a tenant's credentials, by integration. */
export type StatesOfTenant = Record<string, { state: IndexedState; reason?: string | undefined }>;

/** A tenant in one state. */
export interface TenantInState {
  tenantId: string;
  /** Since when, in milliseconds since the epoch. */
  since: number;
  credentials: StatesOfTenant;
}

// Files a tenant under the worst state of its credentials. KEYS: its hash, then a sorted set for each state, the worst first.
const file = `
local worst = 0
for _, value in ipairs(redis.call('hvals', KEYS[1])) do
  for rank = 1, #KEYS - 1 do
    local state = ARGV[rank + 2]
    if value == state or string.sub(value, 1, #state + 1) == state .. ' ' then
      if worst == 0 or rank < worst then worst = rank end
    end
  end
end
for rank = 1, #KEYS - 1 do
  if rank == worst then redis.call('zadd', KEYS[rank + 1], 'NX', ARGV[2], ARGV[1])
  else redis.call('zrem', KEYS[rank + 1], ARGV[1]) end
end`;

/**
 * Which tenants are in which state, in Redis: ids, codes and times. Events keep it up to date and sweeps put it right, so
 * it may be behind for as long as a sweep takes to come round, and nothing is decided by it. Methods throw the errors of the
 * connection.
 */
export class StateIndex {
  readonly #redis: Redis;
  readonly #prefix: string;
  readonly #now: () => number;

  constructor(redis: Redis, prefix: string, now: () => number) {
    this.#redis = redis;
    this.#prefix = prefix;
    this.#now = now;
  }

  /** What a sweep has found: all credentials of a tenant. */
  async replace(tenantId: string, states: StatesOfTenant): Promise<void> {
    const key = this.#hash(tenantId);
    const pairs = Object.entries(states).map(([integration, { state, reason }]) => [
      integration,
      reason === undefined ? state : `${state} ${reason}`,
    ]);
    const change = this.#redis.multi().del(key);
    if (pairs.length > 0) change.hset(key, Object.fromEntries(pairs) as Record<string, string>);
    await this.#filed(change, tenantId);
  }

  /** Takes note of what happened to a credential. */
  async note(event: ConnectorsEvent): Promise<void> {
    switch (event.type) {
      case 'credential-stored':
      case 'refresh-success':
        return this.#set(event, 'active');
      case 'refresh-retry':
        return this.#set(event, `failing ${event.error}`);
      case 'refresh-failed':
        return this.#set(event, `needs_reauth ${event.error}`);
      case 'credential-deleted':
        return this.#filed(
          this.#redis.multi().hdel(this.#hash(event.tenantId), event.integration),
          event.tenantId,
        );
      case 'connected':
      case 'connect-failed':
      case 'refresh-declined':
      case 'agent-changed':
      case 'webhooks-changed':
        return;
    }
  }

  async forget(tenantId: string): Promise<void> {
    await this.#filed(this.#redis.multi().del(this.#hash(tenantId)), tenantId);
  }

  /** All tenants that it knows; some may be gone. */
  async tenants(): Promise<string[]> {
    const found = await Promise.all(
      indexedStates.map((state) => this.#redis.zrange(this.#tenants(state), '0', '-1')),
    );
    return found.flat();
  }

  /** How many tenants are in each state. */
  async count(): Promise<Record<IndexedState, number>> {
    const counts = indexedStates.map(
      async (state) => [state, await this.#redis.zcard(this.#tenants(state))] as const,
    );
    return Object.fromEntries(await Promise.all(counts)) as Record<IndexedState, number>;
  }

  /** Tenants in a state, those that came to it last first. */
  async tenantsIn(state: IndexedState, limit: number): Promise<TenantInState[]> {
    const found = await this.#redis.zrevrange(this.#tenants(state), 0, limit - 1, 'WITHSCORES');
    const tenants = Array.from({ length: found.length / 2 }, (_, index) => ({
      tenantId: found[index * 2] ?? '',
      since: Number(found[index * 2 + 1]),
    }));
    return Promise.all(
      tenants.map(async (tenant) => ({ ...tenant, credentials: await this.of(tenant.tenantId) })),
    );
  }

  /** What is known of a tenant's credentials. */
  async of(tenantId: string): Promise<StatesOfTenant> {
    const values = await this.#redis.hgetall(this.#hash(tenantId));
    return Object.fromEntries(
      Object.entries(values).map(([integration, value]) => {
        const [state, reason] = value.split(' ');
        return [integration, { state: state as IndexedState, reason }];
      }),
    );
  }

  #set({ tenantId, integration }: CredentialId, value: string): Promise<void> {
    return this.#filed(this.#redis.multi().hset(this.#hash(tenantId), integration, value), tenantId);
  }

  async #filed(change: ReturnType<Redis['multi']>, tenantId: string): Promise<void> {
    const keys = [this.#hash(tenantId), ...indexedStates.map((state) => this.#tenants(state))];
    await change.eval(file, keys.length, ...keys, tenantId, this.#now(), ...indexedStates).exec();
  }

  #hash(tenantId: string): string {
    return `${this.#prefix}:states:${tenantId}`;
  }

  #tenants(state: IndexedState): string {
    return `${this.#prefix}:tenants:${state}`;
  }
}
