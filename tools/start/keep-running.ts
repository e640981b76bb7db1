import { setTimeout as delay } from 'node:timers/promises';
import { live } from './screen.ts';
import { logDir } from './state.ts';

const restartMs = 5_000;

/** Something that was started. */
export interface Part {
  /** Resolves when it has ended, with how. */
  ended: Promise<string>;
  /** Resolves when it has ended, at once if it had already. */
  stop(): Promise<void>;
}

/** A part of the system that is kept running until it is stopped. */
export interface Running {
  name: string;
  stop(): Promise<void>;
}

/** Starts `part` again whenever it ends by itself. `startAgain` gives up when its signal is aborted. */
export function keepRunning(
  name: string,
  part: Part,
  startAgain: (stop: AbortSignal) => Part | Promise<Part>,
): Running {
  const stopping = new AbortController();
  const { signal } = stopping;
  let current = part;
  const restart = async (): Promise<Part> => {
    try {
      await delay(restartMs, undefined, { signal, ref: false });
      return await startAgain(signal);
    } catch (error) {
      const how = error instanceof Error ? error.message : String(error);
      return { ended: Promise.resolve(how), stop: () => Promise.resolve() };
    }
  };
  const kept = (async () => {
    while (!signal.aborted) {
      const how = await current.ended;
      if (signal.aborted) return;
      live(`${name} ended`, `${how}; starting it again in ${restartMs / 1000} s, logs are in ${logDir}`);
      current = await restart();
    }
    // A start that was too far on to give up.
    await current.stop();
  })();
  return {
    name,
    stop: async () => {
      stopping.abort();
      await current.stop();
      await kept;
    },
  };
}
