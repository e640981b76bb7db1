import { EgressGuard } from '@connectors/egress';
import { Secret } from '@connectors/vault-core';
import { describe, expect, it } from 'vitest';
import { refreshAccessToken } from '../../src/index.ts';
import type { CredentialFields, ReadyProvider } from '../../src/index.ts';
import { plainIntegration } from '../fixtures.ts';
import { newKey } from '../new-key.ts';
import { sendJson, startEndpoint } from '../start-endpoint.ts';
import { definitionOf, startQuirky, tokensOf } from './start-quirky.ts';

const guard = new EgressGuard({ allow: ['127.0.0.1'] });

async function refreshForm(
  changes: Partial<ReadyProvider>,
  token = 'rt-1',
): Promise<{ form: URLSearchParams; body: string }> {
  const { url, requests } = await startEndpoint((response) => sendJson(response, {}));
  const integration = {
    ...plainIntegration({}, { ...changes, tokenUrl: url }),
    clientKey: newKey('RS256').pem,
  };
  await refreshAccessToken({ integration, refreshToken: new Secret(token), guard });
  const body = requests[0]?.body ?? '';
  return { form: new URLSearchParams(body), body };
}

describe('quirk: client authentication: public client, client_id only', () => {
  it.each(['x', 'spotify', 'square', 'airtable'])(
    'of %s: a refresh carries the id and no secret',
    async (id) => {
      const { tokenUrl: _url, ...definition } = definitionOf(id);
      const { form } = await refreshForm({
        ...definition,
        tokenRequestBody: 'form',
        clientAuthentication: 'none',
      });
      expect([form.get('client_id'), form.get('client_secret')]).toEqual(['client-1', null]);
    },
  );
});

describe('quirk: client authentication: signed assertion', () => {
  it.each(['keycloak', 'okta', 'microsoft-entra'])('of %s: in place of a secret', async (id) => {
    const { tokenUrl: _url, ...definition } = definitionOf(id);
    const { form } = await refreshForm({ ...definition, clientAuthentication: 'private_key_jwt' });
    expect(form.get('client_assertion')?.split('.')).toHaveLength(3);
    expect(form.has('client_secret')).toBe(false);
  });
});

describe('quirk: refresh token contains reserved characters', () => {
  it('is percent-encoded', async () => {
    const { form, body } = await refreshForm({}, 'a+b/c=d&e%f g');
    expect(body).toContain('refresh_token=a%2Bb%2Fc%3Dd%26e%25f+g');
    expect(form.get('refresh_token')).toBe('a+b/c=d&e%f g');
  });
});

describe('quirk: two refresh calls per connection', () => {
  it('are those of two credentials: neither touches the other', async () => {
    const bot = await startQuirky({}, definitionOf('slack-rotating'));
    const user = await startQuirky(
      { response: { nestedIn: 'authed_user' } },
      { ...definitionOf('slack-rotating'), tokensIn: 'authed_user' },
    );
    const [ofBot, ofUser] = [tokensOf(await bot.connect()), tokensOf(await user.connect())];
    expect((await bot.refresh(ofBot.refreshToken)).kind).toBe('tokens');
    expect((await user.refresh(ofUser.refreshToken)).kind).toBe('tokens');
  });
});

describe('an address with fields of the credential', () => {
  const zendesk = () => {
    const { provider, ...integration } = plainIntegration({}, {
      ...definitionOf('zendesk'),
    } as Partial<ReadyProvider>);
    return { ...integration, provider };
  };

  it.each<[string, CredentialFields]>([
    ['missing', {}],
    ['another host', { subdomain: 'evil.example/' }],
    ['a port', { subdomain: 'acme.zendesk.com:444' }],
  ])('gets no secret when they are %s', async (_, fields) => {
    const refused = refreshAccessToken({
      integration: zendesk(),
      refreshToken: new Secret('rt-1'),
      fields,
      guard,
    });
    await expect(refused).rejects.toMatchObject({ code: 'fields_invalid', sent: 'no' });
  });

  it.each(['accounts.zoho.xyz', 'accounts.zoho.ca', 'accounts.zoho.com.xy'])(
    'gets none at a domain of Zoho’s name that is not Zoho’s: %s',
    async (accounts) => {
      const refused = refreshAccessToken({
        integration: plainIntegration({}, definitionOf('zoho') as Partial<ReadyProvider>),
        refreshToken: new Secret('rt-1'),
        fields: { accounts, api: 'www.zohoapis.com' },
        guard,
      });
      await expect(refused).rejects.toMatchObject({ code: 'fields_invalid', sent: 'no' });
    },
  );

  it.each(['accounts.zoho.com', 'accounts.zoho.com.au', 'accounts.zohocloud.ca'])(
    'is one of Zoho’s: %s',
    (host) => {
      expect(host).toMatch(new RegExp(`^(${definitionOf('zoho').authorizationHost})$`));
    },
  );

  it('gets none when one in its path breaks its rule', async () => {
    const provider = definitionOf('sentry-integration') as Partial<ReadyProvider>;
    const refused = refreshAccessToken({
      integration: plainIntegration({}, provider),
      refreshToken: new Secret('rt-1'),
      fields: { installationId: '../others' },
      guard,
    });
    await expect(refused).rejects.toMatchObject({ code: 'fields_invalid', sent: 'no' });
  });

  it('gets none at a host that its rule lets pass and the provider’s does not', async () => {
    const { provider, ...integration } = zendesk();
    const lax = {
      ...provider,
      fields: { subdomain: { pattern: '.+' } },
      tokenUrl: 'https://{subdomain}/oauth/tokens',
    };
    const refused = refreshAccessToken({
      integration: { ...integration, provider: lax },
      refreshToken: new Secret('rt-1'),
      fields: { subdomain: 'evil.example' },
      guard,
    });
    await expect(refused).rejects.toMatchObject({ code: 'fields_invalid', sent: 'no' });
  });
});
