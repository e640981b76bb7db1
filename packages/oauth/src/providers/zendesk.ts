import { oauthDefaults } from '../provider.ts';
import type { Provider } from '../provider.ts';

const authorizeUrl = 'https://{subdomain}.zendesk.com/oauth/authorizations/new';
const tokenUrl = 'https://{subdomain}.zendesk.com/oauth/tokens';
const apiBaseUrl = 'https://{subdomain}.zendesk.com/api/v2';

/** Each tenant has an instance of its own. A refresh ends both old tokens. */
export const zendesk: Provider = {
  ...oauthDefaults,
  id: 'zendesk',
  name: 'Zendesk',
  docsUrl: 'https://developer.zendesk.com/documentation/ticketing/working-with-oauth/',
  authorizeUrl,
  tokenUrl,
  apiBaseUrl,
  fields: { subdomain: { pattern: '[a-z0-9][a-z0-9-]{0,62}' } },
  authorizationHost: '[a-z0-9-]+\\.zendesk\\.com',
  apiHost: '[a-z0-9-]+\\.zendesk\\.com',
  clientAuthentication: 'post',
  refreshTokenIdleLifetime: 30 * 86_400,
  note: 'One instance alone stands in `values.subdomain`. Other lifetimes are asked for with `tokenParams`: `expires_in` and `refresh_token_expires_in`, in seconds. Tokens without an end are refused from 2027-04-01 on.',
};
