import { describe, expect, it } from 'vitest';
import { Injection, readTokenResponse } from '../../src/index.ts';
import { answer, plainProvider } from '../fixtures.ts';
import { connected, minutesLeft, read } from './read-tokens.ts';
import { definitionOf, startQuirky, tokensOf } from './start-quirky.ts';

describe('quirk: form-encoded unless asked', () => {
  it('is read as GitHub answers', async () => {
    const { scopes, expiresAt } = await connected({ form: true, scope: 'comma' }, definitionOf('github'));
    expect(scopes).toContain('api:read');
    expect(expiresAt).toBeDefined();
  });
});

describe('quirk: success status is not 200', () => {
  it('is a success all the same', async () => {
    expect((await connected({ status: 201 })).accessToken.reveal()).not.toBe('');
  });
});

describe('quirk: token nested', () => {
  const nested = { response: { nestedIn: 'authed_user', scope: 'comma' } } as const;
  const userTokens = { ...definitionOf('slack'), tokensIn: 'authed_user' };

  it('of a user of Slack is read with what belongs to it', async () => {
    const { connect } = await startQuirky(nested, userTokens);
    const tokens = tokensOf(await connect());
    expect(tokens.scopes).toContain('api:read');
    expect(tokens.expiresAt).toBeDefined();
    expect(tokens.refreshToken).toBeDefined();
  });

  it('is not taken for the one beside it', () => {
    const body = { access_token: 'xoxb-bot', authed_user: { access_token: 'xoxp-user' } };
    expect(read(body, userTokens).accessToken.reveal()).toBe('xoxp-user');
    expect(read(body, definitionOf('slack')).accessToken.reveal()).toBe('xoxb-bot');
  });

  it('is read from the top where a refresh has it there', async () => {
    const { connect, refresh } = await startQuirky({}, userTokens);
    expect((await refresh(tokensOf(await connect()).refreshToken)).kind).toBe('tokens');
  });
});

describe('quirk: renamed keys', () => {
  it('of a Sentry integration are read, its expiry included', async () => {
    const rename = { access_token: 'token', refresh_token: 'refreshToken', expires_at: 'expiresAt' };
    const definition = { ...definitionOf('sentry-integration'), fields: {} };
    const { connect, refresh } = await startQuirky(
      { response: { rename, status: 201, expiry: 'iso' } },
      definition,
    );
    const tokens = tokensOf(await connect());
    expect(minutesLeft(tokens)).toBe(60);
    expect((await refresh(tokens.refreshToken)).kind).toBe('tokens');
  });
});

describe('quirk: refresh_token omitted on refresh', () => {
  it('leaves the old one, which works again', async () => {
    const { connect, refresh } = await startQuirky(
      { rotation: 'stays', response: { refreshToken: 'omitted' } },
      definitionOf('google'),
    );
    const { refreshToken } = tokensOf(await connect());
    for (const _ of [1, 2]) expect(tokensOf(await refresh(refreshToken)).refreshToken).toBeUndefined();
  });
});

describe('quirk: refresh_token returned unchanged', () => {
  it('is the one that is stored', async () => {
    const { connect, refresh } = await startQuirky({ rotation: 'stays' }, definitionOf('hubspot'));
    const { refreshToken } = tokensOf(await connect());
    expect(tokensOf(await refresh(refreshToken)).refreshToken?.reveal()).toBe(refreshToken?.reveal());
  });
});

describe('quirk: refresh_token null or empty', () => {
  it.each(['null', 'empty'] as const)('is as if it was left out: %s', async (form) => {
    const { connect, refresh } = await startQuirky({ rotation: 'stays', response: { refreshToken: form } });
    expect(tokensOf(await refresh(tokensOf(await connect()).refreshToken)).refreshToken).toBeUndefined();
  });
});

describe('quirk: scope as array', () => {
  it('is as Twitch tells it', async () => {
    expect((await connected({ scope: 'array' }, definitionOf('twitch'))).scopes).toEqual(
      expect.arrayContaining(['api:read', 'api:write']),
    );
  });
});

describe('quirk: scope comma-separated', () => {
  it('is as GitHub tells it', async () => {
    expect((await connected({ scope: 'comma' }, definitionOf('github'))).scopes).toEqual(
      expect.arrayContaining(['api:read', 'api:write']),
    );
  });
});

describe('quirk: scope under another key', () => {
  it('is as Bitbucket tells it', async () => {
    const tokens = await connected({ rename: { scope: 'scopes' } }, definitionOf('bitbucket'));
    expect(tokens.scopes).toContain('api:write');
  });
});

describe('quirk: scope missing', () => {
  it('leaves the scopes as they were asked for or stored', async () => {
    expect((await connected({ scope: 'none' }, definitionOf('notion'))).scopes).toBeUndefined();
  });
});

