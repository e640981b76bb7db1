const windowMs = 1_000;
const growth = 0.2;
const decline = 0.1;
/** Some are always served: else nobody would notice that there is room again. */
const most = 0.9;

/**
 * Decides which requests are turned away when the event loop cannot keep up. What counts is the least delay within a
 * second: a spike, such as a garbage collection, leaves delays below it, a queue that does not drain does not. The share
 * that is turned away grows by a fifth each second, and shrinks by a tenth.
 */
export class LoadShedder {
  readonly #maxLagMs: number;
  #windowEndsAt = -Infinity;
  #leastLagMs = Infinity;
  #share = 0;
  #due = 0;

  constructor(maxLagMs: number) {
    this.#maxLagMs = maxLagMs;
  }

  /** How much is turned away now, from 0 to 1. */
  get share(): number {
    return this.#share;
  }

  /** A timer fired so many milliseconds late. */
  sample(lagMs: number, now: number): void {
    if (this.#windowEndsAt === -Infinity) this.#windowEndsAt = now + windowMs;
    this.#leastLagMs = Math.min(this.#leastLagMs, lagMs);
    if (now < this.#windowEndsAt) return;
    const change = this.#leastLagMs > this.#maxLagMs ? growth : -decline;
    this.#share = Math.min(most, Math.max(0, Math.round((this.#share + change) * 10) / 10));
    this.#windowEndsAt = now + windowMs;
    this.#leastLagMs = Infinity;
  }

  /** Whether the next request is turned away: every so-many-th, so that no agent is unlucky for long. */
  turnsAway(): boolean {
    if (this.#share === 0) return false;
    this.#due += this.#share;
    if (this.#due < 1) return false;
    this.#due -= 1;
    return true;
  }
}

/** Tells every 50 ms how late that was. Returns what ends it. */
export function sampleLag(tell: (lagMs: number, now: number) => void): () => void {
  const everyMs = 50;
  let expectedAt = performance.now() + everyMs;
  const timer = setInterval(() => {
    const now = performance.now();
    tell(Math.max(0, now - expectedAt), now);
    expectedAt = now + everyMs;
  }, everyMs);
  timer.unref();
  return () => clearInterval(timer);
}
