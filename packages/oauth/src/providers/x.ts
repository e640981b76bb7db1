import { oauthDefaults } from '../provider.ts';
import type { Provider } from '../provider.ts';

const authorizeUrl = 'https://x.com/i/oauth2/authorize';
const tokenUrl = 'https://api.x.com/2/oauth2/token';
const revokeUrl = 'https://api.x.com/2/oauth2/revoke';
const apiBaseUrl = 'https://api.x.com/2';

/** Refuses requests without PKCE. */
export const x: Provider = {
  ...oauthDefaults,
  id: 'x',
  name: 'X',
  docsUrl: 'https://docs.x.com/fundamentals/authentication/oauth-2-0/authorization-code',
  authorizeUrl,
  tokenUrl,
  revokeUrl,
  apiBaseUrl,
  clientAuthentication: 'basic',
  offlineScopes: ['offline.access'],
  assumedLifetime: 7200,
  unverified: ['refreshTokenRotates'],
  note: 'A public client sets `clientAuthentication: none`.',
};
