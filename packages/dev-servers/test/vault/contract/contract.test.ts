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
import { transitContract } from './transit.ts';
import { VaultHttp } from './vault-http.ts';

for (const target of await vaultTargets()) {
  if (target.missing !== undefined) {
    it.skip(`against ${target.name} (${target.missing})`);
    continue;
  }
  describe(`against ${target.name}`, () => {
    let vault: VaultHttp;
    let stop: (() => Promise<void>) | undefined;

    beforeAll(async () => {
      const started = await target.start();
      vault = new VaultHttp(started.address, started.token);
      stop = started.stop;
    }, 180_000);

    afterAll(async () => {
      await vault.clean();
      await stop?.();
    });

    describe('HTTP', () => httpContract(() => vault));
    describe('system', () => systemContract(() => vault));
    describe('policies', () => policyContract(() => vault));
    describe('access control', () => aclContract(() => vault));
    describe('tokens', () => tokenContract(() => vault));
    describe('AppRole', () => approleContract(() => vault));
    describe('transit', () => transitContract(() => vault));
    describe('KV version 2', () => kvContract(() => vault));
    describe('the shipped policies', () => shippedPoliciesContract(() => vault));
  });
}
