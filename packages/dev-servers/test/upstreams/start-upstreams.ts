import { onTestFinished } from 'vitest';
import type { TokenResponse } from '../../src/authorization-server/grant-as.ts';
import type {
  AuthorizationServerOptions,
  RunningAuthorizationServer,
} from '../../src/authorization-server/start-authorization-server.ts';
import { startMcpUpstream } from '../../src/upstreams/mcp-upstream.ts';
import type { ProtectedServer } from '../../src/upstreams/protected-server.ts';
import { startRestUpstream, type RestUpstream } from '../../src/upstreams/rest-upstream.ts';
import { grant, startServer } from '../authorization-server/client.ts';

interface Started<Upstream> {
  upstream: Upstream;
  authorizationServer: RunningAuthorizationServer;
  tokens: TokenResponse;
}

export const startRest = (options?: AuthorizationServerOptions): Promise<Started<RestUpstream>> =>
  start(startRestUpstream, options);

export const startMcp = (options?: AuthorizationServerOptions): Promise<Started<ProtectedServer>> =>
  start(startMcpUpstream, options);

async function start<Upstream extends ProtectedServer>(
  startUpstream: (options: { authorizationServer: RunningAuthorizationServer }) => Promise<Upstream>,
  options?: AuthorizationServerOptions,
): Promise<Started<Upstream>> {
  const authorizationServer = await startServer(options);
  const upstream = await startUpstream({ authorizationServer });
  onTestFinished(() => upstream.close());
  return { upstream, authorizationServer, tokens: await grant(authorizationServer) };
}

export function bearer(token: string): { authorization: string } {
  return { authorization: `Bearer ${token}` };
}