describe('quirk: granted scopes fewer than requested', () => {
  it('are told as they were granted, not as they were asked for', async () => {
    const { scopes } = await connected({ extra: { scope: 'api:read' } }, definitionOf('strava'));
    expect(scopes).toEqual(['api:read']);
  });
});

describe('quirk: extra fields that must be stored', () => {
  const notionId = '11223344-a11b-1b33-c444-def123456789';
  it.each<[string, object, object]>([
    [
      'salesforce',
      { instance_url: 'https://acme.my.salesforce.com' },
      { instance: 'acme.my.salesforce.com' },
    ],
    ['pipedrive', { api_domain: 'https://acme.pipedrive.com' }, { company: 'acme.pipedrive.com' }],
    ['zoho', { api_domain: 'https://www.zohoapis.eu' }, { api: 'www.zohoapis.eu' }],
    ['gong', { api_base_url_for_customer: 'https://us-1.api.gong.io' }, { base: 'us-1.api.gong.io' }],
    [
      'stripe-apps',
      { stripe_user_id: 'acct_1', livemode: false },
      { stripeUserId: 'acct_1', livemode: 'false' },
    ],
    ['notion', { workspace_id: notionId, bot_id: notionId }, { workspaceId: notionId, botId: notionId }],
    [
      'calendly',
      { owner: 'https://api.calendly.com/users/A' },
      { owner: 'https://api.calendly.com/users/A' },
    ],
    ['miro', { team_id: '307' }, { teamId: '307' }],
    ['slack', { team: { id: 'T0A' }, bot_user_id: 'U0B' }, { teamId: 'T0A', botUserId: 'U0B' }],
  ])('of %s become fields of the credential', async (id, extra, fields) => {
    const { connect } = await startQuirky(
      { response: { extra: { ...extra } } },
      { ...definitionOf(id), tokenRequestBody: 'form', omittedParams: {} },
    );
    expect(tokensOf(await connect()).fields).toEqual(fields);
  });

  it.each([
    [{}],
    [{ instance_url: 'not a URL' }],
    [{ instance_url: ['https://acme.my.salesforce.com'] }],
    [{ instance_url: 'https://acme.my.salesforce.com:8443' }],
    [{ instance_url: 'https://acme.my.salesforce.com:x' }],
    [{ ['__proto__']: { instance_url: 'https://acme.my.salesforce.com' } }],
  ])('are not taken when they are not as their rule says: %j', (extra) => {
    expect(read(extra, definitionOf('salesforce')).fields).toBeUndefined();
  });
});

describe('quirk: numbers beyond 2^53', () => {
  it('keep their digits', () => {
    const provider = plainProvider({
      fields: { userId: { pattern: '[0-9]+', from: { response: 'user_id' } } },
    });
    const result = readTokenResponse(
      provider,
      answer(200, '{"access_token":"a","user_id":9007199254740993}'),
    );
    expect(tokensOf(result).fields).toEqual({ userId: '9007199254740993' });
  });
});

describe('quirk: large or growing tokens', () => {
  it('of 4 KB come whole, and go whole into a request', async () => {
    const large = 'a'.repeat(4096);
    const { accessToken } = await connected({ extra: { access_token: large } }, definitionOf('canva'));
    const injection = new Injection(definitionOf('canva').injection, { accessToken });
    expect(injection.headers()).toEqual(['Authorization', `Bearer ${large}`]);
  });
});

describe('quirk: refresh returns the access token already held', () => {
  it.each(['strava', 'servicenow'])('of %s is a success like others', async (id) => {
    const { connect, refresh } = await startQuirky({ rotation: 60_000 }, { ...definitionOf(id), fields: {} });
    const { refreshToken } = tokensOf(await connect());
    const [first, again] = [tokensOf(await refresh(refreshToken)), tokensOf(await refresh(refreshToken))];
    expect(again.accessToken.reveal()).toBe(first.accessToken.reveal());
    expect(again.expiresAt).toBeDefined();
  });
});

describe('quirk: wrong content type', () => {
  it.each(['text/plain', 'text/html; charset=utf-8', 'none'])(
    '%s is JSON all the same',
    async (contentType) => {
      expect((await connected({ contentType })).refreshToken).toBeDefined();
    },
  );
});

describe('quirk: token_type not `Bearer`', () => {
  it.each([
    ['gitlab', 'bearer'],
    ['slack', 'bot'],
  ])('of %s never becomes the scheme of a request', async (id, type) => {
    const { accessToken } = await connected(
      { extra: { token_type: type } },
      { ...definitionOf(id), fields: {} },
    );
    const [, value] = new Injection(definitionOf(id).injection, { accessToken }).headers();
    expect(value).toBe(`Bearer ${accessToken.reveal()}`);
  });
});
