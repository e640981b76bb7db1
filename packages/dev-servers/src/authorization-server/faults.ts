/** What the token endpoint does to one request instead of, or after, answering it properly. */
export type Fault =
  /** Answers without looking at the request, when released if it is `held`; a body that is not a string is sent as JSON. */
  | { kind: 'status'; status: number; headers?: Record<string, string>; body?: unknown; held?: true }
  /** Closes the connection without looking at the request. */
  | { kind: 'cut' }
  /** Handles the request, then closes the connection: the answer is lost. */
  | { kind: 'cutAfterRotation' }
  /** Waits until released, then handles the request. */
  | { kind: 'hang' }
  /** Handles the request, then waits until released before it answers. */
  | { kind: 'hangAfterRotation' };

/** The faults that lie ahead of the token endpoint, first in, first out. */
export class Faults {
  readonly #queue: { fault: Fault; times: number }[] = [];
  readonly #waiting: (() => void)[] = [];

  /** Lets the next `times` requests (one unless told, `Infinity` until cleared) meet this fault. */
  next(fault: Fault, times = 1): void {
    this.#queue.push({ fault, times });
  }

  /** Forgets the faults that nobody met yet. */
  clear(): void {
    this.#queue.length = 0;
  }

  /** Lets the requests that hang go on: all of them, or the `count` that came first. */
  release(count = Infinity): void {
    for (const go of this.#waiting.splice(0, count)) go();
  }

  /** The fault for the request at hand. For the token endpoint. */
  take(): Fault | undefined {
    const first = this.#queue[0];
    if (!first) return undefined;
    first.times -= 1;
    if (first.times <= 0) this.#queue.shift();
    return first.fault;
  }

  /** Waits for {@link release}. For the token endpoint. */
  released(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}
