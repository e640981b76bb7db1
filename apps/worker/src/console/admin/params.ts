import { idPattern, idRule } from '@connectors/vault-core';
import { z } from 'zod';

/** Of a tenant, an integration, an agent or a webhook. */
export const id = z.string().regex(idPattern, `must be ${idRule}`);

export const tenantParams = z.object({ tenantId: id });

export const credentialParams = tenantParams.extend({ integration: id });

/** How many items a page has at the most. */
export const limit = z.coerce.number().int().min(1).max(200).default(50).describe('How many at most.');

/** Of a list in the order of its ids. */
export const pageQuery = z.strictObject({
  limit,
  after: id.optional().describe('`next` of the previous page; there need be nothing of that id.'),
});

export const next = z.string().optional().describe('The `after` of the next page; absent on the last one.');
