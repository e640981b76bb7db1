import { ConnectorsError, grantSchema, grantsSchema } from '@connectors/vault-core';
import { z } from 'zod';
import { id, next } from './params.ts';

export const agentParams = z.object({ agentId: id });

const name = z.string().trim().min(1).max(200);
const time = z.iso.datetime();

export const newAgent = z.strictObject({ name, grants: grantsSchema, expiresAt: time.exactOptional() });

export const agentChange = z.strictObject({
  name: name.exactOptional(),
  grants: grantsSchema.exactOptional(),
  /** `null` takes it away. */
  expiresAt: time.nullable().exactOptional(),
});

/** An agent as the API shows it: of its keys, only how long they have been and will be good. */
export const shownAgent = z
  .object({
    id: z.string(),
    name: z.string(),
    keys: z.array(z.object({ createdAt: z.string(), expiresAt: z.string().exactOptional() })),
    grants: z.array(grantSchema),
    createdAt: z.string(),
    expiresAt: z.string().exactOptional(),
  })
  .meta({ id: 'Agent' });

export const agentWithKey = shownAgent.extend({ key: z.string().describe('Shown this once.') });

export const agentPage = z.object({
  items: z.array(shownAgent),
  /** Ids of those whose documents in Vault are not as they should be; they are let in nowhere. */
  unreadable: z.array(z.string()),
  next,
});

interface Expiring {
  expiresAt?: string | null;
  grants?: { expiresAt?: string }[];
}

/**
 * What has expired already was a slip.
 *
 * @throws ConnectorsError `invalid_request`, naming the fields
 */
export function checkExpiries({ expiresAt, grants = [] }: Expiring, now: number): void {
  const isPast = (time: string | null | undefined) => typeof time === 'string' && Date.parse(time) <= now;
  const fields = [
    ...(isPast(expiresAt) ? ['expiresAt'] : []),
    ...grants.flatMap((grant, index) => (isPast(grant.expiresAt) ? [`grants.${index}.expiresAt`] : [])),
  ];
  if (fields.length === 0) return;
  const problems = fields.map((field) => `${field}: must be in the future`);
  throw new ConnectorsError('invalid_request', problems.join('; '));
}
