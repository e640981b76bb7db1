import { describe, expect, it } from 'vitest';
import { authorizeUrl } from '../../src/index.ts';
import type { Provider } from '../../src/index.ts';
import { plainIntegration } from '../fixtures.ts';
import { definitionOf } from './start-quirky.ts';

function parametersOf(
  id: string,
  changes: Partial<Provider> = {},
  scopes = ['a', 'b'],
): Record<string, string> {
  const {
    tokenUrl: _url,
    clientAuthentication: _client,
    ...definition
  } = { ...definitionOf(id), ...changes };
  const integration = plainIntegration(
    { scopes },
    { ...definition, authorizeUrl: 'https://as.example/authorize' },
  );
  const request = {
    redirectUri: 'https://console.example/callback',
    state: 'state-1',
    codeChallenge: 'challenge-1',
  };
  return Object.fromEntries(authorizeUrl(integration, request).searchParams);
}

describe('quirk: scope separator', () => {
  it.each(['slack', 'linear', 'strava', 'shopify', 'zoho', 'zoom', 'figma'])('of %s is a comma', (id) => {
    expect(parametersOf(id)['scope']).toBe('a,b');
  });
});

describe('quirk: no scope parameter', () => {
  it.each(['github-app-user', 'notion', 'clickup', 'mailchimp', 'front', 'pipedrive', 'supabase', 'netlify'])(
    'of %s: none is sent where none is configured',
    (id) => expect(parametersOf(id, {}, [])).not.toHaveProperty('scope'),
  );

  it('of Intercom: none is sent whatever is configured', () => {
    expect(parametersOf('intercom')).not.toHaveProperty('scope');
  });
});

describe('quirk: second scope parameter', () => {
  it.each([
    ['slack', 'user_scope'],
    ['hubspot', 'optional_scope'],
  ])('of %s is one of the authorize parameters', (id, name) => {
    expect(parametersOf(id, { authorizeParams: { [name]: 'c' } })).toMatchObject({
      scope: expect.any(String),
      [name]: 'c',
    });
    expect(definitionOf(id).note).toContain(name);
  });
});

describe('quirk: response_type omitted or rejected', () => {
  it.each(['monday', 'intercom'])('of %s', (id) => {
    expect(parametersOf(id)).not.toHaveProperty('response_type');
    expect(parametersOf(id)).toMatchObject({ client_id: 'client-1', state: 'state-1' });
  });
});

describe('quirk: offline switch in a parameter', () => {
  it.each([
    ['google', { access_type: 'offline', prompt: 'consent' }],
    ['zoho', { access_type: 'offline', prompt: 'consent' }],
    ['dropbox', { token_access_type: 'offline' }],
    ['reddit', { duration: 'permanent' }],
    ['gong', { access_type: 'offline' }],
  ])('of %s', (id, parameters) => expect(parametersOf(id)).toMatchObject(parameters));
});

describe('quirk: offline switch in a scope', () => {
  it.each([
    ['atlassian', 'offline_access'],
    ['microsoft-entra', 'offline_access'],
    ['xero', 'offline_access'],
    ['okta', 'offline_access'],
    ['auth0', 'offline_access'],
    ['keycloak', 'offline_access'],
    ['databricks', 'offline_access'],
    ['vercel', 'offline_access'],
    ['x', 'offline.access'],
    ['typeform', 'offline'],
    ['docusign', 'extended'],
    ['salesforce', 'refresh_token'],
    ['snowflake', 'refresh_token'],
  ])('of %s is asked for, once, whatever is configured', (id, scope) => {
    expect(parametersOf(id)['scope']).toBe(`a b ${scope}`);
    expect(parametersOf(id, {}, [scope, 'a'])['scope']).toBe(`${scope} a`);
  });
});

describe('quirk: offline switch in the app or on the server', () => {
  it.each([
    ['slack-rotating', 'token_rotation_enabled'],
    ['github-app-user', 'token expiration'],
    ['miro', 'when the app is created'],
    ['linear', 'before October 2025'],
    ['snowflake', 'OAUTH_ISSUE_REFRESH_TOKENS'],
    ['linkedin', 'approved partners'],
  ])('of %s is told to operators', (id, words) => {
    expect(definitionOf(id).note).toContain(words);
  });
});

describe('quirk: extra mandatory or customary parameter', () => {
  it.each([
    ['atlassian', { audience: 'api.atlassian.com', prompt: 'consent' }],
    ['notion', { owner: 'user' }],
    ['square', { session: 'false' }],
    ['strava', { approval_prompt: 'auto' }],
    ['microsoft-entra', { response_mode: 'query' }],
  ])('of %s', (id, parameters) => expect(parametersOf(id)).toMatchObject(parameters));
});

describe('quirk: PKCE', () => {
  it.each(['x', 'canva', 'airtable', 'databricks', 'zendesk', 'google'])('of %s is sent', (id) => {
    expect(parametersOf(id)).toMatchObject({ code_challenge: 'challenge-1', code_challenge_method: 'S256' });
  });

  it.each(['slack', 'linkedin', 'typeform', 'monday', 'pipedrive', 'gong', 'stripe-apps', 'square'])(
    'of %s is left out',
    (id) => {
      expect(parametersOf(id)).not.toHaveProperty('code_challenge');
    },
  );
});

describe('quirk: code does not come by redirect', () => {
  it('is told by the installation that a Sentry integration names', () => {
    const { tokenUrl, fields } = definitionOf('sentry-integration');
    expect(tokenUrl).toContain('{installationId}');
    expect(fields).toHaveProperty('installationId');
  });
});
