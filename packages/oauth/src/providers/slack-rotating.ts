import type { Provider } from '../provider.ts';
import { slack } from './slack.ts';

/** Apps that switched token rotation on. Bot and user token are refreshed each by itself, so they are two integrations. */
export const slackRotating: Provider = {
  ...slack,
  id: 'slack-rotating',
  name: 'Slack, with token rotation',
  docsUrl: 'https://docs.slack.dev/authentication/using-token-rotation',
  assumedLifetime: 43_200,
  note: 'The app’s manifest has `token_rotation_enabled: true`. A second integration of this provider keeps the user token: `tokensIn: authed_user`, and its scopes in `authorizeParams.user_scope`.',
};
