import { once } from 'node:events';
import { Agent, request, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { bearer, call } from './call.ts';
import { startSystem, type System } from './start-system.ts';
import { startUpstream } from './start-upstream.ts';
import { startWorker, type Worker } from './start-worker.ts';

let system: System;
let worker: Worker;
let api: Awaited<ReturnType<typeof startUpstream>>;

beforeAll(async () => {
  api = await startUpstream();
  system = await startSystem({ upstreams: { api: api.url } });
  worker = await startWorker(system, { cooldownMs: 0 });
});
afterAll(async () => {
  await worker.close();
  await system.close();
  await api.close();
});

const parse = (lines: string[]) => lines.map((line) => JSON.parse(line) as Record<string, unknown>);
const usesOf = (tenant: string) => parse(system.audited).filter((line) => line['tenant'] === tenant);
/** The access lines, written when the connections know that the answers are out. */
const linesOf = (tenant: string) => parse(system.lines).filter((line) => line['tenant'] === tenant);

async function connected(tenant: string) {
  const { accessToken, stored } = await system.connect(tenant, 'api');
  const { id, key } = await system.createAgent({ tenants: [tenant] });
  const send = (path: string, options = {}) =>
    call(system.url, `/proxy/api${path}`, { headers: bearer(key), ...options });
  return { id, send, accessToken, revision: stored.metadata.revision };
}

describe('the audit trail', () => {
  test('says which agent used which state of which credential, and for what', async () => {
    const { id, send, revision } = await connected('acme');
    await send('/repos/a/b/pulls/42?q=1', { method: 'PUT', body: 'x' });
    expect(usesOf('acme')).toEqual([
      {
        level: 30,
        time: expect.stringMatching(/^\d{4}-/) as string,
        app: 'proxy',
        audit: true,
        msg: 'credential used',
        requestId: expect.any(String) as string,
        agent: id,
        tenant: 'acme',
        integration: 'api',
        revision,
        surface: 'rest',
        method: 'PUT',
        path: '/repos/a/b/pulls/{id}',
      },
    ]);
    await expect.poll(() => linesOf('acme')).toHaveLength(1);
    expect(linesOf('acme')[0]?.['requestId']).toBe(usesOf('acme')[0]?.['requestId']);
  });

  test('has both credentials of a request that was sent twice', async () => {
    const { send, accessToken, revision } = await connected('twice');
    api.handle = ({ headers }, response) =>
      response.writeHead(headers.authorization === `Bearer ${accessToken}` ? 401 : 200).end();
    expect((await send('/')).status).toBe(200);
    const revisions = usesOf('twice').map((use) => use['revision']);
    expect(revisions).toEqual([revision, expect.not.stringMatching(revision)]);
  });

  test('has nothing of a request that used none', async () => {
    const { key } = await system.createAgent({ tenants: ['nobody'] });
    await call(system.url, '/proxy/api/', { headers: bearer(key) });
    expect(usesOf('nobody')).toEqual([]);
  });

  test('is written when a stream begins, not when it ends', async () => {
    const { send } = await connected('streaming');
    api.handle = (_request, response) => {
      expect(usesOf('streaming')).toHaveLength(1);
      response.end();
    };
    expect((await send('/events')).status).toBe(200);
  });
});

test('the access line counts the bytes of each request on a connection, both ways', async () => {
  await system.connect('counted', 'api');
  const { key } = await system.createAgent({ tenants: ['counted'] });
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  onTestFinished(() => agent.destroy());
  const send = async (method: string, body?: Buffer) => {
    const sent = request(`${system.url}/proxy/api/`, { method, headers: bearer(key), agent }).end(body);
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    await text(response);
    return sent.reusedSocket;
  };
  api.handle = (request, response) => request.resume().on('end', () => response.end('y'.repeat(50_000)));
  expect([await send('POST', Buffer.alloc(200_000)), await send('GET')]).toEqual([false, true]);
  await expect.poll(() => linesOf('counted')).toHaveLength(2);
  const [first, second] = linesOf('counted').map(({ bytesIn, bytesOut }) => [
    Number(bytesIn),
    Number(bytesOut),
  ]);
  expect(first?.[0]).toBeGreaterThan(200_000);
  expect(first?.[0]).toBeLessThan(201_000);
  expect(second?.[0]).toBeLessThan(1_000);
  for (const line of [first, second]) {
    expect(line?.[1]).toBeGreaterThan(50_000);
    expect(line?.[1]).toBeLessThan(51_000);
  }
});
