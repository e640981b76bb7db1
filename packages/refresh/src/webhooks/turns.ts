const perEndpoint = 3;
const perTenant = 10;

/**
 * Who may deliver now, in this worker. An endpoint that takes its time, and a tenant with many such, would otherwise hold
 * all of the worker's deliveries in the end.
 */
export class Turns {
  readonly #taken = new Map<string, number>();

  /** Takes a turn, to be disposed of; `undefined` if the endpoint or its tenant has all that it may have. */
  take(tenantId: string, endpointId: string): Disposable | undefined {
    const endpoint = `${tenantId}/${endpointId}`;
    if (this.#count(endpoint) >= perEndpoint || this.#count(tenantId) >= perTenant) return undefined;
    this.#add(endpoint, 1);
    this.#add(tenantId, 1);
    return {
      [Symbol.dispose]: () => {
        this.#add(endpoint, -1);
        this.#add(tenantId, -1);
      },
    };
  }

  #count(key: string): number {
    return this.#taken.get(key) ?? 0;
  }

  #add(key: string, change: number): void {
    const count = this.#count(key) + change;
    if (count === 0) this.#taken.delete(key);
    else this.#taken.set(key, count);
  }
}
