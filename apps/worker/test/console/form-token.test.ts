import { Secret } from '@connectors/vault-core';
import { describe, expect, it } from 'vitest';
import { FormTokens } from '../../src/console/form-token.ts';

const tokens = new FormTokens(new Secret('the-admin-token-of-this-test'));

/** The form that a browser sends from a page of this session. */
function formOf(session: string, from = tokens): URLSearchParams {
  const [, name = '', value = ''] = /name="([^"]+)" value="([^"]+)"/.exec(from.field(session).text) ?? [];
  return new URLSearchParams({ [name]: value });
}

describe('a form token', () => {
  it('comes from a page of the session, on every replica', () => {
    const replica = new FormTokens(new Secret('the-admin-token-of-this-test'));
    expect(replica.isFrom('session', formOf('session'))).toBe(true);
  });

  it.each([
    ['nothing', new URLSearchParams()],
    ['an empty one', new URLSearchParams({ form_token: '' })],
    ['that of another session', formOf('another session')],
    ['that of another admin token', formOf('session', new FormTokens(new Secret('another')))],
  ])('is not %s', (_name, form) => {
    expect(tokens.isFrom('session', form)).toBe(false);
  });

  it('does not tell the session', () => {
    expect(formOf('session').get('form_token')).not.toContain('session');
  });
});
