import { describe, expect, it } from 'vitest';
import { catalog, readTokenResponse } from '../src/index.ts';
import type { Provider, ProviderAnswer, TokenSet } from '../src/index.ts';
import { answer, plainProvider, receivedAt } from './fixtures.ts';

function tokens(
  body: unknown,
  provider: Provider = plainProvider(),
  headers?: ProviderAnswer['headers'],
): TokenSet {
  const result = readTokenResponse(provider, answer(200, body, headers));
  if (result.kind !== 'tokens') throw new Error(`failed: ${result.failure.reason}`);
  return result.tokens;
}

/** Seconds from the answer to the expiry. */
function lifetime(body: object, fields: Partial<Provider> = {}, date?: string): number | undefined {
  const headers = date === undefined ? {} : { date };
  const { expiresAt } = tokens({ access_token: 'a', ...body }, { ...plainProvider(), ...fields }, headers);
  return expiresAt === undefined ? undefined : (expiresAt.getTime() - receivedAt) / 1000;
}

describe('a token response', () => {
  it('brings the tokens, expiry, scopes and type', () => {
    const set = tokens({
      access_token: 'at-1',
      refresh_token: 'rt-1',
      expires_in: 3600,
      scope: 'read write',
      token_type: 'Bearer',
    });
    expect(set.accessToken.reveal()).toBe('at-1');
    expect(set.refreshToken?.reveal()).toBe('rt-1');
    expect(set.expiresAt?.toISOString()).toBe('2026-03-01T13:00:00.000Z');
    expect(set.scopes).toEqual(['read', 'write']);
    expect(set.tokenType).toBe('Bearer');
  });

  it.each([
    ['leaves it out', {}],
    ['has null', { refresh_token: null }],
    ['has an empty one', { refresh_token: '' }],
  ])('says nothing of the refresh token when it %s', (_, fields) => {
    expect(tokens({ access_token: 'a', ...fields }).refreshToken).toBeUndefined();
  });

  it('is read whatever its content type says', () => {
    expect(
      tokens({ access_token: 'a' }, plainProvider(), { 'content-type': 'text/html' }).accessToken.reveal(),
    ).toBe('a');
    expect(tokens({ access_token: 'a' }, plainProvider(), {}).accessToken.reveal()).toBe('a');
  });

  it('is read when it is form-encoded', () => {
    const set = tokens('access_token=a%2Bb&expires_in=60', plainProvider(), {
      'content-type': 'application/x-www-form-urlencoded; charset=utf-8',
    });
    expect(set.accessToken.reveal()).toBe('a+b');
    expect(set.expiresAt?.getTime()).toBe(receivedAt + 60_000);
  });

  it('is a success with any 2xx status', () => {
    expect(readTokenResponse(plainProvider(), answer(201, { access_token: 'a' })).kind).toBe('tokens');
  });

  it('is no success with another status, whatever it holds', () => {
    expect(readTokenResponse(plainProvider(), answer(400, { access_token: 'a' })).kind).toBe('failure');
    expect(readTokenResponse(plainProvider(), answer(302, { access_token: 'a' })).kind).toBe('failure');
  });

  it('keeps a token that comes with an error beside it', () => {
    expect(tokens({ access_token: 'a', error: 'odd' }).accessToken.reveal()).toBe('a');
  });

  it.each(['a\r\nX-Evil: 1', 'tök', 'a\u0000'])('has no token when it could split a header: %j', (token) => {
    expect(readTokenResponse(plainProvider(), answer(200, { access_token: token })).kind).toBe('failure');
  });
});

