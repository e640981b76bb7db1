import { ConnectorsError, credentialKey, RateLimitError } from '@connectors/vault-core';
import type { Exchange } from '../exchange.ts';
import type { ProxyParts } from '../pipeline.ts';

const retryAfterMs = 2_000;

export interface OccupancyLimits {
  /** Requests under way in this process. */
  maxRequests: number;
  /** Of each integration, unless it sets a number of its own (`maxConcurrentRequests`). */
  maxPerIntegration: number;
  /** Open event streams and WebSockets of each tenant. */
  maxStreams: number;
}

/** Ids hold no such character, so no tenant has the proxy's place, or an integration's. */
const proxy = '*';

/** No tenant may have more of a place than this, so that the others find room. */
const tenantShare = 0.5;

/**
 * Counts the requests that are under way, so that a slow upstream takes no more of the proxy, a proxy no more of an
 * upstream, and a tenant no more of either, than they can bear. A stream counts as a request until it has begun, and then
 * as a stream: it may stay open for days, and the next requests must get in.
 */
export class Occupancy {
  readonly #limits: OccupancyLimits;
  /** How many take up the same place, by its name; a place that nobody takes up is not kept. */
  readonly #counts = new Map<string, number>();

  constructor(limits: OccupancyLimits) {
    this.#limits = limits;
  }

  /** Whether there are more requests than there may be. */
  get isFull(): boolean {
    return this.#count(proxy) > this.#limits.maxRequests;
  }

  begin(exchange: Exchange): void {
    this.#take(exchange, proxy);
  }

  /** @throws RateLimitError */
  enterProxy(exchange: Exchange): void {
    const { tenantId } = exchange.credentialId;
    if (this.#count(tenantId) >= shareOf(this.#limits.maxRequests)) throw tooMany(tenantId, 'requests');
    this.#take(exchange, tenantId);
  }

  /** @throws RateLimitError, or ConnectorsError `overloaded` when all tenants together are too many */
  enterUpstream(exchange: Exchange): void {
    const { upstream, credentialId } = exchange;
    const { tenantId, integration } = credentialId;
    const max = upstream.provider.maxConcurrentRequests ?? this.#limits.maxPerIntegration;
    const all = `*${integration}`;
    const own = credentialKey(credentialId);
    if (this.#count(own) >= shareOf(max)) throw tooMany(tenantId, `requests to ${integration}`);
    if (this.#count(all) >= max) {
      const message = `Too many requests to ${integration} are under way`;
      throw new ConnectorsError('overloaded', message, { retryAfterMs });
    }
    this.#take(exchange, all);
    this.#take(exchange, own);
  }

  /** @throws RateLimitError */
  becomeStream(exchange: Exchange): void {
    const { tenantId } = exchange.credentialId;
    const streams = `~${tenantId}`;
    if (this.#count(streams) >= this.#limits.maxStreams) throw tooMany(tenantId, 'streams');
    this.leave(exchange);
    this.#take(exchange, streams);
    exchange.isStream = true;
  }

  /** The request is over. */
  leave(exchange: Exchange): void {
    for (const place of exchange.occupies) {
      const left = this.#count(place) - 1;
      if (left === 0) this.#counts.delete(place);
      else this.#counts.set(place, left);
    }
    exchange.occupies = [];
  }

  #count(place: string): number {
    return this.#counts.get(place) ?? 0;
  }

  #take(exchange: Exchange, place: string): void {
    this.#counts.set(place, this.#count(place) + 1);
    exchange.occupies.push(place);
  }
}

function shareOf(max: number): number {
  return Math.ceil(max * tenantShare);
}

function tooMany(tenantId: string, what: string): RateLimitError {
  return new RateLimitError(`Too many ${what} of tenant ${tenantId} are under way`, retryAfterMs);
}

/** The tenant has not all of the proxy to itself. */
export function enterProxy(exchange: Exchange, { occupancy }: ProxyParts): void {
  occupancy.enterProxy(exchange);
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
