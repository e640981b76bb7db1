import { describe, expect, it } from 'vitest';
import { catalog, readRequestError, readTokenResponse, TokenRequestError } from '../src/index.ts';
import type { CallFailure, FailureClass, Provider, ProviderAnswer, TokenFailure } from '../src/index.ts';
import { answer, plainProvider } from './fixtures.ts';

function failure(provider: Provider, answered: ProviderAnswer): TokenFailure {
  const result = readTokenResponse(provider, answered);
  if (result.kind !== 'failure') throw new Error('tokens came');
  return result.failure;
}

const html = '<html><body>Sign in to the hotel network</body></html>';

describe('a failed token request is', () => {
  it.each<[FailureClass, string, number, unknown]>([
    ['permanent', 'invalid_grant with 400', 400, { error: 'invalid_grant' }],
    ['permanent', 'invalid_grant with 401', 401, { error: 'invalid_grant' }],
    ['permanent', 'invalid_grant with 403', 403, { error: 'invalid_grant' }],
    ['permanent', 'invalid_grant with 200', 200, { error: 'invalid_grant' }],
    [
      'operator',
      'invalid_grant from something that is not the token endpoint',
      404,
      { error: 'invalid_grant' },
    ],
    ['transient', 'invalid_grant from a server that is failing', 500, { error: 'invalid_grant' }],
    ['throttled', 'invalid_grant in an answer that says too many requests', 429, { error: 'invalid_grant' }],
    ['operator', 'invalid_client', 401, { error: 'invalid_client' }],
    ['operator', 'unauthorized_client', 400, { error: 'unauthorized_client' }],
    ['operator', 'unsupported_grant_type', 400, { error: 'unsupported_grant_type' }],
    ['operator', 'invalid_scope', 400, { error: 'invalid_scope' }],
    ['operator', 'invalid_request', 400, { error: 'invalid_request' }],
    ['operator', 'access_denied, which some say of a wrong client secret', 403, { error: 'access_denied' }],
    ['operator', 'an error code nobody knows', 400, { error: 'moon_phase' }],
    ['operator', 'an error code that is a property of every object', 400, { error: 'constructor' }],
    ['operator', 'an error object in place of a code', 400, { error: { code: 400 } }],
    ['operator', 'a wrong address', 404, html],
    ['operator', 'a redirect', 302, ''],
    ['operator', 'the page of a firewall', 403, html],
    ['operator', 'a bad request without a word', 400, ''],
    ['transient', 'a request timeout', 408, ''],
    ['transient', 'a server error', 500, ''],
    ['transient', 'a bad gateway', 502, html],
    ['transient', 'an unavailable service', 503, { error: 'temporarily_unavailable' }],
    ['transient', 'server_error with 400', 400, { error: 'server_error' }],
    ['throttled', 'too many requests', 429, ''],
    ['throttled', 'slow_down with 400', 400, { error: 'slow_down' }],
    ['lost_response', 'a success that is a web page', 200, html],
    ['lost_response', 'a success that is cut', 200, '{"access_token":"abc","refresh_to'],
    ['lost_response', 'a success that is empty', 200, ''],
    ['lost_response', 'a success without content', 204, ''],
    ['lost_response', 'a success without a token', 200, {}],
    ['lost_response', 'a success with an empty token', 200, { access_token: '' }],
    ['lost_response', 'a success with a token that is no string', 200, { access_token: 7 }],
    ['lost_response', 'a success that is not an object', 200, '"access_token"'],
    ['lost_response', 'a success that is null', 200, 'null'],
  ])('%s: %s', (expected, _, status, body) => {
    expect(failure(plainProvider(), answer(status, body)).class).toBe(expected);
  });

  it.each<[string, FailureClass, unknown]>([
    ['github', 'permanent', { error: 'bad_refresh_token' }],
    ['github', 'permanent', { error: 'bad_verification_code' }],
    ['github', 'operator', { error: 'incorrect_client_credentials' }],
    ['slack', 'permanent', { ok: false, error: 'invalid_refresh_token' }],
    ['slack', 'operator', { ok: false, error: 'bad_client_secret' }],
    ['slack', 'throttled', { ok: false, error: 'ratelimited' }],
    ['slack', 'transient', { ok: false, error: 'internal_error' }],
    ['slack', 'operator', { ok: false, error: 'new_and_unknown' }],
    [
      'google',
      'permanent',
      { error: 'invalid_grant', error_description: 'Token has been expired or revoked.' },
    ],
  ])('of %s: %s, with status 200 and %j', (id, expected, body) => {
    expect(failure(catalog.get(id) ?? plainProvider(), answer(200, body)).class).toBe(expected);
  });

  it('what the definition of its provider says, before the defaults', () => {
    const provider = plainProvider({ errors: { invalid_grant: 'transient', dead: 'permanent' } });
    expect(failure(provider, answer(400, { error: 'invalid_grant' })).class).toBe('transient');
    expect(failure(provider, answer(401, { error: 'dead' })).class).toBe('permanent');
  });

  it('only transient where refresh tokens do not rotate and an answer is lost', () => {
    const provider = plainProvider({ refreshTokenRotates: false });
    expect(failure(provider, answer(200, html))).toMatchObject({ class: 'transient', mayHaveRotated: false });
  });
});