describe('the expiry', () => {
  it.each<[string, object, number | undefined]>([
    ['counts from when the answer came', { expires_in: 60 }, 60],
    ['may be a string', { expires_in: '3599' }, 3599],
    ['may have a fraction', { expires_in: 1.5 }, 1.5],
    ['may be years ahead', { expires_in: 315_705_599 }, 315_705_599],
    ['is unknown when nothing is said', {}, undefined],
    ['is unknown when zero, so that nothing refreshes in a loop', { expires_in: 0 }, undefined],
    ['is unknown when negative', { expires_in: -5 }, undefined],
    ['is unknown when not a number', { expires_in: 'soon' }, undefined],
    ['is unknown when null', { expires_in: null }, undefined],
    ['is unknown when an empty string', { expires_in: '' }, undefined],
    ['is unknown when beyond all dates', { expires_in: 1e300 }, undefined],
    ['may be a point in time in the wrong field', { expires_in: receivedAt / 1000 + 120 }, 120],
    ['may be absolute in epoch seconds', { expires_at: receivedAt / 1000 + 90 }, 90],
    ['may be absolute in epoch seconds as a string', { expires_at: String(receivedAt / 1000 + 90) }, 90],
    ['may be absolute in ISO 8601', { expires_at: '2026-03-01T12:05:00Z' }, 300],
    ['is the relative one when both are given', { expires_in: 60, expires_at: '2026-03-02T00:00:00Z' }, 60],
    ['is unknown when an absolute one has passed', { expires_at: '2026-03-01T11:00:00Z' }, undefined],
    ['is unknown when an absolute one is no date', { expires_at: 'tomorrow' }, undefined],
  ])('%s', (_, body, seconds) => {
    expect(lifetime(body)).toBe(seconds);
  });

  it('is assumed for a provider that never says it', () => {
    expect(lifetime({}, { assumedLifetime: 3600 })).toBe(3600);
    expect(lifetime({ expires_in: 0 }, { assumedLifetime: 3600 })).toBe(3600);
    expect(lifetime({ expires_in: 60 }, { assumedLifetime: 3600 })).toBe(60);
  });

  it('is corrected by the provider clock when it is absolute', () => {
    const tenMinutesAhead = 'Sun, 01 Mar 2026 12:10:00 GMT';
    expect(lifetime({ expires_at: '2026-03-01T12:15:00Z' }, {}, tenMinutesAhead)).toBe(300);
    expect(lifetime({ expires_in: 300 }, {}, tenMinutesAhead)).toBe(300);
  });
});

/** Seconds from the answer to the end of the refresh token. */
function refreshLifetime(body: object, fields: Partial<Provider> = {}, date?: string): number | undefined {
  const headers = date === undefined ? {} : { date };
  const provider = { ...plainProvider(), ...fields };
  const { refreshTokenExpiresAt } = tokens({ access_token: 'a', expires_in: 60, ...body }, provider, headers);
  return refreshTokenExpiresAt && (refreshTokenExpiresAt.getTime() - receivedAt) / 1000;
}

describe('the end of the refresh token', () => {
  it.each<[string, object, number | undefined]>([
    ['is unknown when nothing is said: the access token’s says nothing of it', {}, undefined],
    ['counts from when the answer came', { refresh_token_expires_in: 15_897_600 }, 15_897_600],
    ['has another name at Keycloak', { refresh_expires_in: 1800 }, 1800],
    ['has another name at Intuit', { x_refresh_token_expires_in: 8_726_400 }, 8_726_400],
    ['may be a string', { refresh_token_expires_in: '3600' }, 3600],
    ['may be absolute', { refresh_token_expires_at: '2026-03-02T12:00:00Z' }, 86_400],
    ['may be a point in time in the wrong field', { refresh_token_expires_in: receivedAt / 1000 + 90 }, 90],
    ['never comes when it is 0, as with offline tokens', { refresh_expires_in: 0 }, undefined],
    ['is unknown when negative', { refresh_token_expires_in: -1 }, undefined],
    ['is unknown when not a number', { refresh_token_expires_in: 'never' }, undefined],
    ['is unknown when it has passed', { refresh_token_expires_at: '2026-02-01T00:00:00Z' }, undefined],
  ])('%s', (_, body, seconds) => {
    expect(refreshLifetime(body)).toBe(seconds);
  });

  it('is counted from every use where the provider lets idle ones die', () => {
    const idle = { refreshTokenIdleLifetime: 7776 };
    expect(refreshLifetime({}, idle)).toBe(7776);
    expect(refreshLifetime({ refresh_token_expires_in: 'soon' }, idle)).toBe(7776);
    expect(refreshLifetime({ refresh_token_expires_in: 60 }, idle)).toBe(60);
  });

  it('never comes when the response says so, whatever is usual', () => {
    expect(refreshLifetime({ refresh_expires_in: 0 }, { refreshTokenIdleLifetime: 7776 })).toBeUndefined();
  });

  it('is corrected by the provider clock when it is absolute', () => {
    const date = 'Sun, 01 Mar 2026 12:10:00 GMT';
    expect(refreshLifetime({ refresh_token_expires_at: '2026-03-01T12:15:00Z' }, {}, date)).toBe(300);
  });
});

