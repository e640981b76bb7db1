import { describe, expect, it } from 'vitest';
import { definitionOf, redirectUri, startQuirky } from './start-quirky.ts';
import type { CredentialFields, Provider } from '../../src/index.ts';
import type { Quirks } from '@connectors/dev-servers';

/** What comes of a connect and a refresh at a server that takes requests of one kind: `tokens`, or why there are none. */
async function outcome(
  request: NonNullable<Quirks['request']>,
  definition: Partial<Provider> = {},
  fields: CredentialFields = {},
): Promise<string> {
  const { connect, refresh } = await startQuirky({ request }, definition);
  const connected = await connect();
  if (connected.kind === 'failure') return connected.failure.reason;
  const refreshed = await refresh(connected.tokens.refreshToken, fields);
  return refreshed.kind === 'failure' ? refreshed.failure.reason : refreshed.kind;
}

describe('quirk: client authentication: post only', () => {
  it('as Box has it', async () =>
    expect(await outcome({ client: 'post' }, definitionOf('box'))).toBe('tokens'));
  it('and no other way', async () =>
    expect(await outcome({ client: 'post' }, { clientAuthentication: 'basic' })).toBe('invalid_request'));
});

describe('quirk: client authentication: basic', () => {
  it('as Spotify has it', async () =>
    expect(await outcome({ client: 'basic' }, definitionOf('spotify'))).toBe('tokens'));
  it('and no other way', async () => expect(await outcome({ client: 'basic' })).toBe('invalid_request'));
});

describe('quirk: client authentication: secret key as Basic user name, empty password', () => {
  it('as Stripe Apps have it', async () =>
    expect(await outcome({ client: 'secretAsUser' }, definitionOf('stripe-apps'))).toBe('tokens'));
  it('and no other way', async () =>
    expect(await outcome({ client: 'secretAsUser' }, { clientAuthentication: 'basic' })).toBe(
      'invalid_request',
    ));
});

describe('quirk: client authentication: secret without client_id', () => {
  it('as Heroku has it', async () =>
    expect(await outcome({ client: 'secretOnly' }, definitionOf('heroku'))).toBe('tokens'));
  it('and no other way', async () => expect(await outcome({ client: 'secretOnly' })).toBe('invalid_request'));
});

describe('quirk: JSON body', () => {
  it('as Square has it', async () =>
    expect(await outcome({ body: 'json' }, definitionOf('square'))).toBe('tokens'));
  it('with the client in a header, as Notion has it', async () =>
    expect(await outcome({ body: 'json', client: 'basic' }, definitionOf('notion'))).toBe('tokens'));
  it('and no other way', async () => expect(await outcome({ body: 'json' })).toBe('invalid_request'));
});

describe('quirk: form body only', () => {
  it('as Discord has it', async () =>
    expect(await outcome({ body: 'form' }, definitionOf('discord'))).toBe('tokens'));
  it('and no other way', async () =>
    expect(await outcome({ body: 'form' }, { tokenRequestBody: 'json' })).toBe('invalid_request'));
});

describe('quirk: parameters in the query string', () => {
  it('as Miro has it, the secret in the body all the same', async () =>
    expect(await outcome({ body: 'query' }, definitionOf('miro'))).toBe('tokens'));
  it('and no other way', async () => expect(await outcome({ body: 'query' })).toBe('invalid_request'));
});

describe('quirk: no grant_type', () => {
  it('as a server that takes none has it', async () =>
    expect(
      await outcome(
        { withoutGrantType: true },
        { omittedParams: { exchange: ['grant_type'], refresh: ['grant_type'] } },
      ),
    ).toBe('tokens'));
  it('and no other way', async () =>
    expect(await outcome({ withoutGrantType: true })).toBe('invalid_request'));
  it.each(['intercom', 'clickup'])('is how %s exchanges codes', (id) => {
    expect(definitionOf(id).omittedParams.exchange).toContain('grant_type');
  });
  it('is how Figma refreshes', () => {
    expect(definitionOf('figma').omittedParams.refresh).toEqual(['grant_type']);
  });
});

describe('quirk: separate refresh URL', () => {
  it('as Figma has it', async () =>
    expect(await outcome({ separateRefresh: true }, { ...definitionOf('figma'), omittedParams: {} })).toBe(
      'tokens',
    ));
  it('and no other way', async () =>
    expect(await outcome({ separateRefresh: true })).toBe('invalid_request'));
});

describe('quirk: redirect_uri needed on refresh', () => {
  it('as GitLab has it', async () =>
    expect(
      await outcome({ redirectUriOnRefresh: redirectUri }, definitionOf('gitlab'), { redirectUri }),
    ).toBe('tokens'));
  it('and no other way', async () =>
    expect(await outcome({ redirectUriOnRefresh: redirectUri })).toBe('invalid_request'));
  it('and it is left out where nobody kept it', async () =>
    expect(await outcome({ redirectUriOnRefresh: redirectUri }, definitionOf('gitlab'))).toBe(
      'invalid_request',
    ));
});

describe('quirk: lifetime parameters in the request', () => {
  const parameters = { expires_in: '3600', refresh_token_expires_in: '7776000' };
  it('as an operator sets them for Zendesk', async () =>
    expect(
      await outcome({ parameters }, { ...definitionOf('zendesk'), fields: {}, tokenParams: parameters }),
    ).toBe('tokens'));
  it('and no other way', async () => expect(await outcome({ parameters })).toBe('invalid_request'));
});

describe('quirk: offline switch in the token request', () => {
  const parameters = { expiring: '1' };
  it('as Shopify has it', async () =>
    expect(await outcome({ parameters }, { ...definitionOf('shopify'), fields: {} })).toBe('tokens'));
  it('and no other way', async () => expect(await outcome({ parameters })).toBe('invalid_request'));
});

describe('quirk: extra header on the token call', () => {
  const headers = { 'Notion-Version': '2022-06-28' };
  it('as Notion has it', async () =>
    expect(await outcome({ headers }, definitionOf('notion'))).toBe('tokens'));
  it('and no other way', async () => expect(await outcome({ headers })).toBe('invalid_request'));
  it('is the one for JSON in every request', async () =>
    expect(await outcome({ headers: { Accept: 'application/json' } }, {})).toBe('tokens'));
});
