import { fingerprint } from '@connectors/dev-servers';
import { inParallel } from '../fleet/in-parallel.ts';
import { integration, type Fleet } from '../fleet/start-fleet.ts';
import type { Ledger } from './ledger.ts';

/**
 * What is wrong with what is stored when all is over; no line holds a token.
 *
 * @param endedAt when the last worker ended: what expires later is not their fault, if this check takes its time
 */
export async function checkStored(fleet: Fleet, ledger: Ledger, endedAt: number): Promise<string[]> {
  const problems: string[] = [];
  await inParallel(ledger.grants, async ({ tenantId, newest }) => {
    const stored = await fleet.admin.getCredentials(tenantId, integration);
    const { status, revision } = stored.metadata;
    const expiresAt = stored.expiresAt?.getTime() ?? 0;
    const response = await fetch(`${fleet.rest.url}/account`, {
      headers: { authorization: `Bearer ${stored.accessToken}` },
    });
    await response.arrayBuffer();
    const told = `${tenantId}: revision ${revision}, ${status}, expires ${stored.expiresAt?.toISOString()}`;
    const isLate = expiresAt > endedAt && Date.now() > expiresAt;
    if (response.status !== 200 && !isLate)
      problems.push(`${told}: the upstream answers ${response.status} to its access token`);
    if (fingerprint(stored.refreshToken ?? '') !== newest)
      problems.push(`${told}: its refresh token is not the provider's newest`);
  });
  return problems;
}
