import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inParallel } from '../../fleet/in-parallel.ts';
import { refreshTogether } from '../../fleet/refresh-together.ts';
import { startFleet, type Fleet } from '../../fleet/start-fleet.ts';

const tenants = Array.from({ length: 100 }, (_, index) => `tenant-${index}`);

describe(`three workers refresh ${tenants.length} credentials that fall due together`, () => {
  const dir = mkdtempSync(join(tmpdir(), 'fleet-'));
  let fleet: Fleet;

  beforeAll(async () => {
    fleet = await startFleet(dir, { workers: 3, proxies: 0 });
    await inParallel(tenants, (tenant) => fleet.connect(tenant));
  });

  afterAll(async () => {
    await fleet.close();
    rmSync(dir, { recursive: true });
  });

  it.each(['starting from what was granted', 'starting from what the last refresh stored'])(
    'with one token request each, all saved before expiry, %s',
    async () => {
      expect(await refreshTogether(fleet, tenants)).toMatchObject({
        tokenRequests: tenants.length,
        granted: tenants.length,
        sentAgain: 0,
        savedInTime: tenants.length,
      });
    },
    60_000,
  );
});
