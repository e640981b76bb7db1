import { onTestFinished } from 'vitest';
import { grantAs, type TokenResponse } from '../../src/authorization-server/grant-as.ts';
import {
  startAuthorizationServer,
  type AuthorizationServerOptions,
  type RunningAuthorizationServer,
} from '../../src/authorization-server/start-authorization-server.ts';

/** An authorization server that ends with the test. */
export async function startServer(options?: AuthorizationServerOptions): Promise<RunningAuthorizationServer> {
  const server = await startAuthorizationServer(options);
  onTestFinished(() => server.close());
  return server;
}

export async function grant(
  server: RunningAuthorizationServer,
  { login = 'ann', scopes = ['api:read'], client = 0 } = {},
): Promise<TokenResponse> {
  const { redirectUris, ...credentials } = server.clients[client]!;
  return await grantAs(server, { ...credentials, redirectUri: redirectUris[0]!, scopes, login });
}

export function basic({ clientId, clientSecret }: { clientId: string; clientSecret: string }): string {
  return `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`;
}

export async function refresh(
  server: RunningAuthorizationServer,
  refreshToken: string,
  init: RequestInit = {},
): Promise<Response> {
  return await fetch(server.tokenEndpoint, {
    method: 'POST',
    headers: { authorization: basic(server.clients[0]!) },
    body: new URLSearchParams({ grant_type: 'refresh_token', refresh_token: refreshToken }),
    ...init,
  });
}

/** Whether the server says that the token is active. */
export async function isActive(server: RunningAuthorizationServer, token: string): Promise<boolean> {
  const response = await fetch(server.introspectionEndpoint, {
    method: 'POST',
    headers: { authorization: basic(server.introspectionClient) },
    body: new URLSearchParams({ token }),
  });
  const answer = (await response.json()) as { active: boolean };
  return answer.active;
}
