import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { bearer, call, problemOf } from '../call.ts';
import { startSystem, type System } from '../start-system.ts';
import { initialize, messageOf, post, request } from './messages.ts';

let system: System;
let agent: { id: string; key: string };
let session: string;

beforeAll(async () => {
  system = await startSystem();
  for (const tenant of ['acme', 'other']) await system.connect(tenant);
  agent = await system.createAgent({ tenants: ['acme', 'other'] });
});
afterAll(() => system.close());

beforeEach(async () => {
  session = await open();
});

const inAcme = (id: string) => ({ 'x-tenant-id': 'acme', 'mcp-session-id': id });

async function open(): Promise<string> {
  const answer = await post(system.url, initialize(), { key: agent.key, headers: { 'x-tenant-id': 'acme' } });
  return String(answer.headers['mcp-session-id']);
}

/** Lists tools in a session; the status and how many requests that was to the upstream. */
async function list(headers: Record<string, string>, key = agent.key) {
  const before = system.mcp.requests.length;
  const answer = await post(system.url, request('tools/list'), { key, headers });
  return { answer, status: answer.status, asked: system.mcp.requests.length - before };
}

test('a session goes on with the id that the agent was given', async () => {
  const { answer, status } = await list(inAcme(session));
  expect([status, messageOf(answer)]).toMatchObject([200, { result: { tools: expect.any(Array) as [] } }]);
  expect(answer.headers['mcp-session-id']).toBe(session);
});

test('the upstream is told its own id', async () => {
  expect(session).toMatch(/^[0-9a-f-]{36}\.[\w-]{43}$/);
  const { status } = await list(inAcme(session.slice(0, 36)));
  expect(status).toBe(404);
});

test.each([
  ['truncated', (id: string) => id.slice(0, -1)],
  ['with another end', (id: string) => `${id.slice(0, -1)}${id.endsWith('A') ? 'Q' : 'A'}`],
  ['with another beginning', (id: string) => `x${id}`],
  ['without the signature', (id: string) => id.split('.')[0] ?? ''],
  ['that is a signature only', (id: string) => `.${id.split('.')[1]}`],
  ['made up', () => 'made-up'],
  ['empty', () => ''],
  ['given twice', (id: string) => `${id}, ${id}`],
])('an id %s is unknown, and the upstream is not asked', async (_, forge) => {
  const { answer, status, asked } = await list(inAcme(forge(session)));
  expect([status, problemOf(answer).code, asked]).toEqual([404, 'session_unknown', 0]);
});

test('another agent cannot use a session, nor find out whether it exists', async () => {
  const { key } = await system.createAgent({ tenants: ['acme'] });
  const [real, madeUp] = [await list(inAcme(session), key), await list(inAcme('made-up.id'), key)];
  const known = ({ answer, status, asked }: typeof real) => [
    status,
    asked,
    { ...problemOf(answer), requestId: '' },
  ];
  expect(known(real)).toEqual(known(madeUp));
  expect(real.status).toBe(404);
});

test('the same agent cannot use it for another tenant', async () => {
  const { status, asked } = await list({ ...inAcme(session), 'x-tenant-id': 'other' });
  expect([status, asked]).toEqual([404, 0]);
});

test('a stream and an end of a session take the same id', async () => {
  const headers = { ...bearer(agent.key), ...inAcme(session) };
  const ended = await call(system.url, '/mcp/demo', { method: 'DELETE', headers });
  expect(ended.status).toBe(200);
  const { answer, status, asked } = await list(inAcme(session));
  expect([status, asked, answer.headers['connectors-error']]).toEqual([404, 1, undefined]);
});

test('nobody else can end it', async () => {
  const { key } = await system.createAgent({ tenants: ['acme'] });
  const headers = { ...bearer(key), ...inAcme(session) };
  expect((await call(system.url, '/mcp/demo', { method: 'DELETE', headers })).status).toBe(404);
  expect((await list(inAcme(session))).status).toBe(200);
});

test('a new key of the agent keeps its sessions', async () => {
  const rotated = await system.admin.agents.rotate(agent.id, 60_000);
  await system.publish({ type: 'agent-changed', agentId: agent.id });
  const key = rotated?.key.reveal() ?? '';
  await expect.poll(async () => (await list(inAcme(session), key)).status).toBe(200);
});

test('from 2026-07-28 on an id that means nothing is left out', async () => {
  const headers = { ...inAcme('made-up'), 'mcp-protocol-version': '2026-07-28' };
  const { answer, asked } = await list(headers);
  expect([asked, answer.headers['connectors-error']]).toEqual([1, undefined]);
});
