import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startFleet } from '@connectors/tools/fleet/start-fleet.ts';

export const integration = 'bench';
const tenantId = 'tenant-1';
/** As the upstream sees it. */
export const token = 'a-token-of-forty-characters-0123456789ab';

/** Vault and Redis with a tenant's credential and an agent's key: what the proxy needs to serve. */
export async function startDeployment(dir: string, upstream: string) {
  const fleet = await startFleet(dir, { workers: 0, proxies: 0 });
  const configFile = join(dir, 'bench.yaml');
  const entry = {
    authorizeUrl: fleet.authorizationServer.authorizationEndpoint,
    tokenUrl: fleet.authorizationServer.tokenEndpoint,
    clientId: 'bench',
    upstream: { rest: upstream },
  };
  // JSON is YAML.
  writeFileSync(configFile, JSON.stringify({ integrations: { [integration]: entry } }));
  await fleet.admin.storeCredentials(tenantId, integration, {
    accessToken: token,
    refreshToken: 'never-used',
    expiresAt: new Date(Date.now() + 24 * 3_600_000),
    scopes: [],
    tokenType: 'Bearer',
    integration,
  });
  const agentKey = await fleet.createAgent({
    name: 'bench',
    grants: [{ tenants: [tenantId], integrations: [integration] }],
  });
  return {
    agentKey,
    environment: {
      ...fleet.environment('proxy'),
      CONNECTORS_CONFIG: configFile,
      // Counted, but out of the way.
      TENANT_REQUESTS_PER_SECOND: '1000000',
      TENANT_BURST: '1000000',
    },
    close: () => fleet.close(),
  };
}
