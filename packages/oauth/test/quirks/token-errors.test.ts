import { Secret } from '@connectors/vault-core';
import { describe, expect, it } from 'vitest';
import { readTokenResponse } from '../../src/index.ts';
import { answer } from '../fixtures.ts';
import { dead, definitionOf, startQuirky } from './start-quirky.ts';

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
    ['atlassian', 403, 'invalid_grant'],
    ['front', 401, 'invalid_grant'],
    ['salesforce', 400, 'inactive_user'],
  ])('of %s ends the credential', async (id, status, code) => {
    const { refresh } = await startQuirky(
      { response: { error: { status, codes: { invalid_grant: code } } } },
      { ...definitionOf(id), fields: {} },
    );
    expect(await refresh(new Secret('unknown'))).toEqual(dead(code));
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
