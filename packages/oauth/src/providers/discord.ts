import { oauthDefaults } from '../provider.ts';
import type { Provider } from '../provider.ts';

const authorizeUrl = 'https://discord.com/oauth2/authorize';
const tokenUrl = 'https://discord.com/api/oauth2/token';
const revokeUrl = 'https://discord.com/api/oauth2/token/revoke';
const apiBaseUrl = 'https://discord.com/api/v10';

/** To end one token ends all of that authorization. */
export const discord: Provider = {
  ...oauthDefaults,
  id: 'discord',
  name: 'Discord',
  docsUrl: 'https://discord.com/developers/docs/topics/oauth2',
  authorizeUrl,
  tokenUrl,
  revokeUrl,
  apiBaseUrl,
  clientAuthentication: 'post',
  assumedLifetime: 604_800,
  unverified: ['refreshTokenRotates'],
};
