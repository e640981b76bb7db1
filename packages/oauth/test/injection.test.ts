import { inspect } from 'node:util';
import { Secret } from '@connectors/vault-core';
import { describe, expect, it } from 'vitest';
import { Injection, oauthDefaults, type Injected } from '../src/index.ts';
import type { InjectionStyle } from '../src/injection-style.ts';

function inject(style: Partial<InjectionStyle>, more: Partial<Injected> = {}): Injection {
  const accessToken = new Secret('to/k=n');
  return new Injection({ ...oauthDefaults.injection, ...style }, { accessToken, ...more });
}
const base64 = (text: string) => Buffer.from(text).toString('base64');

describe('a token gets into requests', () => {
  it.each([
    ['as a bearer', {}, ['Authorization', 'Bearer to/k=n']],
    ['with a scheme of its own', { scheme: 'token' }, ['Authorization', 'token to/k=n']],
    ['bare', { scheme: '' }, ['Authorization', 'to/k=n']],
    ['in a header of its own', { header: 'X-Api-Key', scheme: '' }, ['X-Api-Key', 'to/k=n']],
    ['as user', { basic: '{token}:' }, ['Authorization', `Basic ${base64('to/k=n:')}`]],
    ['as user of any password', { basic: '{token}:x' }, ['Authorization', `Basic ${base64('to/k=n:x')}`]],
    ['as password', { basic: 'me:{token}' }, ['Authorization', `Basic ${base64('me:to/k=n')}`]],
  ])('%s', (_how, style, headers) => {
    const injection = inject(style);
    expect(injection.headers()).toEqual(headers);
    expect([...injection.names]).toEqual([headers[0]?.toLowerCase()]);
    expect(injection.intoQuery('?a=1')).toBe('?a=1');
  });

  it('as the password of a user that the credential names', () => {
    const injection = inject({ basic: '{email}/token:{token}' }, { fields: { email: 'a@b.example' } });
    expect(injection.headers()[1]).toBe(`Basic ${base64('a@b.example/token:to/k=n')}`);
  });

  it('in the query, and then in no header', () => {
    const injection = inject({ query: 'access_token' });
    expect(injection.headers()).toEqual([]);
    expect(injection.names.size).toBe(0);
    expect(['', '?', '?a=%2f&b'].map((query) => injection.intoQuery(query))).toEqual([
      '?access_token=to%2Fk%3Dn',
      '?access_token=to%2Fk%3Dn',
      '?a=%2f&b&access_token=to%2Fk%3Dn',
    ]);
  });

  it('beside the client id and the credential’s own fields', () => {
    const headers = { 'Client-Id': '{clientId}', 'X-Org': 'org-{org}' };
    const injection = inject({ headers }, { clientId: 'client-1', fields: { org: '7' } });
    expect(injection.headers()).toEqual([
      'Client-Id',
      'client-1',
      'X-Org',
      'org-7',
      'Authorization',
      'Bearer to/k=n',
    ]);
    expect([...injection.names]).toEqual(['client-id', 'x-org', 'authorization']);
  });

  it('beside defaults, unless something else has their name', () => {
    const style = { headers: { 'X-A': '1' }, defaultHeaders: { 'x-a': '2', 'User-Agent': 'connectors' } };
    expect(inject(style).defaults).toEqual([{ key: 'user-agent', name: 'User-Agent', value: 'connectors' }]);
  });
});

describe('a parameter of the same name is taken out of the agent’s query', () => {
  it.each([
    ['alone', '?access_token=mine', '?'],
    ['without a value', '?access_token&a', '?a&'],
    ['first', '?access_token=mine&a=1', '?a=1&'],
    ['last', '?a=1&access_token=mine', '?a=1&'],
    ['twice', '?access_token=1&b&access_token=2', '?b&'],
    ['encoded', '?access%5Ftoken=mine&%61ccess_token=mine&a=1', '?a=1&'],
    ['encoded twice', '?access%255ftoken=mine&a=1', '?a=1&'],
    ['as a code point', '?access%u005ftoken=mine&a=1', '?a=1&'],
    ['in another case', '?Access_Token=mine&a=1', '?a=1&'],
    ['as a list', '?access_token[]=mine&access_token%5b0%5d=mine&a=1', '?a=1&'],
    ['as PHP reads it', '?access.token=mine&access+token=mine&%20access_token=mine&a=1', '?a=1&'],
    ['cut by a NUL', '?access_token%00x=mine&a=1', '?a=1&'],
    ['behind a semicolon', '?a=1;access_token=mine', '?a=1&'],
  ])('%s', (_how, query, rest) => {
    const injection = inject({ query: 'access_token' });
    expect(injection.intoQuery(query)).toBe(`${rest}access_token=to%2Fk%3Dn`);
  });

  it('and nothing else is touched', () => {
    const query = '?a=access_token&xaccess_token=1;b&access_tokens=2&&=&c=%zz';
    expect(inject({ query: 'access_token' }).intoQuery(query)).toBe(`${query}&access_token=to%2Fk%3Dn`);
  });
});

describe('what the upstream says is rid of the token', () => {
  it.each([
    ['plain', 'https://a.example/?t=to/k=n&b', 'https://a.example/?t=[redacted]&b'],
    ['percent-encoded', 't=to%2Fk%3Dn, t=to%2fk%3dn', 't=[redacted], t=[redacted]'],
    ['encoded in part', 't=to%2Fk=n', 't=[redacted]'],
    ['encoded twice', 't=to%252Fk%253Dn', 't=[redacted]'],
    ['encoded without need', 't=%74o/%6b=n', 't=[redacted]'],
  ])('%s', (_how, text, redacted) => {
    expect(inject({ query: 't' }).redact(text)).toBe(redacted);
  });

  it('and of user and password together', () => {
    const injection = inject({ basic: '{token}:' });
    expect(injection.redact(`a=${base64('to/k=n:')}&b=to/k=n`)).toBe('a=[redacted]&b=[redacted]');
  });
});

it('shows no token when it is printed', () => {
  const injection = inject({ query: 'access_token', basic: 'a:{token}' });
  injection.redact('a');
  const shown = `${inspect(injection, { depth: 9 })}${JSON.stringify(injection)}`;
  expect(shown).not.toContain('to/k');
  expect(shown).not.toContain('to%2Fk');
});
