import { Secret } from '@connectors/vault-core';
import type { FastifyRequest } from 'fastify';
import { describe, expect, it } from 'vitest';
import { FormLocks } from '../../src/console/form-locks.ts';

const origin = 'https://console.example.com';
const locksOf = (adminToken: string) => new FormLocks(new Secret(adminToken), origin);
const locks = locksOf('the-admin-token-of-this-test');

/** The fields that a browser sends from a page of this session. */
function fieldsOf(session: string, from = locks): URLSearchParams {
  const [, name = '', value = ''] = /name="([^"]+)" value="([^"]+)"/.exec(from.field(session).text) ?? [];
  return new URLSearchParams({ [name]: value });
}

const opens = (body: unknown, headers: Record<string, string> = { origin }) =>
  locks.open({ headers, body } as FastifyRequest, 'session');

describe('a form', () => {
  it('comes from a page of the session, on every replica', () => {
    expect(opens(fieldsOf('session', locksOf('the-admin-token-of-this-test')))).toBe(true);
  });

  it.each([
    ['no token', new URLSearchParams()],
    ['an empty token', new URLSearchParams({ form_token: '' })],
    ['the token of another session', fieldsOf('another session')],
    ['the token of another admin token', fieldsOf('session', locksOf('another'))],
    ['a body of another kind', { form_token: fieldsOf('session').get('form_token') }],
    ['no body', undefined],
  ])('with %s does not', (_name, body) => {
    expect(opens(body)).toBe(false);
  });

  it.each([{ origin: 'https://evil.example.com' }, { origin: 'null' }, {}])('with %j does not', (headers) => {
    expect(opens(fieldsOf('session'), headers as Record<string, string>)).toBe(false);
  });

  it('does not tell the session', () => {
    expect(fieldsOf('session').get('form_token')).not.toContain('session');
  });
});
