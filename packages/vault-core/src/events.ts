import { EventEmitter } from 'node:events';
import { setImmediate as immediate, setTimeout as delay } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { z } from 'zod';

const tenantId = z.string();
const integration = z.string();
const credential = { tenantId, integration, revision: z.string() };

/** Why a refresh failed: a code. A text could be the provider's, and might hold a secret. */
const error = z.string().regex(/^[a-z0-9_]{1,64}$/);

const flow = {
  /** One way of a user to the provider and back. */
  flow: z.string(),
  /** The id of the connect session that it began with, if an operator's backend asked for one. */
  connectSession: z.string().optional(),
};

/** When the next refresh of what was stored is due; absent when none is scheduled. */
const dueAt = z.iso.datetime().optional();

/** What happens to credentials and agents, announced to every process over one Redis channel. No event holds a secret. */
export const eventSchema = z.discriminatedUnion('type', [
  /** A user connected, or connected again. */
  z.object({ type: z.literal('credential-stored'), ...credential, dueAt }),
  z.object({ type: z.literal('credential-deleted'), ...credential }),
  /** A user came back from the provider, and what was granted is stored. */
  z.object({ type: z.literal('connected'), ...credential, ...flow, warnings: z.array(error) }),
  /** A user came back from the provider, and nothing was stored. */
  z.object({ type: z.literal('connect-failed'), tenantId, integration, ...flow, error }),
  z.object({
    type: z.literal('refresh-success'),
    ...credential,
    expiresAt: z.iso.datetime().optional(),
    dueAt,
  }),
  /** The refresh token is dead: the user has to connect again. */
  z.object({ type: z.literal('refresh-failed'), ...credential, error }),
  /** A refresh failed for now and is tried again. */
  z.object({ type: z.literal('refresh-retry'), ...credential, error, retryCount: z.int() }),
  /** A refresh that was asked for will not happen: the token is fresh, or nothing can refresh it. */
  z.object({ type: z.literal('refresh-declined'), ...credential, error }),
  /** Announced by whoever changes or deletes an agent: the store itself has no Redis. */
  z.object({ type: z.literal('agent-changed'), agentId: z.string() }),
  /** A tenant's webhook endpoints changed; announced by whoever changes them. */
  z.object({ type: z.literal('webhooks-changed'), tenantId }),
]);

export type ConnectorsEvent = z.infer<typeof eventSchema>;

/** The channel of a deployment's events. */
export function eventChannel(prefix: string): string {
  return `${prefix}:events`;
}

/**
 * Announces an event. An event is a hint: whoever waits for one reads Vault again before giving up, so a failure
 * to announce is no failure of what was done. Only the fields that the schema names are sent.
 */
export async function publishEvent(redis: Redis, prefix: string, event: ConnectorsEvent): Promise<void> {
  await redis.publish(eventChannel(prefix), JSON.stringify(eventSchema.parse(event)));
}

interface SubscriptionEvents {
  event: [ConnectorsEvent];
  /** Events may have been missed: whatever was learned before is stale. */
  gap: [];
}

/** How a silently dead connection is noticed: how often it is pinged, and how long the answer may take, in milliseconds. */
const defaultHeartbeat = { everyMs: 2_000, patienceMs: 3_000 };

/** Listens to a deployment's events on a connection of its own, and tells when it may have missed some. */
export class EventSubscription extends EventEmitter<SubscriptionEvents> {
  readonly #redis: Redis;
  readonly #heartbeat: NodeJS.Timeout;
  #connected = false;
  #isProbing = false;

  /** @param redis a connection that does nothing else; it is closed with the subscription */
  constructor(redis: Redis, prefix: string, { everyMs, patienceMs } = defaultHeartbeat) {
    super();
    this.#redis = redis;
    this.#heartbeat = setInterval(() => void this.#probe(patienceMs), everyMs).unref();
    redis.on('ready', () => void this.#subscribe(prefix));
    redis.on('close', () => (this.#connected = false));
    redis.on('message', (_channel, message) => this.#receive(message));
    if (redis.status === 'ready') void this.#subscribe(prefix);
  }

  /** Whether events arrive as they happen. */
  get isConnected(): boolean {
    return this.#connected;
  }

  close(): void {
    clearInterval(this.#heartbeat);
    this.#redis.disconnect();
  }

  /** Where a firewall forgot the connection, or the other machine is gone, nobody closes it. */
  async #probe(patienceMs: number): Promise<void> {
    if (!this.#connected || this.#isProbing) return;
    this.#isProbing = true;
    let isAnswered = false;
    const answer = () => (isAnswered = true);
    const ping = this.#redis.ping().then(answer, answer);
    await Promise.race([ping, delay(patienceMs, undefined, { ref: false })]);
    // A process that was itself held up reads first what has come meanwhile.
    if (!isAnswered) await immediate();
    this.#isProbing = false;
    if (isAnswered || !this.#connected) return;
    this.#connected = false;
    this.#redis.disconnect(true);
  }

  async #subscribe(prefix: string): Promise<void> {
    try {
      await this.#redis.subscribe(eventChannel(prefix));
      this.#connected = true;
      this.emit('gap');
    } catch {
      // The connection broke again: the next `ready` tries anew.
    }
  }

  #receive(message: string): void {
    const event = readEvent(message);
    if (event !== undefined) this.emit('event', event);
  }
}

/** Anything else on the channel, such as an event of a newer version, is ignored. */
function readEvent(message: string): ConnectorsEvent | undefined {
  try {
    return eventSchema.safeParse(JSON.parse(message)).data;
  } catch {
    return undefined;
  }
}
