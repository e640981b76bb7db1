import { oauthDefaults } from '../provider.ts';
import type { Provider } from '../provider.ts';

const authorizeUrl = 'https://miro.com/oauth/authorize';
const tokenUrl = 'https://api.miro.com/v1/oauth/token';
const apiBaseUrl = 'https://api.miro.com/v2';

/** A refresh ends both old tokens at once. */
export const miro: Provider = {
  ...oauthDefaults,
  id: 'miro',
  name: 'Miro',
  docsUrl: 'https://developers.miro.com/docs/getting-started-with-oauth',
  authorizeUrl,
  tokenUrl,
  apiBaseUrl,
  fields: { teamId: { pattern: '[0-9]{1,20}', optional: true, from: { response: 'team_id' } } },
  clientAuthentication: 'post',
  tokenRequestBody: 'query',
  refreshTokenIdleLifetime: 60 * 86_400,
  unverified: ['pkce'],
  note: 'Whether tokens expire (after an hour) is fixed when the app is created.',
};
