import { Injection } from '@connectors/oauth';
import { Secret } from '@connectors/vault-core';
import { expect, test } from 'vitest';
import { requestHeaders } from '../../src/injection/request-headers.ts';

const bearer = { header: 'Authorization', scheme: 'Bearer', headers: {}, defaultHeaders: {} };

function sent(received: string[], style: Partial<typeof bearer> & { query?: string } = {}): string[] {
  const injection = new Injection({ ...bearer, ...style }, { accessToken: new Secret('token') });
  return requestHeaders(received, injection);
}

const injected = ['Authorization', 'Bearer token'];

test('keeps names, values, order and repetition of what is the agent’s to say', () => {
  const received = [
    'X-b',
    '1',
    'ACCEPT',
    'text/html;q=0.1',
    'x-B',
    '2',
    'Empty',
    '',
    'Accept-Encoding',
    'gzip',
  ];
  expect(sent(received)).toEqual([...received, ...injected]);
});

test.each([
  [
    'the connection',
    ['Keep-Alive', 'TE', 'Trailer', 'Transfer-Encoding', 'Upgrade', 'Proxy-Connection', 'HTTP2-Settings'],
  ],
  ['the proxy', ['Host', 'Content-Length', 'Expect', 'X-Tenant-Id', 'X-Request-Id', 'Connectors-Anything']],
  ['the agent’s own authority', ['authorization', 'COOKIE', 'Cookie2', 'Proxy-Authorization']],
  [
    'where the agent is',
    ['Forwarded', 'X-Forwarded-For', 'X-Forwarded-Host', 'x-forwarded-anything', 'X-Real-IP', 'Via'],
  ],
  ['another path', ['X-Original-URL', 'X-Rewrite-URL']],
  ['another method', ['X-HTTP-Method-Override', 'X-HTTP-Method', 'X-Method-Override']],
])('drops what is about %s', (_what, names) => {
  expect(sent(names.flatMap((name) => [name, 'x']))).toEqual(injected);
});

test('drops what some servers take for a dropped header: they read `_` as `-`', () => {
  const names = ['X_Tenant_Id', 'x_http_method_override', 'X_Forwarded-For', 'Transfer_Encoding', 'Proxy_X'];
  expect(sent(names.flatMap((name) => [name, 'x']))).toEqual(injected);
});

test('drops what some servers take for the injected header', () => {
  const style = { header: 'X-Api-Key', scheme: '', headers: { Api_Version: '2' } };
  const received = ['X_Api_Key', 'evil', 'x_api-key', 'evil', 'Api-Version', '1', 'X_Other', 'kept'];
  expect(sent(received, style)).toEqual(['X_Other', 'kept', 'Api_Version', '2', 'X-Api-Key', 'token']);
});

test('drops what Connection names, in every list and whatever its case', () => {
  const received = [
    'Connection',
    'close, X-One',
    'x-one',
    '1',
    'X-Two',
    '2',
    'connection',
    ' x-TWO ',
    'X-Three',
    '3',
  ];
  expect(sent(received)).toEqual(['X-Three', '3', ...injected]);
});

test('lets Connection not take the injected credential away', () => {
  expect(sent(['Connection', 'authorization'])).toEqual(injected);
});

test('injects into another header, over every one that the agent sent', () => {
  const injection = { header: 'X-Api-Key', scheme: '' };
  expect(sent(['x-api-key', 'mine', 'X-API-KEY', 'mine'], injection)).toEqual(['X-Api-Key', 'token']);
});

test('never passes the agent’s key on when the credential goes into another header', () => {
  expect(sent(['Authorization', 'Bearer cak_a_b'], { header: 'X-Api-Key' })).toEqual([
    'X-Api-Key',
    'Bearer token',
  ]);
});

test('never passes the agent’s key on when the credential goes into the query', () => {
  expect(sent(['Authorization', 'Bearer cak_a_b', 'Accept', '*/*'], { query: 'access_token' })).toEqual([
    'Accept',
    '*/*',
  ]);
});

test('sends the integration’s own headers, whatever the agent says', () => {
  const headers = { 'Client-Id': 'abc' };
  expect(sent(['client-id', 'mine', 'Connection', 'client-id'], { headers })).toEqual([
    'Client-Id',
    'abc',
    ...injected,
  ]);
});

test('adds the provider’s default headers where the agent sent none', () => {
  const injection = { defaultHeaders: { 'User-Agent': 'connectors', 'X-Version': '1' } };
  expect(sent(['user-agent', 'mine'], injection)).toEqual([
    'user-agent',
    'mine',
    'X-Version',
    '1',
    ...injected,
  ]);
});
