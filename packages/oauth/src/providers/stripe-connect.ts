import { oauthDefaults } from '../provider.ts';
import type { Provider } from '../provider.ts';

const authorizeUrl = 'https://connect.stripe.com/oauth/authorize';
const tokenUrl = 'https://connect.stripe.com/oauth/token';
const apiBaseUrl = 'https://api.stripe.com/v1';
const mcpUrl = 'https://mcp.stripe.com';

/** The secret is the key of the platform. Tokens do not expire. */
export const stripeConnect: Provider = {
  ...oauthDefaults,
  id: 'stripe-connect',
  name: 'Stripe Connect',
  docsUrl: 'https://docs.stripe.com/connect/oauth-reference',
  authorizeUrl,
  tokenUrl,
  apiBaseUrl,
  mcpUrl,
  fields: {
    stripeUserId: { pattern: 'acct_[A-Za-z0-9]+', optional: true, from: { response: 'stripe_user_id' } },
    livemode: { pattern: 'true|false', optional: true, from: { response: 'livemode' } },
  },
  account: { id: { response: 'stripe_user_id' } },
  clientAuthentication: 'post',
  omittedParams: { exchange: ['client_id'], refresh: ['client_id'] },
  // Its way to end an account's grant names the account and not a token.
  unverified: [
    'account',
    'clientAuthentication',
    'omittedParams',
    'pkce',
    'refreshTokenRotates',
    'injection',
  ],
};
