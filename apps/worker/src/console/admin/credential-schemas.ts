import { accountSchema } from '@connectors/vault-core';
import { z } from 'zod';
import { credentialView } from '../credential-view.ts';

export const credentialQuery = z.strictObject({
  all: z.stringbool().default(false).describe('`true`: also integrations that were never connected.'),
});

export const credentialList = z.object({ items: z.array(credentialView) });

export const refreshQuery = z.strictObject({
  wait: z.coerce
    .number()
    .min(0)
    .max(30)
    .default(0)
    .describe('How many seconds to wait for the refresh to end.'),
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

/** Longer than any token that is known, and short enough for a document in Vault. */
const token = z.string().min(1).max(16_384);

const fields = z
  .record(z.string(), z.string().max(512))
  .describe('What the provider needs to know about the tenant, by the names in its definition.');

/** RFC 6749 A.12. Anything else, a line break of a file say, breaks the header that it is put into. */
const importedToken = token.regex(/^[\x20-\x7e]+$/, 'must be visible ASCII characters');

export const importedCredential = z.strictObject({
  accessToken: importedToken,
  refreshToken: importedToken.optional(),
  expiresAt: z.iso.datetime().optional().describe('When the access token expires. Left out: it does not.'),
  scopes: z.array(z.string().min(1)).optional().describe('Left out: those of the integration.'),
  tokenType: z.string().min(1).max(64).default('Bearer'),
  fields: fields.optional(),
  account: accountSchema.strict().optional().describe('Whose it is at the provider.'),
});

export const mintedCredential = z.strictObject({
  fields: fields.default({}),
  grantSecret: token.optional().describe('The tenant’s own key or secret, if it is not the operator’s.'),
});
