import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bearer, call, problemOf, type Answer } from './call.ts';
import { startSystem, type System } from './start-system.ts';

let system: System;
beforeAll(async () => {
  system = await startSystem();
});
afterAll(() => system.close());

/** Status, code in body and code in header, which must agree. */
function refusal(answer: Answer): [number, string] {
  const { code, status } = problemOf(answer);
  expect(answer.status).toBe(status);
  expect(answer.headers['connectors-error']).toBe(code);
  return [status, code];
}

/** How a fresh agent with this grant is refused. */
async function refused(path: string, grant: Parameters<System['createAgent']>[0], headers = {}) {
  const { key } = await system.createAgent(grant);
  return refusal(await call(system.url, path, { headers: { ...bearer(key), ...headers } }));
}

describe('an agent is not known when', () => {
  test.each([
    ['it presents nothing', {}],
    ['it presents no agent key', bearer('ghp_0123456789')],
    ['it presents another scheme', { authorization: 'Basic Y2FrX2FfYjpj' }],
    ['nobody has the id of its key', bearer('cak_nobody_secret')],
  ])('%s', async (_what, headers) => {
    expect(refusal(await call(system.url, '/proxy/demo/', { headers }))).toEqual([
      401,
      'agent_unauthenticated',
    ]);
  });

  test('the secret of its key is wrong', async () => {
    const { id } = await system.createAgent({ tenants: ['acme'] });
    const answer = await call(system.url, '/proxy/demo/', { headers: bearer(`cak_${id}_wrong`) });
    expect(refusal(answer)).toEqual([401, 'agent_unauthenticated']);
  });

  test('its key has expired', async () => {
    const expiresAt = new Date(system.clock.now() + 10_000);
    const { key } = await system.createAgent({ tenants: ['nobody'], expiresAt });
    const before = await call(system.url, '/proxy/demo/', { headers: bearer(key) });
    system.clock.offset += 10_000;
    const after = await call(system.url, '/proxy/demo/', { headers: bearer(key) });
    expect([refusal(before)[0], refusal(after)[0]]).toEqual([424, 401]);
  });

  test('its key was deleted', async () => {
    const { id, key } = await system.createAgent({ tenants: ['nobody'] });
    const before = await call(system.url, '/proxy/demo/', { headers: bearer(key) });
    await system.admin.agents.delete(id);
    await system.publish({ type: 'agent-changed', agentId: id });
    await expect
      .poll(async () => (await call(system.url, '/proxy/demo/', { headers: bearer(key) })).status)
      .toBe(401);
    expect(before.status).toBe(424);
  });
});

test('a 401 names the scheme', async () => {
  const answer = await call(system.url, '/proxy/demo/');
  expect(answer.headers['www-authenticate']).toBe('Bearer realm="connectors"');
});

describe('a known agent is refused with', () => {
  test.each(['/proxy/demo/a/../b', '/proxy/demo/%2e%2e/b', '/proxy/demo//evil.example', '/proxy/de.mo/'])(
    '400 for the malformed target %s',
    async (path) => {
      expect(await refused(path, { tenants: ['nobody'] })).toEqual([400, 'invalid_request']);
    },
  );

  test('400 when it has several tenants and names none', async () => {
    expect(await refused('/proxy/demo/', { tenants: ['a', 'b'] })).toEqual([400, 'invalid_request']);
  });

  test('403 for a tenant outside its grant', async () => {
    const grant = { tenants: ['a', 'b'] };
    expect(await refused('/proxy/demo/', grant, { 'x-tenant-id': 'c' })).toEqual([403, 'agent_forbidden']);
  });

  test('403 for an integration outside its grant', async () => {
    const grant = { tenants: ['nobody'], integrations: ['rest-only'] };
    expect(await refused('/proxy/demo/', grant)).toEqual([403, 'agent_forbidden']);
  });

  test('403 before it learns whether an integration exists', async () => {
    const grant = { tenants: ['nobody'], integrations: ['demo'] };
    expect(await refused('/proxy/unheard-of/', grant)).toEqual([403, 'agent_forbidden']);
  });

  test('404 for an integration that does not exist', async () => {
    expect(await refused('/proxy/unheard-of/', { tenants: ['nobody'] })).toEqual([
      404,
      'integration_unknown',
    ]);
  });

  test('404 for an integration without an upstream of that kind', async () => {
    expect(await refused('/mcp/rest-only', { tenants: ['nobody'] })).toEqual([404, 'integration_unknown']);
  });

  test('424 when nothing is stored', async () => {
    expect(await refused('/proxy/demo/', { tenants: ['nobody'] })).toEqual([424, 'credential_not_found']);
  });
});

test('a route that does not exist is a 404 problem', async () => {
  expect(refusal(await call(system.url, '/elsewhere'))).toEqual([404, 'integration_unknown']);
});

