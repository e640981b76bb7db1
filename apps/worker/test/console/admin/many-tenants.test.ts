import { expect, it, onTestFinished } from 'vitest';
import { startRelay } from '../../../../../packages/vault-core/test/start-relay.ts';
import { startWorld, type World } from '../../start-world.ts';
import { startAdmin } from './start-admin.ts';

const tenants = Array.from({ length: 10_000 }, (_, index) => `tenant-${String(index).padStart(5, '0')}`);

async function storeAll(vault: World['vaultServer']): Promise<void> {
  const left = [...tenants];
  const store = async () => {
    for (let tenant = left.pop(); tenant !== undefined; tenant = left.pop())
      await storeSomething(vault, tenant);
  };
  await Promise.all(Array.from({ length: 20 }, store));
}

/** A list of tenants looks into no document. */
async function storeSomething({ url, rootToken }: World['vaultServer'], tenant: string): Promise<void> {
  const response = await fetch(`${url}/v1/secret/data/${tenant}/demo`, {
    method: 'POST',
    headers: { 'x-vault-token': rootToken },
    body: JSON.stringify({ data: { not: 'looked at' } }),
  });
  await response.arrayBuffer();
  if (!response.ok) throw new Error(`Vault answered ${response.status}`);
}

it('10,000 tenants are listed in pages, for each of which Vault is asked for that page and nothing else', async () => {
  const world = await startWorld();
  onTestFinished(() => world.close());
  const relay = await startRelay(world.vaultServer.url);
  const admin = await startAdmin(world, { VAULT_ADDR: relay.address });
  onTestFinished(() => admin.close());
  await storeAll(world.vaultServer);
  const listed: string[] = [];
  let query = '?limit=200';
  for (;;) {
    relay.requests.length = 0;
    const { status, body } = await admin.call('GET', `/tenants${query}`);
    expect(status).toBe(200);
    const asked = relay.requests.filter(({ path }) => path.startsWith('secret/'));
    expect(asked.map(({ path }) => path)).toEqual(['secret/metadata/']);
    // One more tells whether there is another page.
    expect(new URLSearchParams(asked[0]?.query).get('limit')).toBe('201');
    listed.push(...(body.items as { id: string }[]).map(({ id }) => id));
    if (body.next === undefined) break;
    query = `?limit=200&after=${body.next}`;
  }
  expect(listed).toEqual(tenants);
});
