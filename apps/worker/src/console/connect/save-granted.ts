import { setTimeout as delay } from 'node:timers/promises';
import { revokeUnused, storeGranted } from '@connectors/refresh';
import type { StoredCredential } from '@connectors/vault-core';
import type { ConnectOptions } from './connect.ts';
import type { Flow } from './connect-states.ts';
import type { Redeemed } from './redeem.ts';

/** In milliseconds. */
const maxPause = 2_000;

/**
 * Stores what was granted. The code is spent, so the tokens are all that is left of the user's consent: they are tried for as
 * long as an attempt to refresh may take. When they cannot be saved they are ended at the provider.
 *
 * @returns `undefined` when they could not be saved
 */
export async function saveGranted(
  { vault, engine }: Pick<ConnectOptions, 'vault' | 'engine'>,
  { tenantId, integration, user }: Flow,
  { granted, tokens }: Pick<Redeemed, 'granted' | 'tokens'>,
  isReconnect: boolean,
): Promise<StoredCredential | undefined> {
  const id = { tenantId, integration };
  const until = engine.monotonic() + engine.limits.attemptMs;
  for (let pause = 100; ; pause = Math.min(pause * 2, maxPause)) {
    try {
      return await storeGranted(vault, engine, id, granted, user);
    } catch (error) {
      engine.onUnsaved(id, error);
    }
    if (engine.stopping.aborted || engine.monotonic() + pause >= until) break;
    await delay(pause, undefined, { signal: engine.stopping }).catch(() => undefined);
  }
  await revokeUnused(engine, id, tokens, isReconnect ? 'replaced' : 'deleted');
  return undefined;
}
