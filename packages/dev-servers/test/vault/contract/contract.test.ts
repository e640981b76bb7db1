import { afterAll, beforeAll, describe, it } from 'vitest';
import { vaultTargets } from '../../../src/vault/targets.ts';
import { aclContract } from './acl.ts';
import { approleContract } from './approle.ts';
import { httpContract } from './http.ts';
import { kvContract } from './kv.ts';
import { policyContract } from './policy.ts';
import { shippedPoliciesContract } from './shipped-policies.ts';
import { systemContract } from './system.ts';
import { tokenContract } from './token.ts';
import { transitCryptoContract } from './transit-crypto.ts';
import { transitKeyContract } from './transit-key.ts';
import { VaultHttp } from './vault-http.ts';

const targets = await vaultTargets();

// eslint-disable-next-line vitest/expect-expect -- it names what cannot be had here
it.for(targets.filter(({ missing }) => missing !== undefined))(
  'against $name ($missing)',
  ({ missing }, { skip }) => skip(missing),
);

describe.each(targets.filter(({ missing }) => missing === undefined))('against $name', (target) => {
  let vault: VaultHttp;
  let stop: () => Promise<void>;

  beforeAll(async () => {
    const started = await target.start();
    vault = new VaultHttp(started.address, started.token);
    stop = () => started.stop();
  }, 180_000);

  afterAll(async () => {
    await vault.clean();
    await stop();
  });

  describe.each([
    { subject: 'HTTP', contract: httpContract },
    { subject: 'system', contract: systemContract },
    { subject: 'policies', contract: policyContract },
    { subject: 'access control', contract: aclContract },
    { subject: 'tokens', contract: tokenContract },
    { subject: 'AppRole', contract: approleContract },
    { subject: 'transit keys', contract: transitKeyContract },
    { subject: 'transit', contract: transitCryptoContract },
    { subject: 'KV version 2', contract: kvContract },
    { subject: 'the shipped policies', contract: shippedPoliciesContract },
  ])('$subject', ({ contract }) => {
    contract(() => vault);
  });
});
