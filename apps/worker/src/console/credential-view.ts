import { missingScopes, type Integration } from '@connectors/oauth';
import { stateAtRest } from '@connectors/refresh';
import { accountSchema, isRefreshable, type StoredCredential } from '@connectors/vault-core';
import { z } from 'zod';

const credentialStates = ['active', 'expiring', 'failing', 'needs_reauth', 'never_connected'] as const;

/** A credential as people and programs see it: everything but its tokens. */
export const credentialView = z
  .object({
    integration: z.string(),
    name: z.string().describe('The provider’s name, for people.'),
    state: z.enum(credentialStates),
    reason: z
      .string()
      .optional()
      .describe('Why its user has to connect again, or why its refresh fails: a code.'),
    account: accountSchema.optional().describe('Whose it is at the provider.'),
    scopes: z.array(z.string()),
    missingScopes: z
      .array(z.string())
      .optional()
      .describe('Scopes that the integration asks for and that were not granted.'),
    connectedAt: z.string().optional(),
    tokenIssuedAt: z.string().optional(),
    expiresAt: z.string().optional(),
    nextRefreshAt: z.string().optional(),
    refreshCount: z.int().optional(),
    retryCount: z.int().optional().describe('How often its refresh has failed in a row.'),
    revision: z.string().optional().describe('Identifies this state of the credential.'),
    canRefresh: z.boolean(),
    fields: z
      .record(z.string(), z.string())
      .optional()
      .describe('What the provider needs to know about the tenant.'),
  })
  .meta({ id: 'Credential' });

export type CredentialView = z.infer<typeof credentialView>;

/** What the queue knows of the refresh of a credential; nothing without Redis. */
export interface RefreshOutlook {
  failures: number;
  /** Why the last one failed: a code. */
  reason?: string | undefined;
  dueAt?: number | undefined;
}

/**
 * Puts together what is shown of a stored credential.
 *
 * @param integration absent if it is not configured here: then nobody refreshes it
 */
export function viewCredential(
  id: string,
  integration: Integration | undefined,
  stored: StoredCredential,
  outlook: RefreshOutlook,
  now: number,
): CredentialView {
  const { metadata, scopes, expiresAt } = stored;
  const canRefresh = isRefreshable(stored) && integration !== undefined;
  const { state, reason } = stateOf(stored, canRefresh, outlook, now);
  const missing = integration ? missingScopes(integration.provider, integration.scopes, scopes) : [];
  const { account, fields, createdAt, tokenIssuedAt, refreshCount, revision } = metadata;
  return {
    integration: id,
    name: integration?.provider.name ?? id,
    state,
    ...(reason === undefined ? {} : { reason }),
    ...(account === undefined ? {} : { account }),
    scopes,
    ...(missing.length === 0 ? {} : { missingScopes: missing }),
    connectedAt: createdAt,
    tokenIssuedAt,
    ...(expiresAt === undefined ? {} : { expiresAt }),
    ...(outlook.dueAt === undefined || !canRefresh
      ? {}
      : { nextRefreshAt: new Date(outlook.dueAt).toISOString() }),
    refreshCount,
    ...(outlook.failures === 0 ? {} : { retryCount: outlook.failures }),
    revision,
    canRefresh,
    ...(fields === undefined ? {} : { fields }),
  };
}

function stateOf(
  stored: StoredCredential,
  canRefresh: boolean,
  { failures, reason }: RefreshOutlook,
  now: number,
): Pick<CredentialView, 'state' | 'reason'> {
  if (canRefresh && failures > 0) return { state: 'failing', reason };
  return stateAtRest(stored, now, canRefresh);
}

/** The same once its refresh is known to have failed, if the queue has not told so yet. */
export function viewFailing(
  view: CredentialView,
  { error, retryCount }: { error: string; retryCount: number },
): CredentialView {
  return view.state === 'active' ? { ...view, state: 'failing', reason: error, retryCount } : view;
}

/** A document in Vault that is not as it should be: whoever connects again puts it right. */
export function viewUnreadable(id: string, integration: Integration | undefined): CredentialView {
  return { ...viewNeverConnected(id, integration), state: 'needs_reauth', reason: 'unreadable' };
}

export function viewNeverConnected(id: string, integration: Integration | undefined): CredentialView {
  const name = integration?.provider.name ?? id;
  return { integration: id, name, state: 'never_connected', scopes: [], canRefresh: false };
}
