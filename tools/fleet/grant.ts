import { grantAs, type GrantRequest } from '@connectors/dev-servers';
import type { OAuthCredentials } from '@connectors/vault-core';

/** Goes through the consent pages as a user would, and says what was granted as it is stored. */
export async function grantCredentials(
  server: { authorizationEndpoint: string; tokenEndpoint: string },
  request: GrantRequest,
  integration: string,
): Promise<OAuthCredentials> {
  const granted = await grantAs(server, request);
  return {
    accessToken: granted.access_token,
    refreshToken: granted.refresh_token,
    expiresAt: new Date(Date.now() + granted.expires_in * 1000),
    scopes: granted.scope.split(' '),
    tokenType: granted.token_type,
    integration,
  };
}
