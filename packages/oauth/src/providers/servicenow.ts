import { oauthDefaults } from '../provider.ts';
import type { Provider } from '../provider.ts';

const authorizeUrl = 'https://{instance}.service-now.com/oauth_auth.do';
const tokenUrl = 'https://{instance}.service-now.com/oauth_token.do';
const apiBaseUrl = 'https://{instance}.service-now.com/api';

/** A refresh answers with the access token that lives, and moves its end. */
export const servicenow: Provider = {
  ...oauthDefaults,
  id: 'servicenow',
  name: 'ServiceNow',
  docsUrl:
    'https://www.servicenow.com/docs/bundle/zurich-platform-security/page/administer/security/concept/c_OAuthApplications.html',
  authorizeUrl,
  tokenUrl,
  apiBaseUrl,
  fields: { instance: { pattern: '[a-z0-9][a-z0-9-]{0,62}', configured: true } },
  clientAuthentication: 'post',
  assumedLifetime: 1800,
  refreshTokenRotates: false,
  // From its issue, and no use extends it.
  refreshTokenLifetime: 8_640_000,
  unverified: ['pkce', 'refreshTokenRotates'],
  note: '`values.instance` is the name of your instance, where the client is registered.',
};
