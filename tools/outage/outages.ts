import type { Member } from '../fleet/member.ts';
import { sealVault, unsealVault } from '../fleet/seal.ts';
import type { Fleet } from '../fleet/start-fleet.ts';

export interface Outage {
  name: string;
  /** What agents may get to see besides success; nothing, unless told. */
  allowed?: string;
  begin(fleet: Fleet, dir: string): Promise<unknown>;
  /** Left out: it stays as it is. */
  end?(fleet: Fleet, dir: string): Promise<unknown>;
}

async function kill(member: Member): Promise<void> {
  member.kill('SIGKILL');
  await member.ended;
}

/** One after the other, with time in between for all to be well again. */
export const outages: readonly Outage[] = [
  { name: 'Vault killed', begin: ({ vault }) => kill(vault), end: ({ vault }) => vault.restart() },
  { name: 'Vault sealed', begin: (fleet) => sealVault(fleet), end: (fleet, dir) => unsealVault(fleet, dir) },
  {
    name: 'Vault hangs',
    begin: async ({ vault }) => vault.kill('SIGSTOP'),
    end: async ({ vault }) => vault.kill('SIGCONT'),
  },
  { name: 'Redis killed', begin: ({ redis }) => kill(redis), end: ({ redis }) => redis.restart() },
  {
    name: 'Vault and Redis killed',
    begin: ({ vault, redis }) => Promise.all([kill(vault), kill(redis)]),
    end: ({ vault, redis }) => Promise.all([vault.restart(), redis.restart()]),
  },
  { name: 'REST upstream gone', allowed: 'upstream_unreachable', begin: ({ rest }) => rest.close() },
];
