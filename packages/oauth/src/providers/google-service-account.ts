import { oauthDefaults } from '../provider.ts';
import type { Provider } from '../provider.ts';
import { google } from './google.ts';

/** A tenant's service account, with a key of its own; `subject` is the user for whom it acts, if for any. */
export const googleServiceAccount: Provider = {
  ...oauthDefaults,
  id: 'google-service-account',
  name: 'Google service account',
  docsUrl: 'https://developers.google.com/identity/protocols/oauth2/service-account',
  grant: 'jwt_bearer',
  fields: {
    issuer: { pattern: '[a-z0-9.-]+@[a-z0-9.-]+\\.gserviceaccount\\.com' },
    subject: { pattern: '[^\\s@]+@[^\\s@]+', optional: true },
    keyId: { pattern: '[0-9a-f]+', optional: true },
  },
  tokenUrl: google.tokenUrl,
  clientAuthentication: 'none',
  scopeInAssertion: true,
  apiBaseUrl: google.apiBaseUrl,
};