/** What each provider says when the same thing goes wrong: status, body and headers. */
type Said = [status: number, body: unknown, headers?: ProviderAnswer['headers']];
const said: Record<string, Partial<Record<string, Said>>> = {
  oidc: {
    'a dead grant': [400, { error: 'invalid_grant' }],
    'a wrong client secret': [401, { error: 'invalid_client' }],
    'too many requests': [429, '', { 'retry-after': '7' }],
  },
  github: {
    'a dead grant': [200, { error: 'bad_refresh_token' }],
    'a wrong client secret': [200, { error: 'incorrect_client_credentials' }],
    'too many requests': [403, { message: 'secondary rate limit' }, { 'retry-after': '7' }],
  },
  slack: {
    'a dead grant': [200, { ok: false, error: 'invalid_refresh_token' }],
    'a wrong client secret': [200, { ok: false, error: 'bad_client_secret' }],
    'too many requests': [429, { ok: false, error: 'ratelimited' }, { 'retry-after': '7' }],
  },
  google: {
    'a dead grant': [
      400,
      { error: 'invalid_grant', error_description: 'Token has been expired or revoked.' },
    ],
    'a wrong client secret': [401, { error: 'invalid_client' }],
    'too many requests': [429, '', { 'retry-after': '7' }],
  },
  'google-service-account': {
    'a dead grant': [400, { error: 'invalid_grant', error_description: 'Invalid grant: account not found' }],
    'too many requests': [429, '', { 'retry-after': '7' }],
  },
  'github-app': {
    'a wrong client secret': [401, { message: 'A JSON web token could not be decoded' }],
    'an installation that is gone': [404, { message: 'Not Found' }],
    'an installation that is suspended': [403, { message: 'This installation has been suspended' }],
    'too many requests': [403, { message: 'secondary rate limit' }, { 'retry-after': '7' }],
  },
};
const everywhere: Record<string, Said> = {
  'an unavailable service': [503, html],
  'a web page as a success': [200, html],
};
const verdicts: Record<string, FailureClass> = {
  'a dead grant': 'permanent',
  'a wrong client secret': 'operator',
  'an installation that is gone': 'operator',
  'an installation that is suspended': 'operator',
  'too many requests': 'throttled',
  'an unavailable service': 'transient',
  'a web page as a success': 'lost_response',
};

describe.each([...catalog.values()])('at $id', (provider) => {
  it.each(Object.entries({ ...said[provider.id], ...everywhere }) as [string, Said][])('%s', (what, told) => {
    const seen = failure(provider, answer(...told));
    const rotates = provider.refreshTokenRotates && provider.grant === 'authorization_code';
    const expected = verdicts[what] === 'lost_response' && !rotates ? 'transient' : verdicts[what];
    expect(seen.class).toBe(expected);
    expect(seen.mayHaveRotated).toBe(rotates && what in everywhere);
    expect(seen.retryAfterMs).toBe(what === 'too many requests' ? 7000 : undefined);
  });
});

describe('an assertion that is refused', () => {
  const provider = plainProvider({ grant: 'jwt_bearer' });
  const refused = (date: string) => failure(provider, answer(400, { error: 'invalid_grant' }, { date }));

  it('is the tenant’s matter', () => {
    expect(refused('Sun, 01 Mar 2026 12:00:59 GMT').class).toBe('permanent');
  });

  it.each(['Sun, 01 Mar 2026 12:01:00 GMT', 'Sun, 01 Mar 2026 11:59:00 GMT'])(
    'is the operator’s matter when it was not valid on the clock of the provider, %s',
    (date) => {
      expect(refused(date)).toEqual({ class: 'operator', reason: 'clock_skew', mayHaveRotated: false });
    },
  );

  it('for another reason than its times is judged by that', () => {
    const date = 'Sun, 01 Mar 2026 14:00:00 GMT';
    expect(failure(provider, answer(503, '', { date })).class).toBe('transient');
    expect(failure(plainProvider(), answer(400, { error: 'invalid_grant' }, { date })).class).toBe(
      'permanent',
    );
  });
});

it.each(['client_credentials', 'jwt_bearer', 'github_app'] as const)(
  'an answer that is lost costs nothing where tokens are minted: %s',
  (grant) => {
    const provider = plainProvider({ grant });
    const cut = readRequestError(provider, new TokenRequestError('response_cut', 'maybe'));
    expect(cut).toEqual({ class: 'transient', reason: 'response_cut', mayHaveRotated: false });
    expect(failure(provider, answer(200, html))).toMatchObject({ class: 'transient', mayHaveRotated: false });
    expect(failure(provider, answer(502, html)).mayHaveRotated).toBe(false);
  },
);

