import { idRule, isId } from '@connectors/vault-core';
import { z } from 'zod';
import { credentialView } from '../credential-view.ts';
import { tenantParams } from './webhook-schemas.ts';

export const credentialParams = tenantParams.extend({
  integration: z.string().refine(isId, `must be ${idRule}`),
});

export const credentialQuery = z.strictObject({
  all: z.stringbool().default(false).describe('`true`: also integrations that were never connected.'),
});

export const credentialList = z.object({ items: z.array(credentialView) });

export const refreshQuery = z.strictObject({
  wait: z.coerce.number().min(0).max(30).default(0).describe('Seconds to wait for the end.'),
});

export const refreshReport = z.object({
  outcome: z.enum([
    'hastened',
    'superseded',
    'not_refreshable',
    'cooling_down',
    'throttled',
    'refreshed',
    'failed',
    'pending',
  ]),
  credential: credentialView,
});

export const disconnectReport = z.object({
  existed: z.boolean(),
  revocation: z.enum(['ended', 'unsupported', 'failed', 'none']),
});
