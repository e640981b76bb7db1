import type { Quirks } from '@connectors/dev-servers';
import { describe, expect, it } from 'vitest';
import type { Provider } from '../../src/index.ts';
import { definitionOf, startQuirky, tokensOf } from './start-quirky.ts';

const revoked = { kind: 'revoked' };

/** Connects, ends the tokens twice, and says what that did. */
async function ended(revocation: Quirks['revocation'], definition: Partial<Provider>) {
  const { connect, revoke, isActive, refresh } = await startQuirky(
    { revocation: revocation ?? {} },
    { ...definition, clientAuthentication: 'basic', fields: {} },
  );
  const tokens = tokensOf(await connect());
  const first = await revoke(tokens);
  const works = await isActive(tokens.accessToken);
  return {
    first,
    works,
    again: await revoke(tokens),
    isRefused: (await refresh(tokens.refreshToken)).kind === 'failure',
  };
}

describe('quirk: RFC 7009', () => {
  it.each(['discord', 'gitlab', 'okta', 'zoom', 'x'])('of %s', async (id) => {
    const { first, works, again } = await ended({ tokenIn: 'form' }, definitionOf(id));
    expect([first, works, again]).toEqual([revoked, false, revoked]);
  });
});

describe('quirk: one revoke kills the whole grant', () => {
  it('ends the refresh token, and its access tokens with it', async () => {
    const { works, isRefused } = await ended({ tokenIn: 'form' }, definitionOf('box'));
    expect([works, isRefused]).toEqual([false, true]);
  });

  it.each(['discord', 'dropbox', 'box'])('so that %s is not asked to end what a reconnect replaced', (id) => {
    expect(definitionOf(id).revocationEnds).toBe('grant');
  });
});

describe('quirk: authenticated by the token itself', () => {
  it.each(['slack', 'dropbox', 'intercom', 'linear'])('as %s has it', async (id) => {
    const style = { authentication: 'bearer', takes: 'access', ended: { status: 401 } } as const;
    const { first, works, again } = await ended(style, {
      ...definitionOf(id),
      omittedParams: {},
      tokenRequestBody: 'form',
    });
    expect([first, works, again]).toEqual([revoked, false, revoked]);
  });

  it('as DigitalOcean has it, which wants it in the body as well', async () => {
    const style = { authentication: 'bearer', tokenIn: 'form', takes: 'access' } as const;
    expect((await ended(style, definitionOf('digitalocean'))).first).toEqual(revoked);
  });
});

describe('quirk: own verb, path or scheme', () => {
  it('of GitHub', async () => {
    const style = {
      method: 'DELETE',
      tokenIn: 'json',
      parameter: 'access_token',
      takes: 'access',
      ended: { status: 404 },
    } as const;
    const { first, works, again } = await ended(style, definitionOf('github'));
    expect([first, works, again]).toEqual([revoked, false, revoked]);
  });

  it('of HubSpot', async () => {
    const style = {
      method: 'DELETE',
      authentication: 'none',
      tokenIn: 'path',
      takes: 'refresh',
      ended: { status: 404 },
    } as const;
    const { first, works, again } = await ended(style, definitionOf('hubspot'));
    expect([first, works, again]).toEqual([revoked, false, revoked]);
  });

  it('of Square', async () => {
    const style = {
      authentication: 'clientScheme',
      tokenIn: 'json',
      parameter: 'access_token',
      takes: 'access',
    } as const;
    const { first, works } = await ended(style, { ...definitionOf('square'), tokenRequestBody: 'form' });
    expect([first, works]).toEqual([revoked, false]);
  });

  it('and no other way', async () => {
    const style = { method: 'DELETE', tokenIn: 'json' } as const;
    const { first, works } = await ended(style, definitionOf('discord'));
    expect([first, works]).toEqual([{ kind: 'failed', reason: 'invalid_request' }, true]);
  });
});

describe('quirk: refresh tokens only', () => {
  it('as Auth0 has it', async () => {
    const { first, works } = await ended({ tokenIn: 'form', takes: 'refresh' }, definitionOf('auth0'));
    expect([first, works]).toEqual([revoked, false]);
  });

  it('is told when there is none', async () => {
    const { connect, revoke } = await startQuirky(
      { revocation: { takes: 'refresh' } },
      { ...definitionOf('auth0'), fields: {} },
    );
    const { accessToken } = tokensOf(await connect());
    expect(await revoke({ accessToken, refreshToken: undefined })).toEqual({ kind: 'unsupported' });
  });
});

describe('quirk: error when already revoked', () => {
  it('counts as revoked, as Linear has it', async () => {
    const style = { authentication: 'bearer', takes: 'access', ended: { status: 400, body: {} } } as const;
    expect((await ended(style, definitionOf('linear'))).again).toEqual(revoked);
  });

  it('counts as revoked, as Slack has it, with status 200', async () => {
    const body = { ok: false, error: 'token_revoked' };
    const style = { authentication: 'bearer', takes: 'access', ended: { status: 200, body } } as const;
    expect((await ended(style, definitionOf('slack'))).again).toEqual(revoked);
  });

  it('is not any error: one with status 200 that says that it failed has failed', async () => {
    const body = { ok: false, error: 'fatal_error' };
    const style = { authentication: 'bearer', takes: 'access', ended: { status: 200, body } } as const;
    expect((await ended(style, definitionOf('slack'))).again).toEqual({
      kind: 'failed',
      reason: 'fatal_error',
    });
  });
});

describe('quirk: no programmatic revoke found', () => {
  it.each(['atlassian', 'mailchimp', 'clickup', 'monday'])(
    'of %s is told, so that the user can do it there',
    async (id) => {
      const { first } = await ended({}, { ...definitionOf(id), omittedParams: {} });
      expect(first).toEqual({ kind: 'unsupported' });
    },
  );
});
