import { readFileSync } from 'node:fs';
import { EgressGuard } from '@connectors/egress';
import { Discovery, loadIntegrations, readTokenResponse, refreshAccessToken } from '@connectors/oauth';
import { VaultClient, type CredentialId } from '@connectors/vault-core';

// What the refresh of a credential cannot do without, with the clients that a worker has: six calls to Vault and one
// token request, in its order. No queue, no schedule, no claim, no spool, no judgement. A parent says what to do.

export interface BareLoopOrder {
  tenants: string[];
  integration: string;
  concurrency: number;
  vault: string;
  /** Where role-id and secret-id lie. */
  approleDir: string;
  /** The connectors.yaml of a worker. */
  configFile: string;
  clientSecret: string;
}

export type BareLoopAnswer =
  | {
      seconds: number;
      /** What this process has used since it started. */
      cpuSeconds: number;
    }
  | { error: string };

process.on('message', (order: BareLoopOrder) => {
  void run(order).then(
    (seconds) => answer({ seconds, cpuSeconds: cpuSeconds() }),
    (error: unknown) => answer({ error: String(error) }),
  );
});
process.once('disconnect', () => process.exit());

function answer(is: BareLoopAnswer): void {
  process.send?.(is);
}

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

let refreshOne: ((id: CredentialId) => Promise<void>) | undefined;

/** @returns how many seconds it took */
async function run(order: BareLoopOrder): Promise<number> {
  refreshOne ??= await prepare(order);
  const refresh = refreshOne;
  const left = order.tenants.values();
  const takeTurns = async (): Promise<void> => {
    for (const tenantId of left) await refresh({ tenantId, integration: order.integration });
  };
  const startedAt = performance.now();
  await Promise.all(Array.from({ length: order.concurrency }, takeTurns));
  return (performance.now() - startedAt) / 1000;
}

async function prepare(order: BareLoopOrder) {
  const read = (name: string) => readFileSync(`${order.approleDir}/${name}`, 'utf8').trim();
  const appRole = { roleId: read('role-id'), secretId: read('secret-id') };
  const { credentials } = new VaultClient({ address: order.vault, appRole });
  const guard = new EgressGuard({ allow: ['127.0.0.1'] });
  const { integrations } = loadIntegrations({
    yaml: readFileSync(order.configFile, 'utf8'),
    env: { DEMO_CLIENT_SECRET: order.clientSecret },
  });
  const known = integrations.get(order.integration);
  if (known === undefined) throw new Error(`there is no integration ${order.integration}`);
  const integration = await new Discovery({ guard }).complete(known);

  return async (id: CredentialId): Promise<void> => {
    const { credential, version } = await credentials.get(id);
    const refreshToken = await credentials.decryptRefreshToken(id, credential);
    if (refreshToken === undefined) throw new Error('there is no refresh token');
    const claimed = await credentials.write(id, credential, version);
    const answer = await refreshAccessToken({ integration, refreshToken, guard });
    const result = readTokenResponse(integration.provider, answer);
    if (result.kind === 'failure') throw new Error(`no tokens: ${result.failure.reason}`);
    const { tokens } = result;
    const [newAccessToken, newRefreshToken] = await Promise.all([
      credentials.encrypt(id, 'accessToken', tokens.accessToken),
      credentials.encrypt(id, 'refreshToken', tokens.refreshToken ?? refreshToken),
    ]);
    await credentials.write(
      id,
      { ...credential, accessToken: newAccessToken, refreshToken: newRefreshToken },
      claimed,
    );
  };
}