describe('the scopes', () => {
  it.each<[string, unknown, ' ' | ',', string[] | undefined]>([
    ['are separated by spaces', 'a b  c', ' ', ['a', 'b', 'c']],
    ['are separated by commas where the provider does so', 'repo,read:user', ',', ['repo', 'read:user']],
    ['keep a comma where it separates nothing', 'a,b c', ' ', ['a,b', 'c']],
    ['may be an array', ['a', 'b'], ' ', ['a', 'b']],
    ['are left open when missing', undefined, ' ', undefined],
    ['are left open when empty', '', ' ', undefined],
    ['are left open when of another type', 7, ' ', undefined],
  ])('%s', (_, scope, grantedScopeSeparator, expected) => {
    expect(tokens({ access_token: 'a', scope }, plainProvider({ grantedScopeSeparator })).scopes).toEqual(
      expected,
    );
  });
});

it.each([
  ['bearer', 'Bearer'],
  ['BEARER', 'Bearer'],
  ['bot', 'bot'],
  [undefined, 'Bearer'],
  ['<script>', 'Bearer'],
])('the token type %j is kept as %j', (told, kept) => {
  expect(tokens({ access_token: 'a', token_type: told }).tokenType).toBe(kept);
});

function of(id: string): Provider {
  return catalog.get(id) ?? plainProvider();
}

describe('a provider of the catalog', () => {
  it('github: tokens of an OAuth app do not expire and list scopes with commas', () => {
    const set = tokens({ access_token: 'gho_x', scope: 'repo,gist', token_type: 'bearer' }, of('github'));
    expect(set).toMatchObject({ expiresAt: undefined, scopes: ['repo', 'gist'], tokenType: 'Bearer' });
  });

  it('github: tokens of a GitHub App expire and have no scopes', () => {
    const set = tokens(
      { access_token: 'ghu_x', expires_in: 28_800, refresh_token: 'ghr_x', scope: '' },
      of('github'),
    );
    expect(set.expiresAt?.getTime()).toBe(receivedAt + 28_800_000);
    expect(set.scopes).toBeUndefined();
  });

  it('github: the refresh token of a GitHub App lives for six months', () => {
    const body = { access_token: 'ghu_x', expires_in: 28_800, refresh_token: 'ghr_x' };
    const months = (set: TokenSet) => (set.refreshTokenExpiresAt?.getTime() ?? 0) - receivedAt;
    expect(months(tokens({ ...body, refresh_token_expires_in: 15_897_600 }, of('github')))).toBe(
      15_897_600_000,
    );
    expect(months(tokens(body, of('github')))).toBe(180 * 86_400_000);
  });

  it('github-app: an installation token stands in a field of its own and ends at a point in time', () => {
    const body = { token: 'ghs_x', expires_at: '2026-03-01T13:00:00Z', permissions: { issues: 'write' } };
    const set = tokens(body, of('github-app'));
    expect(set.accessToken.reveal()).toBe('ghs_x');
    expect(set.expiresAt?.toISOString()).toBe('2026-03-01T13:00:00.000Z');
  });

  it('slack: a rotating bot token', () => {
    const body = {
      ok: true,
      access_token: 'xoxe.xoxb-1',
      refresh_token: 'xoxe-1',
      expires_in: 43_200,
      scope: 'chat:write,im:read',
    };
    const set = tokens({ ...body, token_type: 'bot', team: { id: 'T1' } }, of('slack'));
    expect(set).toMatchObject({ scopes: ['chat:write', 'im:read'], tokenType: 'bot' });
    expect(set.refreshToken?.reveal()).toBe('xoxe-1');
  });

  it('google: a refresh leaves the refresh token out', () => {
    const set = tokens(
      { access_token: 'ya29.x', expires_in: 3599, scope: 'https://www.googleapis.com/auth/drive' },
      of('google'),
    );
    expect(set.refreshToken).toBeUndefined();
    expect(set.refreshTokenExpiresAt?.getTime()).toBe(receivedAt + 180 * 86_400_000);
    expect(set.scopes).toEqual(['https://www.googleapis.com/auth/drive']);
  });
});
