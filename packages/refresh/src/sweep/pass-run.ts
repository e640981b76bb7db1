import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { RefreshEngine } from '../engine.ts';
import type { RefreshMetrics } from '../metrics.ts';
import type { StateIndex } from '../state-index.ts';
import { VaultPace } from './pace.ts';
import type { Pass, Passes, Position } from './passes.ts';

export interface SweepDeps {
  engine: RefreshEngine;
  passes: Passes;
  /** Where it says which tenants are in which state. */
  states: StateIndex;
  log: Logger;
  metrics: RefreshMetrics;
  /** How often a pass is due, in milliseconds. */
  sweepIntervalMs: number;
  /** How many calls to Vault a pass makes per second when it trickles, all workers together. */
  sweepCallsPerSecond: number;
}

/** The pass is left where it is: to other workers because this one ends, or for good because it is over. */
export class PassLeft extends Error {}

/** What one worker does of a pass: all of it, or what is left where another one stopped. */
export class PassRun {
  readonly deps: SweepDeps;
  readonly id: string;
  readonly pass: Pass;
  readonly pace: VaultPace;

  constructor(deps: SweepDeps, id: string, pass: Pass) {
    this.deps = deps;
    this.id = id;
    this.pass = pass;
    const callsPerSecond = pass.speed === 'full' ? Infinity : deps.sweepCallsPerSecond;
    this.pace = new VaultPace(callsPerSecond, deps.engine.monotonic);
  }

  /**
   * Notes how far it has come, and answers what all workers have done.
   *
   * @throws PassLeft
   */
  async advance(position?: Partial<Position>): Promise<Pass> {
    const latest = await this.deps.passes.advance(this.id, position);
    if (latest === undefined || this.deps.engine.stopping.aborted) throw new PassLeft();
    return latest;
  }

  /**
   * Waits for so many milliseconds, unless that is none.
   *
   * @throws PassLeft
   */
  async pause(ms: number): Promise<void> {
    if (ms < 1) return;
    await delay(ms, undefined, { signal: this.deps.engine.stopping }).catch(() => undefined);
    await this.advance();
  }
}
