import { describe, expect, it } from 'vitest';
import { readRequestError, TokenRequestError } from '../../src/index.ts';
import { dead, definitionOf, startQuirky, tokensOf } from './start-quirky.ts';

/** What a lost answer, after which the token may be spent, means for the provider. */
function afterLostAnswer(id: string) {
  return readRequestError(definitionOf(id), new TokenRequestError('connection_lost', 'maybe'));
}

describe('quirk: never rotates', () => {
  it.each(['google', 'figma', 'zoho', 'linkedin'])('so that %s may lose an answer without harm', (id) => {
    expect(afterLostAnswer(id)).toEqual({
      class: 'transient',
      reason: 'connection_lost',
      mayHaveRotated: false,
    });
  });

  it('and the token works again after an answer was lost', async () => {
    const { server, connect, refresh } = await startQuirky({ rotation: 'stays' }, definitionOf('google'));
    const { refreshToken } = tokensOf(await connect());
    server.faults.next({ kind: 'cut' });
    await expect(refresh(refreshToken)).rejects.toMatchObject({ code: 'connection_lost' });
    expect((await refresh(refreshToken)).kind).toBe('tokens');
  });
});

describe('quirk: new token, old one stays valid', () => {
  it('so that Entra may lose an answer without harm', async () => {
    expect(afterLostAnswer('microsoft-entra').mayHaveRotated).toBe(false);
    const definition = { ...definitionOf('microsoft-entra'), fields: {} };
    const { connect, refresh } = await startQuirky({ rotation: 'overlaps' }, definition);
    const { refreshToken } = tokensOf(await connect());
    const next = tokensOf(await refresh(refreshToken));
    expect(next.refreshToken?.reveal()).not.toBe(refreshToken?.reveal());
    expect((await refresh(refreshToken)).kind).toBe('tokens');
    expect((await refresh(next.refreshToken)).kind).toBe('tokens');
  });
});

describe('quirk: new token, old one retryable for a fixed time', () => {
  it.each([
    ['atlassian', 600],
    ['xero', 1800],
    ['okta', 30],
  ])('is known of %s', (id, seconds) => {
    expect(definitionOf(id).refreshTokenGrace).toBe(seconds);
  });

  it('so that the answer that was lost comes with the next try', async () => {
    const { connect, refresh } = await startQuirky(
      { rotation: 60_000 },
      { ...definitionOf('xero'), fields: {} },
    );
    const { refreshToken } = tokensOf(await connect());
    const lost = tokensOf(await refresh(refreshToken));
    const again = tokensOf(await refresh(refreshToken));
    expect(again.refreshToken?.reveal()).toBe(lost.refreshToken?.reveal());
    expect((await refresh(again.refreshToken)).kind).toBe('tokens');
  });

  it('and after that time the user has to come back', async () => {
    const { connect, refresh } = await startQuirky({ rotation: 0 }, { ...definitionOf('xero'), fields: {} });
    const { refreshToken } = tokensOf(await connect());
    await refresh(refreshToken);
    expect(await refresh(refreshToken)).toEqual(dead('invalid_grant'));
  });
});

describe('quirk: new token, old one retryable until the new one is used', () => {
  it('so that the answer that was lost comes with the next try, and only until then', async () => {
    const { connect, refresh } = await startQuirky(
      { rotation: 'untilUsed' },
      { ...definitionOf('shopify'), fields: {} },
    );
    const { refreshToken } = tokensOf(await connect());
    await refresh(refreshToken);
    const again = tokensOf(await refresh(refreshToken));
    expect((await refresh(again.refreshToken)).kind).toBe('tokens');
    expect(await refresh(refreshToken)).toEqual(dead('invalid_grant'));
  });
});

describe('quirk: new token, old one dead at once', () => {
  it.each([
    'github-app-user',
    'slack-rotating',
    'box',
    'gitlab',
    'zendesk',
    'miro',
    'airtable',
    'x',
    'notion',
  ])('so that %s may have spent the token of an answer that was lost', (id) => {
    expect(afterLostAnswer(id)).toEqual({
      class: 'lost_response',
      reason: 'connection_lost',
      mayHaveRotated: true,
    });
  });

  it('and the second use of a token is refused for good', async () => {
    const { connect, refresh } = await startQuirky({}, definitionOf('box'));
    const { refreshToken } = tokensOf(await connect());
    await refresh(refreshToken);
    expect(await refresh(refreshToken)).toEqual(dead('invalid_grant'));
  });
});

describe('quirk: as before, and replay kills the grant', () => {
  it('so that the successor is dead as well', async () => {
    const { connect, refresh } = await startQuirky({}, definitionOf('canva'));
    const first = tokensOf(await connect());
    const second = tokensOf(await refresh(first.refreshToken));
    await refresh(first.refreshToken);
    expect(await refresh(second.refreshToken)).toEqual(dead('invalid_grant'));
  });
});

describe('quirk: as before, and the old access token dies too', () => {
  it('so that what a refresh brought is all that works', async () => {
    const { connect, refresh, isActive } = await startQuirky(
      { rotation: 'endsAccessToken' },
      { ...definitionOf('gitlab'), fields: {} },
    );
    const first = tokensOf(await connect());
    const second = tokensOf(await refresh(first.refreshToken));
    expect([await isActive(first.accessToken), await isActive(second.accessToken)]).toEqual([false, true]);
  });
});

describe('quirk: rotation depends on configuration or flow', () => {
  it.each(['salesforce', 'snowflake', 'databricks', 'okta', 'auth0', 'keycloak'])(
    'so that %s counts as rotating',
    (id) => {
      expect(definitionOf(id).refreshTokenRotates).toBe(true);
    },
  );

  it.each(['stays', undefined] as const)('and a refresh works either way: %s', async (rotation) => {
    const { connect, refresh } = await startQuirky(rotation === undefined ? {} : { rotation }, {
      ...definitionOf('okta'),
      fields: {},
    });
    const { refreshToken } = tokensOf(await connect());
    const next = tokensOf(await refresh(refreshToken)).refreshToken;
    expect((await refresh(next ?? refreshToken)).kind).toBe('tokens');
  });
});