describe('the reason', () => {
  it.each([
    ['is the code', 400, { error: 'invalid_scope' }, 'invalid_scope'],
    ['hides a code with other characters', 400, { error: 'token gho_canary is bad' }, 'unrecognised'],
    ['hides a code that is too long', 400, { error: 'a'.repeat(65) }, 'unrecognised'],
    ['is the status when there is no code', 502, html, 'http_502'],
    ['is our word for an answer that cannot be read', 200, html, 'unreadable_response'],
  ])('%s', (_, status, body, expected) => {
    expect(failure(plainProvider(), answer(status, body)).reason).toBe(expected);
  });

  it('leaves out the description', () => {
    const told = failure(
      plainProvider(),
      answer(400, { error: 'invalid_grant', error_description: 'canary' }),
    );
    expect(JSON.stringify(told)).not.toContain('canary');
  });
});

describe('a refresh token may be spent', () => {
  it.each([
    [true, 'after a server error', 500, ''],
    [true, 'after a gateway timeout', 504, ''],
    [true, 'after an answer that cannot be read', 200, html],
    [false, 'after a refusal', 400, { error: 'invalid_client' }],
    [false, 'after too many requests', 429, ''],
    [false, 'after a wrong address', 404, html],
  ])('%s %s', (expected, _, status, body) => {
    expect(failure(plainProvider(), answer(status, body)).mayHaveRotated).toBe(expected);
  });
});

describe('Retry-After', () => {
  const date = 'Sun, 01 Mar 2026 13:00:00 GMT';

  it.each<[string, ProviderAnswer['headers'], number | undefined]>([
    ['counts seconds', { 'retry-after': '30' }, 30_000],
    ['may be a date', { 'retry-after': 'Sun, 01 Mar 2026 12:01:00 GMT' }, 60_000],
    [
      'as a date is measured on the clock that wrote it',
      { 'retry-after': 'Sun, 01 Mar 2026 13:01:00 GMT', date },
      60_000,
    ],
    ['in the past means now', { 'retry-after': 'Sun, 01 Mar 2026 11:00:00 GMT' }, 0],
    ['is capped at a day', { 'retry-after': '99999999' }, 86_400_000],
    ['is ignored when negative', { 'retry-after': '-5' }, undefined],
    ['is ignored when it is neither', { 'retry-after': 'soon' }, undefined],
    ['may be missing', {}, undefined],
  ])('%s', (_, headers, expected) => {
    expect(failure(plainProvider(), answer(429, '', headers)).retryAfterMs).toBe(expected);
  });

  it('comes along with an unavailable service', () => {
    const told = failure(plainProvider(), answer(503, '', { 'retry-after': '5' }));
    expect(told).toMatchObject({ class: 'transient', retryAfterMs: 5000 });
  });

  it('turns a refusal without a code into a throttle', () => {
    expect(failure(plainProvider(), answer(403, html, { 'retry-after': '60' })).class).toBe('throttled');
  });

  it('does not turn a dead grant into a throttle', () => {
    const dead = answer(400, { error: 'invalid_grant' }, { 'retry-after': '60' });
    expect(failure(plainProvider(), dead).class).toBe('permanent');
  });
});

describe('a request without an answer is', () => {
  it.each<[CallFailure, 'no' | 'maybe', FailureClass, boolean]>([
    ['egress_refused', 'no', 'operator', false],
    ['client_secret_missing', 'no', 'operator', false],
    ['private_key_missing', 'no', 'operator', false],
    ['private_key_invalid', 'no', 'operator', false],
    ['fields_invalid', 'no', 'operator', false],
    ['discovery_invalid', 'no', 'operator', false],
    ['discovery_failed', 'no', 'transient', false],
    ['dns_failure', 'no', 'transient', false],
    ['connection_refused', 'no', 'transient', false],
    ['tls_failure', 'no', 'transient', false],
    ['timeout', 'no', 'transient', false],
    ['timeout', 'maybe', 'transient', true],
    ['aborted', 'maybe', 'transient', true],
    ['connection_lost', 'maybe', 'lost_response', true],
    ['response_cut', 'maybe', 'lost_response', true],
    ['response_too_large', 'maybe', 'lost_response', true],
  ])('after %s (sent: %s) %s, maybe spent: %s', (code, sent, expected, mayHaveRotated) => {
    const told = readRequestError(plainProvider(), new TokenRequestError(code, sent));
    expect(told).toEqual({ class: expected, reason: code, mayHaveRotated });
  });

  it('never a lost response where refresh tokens do not rotate', () => {
    const provider = plainProvider({ refreshTokenRotates: false });
    const told = readRequestError(provider, new TokenRequestError('response_cut', 'maybe'));
    expect(told).toEqual({ class: 'transient', reason: 'response_cut', mayHaveRotated: false });
  });
});
