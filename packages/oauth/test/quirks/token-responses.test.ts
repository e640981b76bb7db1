import type { Quirks } from '@connectors/dev-servers';
import { Secret } from '@connectors/vault-core';
import { describe, expect, it } from 'vitest';
import { Injection, readTokenResponse } from '../../src/index.ts';
import type { Provider, TokenSet } from '../../src/index.ts';
import { answer, plainProvider, receivedAt } from '../fixtures.ts';
import { dead, definitionOf, startQuirky, tokensOf } from './start-quirky.ts';

async function connected(
  response: Quirks['response'],
  definition: Partial<Provider> = {},
): Promise<TokenSet> {
  const { connect } = await startQuirky({ response: response ?? {} }, definition);
  return tokensOf(await connect());
}

/** Minutes until the token of a server that tells its lifetime of an hour in its own way expires. */
async function minutes(
  expiry: NonNullable<NonNullable<Quirks['response']>['expiry']>,
  definition: Partial<Provider> = {},
): Promise<number> {
  return minutesLeft(await connected({ expiry }, definition));
}

/** Rounded: seconds pass on a slow machine, and clocks may tell whole ones. */
function minutesLeft({ expiresAt }: TokenSet): number {
  return Math.round(((expiresAt?.getTime() ?? 0) - Date.now()) / 60_000);
}

function read(body: object, definition: Partial<Provider> = {}, after?: 'consent'): TokenSet {
  const provider = plainProvider({
    ...definition,
    tokenUrl: 'https://as.example/token',
    clientAuthentication: 'post',
  });
  return tokensOf(readTokenResponse(provider, answer(200, { access_token: 'at-1', ...body }), after));
}

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

describe('quirk: error with HTTP 200, OAuth-shaped', () => {
  it.each([
    ['github', 'bad_refresh_token'],
    ['zoho', 'invalid_code'],
  ])('of %s ends the credential', async (id, code) => {
    const error = { status: 200, codes: { invalid_grant: code } };
    const { refresh } = await startQuirky({ response: { error } }, { ...definitionOf(id), fields: {} });
    expect(await refresh(new Secret('unknown'))).toEqual(dead(code));
  });
});

describe('quirk: error with HTTP 200, own shape', () => {
  it('of Slack ends the credential', async () => {
    const error = { status: 200, shape: 'ok', codes: { invalid_grant: 'invalid_refresh_token' } } as const;
    const { refresh } = await startQuirky({ response: { error } }, definitionOf('slack-rotating'));
    expect(await refresh(new Secret('unknown'))).toEqual(dead('invalid_refresh_token'));
  });
});

describe('quirk: error body without `error`', () => {
  it('of HubSpot is read where it has its code', async () => {
    const error = { shape: 'status', codes: { invalid_grant: 'BAD_REFRESH_TOKEN' } } as const;
    const { refresh } = await startQuirky({ response: { error } }, definitionOf('hubspot'));
    expect(await refresh(new Secret('unknown'))).toEqual(dead('bad_refresh_token'));
  });

  it('of which nothing is known, as with Heroku, gives no credential up', async () => {
    const { refresh } = await startQuirky(
      { response: { error: { shape: 'message' } } },
      definitionOf('heroku'),
    );
    expect(await refresh(new Secret('unknown'))).toMatchObject({
      failure: { class: 'operator', reason: 'http_400' },
    });
  });
});

describe('quirk: dead refresh token is not 400 invalid_grant', () => {
  it.each([
    ['atlassian', 403],
    ['front', 401],
  ])('of %s ends the credential', async (id, status) => {
    const { refresh } = await startQuirky(
      { response: { error: { status } } },
      { ...definitionOf(id), fields: {} },
    );
    expect(await refresh(new Secret('unknown'))).toEqual(dead('invalid_grant'));
  });
});

describe('quirk: same code, several causes', () => {
  it.each(['microsoft-entra', 'google', 'salesforce'])(
    'of %s ends the credential, and nothing of the text is told',
    (id) => {
      const body = {
        error: 'invalid_grant',
        error_description: 'AADSTS700082: expired for ada@acme.example',
      };
      const result = readTokenResponse(definitionOf(id), answer(400, body));
      expect(result.kind === 'failure' && result.failure.class).toBe('permanent');
      expect(JSON.stringify(result)).not.toMatch(/AADSTS|ada@/);
    },
  );
});

