import { AdminApiError, AdminClient } from '@connectors/admin-client';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { adminToken, startWorld, type World } from '../../start-world.ts';
import { startAdmin, type Admin } from './start-admin.ts';

let world: World;
let admin: Admin;
let client: AdminClient;

beforeAll(async () => {
  world = await startWorld();
  admin = await startAdmin(world, { REFRESH_COOLDOWN_SECONDS: '0' });
  client = new AdminClient({ consoleUrl: `${admin.url}/`, adminToken });
});

afterAll(async () => {
  await admin.close();
  await world.close();
});

it('calls operations by their names, with parameters of path and query and with bodies', async () => {
  const id = { tenantId: 'acme', integration: 'demo' };
  await world.connect(id, { expiresIn: 3_600 });
  const { outcome, credential } = await client.call('refreshCredential', { ...id, wait: 20 });
  expect([outcome, credential.refreshCount]).toEqual(['refreshed', 1]);
  const agent = await client.call('createAgent', {}, { name: 'a bot', grants: [{ tenants: ['acme'] }] });
  expect(agent.key).toMatch(/^cak_/);
  expect(await client.call('revokeAgent', { agentId: agent.id })).toBeUndefined();
});

it('goes through all tenants, page by page', async () => {
  const tenants = Array.from({ length: 3 }, (_, index) => `many${index}`);
  for (const tenantId of tenants)
    await client.call('importCredential', { tenantId, integration: 'demo' }, { accessToken: 'a' });
  const found: string[] = [];
  for await (const { id } of client.tenants()) found.push(id);
  expect(found).toEqual(expect.arrayContaining(tenants));
});

it('throws what the console says, with its code', async () => {
  const asked = client.call('getAgent', { agentId: 'nobody' });
  await expect(asked).rejects.toThrow(AdminApiError);
  await expect(asked).rejects.toMatchObject({
    status: 404,
    code: 'not_found',
    message: 'There is no such agent.',
  });
});
