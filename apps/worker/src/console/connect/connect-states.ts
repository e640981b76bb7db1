import { createHmac, hash, randomBytes } from 'node:crypto';
import { codeChallenge } from '@connectors/oauth';
import { encodeBase32, orQueueUnavailable, Secret } from '@connectors/vault-core';
import type { Redis } from 'ioredis';
import { z } from 'zod';
import { consoleKey } from '../console-key.ts';
import type { Offboardings } from '../offboardings.ts';
import { visitSchema } from './tenant-session.ts';

/** Seconds for a user to come back from a provider. */
const lifetime = 600;

/** So many may a session begin in that time. */
const maxFlows = 30;

/** Seconds for which it is known whose a flow was: for callbacks that come late, or again. */
const remembered = 3600;

const flowSchema = visitSchema.extend({
  integration: z.string(),
  /** The session in whose browser it began. */
  sessionId: z.string(),
  /** What the user was asked for. */
  fields: z.record(z.string(), z.string()),
  /** Milliseconds on Redis's clock. */
  startedAt: z.number(),
});

/** A user's way to a provider and back. */
export type Flow = z.infer<typeof flowSchema>;

const ownerSchema = flowSchema.pick({ tenantId: true, integration: true, connectSession: true });

/** Whose a flow is. */
export type FlowOwner = z.infer<typeof ownerSchema>;

/** What goes along with a flow. All of it follows from the state, and is stored nowhere. */
export interface FlowSecrets {
  /** Names the flow in events; opens nothing. */
  id: string;
  /** RFC 7636. */
  verifier: Secret;
  challenge: string;
  /** Binds an ID token to the flow. */
  nonce: string;
}

/**
 * The flows that are under way, by their `state`. Redis knows its SHA-256, and each is taken out once. Methods throw
 * `queue_unavailable` without Redis.
 */
export class ConnectStates {
  readonly #redis: Redis;
  readonly #prefix: string;
  readonly #offboardings: Offboardings;
  readonly #key: Buffer;

  constructor(redis: Redis, prefix: string, offboardings: Offboardings, adminToken: Secret) {
    this.#redis = redis;
    this.#prefix = prefix;
    this.#offboardings = offboardings;
    this.#key = consoleKey(adminToken, 'connect flow');
  }

  /** Counts one more of a session. Flows lie in the memory that refreshes need: without a bound one user could fill it. */
  async admits(sessionId: string): Promise<boolean> {
    const key = `${this.#prefix}:connect-flows:${sessionId}`;
    const counting = this.#redis.multi().set(key, 0, 'EX', lifetime, 'NX').incr(key).exec();
    const [, [, count] = []] = (await orQueueUnavailable(counting)) ?? [];
    return Number(count) <= maxFlows;
  }

  /** @returns the state */
  async begin(flow: Omit<Flow, 'startedAt'>): Promise<string> {
    const state = randomBytes(32).toString('base64url');
    const text = JSON.stringify({ ...flow, startedAt: await this.#offboardings.now() });
    const owner = JSON.stringify(ownerSchema.parse(flow));
    const noting = this.#redis
      .multi()
      .set(this.#nameOf(state), text, 'EX', lifetime)
      .set(this.#ownerNameOf(state), owner, 'EX', remembered)
      .exec();
    await orQueueUnavailable(noting);
    return state;
  }

  /** Takes a flow out: whoever comes with the same state again finds nothing. */
  async take(state: string): Promise<Flow | undefined> {
    const text = await orQueueUnavailable(this.#redis.getdel(this.#nameOf(state)));
    return text === null ? undefined : flowSchema.parse(JSON.parse(text));
  }

  /** Whose a flow was that is over. Told once: however often its callback is repeated, there is one event of it. */
  async takeOwner(state: string): Promise<FlowOwner | undefined> {
    const text = await orQueueUnavailable(this.#redis.getdel(this.#ownerNameOf(state)));
    return text === null ? undefined : ownerSchema.parse(JSON.parse(text));
  }

  secretsOf(state: string): FlowSecrets {
    const derive = (purpose: string) =>
      createHmac('sha256', this.#key).update(`${purpose} ${state}`).digest();
    const verifier = new Secret(derive('pkce').toString('base64url'));
    return {
      id: encodeBase32(derive('id').subarray(0, 10)),
      verifier,
      challenge: codeChallenge(verifier),
      nonce: derive('nonce').toString('base64url'),
    };
  }

  #nameOf(state: string): string {
    return `${this.#prefix}:connect-state:${hash('sha256', state, 'base64url')}`;
  }

  #ownerNameOf(state: string): string {
    return `${this.#prefix}:connect-owner:${hash('sha256', state, 'base64url')}`;
  }
}
