import { ConnectorsError } from '@connectors/vault-core';
import type { Exchange } from '../exchange.ts';
import type { ProxyParts } from '../pipeline.ts';

const retryAfterMs = 2_000;

export interface OccupancyLimits {
  /** Requests under way in this process. */
  maxRequests: number;
  /** Of each integration, unless it sets a number of its own (`maxConcurrentRequests`). */
  maxPerIntegration: number;
}

/**
 * Counts the requests that are under way, so that a slow upstream takes no more of the proxy, and a proxy no more of an
 * upstream, than they can bear. A stream of events counts until it has begun: it may stay open for days, and the next ones must get in.
 */
export class Occupancy {
  readonly #limits: OccupancyLimits;
  readonly #perIntegration = new Map<string, { count: number }>();
  #requests = 0;

  constructor(limits: OccupancyLimits) {
    this.#limits = limits;
  }

  /** Whether there are more requests than there may be. */
  get isFull(): boolean {
    return this.#requests > this.#limits.maxRequests;
  }

  begin(exchange: Exchange): void {
    this.#requests += 1;
    exchange.occupies = 'proxy';
  }

  /** @throws ConnectorsError `overloaded` */
  enterUpstream(exchange: Exchange): void {
    const { upstream, target } = exchange;
    const { integration } = target;
    const used = this.#perIntegration.get(integration) ?? { count: 0 };
    if (used.count >= (upstream.provider.maxConcurrentRequests ?? this.#limits.maxPerIntegration)) {
      throw new ConnectorsError('overloaded', `Too many requests to ${integration} are under way`, {
        retryAfterMs,
      });
    }
    if (used.count === 0) this.#perIntegration.set(integration, used);
    used.count += 1;
    exchange.occupies = used;
  }

  /** The request is over, or has become a stream. */
  leave(exchange: Exchange): void {
    if (exchange.occupies === undefined) return;
    this.#requests -= 1;
    if (exchange.occupies !== 'proxy') exchange.occupies.count -= 1;
    exchange.occupies = undefined;
  }
}

/** The integration's upstream is not busy with as many requests as it may be. */
export function enterUpstream(exchange: Exchange, { occupancy }: ProxyParts): void {
  occupancy.enterUpstream(exchange);
}

/** The proxy itself can keep up. Comes first: what is turned away must cost next to nothing. */
export function shedLoad(_exchange: Exchange, { occupancy, shedder, metrics }: ProxyParts): void {
  const reason = occupancy.isFull ? 'requests' : shedder.turnsAway() ? 'lag' : undefined;
  if (reason === undefined) return;
  metrics.shed.inc({ reason });
  throw new ConnectorsError('overloaded', 'The proxy cannot keep up', { retryAfterMs });
}
