import * as fc from 'fast-check';

/** What is sent on one connection: text that stands for bytes (latin1), and the methods that it asks for, as far as that is certain. */
export interface Conversation {
  bytes: string;
  methods: string[];
  requests: number;
}

export interface Keys {
  /** Of an agent that may use all there is of tenant `one`. */
  valid: string;
  other: string;
}

/** Text, mostly tidy, in which now and then any byte may stand. */
const bytes = fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)) });
const printable = fc.string({
  unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)),
});

const method = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'PATCH', 'OPTIONS') },
  {
    weight: 2,
    arbitrary: fc.constantFrom('PROPFIND', 'QUERY', 'TRACE', 'CONNECT', 'M-SEARCH', 'get', 'G ET', '', 'PRI'),
  },
  { weight: 1, arbitrary: printable },
);

const segment = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('a', 'users', 'x%20y', '%E2%82%AC', 'a;b=c', '~', 'caf%E9') },
  {
    weight: 4,
    arbitrary: fc.constantFrom(
      '..',
      '.',
      '%2e%2e',
      '%252e%252e',
      '..%2f',
      '..%5c',
      '%c0%ae%c0%ae',
      '..;',
      '\\',
      '%00',
      '%',
      '%zz',
      '//',
      '@evil.example',
      ':80',
      '%0d%0aX-A:1',
    ),
  },
  { weight: 1, arbitrary: printable },
  { weight: 1, arbitrary: bytes },
);
const query = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.constantFrom(
      '',
      '?',
      '?a=1&b=%2f',
      '?key=mine&k%65y=mine',
      '?KEY[]=mine;key=mine',
      '?x=../..',
      '?a#b',
      '??',
    ),
  },
  { weight: 1, arbitrary: bytes.map((text) => `?${text}`) },
);
const prefix = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom('/proxy/first/', '/proxy/second/') },
  {
    weight: 4,
    arbitrary: fc.constantFrom(
      '/proxy/first',
      '/mcp/first',
      '/mcp/second',
      '/proxy/none/',
      '/proxy//',
      '/proxy/first%2f',
      '/PROXY/first/',
      '//proxy/first/',
      'http://evil.example/proxy/first/',
      '*',
      '',
      '/healthz',
      '/readyz',
      '/metrics',
      '/../',
      'evil.example:443',
    ),
  },
);
const target = fc
  .tuple(prefix, fc.array(segment, { maxLength: 4 }), query)
  .map(([start, segments, end]) => `${start}${segments.join('/')}${end}`);

const fieldName = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.constantFrom(
      'Accept',
      'X-A',
      'Cookie',
      'X-Api-Key',
      'x-api-key',
      'Connection',
      'TE',
      'Trailer',
      'Upgrade',
      'Expect',
      'X-Tenant-Id',
      'X-Request-Id',
      'Forwarded',
      'X-Forwarded-Host',
      'Via',
      'Host',
      'Content-Length',
      'Transfer-Encoding',
      'Proxy-Authorization',
      'Range',
      'X-HTTP-Method-Override',
      'Connectors-Error',
      'Mcp-Session-Id',
      'Origin',
    ),
  },
  { weight: 1, arbitrary: printable },
  { weight: 1, arbitrary: bytes },
);
const fieldValue = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.constantFrom(
      '1',
      '0',
      '',
      'close',
      'keep-alive',
      'authorization',
      'x-api-key, close',
      'upgrade',
      'websocket',
      'h2c',
      '100-continue',
      '200-ok',
      'trailers',
      'chunked',
      'identity',
      'gzip, chunked',
      'one',
      'two',
      '../one',
      'one,two',
      'evil.example',
      '5',
      '+5',
      '0x5',
      '99999999999999999999',
      'bytes=0-1',
      'a=b; c=d',
    ),
  },
  { weight: 1, arbitrary: printable },
  { weight: 1, arbitrary: bytes },
);
const separator = fc.oneof(
  { weight: 12, arbitrary: fc.constant(': ') },
  { weight: 1, arbitrary: fc.constantFrom(':', ' : ', '\t:', '', ':\x00') },
);
const lineEnd = fc.oneof(
  { weight: 30, arbitrary: fc.constant('\r\n') },
  { weight: 1, arbitrary: fc.constantFrom('\n', '\r', '\r\n ', '\n\r\n', '\x00\r\n') },
);
const field = fc.tuple(fieldName, separator, fieldValue, lineEnd).map((parts) => parts.join(''));

const version = fc.oneof(
  { weight: 20, arbitrary: fc.constant('HTTP/1.1') },
  { weight: 1, arbitrary: fc.constantFrom('HTTP/1.0', 'HTTP/2.0', 'HTTP/0.9', 'HTTP/1.1 ', '') },
);

const authorization = ({ valid, other }: Keys) =>
  fc.oneof(
    { weight: 16, arbitrary: fc.constant(`Authorization: Bearer ${valid}\r\n`) },
    { weight: 4, arbitrary: fc.constant(`Authorization: Bearer ${other}\r\n`) },
    {
      weight: 2,
      arbitrary: fc.constantFrom(
        '',
        'Authorization: Bearer x\r\n',
        `Authorization: Basic ${valid}\r\n`,
        `authorization: bearer ${valid}\r\nAuthorization: Bearer ${other}\r\n`,
      ),
    },
  );

/** Nothing, something that is framed as it should be, or something else. */
const body = fc.oneof(
  { weight: 6, arbitrary: fc.constant('\r\n') },
  { weight: 3, arbitrary: bytes.map((text) => `Content-Length: ${text.length}\r\n\r\n${text}`) },
  { weight: 3, arbitrary: bytes.map((text) => `Transfer-Encoding: chunked\r\n\r\n${chunk(text)}0\r\n\r\n`) },
  {
    weight: 1,
    arbitrary: bytes.map((text) => `Transfer-Encoding: chunked\r\n\r\n${chunk(text)}0;x=y\r\nX-A: 1\r\n\r\n`),
  },
  {
    weight: 1,
    arbitrary: bytes.map(
      (text) => `Content-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n${chunk(text)}0\r\n\r\n`,
    ),
  },
  { weight: 1, arbitrary: bytes.map((text) => `Content-Length: ${text.length + 3}\r\n\r\n${text}`) },
  { weight: 1, arbitrary: bytes.map((text) => `\r\n${text}`) },
);

function chunk(text: string): string {
  return text === '' ? '' : `${text.length.toString(16)}\r\n${text}\r\n`;
}

/** One to three requests, one behind the other. */
export function conversations(keys: Keys): fc.Arbitrary<Conversation> {
  const request = fc
    .record({
      method,
      target,
      version,
      lineEnd,
      authorization: authorization(keys),
      fields: fc.array(field, { maxLength: 5 }),
      body,
    })
    .map(({ fields, ...parts }) => ({
      method: parts.method,
      bytes: [
        `${parts.method} ${parts.target} ${parts.version}${parts.lineEnd}`,
        'Host: proxy.example\r\n',
        parts.authorization,
        ...fields,
        parts.body,
      ].join(''),
    }));
  return fc.array(request, { minLength: 1, maxLength: 3 }).map((requests) => ({
    bytes: requests.map((each) => each.bytes).join(''),
    methods: requests.map((each) => each.method),
    requests: requests.length,
  }));
}
