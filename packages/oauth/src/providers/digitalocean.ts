import { oauthDefaults } from '../provider.ts';
import type { Provider } from '../provider.ts';

const authorizeUrl = 'https://cloud.digitalocean.com/v1/oauth/authorize';
const tokenUrl = 'https://cloud.digitalocean.com/v1/oauth/token';
const revokeUrl = 'https://cloud.digitalocean.com/v1/oauth/revoke';
const apiBaseUrl = 'https://api.digitalocean.com/v2';

/** A token ends by its own hand. */
export const digitalocean: Provider = {
  ...oauthDefaults,
  id: 'digitalocean',
  name: 'DigitalOcean',
  docsUrl: 'https://docs.digitalocean.com/reference/api/oauth/',
  authorizeUrl,
  tokenUrl,
  revokeUrl,
  apiBaseUrl,
  clientAuthentication: 'post',
  assumedLifetime: 30 * 86_400,
  revocation: { ...oauthDefaults.revocation, authentication: 'bearer', takes: 'access' },
  unverified: ['pkce', 'assumedLifetime', 'refreshTokenRotates'],
};
