import type { Exchange } from '../exchange.ts';

/** Bounds the memory that kept bodies take all together: who opens many requests must not be able to exhaust it. */
export class KeptBodies {
  #freeBytes: number;

  constructor(maxBytes: number) {
    this.#freeBytes = maxBytes;
  }

  /** Makes room for more of a request's body. Says whether there was any. */
  take(exchange: Exchange, bytes: number): boolean {
    if (bytes > this.#freeBytes) return false;
    this.#freeBytes -= bytes;
    exchange.keptBytes += bytes;
    return true;
  }

  /** Nobody will send it again. */
  release(exchange: Exchange): void {
    this.#freeBytes += exchange.keptBytes;
    exchange.keptBytes = 0;
    const { body }: Partial<Exchange> = exchange;
    if (body?.kind === 'kept') exchange.body = { kind: 'none' };
  }
}
