import { describe, expect, it } from 'vitest';
import { readIdentity } from '../src/index.ts';
import type { ReadyProvider } from '../src/index.ts';
import { answer, plainIntegration } from './fixtures.ts';

const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
const idToken = (claims: object) => `${part({ alg: 'none' })}.${part(claims)}.`;
const good = { sub: 'u-1', aud: 'client-1', iss: 'https://as.example', nonce: 'n-1' };

function identity(body: object, provider: Partial<ReadyProvider> = {}, query = '') {
  const integration = plainIntegration({}, { issuer: 'https://as.example', ...provider });
  return readIdentity(integration, answer(200, { access_token: 'a', ...body }), {
    nonce: 'n-1',
    query: new URLSearchParams(query),
  });
}

describe('whose tokens they are', () => {
  it('is told by the ID token, with a name for people', () => {
    const named = (more: object) => identity({ id_token: idToken({ ...good, ...more }) });
    expect(named({})).toEqual({ kind: 'known', account: { id: 'u-1' } });
    expect(named({ email: 'ada@example.com', name: 'Ada' })).toMatchObject({
      account: { id: 'u-1', name: 'ada@example.com' },
    });
    expect(named({ preferred_username: 'ada' })).toMatchObject({ account: { name: 'ada' } });
  });

  it('is told by the response or the callback where the definition says so', () => {
    const account = { id: { response: 'team.id' }, name: { response: 'team.name' } };
    const team = { id: 'T1', name: 'Web\u202e \u0000team' };
    expect(identity({ team }, { account })).toEqual({
      kind: 'known',
      account: { id: 'T1', name: 'Web team' },
    });
    const realm = { account: { id: { callback: 'realmId' } } };
    expect(identity({}, realm, 'realmId=12')).toEqual({ kind: 'known', account: { id: '12' } });
  });

  it.each([{}, { id_token: 'no-jwt' }, { id_token: idToken({ aud: 'client-1', iss: good.iss }) }])(
    'is unknown otherwise: %j',
    (body) => expect(identity(body)).toEqual({ kind: 'unknown' }),
  );

  it.each([
    ['for another client', { aud: 'client-2' }],
    ['for several others', { aud: ['client-2', 'client-3'] }],
    ['of another issuer', { iss: 'https://evil.example' }],
    ['of another connect', { nonce: 'n-2' }],
  ])('is refused when the ID token is %s', (_name, claims) => {
    expect(identity({ id_token: idToken({ ...good, ...claims }) })).toEqual({ kind: 'refused' });
  });

  it('is read from an ID token for several clients, and from one without nonce', () => {
    const { nonce: _nonce, ...plain } = good;
    expect(identity({ id_token: idToken({ ...plain, aud: ['x', 'client-1'] }) }).kind).toBe('known');
  });
});