describe('quirk: client error that looks like a user error', () => {
  it('of Atlassian is the operator’s, and costs no credential', async () => {
    const codes = { invalid_grant: 'access_denied' };
    const { refresh } = await startQuirky(
      { response: { error: { status: 403, codes } } },
      { ...definitionOf('atlassian'), fields: {} },
    );
    expect(await refresh(new Secret('x'))).toMatchObject({
      failure: { class: 'operator', reason: 'access_denied' },
    });
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

describe('quirk: expires_in missing, token expires', () => {
  it('is assumed for Stripe Apps', async () =>
    expect(await minutes('none', definitionOf('stripe-apps'))).toBe(60));
  it('is what the operator says for the rest', async () =>
    expect(await minutes('none', { ...definitionOf('notion'), assumedLifetime: 3600 })).toBe(60));
});

describe('quirk: expires_in missing, token does not expire', () => {
  it.each(['github-oauth-app', 'slack', 'intercom', 'stripe-connect', 'monday', 'clickup', 'mailchimp'])(
    'of %s is kept without an end',
    (id) => expect(read({}, definitionOf(id)).expiresAt).toBeUndefined(),
  );
});

describe('quirk: expires_in as a quoted string', () => {
  it('is a number of seconds', async () => expect(await minutes('text')).toBe(60));
});

describe('quirk: absolute expiry, ISO 8601', () => {
  it('is the end, as Square has it', async () =>
    expect(await minutes('iso', definitionOf('square'))).toBe(60));
});

describe('quirk: absolute expiry, epoch seconds', () => {
  it('is the end, as Strava has it', async () =>
    expect(await minutes('epoch', definitionOf('strava'))).toBe(60));
  it('may be in milliseconds', async () => expect(await minutes('milliseconds')).toBe(60));
});

describe('quirk: expires_in holds a timestamp', () => {
  it('is the end, as Typeform may have it', async () =>
    expect(await minutes('instantInExpiresIn', definitionOf('typeform'))).toBe(60));
});

describe('quirk: issue time returned', () => {
  it.each(['gitlab', 'calendly', 'salesforce'])(
    'of %s changes nothing: a lifetime counts from when the answer came',
    (id) => {
      const told = { expires_in: 7200, created_at: 1_500_000_000, issued_at: '1500000000000' };
      expect(read(told, definitionOf(id)).expiresAt?.getTime()).toBe(receivedAt + 7_200_000);
    },
  );
});

describe('quirk: very long expires_in', () => {
  it.each([
    ['linear', 315_705_599],
    ['linkedin', 5_184_000],
  ])('of %s is a date', (id, seconds) => {
    expect(read({ expires_in: seconds }, definitionOf(id)).expiresAt?.getTime()).toBe(
      receivedAt + seconds * 1000,
    );
  });
});

describe('quirk: refresh lifetime field', () => {
  it.each([
    ['github-app-user', { refresh_token_expires_in: 86_400 }],
    ['zendesk', { refresh_token_expires_in: 86_400 }],
    ['quickbooks', { x_refresh_token_expires_in: 86_400 }],
    ['keycloak', { refresh_expires_in: 86_400 }],
    ['square', { refresh_token_expires_at: '2026-03-02T12:00:00Z' }],
  ])('of %s is understood', (id, told) => {
    expect(read(told, definitionOf(id)).refreshTokenExpiresAt?.getTime()).toBe(receivedAt + 86_400_000);
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
  it.each<[string, object, object]>([
    [
      'salesforce',
      { instance_url: 'https://acme.my.salesforce.com' },
      { instance: 'acme.my.salesforce.com' },
    ],
    ['pipedrive', { api_domain: 'https://acme.pipedrive.com' }, { company: 'acme.pipedrive.com' }],
    ['zoho', { api_domain: 'https://www.zohoapis.eu' }, { api: 'www.zohoapis.eu' }],
    ['gong', { api_base_url_for_customer: 'https://us-1.api.gong.io' }, { base: 'us-1.api.gong.io' }],
    ['stripe-apps', { stripe_user_id: 'acct_1' }, { stripeUserId: 'acct_1' }],
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
