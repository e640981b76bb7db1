import { oauthDefaults } from '../provider.ts';
import type { Provider } from '../provider.ts';

const authorizeUrl = 'https://auth.calendly.com/oauth/authorize';
const tokenUrl = 'https://auth.calendly.com/oauth/token';
const apiBaseUrl = 'https://api.calendly.com';

/** A refresh token lives until it is used. */
export const calendly: Provider = {
  ...oauthDefaults,
  id: 'calendly',
  name: 'Calendly',
  docsUrl: 'https://developer.calendly.com/api-docs/authentication',
  authorizeUrl,
  tokenUrl,
  apiBaseUrl,
  fields: {
    owner: { pattern: 'https://api\\.calendly\\.com/\\S+', optional: true, from: { response: 'owner' } },
    organization: {
      pattern: 'https://api\\.calendly\\.com/\\S+',
      optional: true,
      from: { response: 'organization' },
    },
  },
  clientAuthentication: 'post',
  assumedLifetime: 7200,
  unverified: ['clientAuthentication'],
};
