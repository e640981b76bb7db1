import { oauthDefaults } from '../provider.ts';
import type { Provider } from '../provider.ts';

const authorizeUrl = 'https://zoom.us/oauth/authorize';
const tokenUrl = 'https://zoom.us/oauth/token';
const revokeUrl = 'https://zoom.us/oauth/revoke';
const apiBaseUrl = 'https://api.zoom.us/v2';

/** A refresh token works once. */
export const zoom: Provider = {
  ...oauthDefaults,
  id: 'zoom',
  name: 'Zoom',
  docsUrl: 'https://developers.zoom.us/docs/integrations/oauth/',
  authorizeUrl,
  tokenUrl,
  revokeUrl,
  apiBaseUrl,
  clientAuthentication: 'basic',
  scopeSeparator: ',',
  assumedLifetime: 3600,
  refreshTokenIdleLifetime: 90 * 86_400,
  unverified: ['scopeSeparator', 'refreshTokenIdleLifetime'],
};
