import { setTimeout as delay } from 'node:timers/promises';
import { startChild, type Child, type ChildSpec } from '../fleet/child.ts';
import type { Part } from './keep-running.ts';
import { progress } from './screen.ts';

const pollMs = 100;

/**
 * Starts a program and waits until `readyUrl` answers.
 *
 * @throws {Error} with its last words, if it does not become ready, or when `stop` is aborted; it has ended then
 */
export async function startReady(spec: ChildSpec, readyUrl: string, stop: AbortSignal): Promise<Part> {
  const child = startChild(spec);
  try {
    await ready(spec, child, readyUrl, stop);
  } catch (error) {
    await child.stop();
    throw error;
  }
  return child;
}

async function ready(spec: ChildSpec, child: Child, url: string, stop: AbortSignal): Promise<void> {
  let how: string | undefined;
  void child.ended.then((ended) => (how = ended));
  const fail = (what: string) => new Error(`${spec.name} ${what}:\n${child.lastWords.join('\n')}`);
  for (let waited = 0; ; waited += pollMs) {
    const isAnswered = await answers(url, stop);
    // First of all, for somebody else may answer there.
    if (how !== undefined) throw fail(`ended at start (${how})`);
    if (isAnswered) return;
    if (waited > 0 && waited % 5_000 === 0) progress(`waiting for ${spec.name} at ${url}`);
    if (waited >= 60_000) throw fail(`does not answer at ${url}`);
    await delay(pollMs, undefined, { signal: stop });
  }
}

async function answers(url: string, stop: AbortSignal): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.any([stop, AbortSignal.timeout(2_000)]) });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}