test('a path that is no route and not percent-encoded properly is a 404 problem', async () => {
  expect(refusal(await call(system.url, '/elsewhere/%zz'))).toEqual([404, 'integration_unknown']);
});

describe('what is not well-formed HTTP is a 400 problem, and the end of the connection:', () => {
  const host = 'Host: x\r\n';
  test.each([
    ['an unknown method', `FOO /proxy/demo/ HTTP/1.1\r\n${host}`],
    ['headers over 16 KB', `GET /proxy/demo/ HTTP/1.1\r\n${host}X: ${'x'.repeat(17_000)}\r\n`],
    [
      'a length together with chunks',
      `POST /proxy/demo/ HTTP/1.1\r\n${host}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n`,
    ],
    ['a control character', `GET /proxy/demo/ HTTP/1.1\r\n${host}X: a\u0001b\r\n`],
    ['an expectation that nobody knows', `GET /proxy/demo/ HTTP/1.1\r\n${host}Expect: foo\r\n`],
  ])('%s', async (_what, head) => {
    const [status, fields, body] = await exchange(`${head}\r\n`);
    expect(status).toMatch(/^HTTP\/1\.1 400 /);
    expect(fields).toMatchObject({
      'content-type': 'application/problem+json',
      'connectors-error': 'invalid_request',
      connection: 'close',
    });
    expect(body).toMatchObject({ code: 'invalid_request', requestId: fields['x-request-id'] });
  });

  test('no Host', async () => {
    const { key } = await system.createAgent({ tenants: ['nobody'] });
    const head = `GET /proxy/demo/ HTTP/1.1\r\nAuthorization: Bearer ${key}\r\nConnection: close\r\n\r\n`;
    expect((await exchange(head))[2]).toMatchObject({
      code: 'invalid_request',
      detail: 'The request has no Host',
    });
  });

  /** Status line, fields and problem of an answer after which the connection ends. */
  async function exchange(bytes: string) {
    const socket = connect(Number(new URL(system.url).port), '127.0.0.1');
    socket.write(bytes);
    const [head = '', body = ''] = (await text(socket)).split('\r\n\r\n');
    const [status = '', ...lines] = head.split('\r\n');
    const fields = Object.fromEntries(
      lines.map((line) => [line.split(': ')[0]?.toLowerCase(), line.split(': ')[1]]),
    ) as Record<string, string>;
    return [status, fields, JSON.parse(body) as unknown] as const;
  }
});

test('an absolute-form target reaches nothing', async () => {
  const { key } = await system.createAgent({ tenants: ['nobody'] });
  const answer = await call(system.url, `${system.rest.url}/proxy/demo/`, { headers: bearer(key) });
  expect(refusal(answer)).toEqual([400, 'invalid_request']);
});

test.each([
  ['an absolute form', 'http://canary:canary@host.test/proxy/demo/a?q=canary'],
  ['an absolute form without a path', 'http://canary:canary@host.test?q=canary'],
  ['an absolute form with a slash in its password', 'http://canary:x/canary@host.test/a'],
  ['a path that begins as an authority', '//canary:canary@host.test/a'],
])('user and password of %s stood in the access line: only the path does', async (_what, target) => {
  const { key } = await system.createAgent({ tenants: ['nobody'] });
  const seen = system.lines.length;
  const { status, headers } = await call(system.url, target, { headers: bearer(key) });
  expect(status).toBeGreaterThanOrEqual(400);
  const written = () => system.lines.slice(seen).join('\n');
  await expect.poll(written).toContain(headers['x-request-id']);
  expect(written()).not.toMatch(/canary|host\.test/);
});

test('a problem says all that the caller needs, as RFC 9457 has it', async () => {
  const { key } = await system.createAgent({ tenants: ['nobody'] });
  const headers = { ...bearer(key), 'x-request-id': 'my-request.1' };
  const answer = await call(system.url, '/proxy/demo/', { headers });
  expect(answer.headers['content-type']).toBe('application/problem+json');
  expect(answer.headers['x-request-id']).toBe('my-request.1');
  expect(problemOf(answer)).toEqual({
    type: 'urn:connectors:error:credential_not_found',
    title: 'The tenant has not connected this integration',
    status: 424,
    detail: 'Tenant nobody has not connected demo',
    code: 'credential_not_found',
    action: 'Send the user to `connectUrl`.',
    requestId: 'my-request.1',
    connectUrl: 'http://console.test/connect/nobody/demo',
  });
});

test('a request id that is not safe to print is replaced', async () => {
  const answer = await call(system.url, '/proxy/demo/', { headers: { 'x-request-id': 'a b\t"c' } });
  expect(answer.headers['x-request-id']).toMatch(/^[0-9a-f]{16}-[0-9a-z]+$/);
  expect(problemOf(answer).requestId).toBe(answer.headers['x-request-id']);
});

test('what was refused never reached the upstream', () => {
  expect(system.rest.requests).toEqual([]);
});
