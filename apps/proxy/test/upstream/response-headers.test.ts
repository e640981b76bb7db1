import { Injection, oauthDefaults } from '@connectors/oauth';
import { Secret } from '@connectors/vault-core';
import { expect, test } from 'vitest';
import { responseHeaders } from '../../src/upstream/response-headers.ts';

const injecting = (token: string) =>
  new Injection(oauthDefaults.injection, { accessToken: new Secret(token) });

test('keeps names, values, order and repetition of what the upstream says', () => {
  const received = [
    'X-b',
    '1',
    'CONTENT-Type',
    'text/html',
    'x-B',
    '2',
    'Warning',
    'caf\xe9',
    'Content-Length',
    '3',
  ];
  expect(responseHeaders(received, injecting('token'))).toEqual(received);
});

test.each([
  [
    'the connection',
    ['Connection', 'Keep-Alive', 'Transfer-Encoding', 'Upgrade', 'Trailer', 'Proxy-Authenticate'],
  ],
  [
    'the proxy’s own origin',
    ['Set-Cookie', 'set-cookie2', 'Alt-Svc', 'Clear-Site-Data', 'Strict-Transport-Security'],
  ],
  ['the credential', ['WWW-Authenticate']],
  ['errors of the proxy', ['Connectors-Error', 'connectors-anything']],
])('drops what is about %s', (_what, names) => {
  expect(
    responseHeaders(
      names.flatMap((name) => [name, 'x']),
      injecting('token'),
    ),
  ).toEqual([]);
});

test('drops what Connection names', () => {
  expect(responseHeaders(['X-One', '1', 'Connection', 'x-one', 'X-Two', '2'], injecting('token'))).toEqual([
    'X-Two',
    '2',
  ]);
});

test('drops the length of a chunked body', () => {
  expect(
    responseHeaders(['Content-Length', '3', 'Transfer-Encoding', 'chunked'], injecting('token')),
  ).toEqual([]);
});

test('redacts the token in Location and Link, plain and percent-encoded', () => {
  const received = [
    'Location',
    'https://b.example/?t=to%2Bken&u=to+ken',
    'link',
    '<https://a.example/?t=to+ken>; rel="next", <https://a.example/?t=to+ken>',
  ];
  expect(responseHeaders(received, injecting('to+ken'))).toEqual([
    'Location',
    'https://b.example/?t=[redacted]&u=[redacted]',
    'link',
    '<https://a.example/?t=[redacted]>; rel="next", <https://a.example/?t=[redacted]>',
  ]);
});
