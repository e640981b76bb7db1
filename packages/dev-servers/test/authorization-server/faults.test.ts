import { expect, test, vi } from 'vitest';
import { grant, refresh, startServer } from './client.ts';

test('answers with a scripted status, headers and body, and leaves the grant alone', async () => {
  const server = await startServer();
  const tokens = await grant(server);
  server.faults.next({
    kind: 'status',
    status: 429,
    headers: { 'retry-after': '7' },
    body: { error: 'slow_down' },
  });
  const refused = await refresh(server, tokens.refresh_token);
  expect(refused.status).toBe(429);
  expect(refused.headers.get('retry-after')).toBe('7');
  expect(await refused.json()).toEqual({ error: 'slow_down' });
  expect((await refresh(server, tokens.refresh_token)).status).toBe(200);
});

test('answers with HTML where JSON is due', async () => {
  const server = await startServer();
  server.faults.next({
    kind: 'status',
    status: 200,
    headers: { 'content-type': 'text/html' },
    body: '<h1>Down</h1>',
  });
  const response = await refresh(server, 'any');
  expect(response.headers.get('content-type')).toContain('text/html');
  expect(await response.text()).toBe('<h1>Down</h1>');
});

test('repeats a fault as often as told, then others follow in their order', async () => {
  const server = await startServer();
  server.faults.next({ kind: 'status', status: 503 }, 2);
  server.faults.next({ kind: 'status', status: 401, body: { error: 'invalid_client' } });
  const statuses = [];
  for (let request = 0; request < 4; request++) statuses.push((await refresh(server, 'unknown')).status);
  expect(statuses).toEqual([503, 503, 401, 400]);
});

test('fails until further notice', async () => {
  const server = await startServer();
  server.faults.next({ kind: 'status', status: 503 }, Infinity);
  for (let request = 0; request < 3; request++) expect((await refresh(server, 'x')).status).toBe(503);
  server.faults.clear();
  expect((await refresh(server, 'x')).status).toBe(400);
});

test('loses the answer after the rotation happened', async () => {
  const server = await startServer();
  const tokens = await grant(server);
  server.faults.next({ kind: 'cutAfterRotation' });
  await expect(refresh(server, tokens.refresh_token)).rejects.toThrow('fetch failed');
  await vi.waitFor(
    () =>
      expect(server.tokenRequests.at(-1)).toMatchObject({
        status: 200,
        fault: 'cutAfterRotation',
        aborted: true,
      }),
    10_000,
  );
  expect((await refresh(server, tokens.refresh_token)).status).toBe(400);
});

test('cuts the connection before it looks at the request', async () => {
  const server = await startServer();
  const tokens = await grant(server);
  server.faults.next({ kind: 'cut' });
  await expect(refresh(server, tokens.refresh_token)).rejects.toThrow('fetch failed');
  expect((await refresh(server, tokens.refresh_token)).status).toBe(200);
});

test('hangs until released, then handles the request', async () => {
  const server = await startServer();
  const tokens = await grant(server);
  server.faults.next({ kind: 'hang' });
  const response = refresh(server, tokens.refresh_token);
  await vi.waitFor(() => expect(server.tokenRequests.at(-1)).toMatchObject({ fault: 'hang' }), 10_000);
  expect(server.tokenRequests.at(-1)).not.toHaveProperty('status');
  server.faults.release();
  expect((await response).status).toBe(200);
});

test('spends nothing when the client gave up while it hung', async () => {
  const server = await startServer();
  const tokens = await grant(server);
  server.faults.next({ kind: 'hang' });
  const client = new AbortController();
  const response = refresh(server, tokens.refresh_token, { signal: client.signal });
  await vi.waitFor(() => expect(server.tokenRequests.at(-1)).toMatchObject({ fault: 'hang' }), 10_000);
  client.abort();
  await expect(response).rejects.toThrow('aborted');
  await vi.waitFor(() => expect(server.tokenRequests.at(-1)).toMatchObject({ aborted: true }), 10_000);
  server.faults.release();
  expect((await refresh(server, tokens.refresh_token)).status).toBe(200);
  expect(server.tokenRequests.at(-2)).not.toHaveProperty('status');
});

test('rotates, then hangs until released before it answers', async () => {
  const server = await startServer();
  const tokens = await grant(server);
  server.faults.next({ kind: 'hangAfterRotation' });
  const response = refresh(server, tokens.refresh_token);
  let answered = false;
  response.then(
    () => (answered = true),
    () => {},
  );
  await vi.waitFor(
    () => expect(server.tokenRequests.at(-1)).toMatchObject({ grantType: 'refresh_token', status: 200 }),
    10_000,
  );
  await fetch(`${server.url}/jwks`);
  expect(answered).toBe(false);
  server.faults.release();
  expect(await (await response).json()).toHaveProperty('refresh_token');
});

test('holds scripted answers back, and releases as many as told, in their order', async () => {
  const server = await startServer();
  server.faults.next({ kind: 'status', status: 503, held: true });
  server.faults.next({ kind: 'status', status: 429, held: true });
  const first = refresh(server, 'any');
  await vi.waitFor(() => expect(server.tokenRequests).toHaveLength(1), 10_000);
  const second = refresh(server, 'any');
  await vi.waitFor(() => expect(server.tokenRequests).toHaveLength(2), 10_000);
  server.faults.release(1);
  expect((await first).status).toBe(503);
  expect(server.tokenRequests[1]).not.toHaveProperty('status');
  server.faults.release();
  expect((await second).status).toBe(429);
});

test('closes while requests hang', async () => {
  const server = await startServer();
  server.faults.next({ kind: 'hang' });
  const response = refresh(server, 'any');
  response.catch(() => {});
  await vi.waitFor(() => expect(server.tokenRequests).toHaveLength(1), 10_000);
  await server.close();
  await expect(response).rejects.toThrow('fetch failed');
});
