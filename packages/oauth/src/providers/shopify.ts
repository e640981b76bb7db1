import { oauthDefaults } from '../provider.ts';
import type { Provider } from '../provider.ts';

const authorizeUrl = 'https://{shop}.myshopify.com/admin/oauth/authorize';
const tokenUrl = 'https://{shop}.myshopify.com/admin/oauth/access_token';
const apiBaseUrl = 'https://{shop}.myshopify.com/admin/api';

/** Each tenant has a shop. The spent refresh token works until the new one is used, at most 30 days. */
export const shopify: Provider = {
  ...oauthDefaults,
  id: 'shopify',
  name: 'Shopify',
  docsUrl: 'https://shopify.dev/docs/apps/build/authentication-authorization/access-tokens',
  authorizeUrl,
  tokenUrl,
  apiBaseUrl,
  fields: { shop: { pattern: '[a-z0-9][a-z0-9-]{0,62}' } },
  authorizationHost: '[a-z0-9-]+\\.myshopify\\.com',
  apiHost: '[a-z0-9-]+\\.myshopify\\.com',
  clientAuthentication: 'post',
  pkce: false,
  scopeSeparator: ',',
  grantedScopeSeparator: ',',
  // Without it tokens do not expire, and there is none to refresh them with.
  tokenParams: { expiring: '1' },
  assumedLifetime: 3600,
  refreshTokenGrace: 30 * 86_400,
  refreshTokenIdleLifetime: 90 * 86_400,
  injection: { ...oauthDefaults.injection, header: 'X-Shopify-Access-Token', scheme: '' },
  unverified: ['pkce', 'scopeSeparator', 'grantedScopeSeparator'],
  note: 'The version of the API comes first in the path: `/proxy/shopify/2026-07/…`. Public apps need expiring tokens from 2027-01-01 on.',
};
