import { idPattern, idRule } from '@connectors/vault-core';
import { z } from 'zod';

/** Of a tenant, an integration, an agent or a webhook. */
export const id = z.string().regex(idPattern, `must be ${idRule}`);

export const tenantParams = z.object({ tenantId: id });

export const credentialParams = tenantParams.extend({ integration: id });

/** How many items a page has at the most. */
export const limit = z.coerce.number().int().min(1).max(200).default(50).describe('How many at most.');
