import { describe, expect, it } from 'vitest';
import { readTokenResponse } from '../../src/index.ts';
import { answer, receivedAt } from '../fixtures.ts';
import { definitionOf, startQuirky, tokensOf } from './start-quirky.ts';

const day = 86_400_000;

/** Days from the answer to the end of the refresh token, when it says nothing of it. */
function refreshTokenDays(id: string, after: 'consent' | 'refresh', body: object = {}): number | undefined {
  const definition = definitionOf(id);
  const { accessToken } = definition.responseFields;
  const tokens = tokensOf(
    readTokenResponse(
      definition,
      answer(200, { [accessToken]: 'at-1', refresh_token: 'rt-1', ...body }),
      after,
    ),
  );
  return tokens.refreshTokenExpiresAt && (tokens.refreshTokenExpiresAt.getTime() - receivedAt) / day;
}

describe('quirk: absolute refresh lifetime, not extended by use', () => {
  it.each([
    ['spotify', 180],
    ['linkedin', 365],
    ['snowflake', 90],
    ['servicenow', 100],
  ])('of %s begins with the consent, and with nothing else', (id, days) => {
    expect(refreshTokenDays(id, 'consent')).toBe(days);
    expect(refreshTokenDays(id, 'refresh')).toBeUndefined();
  });

  it('of LinkedIn counts down', () => {
    expect(refreshTokenDays('linkedin', 'refresh', { refresh_token_expires_in: 86_400 })).toBe(1);
  });

  it.each([
    ['atlassian', 90],
    ['quickbooks', 100],
  ])('of %s is longer than it may lie idle, so that counts', (id, days) => {
    expect(refreshTokenDays(id, 'consent')).toBe(days);
  });
});

describe('quirk: idle refresh lifetime, reset by use', () => {
  it.each([
    ['google', 180],
    ['atlassian', 90],
    ['airtable', 60],
    ['xero', 60],
    ['box', 60],
    ['miro', 60],
    ['pipedrive', 60],
    ['docusign', 30],
    ['microsoft-entra', 90],
    ['zendesk', 30],
    ['shopify', 90],
  ])('of %s begins anew with every refresh', (id, days) => {
    expect(refreshTokenDays(id, 'refresh')).toBe(days);
  });
});

describe('quirk: cap with silent eviction', () => {
  it('looks like any other end of a grant', async () => {
    const { server, connect, refresh } = await startQuirky({}, definitionOf('google'));
    const { refreshToken } = tokensOf(await connect());
    await server.revokeGrant(refreshToken?.reveal() ?? '');
    expect(await refresh(refreshToken)).toMatchObject({
      failure: { class: 'permanent', reason: 'invalid_grant' },
    });
  });

  it.each(['google', 'github-oauth-app', 'salesforce', 'zoho'])('is told to operators of %s', (id) => {
    expect(definitionOf(id).note).toMatch(/ends the first|sixth/);
  });
});

describe('quirk: rate limit on minting', () => {
  it('is waited for as long as the provider asks', async () => {
    const { server, connect, refresh } = await startQuirky({}, { ...definitionOf('zoho'), fields: {} });
    const { refreshToken } = tokensOf(await connect());
    server.faults.next({ kind: 'status', status: 429, headers: { 'retry-after': '600' }, body: {} });
    expect(await refresh(refreshToken)).toMatchObject({
      failure: { class: 'throttled', retryAfterMs: 600_000, mayHaveRotated: false },
    });
    expect((await refresh(refreshToken)).kind).toBe('tokens');
  });
});

describe('quirk: one live access token', () => {
  it('is no harm, for each credential has one token at a time', async () => {
    const { connect, refresh, isActive } = await startQuirky(
      { rotation: 'endsAccessToken' },
      definitionOf('box'),
    );
    const first = tokensOf(await connect());
    const second = tokensOf(await refresh(first.refreshToken));
    const third = tokensOf(await refresh(second.refreshToken));
    expect(await Promise.all([first, second, third].map(({ accessToken }) => isActive(accessToken)))).toEqual(
      [false, false, true],
    );
  });
});

describe('quirk: policy date ahead', () => {
  it.each([
    ['hubspot', '2027-02-16'],
    ['shopify', '2027-01-01'],
    ['zendesk', '2027-04-01'],
  ])('is told to operators of %s', (id, date) => {
    expect(definitionOf(id).note).toContain(date);
  });
});
