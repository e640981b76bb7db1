import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  startRelay,
  type Relay,
  type RelayedRequest,
} from '../../../../../packages/vault-core/test/start-relay.ts';
import { startWorld, type World } from '../../start-world.ts';
import { startAdmin, type Admin } from './start-admin.ts';

let world: World;
/** Two workers; the calls of the second to Vault can be held up. */
let admin: Admin;
let slow: Admin;
let relay: Relay;

beforeAll(async () => {
  world = await startWorld();
  admin = await startAdmin(world);
});

afterAll(async () => {
  await admin.close();
  await world.close();
});

beforeEach(async (test) => {
  relay = await startRelay(world.vaultServer.url);
  slow = await startAdmin(world, { VAULT_ADDR: relay.address, SWEEP_INTERVAL_SECONDS: '86400' });
  test.onTestFinished(() => slow.close());
  await vi.waitUntil(async () => (await fetch(`${slow.url}/readyz`)).ok, 10_000);
});

const tokens = { accessToken: 'imported', refreshToken: 'imported-too', expiresAt: '2100-01-01T00:00:00Z' };
const importInto = (on: Admin, tenantId: string) =>
  on.call('PUT', `/tenants/${tenantId}/credentials/demo`, tokens);
const offboard = (on: Admin, tenantId: string) => on.call('DELETE', `/tenants/${tenantId}`);

/** Lets something happen to the end while one call to Vault waits. */
function meanwhile<Result>(
  isIt: (request: RelayedRequest) => boolean,
  act: () => Promise<Result>,
): Promise<Result> {
  return new Promise((resolve, reject) => {
    relay.disturb = async (request) => {
      if (!isIt(request)) return undefined;
      relay.disturb = () => undefined;
      await act().then(resolve, reject);
      return undefined;
    };
  });
}

const refused = {
  status: 409,
  body: {
    code: 'conflict',
    detail: expect.stringContaining('being offboarded: nothing was stored') as string,
  },
};

describe('an import', () => {
  it('that is overtaken by an offboarding leaves no document that nobody can read', async () => {
    const offboarded = meanwhile(
      ({ method, path }) => method !== 'GET' && path === 'secret/data/overtaken/demo',
      () => offboard(admin, 'overtaken'),
    );
    expect(await importInto(slow, 'overtaken')).toMatchObject(refused);
    expect((await offboarded).status).toBe(200);
    expect(await world.leftOf('overtaken')).toEqual([]);
  });

  it('that comes while an offboarding is under way is refused', async () => {
    await importInto(admin, 'leaving');
    const imported = meanwhile(
      ({ path }) => path === 'transit/keys/leaving',
      () => importInto(admin, 'leaving'),
    );
    expect((await offboard(slow, 'leaving')).status).toBe(200);
    expect(await imported).toMatchObject(refused);
    expect(await world.leftOf('leaving')).toEqual([]);
  });

  it('brings the tenant back once the offboarding has ended', async () => {
    await importInto(admin, 'returns');
    await offboard(admin, 'returns');
    expect((await importInto(admin, 'returns')).status).toBe(201);
  });

  it('is taken again after an offboarding that broke off', async () => {
    await importInto(admin, 'broken');
    relay.disturb = ({ path }) => (path === 'transit/keys/broken/config' ? 'reset' : undefined);
    expect(await offboard(slow, 'broken')).toMatchObject({
      status: 503,
      body: { detail: expect.stringMatching(/the offboarding is not finished\. Repeat it\.$/) as string },
    });
    expect((await importInto(admin, 'broken')).status).toBe(201);
  });
});

describe('two offboardings at once', () => {
  it.each([
    'secret/metadata/twice/demo',
    'secret/destroy/twice/demo',
    'transit/decrypt/twice',
    'transit/keys/twice/config',
    'transit-refresh/keys/twice',
  ])('both end, also if one ends while the other asks for %s', async (place) => {
    await importInto(admin, 'twice');
    const first = meanwhile(
      ({ path, method }) => path === place && (!place.endsWith('keys/twice') || method === 'DELETE'),
      () => offboard(admin, 'twice'),
    );
    expect((await offboard(slow, 'twice')).status).toBe(200);
    expect((await first).status).toBe(200);
    expect(await world.leftOf('twice')).toEqual([]);
  });
});
