import { setTimeout as delay } from 'node:timers/promises';
import { revokeUnused, storeGranted } from '@connectors/refresh';
import { VaultError, type CredentialId, type StoredCredential } from '@connectors/vault-core';
import type { ConnectOptions } from './connect.ts';
import type { Flow } from './connect-states.ts';
import type { Redeemed } from './redeem.ts';

/** In milliseconds. */
const maxPause = 2_000;

export interface Saved {
  credential: StoredCredential;
  /** What it has replaced. */
  replaced: StoredCredential | undefined;
}

/**
 * Stores what was granted. The code is spent, so the tokens are all that is left of the user's consent: they are tried for as
 * long as an attempt to refresh may take. When they cannot be saved they are ended at the provider.
 *
 * @param before what was stored before the exchange
 * @returns `undefined` when they could not be saved
 */
export async function saveGranted(
  { vault, engine }: Pick<ConnectOptions, 'vault' | 'engine'>,
  { tenantId, integration, user }: Flow,
  { granted, tokens }: Pick<Redeemed, 'granted' | 'tokens'>,
  before: StoredCredential | undefined,
): Promise<Saved | undefined> {
  const id = { tenantId, integration };
  const until = engine.monotonic() + engine.limits.attemptMs;
  let replaced = before;
  let isCurrent = false;
  for (let pause = 100; ; pause = Math.min(pause * 2, maxPause)) {
    try {
      // During the exchange a refresh may have come in between, or another connect. Once: a try may have landed unheard.
      if (!isCurrent) replaced = await findReadable(vault, id);
      isCurrent = true;
      return { credential: await storeGranted(vault, engine, id, granted, user), replaced };
    } catch (error) {
      engine.onUnsaved(id, error);
    }
    if (engine.stopping.aborted || engine.monotonic() + pause >= until) break;
    await delay(pause, undefined, { signal: engine.stopping }).catch(() => undefined);
  }
  await revokeUnused(engine, id, tokens, replaced === undefined ? 'deleted' : 'replaced');
  return undefined;
}

/** What is stored. What nobody can read is replaced all the same. */
export async function findReadable(
  { credentials }: ConnectOptions['vault'],
  id: CredentialId,
): Promise<StoredCredential | undefined> {
  try {
    return (await credentials.find(id))?.credential;
  } catch (error) {
    if (error instanceof VaultError) throw error;
    return undefined;
  }
}
