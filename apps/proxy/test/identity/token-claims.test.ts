import { describe, expect, test } from 'vitest';
import { agentIdOf, readGrants } from '../../src/identity/token-claims.ts';

const names = { tenants: 'tenants', integrations: undefined, grants: undefined };
const forbidden = (message: string) =>
  expect.objectContaining({
    code: 'agent_forbidden',
    message: expect.stringContaining(message) as string,
  }) as Error;

describe('the grants of a token are', () => {
  test('all integrations of its tenants', () => {
    expect(readGrants({ tenants: ['acme', 'umbrella'] }, names)).toEqual([{ tenants: ['acme', 'umbrella'] }]);
  });

  test('those integrations of its tenants that it names', () => {
    const claims = { tenants: 'acme', integrations: ['github'] };
    const claimNames = { ...names, integrations: 'integrations' };
    expect(readGrants(claims, claimNames)).toEqual([{ tenants: ['acme'], integrations: ['github'] }]);
  });

  test('in claims of any name', () => {
    const claimNames = { ...names, tenants: 'https://example.com/tenants' };
    expect(readGrants({ 'https://example.com/tenants': 'acme' }, claimNames)).toEqual([
      { tenants: ['acme'] },
    ]);
  });

  test('in full where a claim is for that, whatever its tenants are', () => {
    const grants = [{ tenants: ['acme'], rest: { methods: ['GET'] }, expiresAt: '2026-01-01T00:00:00Z' }];
    const claims = { tenants: 'umbrella', grants };
    expect(readGrants(claims, { ...names, grants: 'grants' })).toEqual(grants);
  });
});

describe('a token grants nothing', () => {
  test('without the claim of integrations, where one is configured', () => {
    const read = () => readGrants({ tenants: 'acme' }, { ...names, integrations: 'apps' });
    expect(read).toThrow(forbidden('it has no claim `apps`'));
  });

  test('without the claim of grants, where one is configured', () => {
    const read = () => readGrants({ tenants: 'acme' }, { ...names, grants: 'grants' });
    expect(read).toThrow(forbidden('it has no claim `grants`'));
  });

  test.each([
    [
      'not as they should be',
      [{ tenants: ['acme'], rest: { paths: ['/a?b'] } }],
      'grants.0.rest.paths.0: must be',
    ],
    ['of a kind that nobody knows', [{ tenants: ['acme'], hours: '9-17' }], 'grants.0: '],
    ['no list', { tenants: ['acme'] }, 'grants: '],
  ])('when its grants are %s', (_what, grants, message) => {
    expect(() => readGrants({ grants }, { ...names, grants: 'grants' })).toThrow(forbidden(message));
  });

  test.each(['__proto__', 'constructor', 'toString'])('for a claim called %s that is not there', (claim) => {
    expect(() => readGrants({}, { ...names, tenants: claim })).toThrow(forbidden(''));
  });
});

describe('the id of an agent with a token', () => {
  test('is its subject', () => {
    expect(agentIdOf('auth0|5f7c8ec7c33c6c004bbafe82')).toBe('jwt:auth0|5f7c8ec7c33c6c004bbafe82');
  });

  test.each(['a b', 'a\nb', 'a\u0000b', 'ä', 'x'.repeat(129), 'a~b'])(
    'is short and printable for %j, and of no other subject',
    (subject) => {
      const id = agentIdOf(subject);
      expect(id).toMatch(/^jwt:[\x21-\x7e]{1,63}$/);
      expect(agentIdOf(`${subject} `)).not.toBe(id);
      expect(agentIdOf(id.slice('jwt:'.length))).not.toBe(id);
    },
  );
});
