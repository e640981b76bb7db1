import { expect, test } from 'vitest';
import { connectAnswer } from '../../src/mcp/connect-answer.ts';
import { initialize, request, statelessRequest } from './messages.ts';

const prompt = { message: 'acme has not connected demo.', url: 'https://console.test/connect/acme/demo' };
const text = 'acme has not connected demo. Open https://console.test/connect/acme/demo to connect.';
const answer = (message: unknown, isStateless = false) => connectAnswer(message, isStateless, prompt);
const canAsk = { elicitation: { url: {} } };
const elicitation = { method: 'elicitation/create', params: { mode: 'url', ...prompt } };

test.each([
  initialize(),
  request('tools/list'),
  request('tools/call', { name: 'whoami' }),
  request('ping', {}, 'an-id'),
])('up to 2025-11-25 every request is told to elicit a URL: %o', (message) => {
  expect(answer(message)).toEqual({
    status: 200,
    body: {
      jsonrpc: '2.0',
      id: message.id,
      error: {
        code: -32_042,
        message: text,
        data: {
          elicitations: [
            { mode: 'url', ...prompt, elicitationId: expect.stringMatching(/^[\w-]{36}$/) as string },
          ],
        },
      },
    },
  });
});

test.each(['tools/call', 'prompts/get', 'resources/read'])(
  'from 2026-07-28 on %s is answered with an input request to a client that can show links',
  (method) => {
    expect(answer(statelessRequest(method, {}, canAsk))).toEqual({
      status: 200,
      body: {
        jsonrpc: '2.0',
        id: 1,
        result: { resultType: 'input_required', inputRequests: { connectors_connect: elicitation } },
      },
    });
  },
);

test('the upstream’s state goes back to the client', () => {
  expect(answer(statelessRequest('tools/call', { requestState: 'sealed' }, canAsk))).toMatchObject({
    body: { result: { requestState: 'sealed' } },
  });
});

test.each([{}, { elicitation: {} }, { elicitation: { form: {} } }])(
  'a client that declares %o is told what it would have to be able to do',
  (capabilities) => {
    expect(answer(statelessRequest('tools/call', {}, capabilities))).toEqual({
      status: 400,
      body: {
        jsonrpc: '2.0',
        id: 1,
        error: {
          code: -32_021,
          message: text,
          data: { connectUrl: prompt.url, requiredCapabilities: canAsk },
        },
      },
    });
  },
);

test.each(['tools/list', 'server/discover', 'subscriptions/listen'])(
  'from 2026-07-28 on %s, which must not be answered with a question, fails with the link',
  (method) => {
    expect(answer(statelessRequest(method, {}, canAsk))).toEqual({
      status: 200,
      body: { jsonrpc: '2.0', id: 1, error: { code: 424, message: text, data: { connectUrl: prompt.url } } },
    });
  },
);

test.each(['decline', 'cancel'])('a user who chose to %s is not asked again', (action) => {
  const inputResponses = { connectors_connect: { action } };
  expect(answer(statelessRequest('tools/call', { inputResponses }, canAsk))).toMatchObject({
    body: { error: { code: 424 } },
  });
});

test('a user who has opened the link and not yet connected is asked again', () => {
  const inputResponses = { connectors_connect: { action: 'accept' } };
  expect(answer(statelessRequest('tools/call', { inputResponses }, canAsk))).toMatchObject({
    body: { result: { resultType: 'input_required' } },
  });
});

test('the header alone tells the era too', () => {
  expect(answer(request('tools/list'), true)).toMatchObject({ body: { error: { code: 424 } } });
});

test.each([
  ['a notification', { jsonrpc: '2.0', method: 'notifications/initialized' }],
  ['a response', { jsonrpc: '2.0', id: 1, result: {} }],
  ['a batch', [request('tools/list')]],
  ['nothing', undefined],
  ['text', 'tools/list'],
  ['an id that would come back as another', { ...request('ping'), id: Number('12345678901234567891') }],
  ['an id that is none', { ...request('ping'), id: { a: 1 } }],
])('%s has no such answer', (_, message) => {
  expect(answer(message)).toBeUndefined();
});
