import { expect, test } from 'vitest';
import { readMessages } from '../../src/mcp/message.ts';
import { parseStrictly } from '../../src/mcp/strict-json.ts';
import { initialize, request, statelessRequest } from './messages.ts';

const read = (text: string | Buffer) => readMessages(parseStrictly(Buffer.from(text)));
const readOne = (message: unknown) => read(JSON.stringify(message)).messages[0];
/** A call with these fields in place of its own. */
const call = (fields: string) =>
  `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"add"}${fields}}`;

test('a request has a method, and the name that its method is about', () => {
  expect(readOne(request('tools/call', { name: 'add', arguments: { name: 'other' } }))).toEqual({
    kind: 'call',
    method: 'tools/call',
    name: 'add',
    revision: undefined,
  });
  expect(readOne(request('resources/read', { uri: 'file:///a', name: 'b' }))).toMatchObject({
    name: 'file:///a',
  });
  expect(readOne(initialize())).toMatchObject({ method: 'initialize', name: undefined });
});

test('a request of the newer era says of which revision it is', () => {
  expect(readOne(statelessRequest('tools/list'))).toMatchObject({ revision: '2026-07-28' });
});

test.each([{ result: {} }, { error: { code: 1, message: 'no' } }])(
  'a response asks nothing: %o',
  (answer) => {
    expect(readOne({ jsonrpc: '2.0', id: 1, ...answer })).toEqual({ kind: 'response' });
  },
);

test('a batch is all its messages', () => {
  const batch = [request('ping'), request('tools/list')];
  expect(read(JSON.stringify(batch))).toMatchObject({
    isBatch: true,
    messages: [{}, { method: 'tools/list' }],
  });
});

test('arguments may be whatever they like, each key once', () => {
  const deep = '{"a":'.repeat(50) + '"\\"{[,:"' + '}'.repeat(50);
  const text = `{"jsonrpc":"2.0","method":"m","params":{"arguments":{"A":1,"a":[1,{"a":2},{"a":2}],"x":${deep}}}}`;
  expect(read(text).messages).toHaveLength(1);
});

test.each([
  ['a method twice', call(',"method":"tools/list"')],
  ['a method twice, written in two ways', call(',"m\\u0065thod":"tools/list"')],
  ['a method in another case', call(',"Method":"tools/list"')],
  ['a key that Unicode folds to params', call(',"param\u017f":{"name":"other"}')],
  ['params twice', call(',"params":{"name":"other"}')],
  ['a name twice', call('').replace('"name":"add"', '"name":"add","name":"other"')],
  ['a name in another case', call('').replace('"name":"add"', '"name":"add","NAME":"other"')],
  [
    'a key twice, deep in the arguments',
    call('').replace('"name":"add"', '"name":"add","a":[{"x":1,"x":2}]'),
  ],
  ['no name', call('').replace('"name":"add"', '')],
  ['a name that is no string', call('').replace('"add"', '["add"]')],
  ['a name that ends early for some', call('').replace('"add"', '"add\\u0000_user"')],
  ['a name with a space around it', call('').replace('"add"', '" add"')],
  ['a name with half a character', call('').replace('"add"', '"add\\ud800"')],
  ['params that are a list', call('').replace('{"name":"add"}', '["add"]')],
  ['_meta that is no object', call('').replace('"name"', '"_meta":1,"name"')],
  ['a method that is no string', call('').replace('"tools/call"', '["tools/call"]')],
  ['both a method and a result', call(',"result":{}')],
  ['neither', '{"jsonrpc":"2.0","id":1}'],
  ['another version of JSON-RPC', call('').replace('2.0', '1.0')],
  ['an empty batch', '[]'],
  ['a batch in a batch', `[[${call('')}]]`],
  ['a batch that is too large', JSON.stringify(Array.from({ length: 101 }, () => request('ping')))],
  ['text', '"tools/call"'],
  ['null', 'null'],
  ['nothing', ''],
  ['something after it', `${call('')}{}`],
  ['a comment', `${call('')}//`],
  ['a mark at the beginning', `\ufeff${call('')}`],
  ['too many levels', call('').replace('"add"', `"add","a":${'['.repeat(64)}${']'.repeat(64)}`)],
])('%s is refused', (_, text) => {
  expect(() => read(text)).toThrow(Error);
});

test('what is no UTF-8 is refused, however some would read it', () => {
  const overlong = Buffer.concat([
    Buffer.from('{"jsonrpc":"2.0","method":"a'),
    Buffer.from([0xc0, 0xaf]),
    Buffer.from('"}'),
  ]);
  for (const bytes of [overlong, Buffer.from(`\ufeff${call('')}`, 'utf16le')])
    expect(() => read(bytes)).toThrow(Error);
});

test('a megabyte of nesting or of escapes is no burden', () => {
  expect(() => read('['.repeat(2 ** 20))).toThrow(Error);
  const long = call('').replace('"add"', `"${'\\"'.repeat(2 ** 18)}x"`);
  expect(read(long).messages).toHaveLength(1);
});
