import { oauthDefaults } from '../provider.ts';
import type { Provider } from '../provider.ts';

const authorizeUrl = 'https://marketplace.stripe.com/oauth/v2/authorize';
const tokenUrl = 'https://api.stripe.com/v1/oauth/token';
const apiBaseUrl = 'https://api.stripe.com/v1';
const mcpUrl = 'https://mcp.stripe.com';

/** The secret key of the platform is the user name, and there is no password. */
export const stripeApps: Provider = {
  ...oauthDefaults,
  id: 'stripe-apps',
  name: 'Stripe Apps',
  docsUrl: 'https://docs.stripe.com/stripe-apps/api-authentication/oauth',
  authorizeUrl,
  tokenUrl,
  apiBaseUrl,
  mcpUrl,
  fields: {
    stripeUserId: { pattern: 'acct_[A-Za-z0-9]+', optional: true, from: { response: 'stripe_user_id' } },
    livemode: { pattern: 'true|false', optional: true, from: { response: 'livemode' } },
  },
  account: { id: { response: 'stripe_user_id' } },
  clientAuthentication: 'secret_as_user',
  pkce: false,
  // Token responses do not say it.
  assumedLifetime: 3600,
  unverified: ['account', 'pkce', 'assumedLifetime', 'refreshTokenRotates'],
};
