import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { once } from 'node:events';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { Worker } from 'node:worker_threads';
import { EgressGuard } from '@connectors/egress';
import { Secret } from '@connectors/vault-core';
import { describe, expect, it, onTestFinished } from 'vitest';
import { exchangeCode, refreshAccessToken, TokenRequestError } from '../src/index.ts';
import type { ProviderAnswer, ReadyIntegration, ReadyProvider } from '../src/index.ts';
import { plainIntegration } from './fixtures.ts';
import { certificate, sendJson, startEndpoint } from './start-endpoint.ts';

const guard = new EgressGuard({ allow: ['127.0.0.1'] });
const refreshToken = new Secret('rt-canary+/=&');

function at(tokenUrl: string, provider: Partial<ReadyProvider> = {}): ReadyIntegration {
  return plainIntegration({}, { tokenUrl, ...provider });
}

async function refused(request: Promise<ProviderAnswer>): Promise<TokenRequestError> {
  const error: unknown = await request.then(
    () => new Error('was answered'),
    (failure: unknown) => failure,
  );
  if (error instanceof TokenRequestError) return error;
  throw error;
}

/** A TCP server that treats each connection as told. */
async function startSocketServer(onConnection: (socket: Socket) => void): Promise<string> {
  const server = createServer(onConnection).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('a refresh request', () => {
  it('posts a form and asks for JSON under our name', async () => {
    const endpoint = await startEndpoint((response) => sendJson(response, {}));
    await refreshAccessToken({ guard, integration: at(`${endpoint.url}/token`), refreshToken });
    const [request] = endpoint.requests;
    expect(request).toMatchObject({
      method: 'POST',
      path: '/token',
      headers: {
        accept: 'application/json',
        'accept-encoding': 'identity',
        'content-type': 'application/x-www-form-urlencoded',
        'user-agent': 'connectors',
      },
    });
    expect(Object.fromEntries(new URLSearchParams(request?.body))).toEqual({
      grant_type: 'refresh_token',
      refresh_token: 'rt-canary+/=&',
      client_id: 'client-1',
      client_secret: 'client-secret-canary',
    });
  });

  it('goes to the refresh URL where that is another', async () => {
    const endpoint = await startEndpoint((response) => sendJson(response, {}));
    const integration = at(`${endpoint.url}/token`, { refreshUrl: `${endpoint.url}/refresh` });
    await refreshAccessToken({ guard, integration, refreshToken });
    expect(endpoint.requests.map(({ path }) => path)).toEqual(['/refresh']);
  });

  it('can be JSON', async () => {
    const endpoint = await startEndpoint((response) => sendJson(response, {}));
    await refreshAccessToken({
      guard,
      integration: at(endpoint.url, { tokenRequestBody: 'json' }),
      refreshToken,
    });
    expect(endpoint.requests[0]?.headers['content-type']).toBe('application/json');
    expect(JSON.parse(endpoint.requests[0]?.body ?? '')).toEqual({
      grant_type: 'refresh_token',
      refresh_token: 'rt-canary+/=&',
      client_id: 'client-1',
      client_secret: 'client-secret-canary',
    });
  });

  it('names the client in a header when that is basic, form-encoded first, and not in the body', async () => {
    const endpoint = await startEndpoint((response) => sendJson(response, {}));
    const integration = {
      ...at(endpoint.url, { clientAuthentication: 'basic' }),
      clientId: 'id:1',
      clientSecret: new Secret('pä ss%+'),
    };
    await refreshAccessToken({ guard, integration, refreshToken });
    const [request] = endpoint.requests;
    const pair = Buffer.from(
      request?.headers.authorization?.replace('Basic ', '') ?? '',
      'base64',
    ).toString();
    expect(pair).toBe('id%3A1:p%C3%A4+ss%25%2B');
    expect(request?.body).toBe('grant_type=refresh_token&refresh_token=rt-canary%2B%2F%3D%26');
  });

  it('of a public client carries the id alone', async () => {
    const endpoint = await startEndpoint((response) => sendJson(response, {}));
    const integration = at(endpoint.url, { clientAuthentication: 'none' });
    await refreshAccessToken({ guard, integration, refreshToken });
    const form = new URLSearchParams(endpoint.requests[0]?.body);
    expect(form.get('client_id')).toBe('client-1');
    expect(form.has('client_secret')).toBe(false);
    expect(endpoint.requests[0]?.headers.authorization).toBeUndefined();
  });
});

describe('a code exchange', () => {
  const verifier = new Secret('a-verifier-of-43-characters-or-more-RFC-7636');
  const exchange = {
    code: new Secret('code-1'),
    redirectUri: 'https://console.example/callback',
    codeVerifier: verifier,
  };

  it('sends the code, the redirect URI and the verifier', async () => {
    const endpoint = await startEndpoint((response) => sendJson(response, {}));
    await exchangeCode({ guard, integration: at(endpoint.url), ...exchange });
    expect(Object.fromEntries(new URLSearchParams(endpoint.requests[0]?.body))).toMatchObject({
      grant_type: 'authorization_code',
      code: 'code-1',
      redirect_uri: 'https://console.example/callback',
      code_verifier: verifier.reveal(),
    });
  });

  it('leaves the verifier out for a provider without PKCE', async () => {
    const endpoint = await startEndpoint((response) => sendJson(response, {}));
    await exchangeCode({ guard, integration: at(endpoint.url, { pkce: false }), ...exchange });
    expect(endpoint.requests[0]?.body).not.toContain('code_verifier');
  });
});

describe('an answer', () => {
  it('is handed over as it came, with the time by the injected clock', async () => {
    const endpoint = await startEndpoint((response) => {
      response.setHeader('Retry-After', '7').setHeader('X-Other', 'x');
      sendJson(response, { error: 'slow_down' }, 429);
    });
    const answer = await refreshAccessToken({
      guard,
      integration: at(endpoint.url),
      refreshToken,
      now: () => 42,
    });
    expect(answer).toMatchObject({ status: 429, receivedAt: 42 });
    expect(Object.keys(answer.headers).sort()).toEqual(['content-type', 'date', 'retry-after']);
    expect(answer.body.reveal()).toBe('{"error":"slow_down"}');
  });

  it('that redirects is not followed: the form would go to another host', async () => {
    const other = await startEndpoint((response) => sendJson(response, { access_token: 'a' }));
    const endpoint = await startEndpoint((response) =>
      response.writeHead(307, { location: other.url }).end(),
    );
    const answer = await refreshAccessToken({ guard, integration: at(endpoint.url), refreshToken });
    expect(answer.status).toBe(307);
    expect(other.requests).toEqual([]);
  });

  it('that fails is not asked for again', async () => {
    const endpoint = await startEndpoint((response) => sendJson(response, {}, 503));
    const answer = await refreshAccessToken({ guard, integration: at(endpoint.url), refreshToken });
    expect(answer.status).toBe(503);
    expect(endpoint.requests).toHaveLength(1);
  });

  it('comes over TLS from a server whose certificate is trusted', async () => {
    const before = getCACertificates('default');
    setDefaultCACertificates([...before, certificate]);
    onTestFinished(() => setDefaultCACertificates(before));
    const endpoint = await startEndpoint((response) => sendJson(response, { ok: true }), { secure: true });
    const answer = await refreshAccessToken({ guard, integration: at(endpoint.url), refreshToken });
    expect(answer.status).toBe(200);
  });
});

describe('the request was certainly not sent when', () => {
  it('the address is not public', async () => {
    const endpoint = await startEndpoint((response) => sendJson(response, {}));
    const strict = new EgressGuard();
    const error = await refused(
      refreshAccessToken({ guard: strict, integration: at(endpoint.url), refreshToken }),
    );
    expect(error).toMatchObject({ sent: 'no', code: 'egress_refused' });
    expect(endpoint.requests).toEqual([]);
  });

  it('the name resolves to an address that is not public', async () => {
    const error = await refused(
      refreshAccessToken({ guard: new EgressGuard(), integration: at('https://localhost:9/'), refreshToken }),
    );
    expect(error).toMatchObject({ sent: 'no', code: 'egress_refused' });
  });

  it('the name does not resolve', async () => {
    const notFound = Object.assign(new Error('no'), { code: 'ENOTFOUND' });
    const lost = new EgressGuard({
      resolve: (_host, _options, callback) => setImmediate(callback, notFound, []),
    });
    const integration = at('https://as.example/token');
    const error = await refused(refreshAccessToken({ guard: lost, integration, refreshToken }));
    expect(error).toMatchObject({ sent: 'no', code: 'dns_failure' });
  });

  it('the name takes too long to resolve', async () => {
    const slow = new EgressGuard({ resolve: () => {} });
    const integration = at('https://as.example/token');
    const error = await refused(
      refreshAccessToken({ guard: slow, integration, refreshToken, timeoutMs: 30 }),
    );
    expect(error).toMatchObject({ sent: 'no', code: 'timeout' });
  });

  it('nobody listens', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, 'close');
    const integration = at(`http://127.0.0.1:${port}/`);
    const error = await refused(refreshAccessToken({ guard, integration, refreshToken }));
    expect(error).toMatchObject({ sent: 'no', code: 'connection_refused' });
  });

  it('the server does not speak TLS', async () => {
    const address = await startSocketServer((socket) => socket.end('hello\r\n'));
    const error = await refused(
      refreshAccessToken({ guard, integration: at(`https://${address}/`), refreshToken }),
    );
    expect(error).toMatchObject({ sent: 'no', code: 'tls_failure' });
  });

  it('the certificate is not trusted', async () => {
    const endpoint = await startEndpoint((response) => sendJson(response, {}), { secure: true });
    const closed = new Promise((resolve) => {
      endpoint.server.once('connection', (socket) => socket.once('close', resolve));
    });
    const error = await refused(refreshAccessToken({ guard, integration: at(endpoint.url), refreshToken }));
    expect(error).toMatchObject({ sent: 'no', code: 'tls_failure' });
    await closed;
    expect(endpoint.requests).toEqual([]);
  });

  it.each([{ secure: false }, { secure: true }])(
    'nobody may send it any more once the connection stands (TLS: $secure)',
    async ({ secure }) => {
      const before = getCACertificates('default');
      setDefaultCACertificates([...before, certificate]);
      onTestFinished(() => setDefaultCACertificates(before));
      const endpoint = await startEndpoint((response) => sendJson(response, {}), { secure });
      const closed = new Promise((resolve) => {
        endpoint.server.once('connection', (socket) => socket.once('close', resolve));
      });
      const integration = at(endpoint.url);
      const maySend = () => false;
      const error = await refused(refreshAccessToken({ guard, integration, refreshToken, maySend }));
      expect(error).toMatchObject({ sent: 'no', code: 'aborted' });
      await closed;
      expect(endpoint.requests).toEqual([]);
    },
  );

  it('the handshake takes too long', async () => {
    const address = await startSocketServer((socket) => socket.on('error', () => {}).resume());
    const integration = at(`https://${address}/`);
    const error = await refused(refreshAccessToken({ guard, integration, refreshToken, timeoutMs: 50 }));
    expect(error).toMatchObject({ sent: 'no', code: 'timeout' });
  });

  it('the deadline had passed before', async () => {
    const endpoint = await startEndpoint((response) => sendJson(response, {}));
    const signal = AbortSignal.abort();
    const error = await refused(
      refreshAccessToken({ guard, integration: at(endpoint.url), refreshToken, signal }),
    );
    expect(error).toMatchObject({ sent: 'no', code: 'aborted' });
    expect(endpoint.requests).toEqual([]);
  });

  it('the client secret is missing', async () => {
    const { clientSecret, ...integration } = at('https://as.example/token');
    expect(clientSecret).toBeDefined();
    const error = await refused(refreshAccessToken({ guard, integration, refreshToken }));
    expect(error).toMatchObject({ sent: 'no', code: 'client_secret_missing' });
  });
});

describe('an answer that came while this process stood still', () => {
  it('is read, though its time was up when the process went on', async () => {
    // In a thread of its own, since ours stands still.
    const provider = new Worker(
      `const { parentPort } = require('node:worker_threads');
       const server = require('node:http').createServer((request, response) => {
         parentPort.postMessage('asked');
         setTimeout(() => response.end('{"access_token":"new"}'), 100);
       });
       server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));`,
      { eval: true },
    );
    onTestFinished(async () => void (await provider.terminate()));
    const [port] = (await once(provider, 'message')) as [number];
    const asked = once(provider, 'message');
    const integration = at(`http://127.0.0.1:${port}`);
    const answer = refreshAccessToken({ guard, integration, refreshToken, timeoutMs: 300 });
    await asked;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 900);
    expect(await answer).toMatchObject({ status: 200 });
  });
});

describe('the request may have been sent when', () => {
  it('no answer comes in time', async () => {
    const endpoint = await startEndpoint(() => {});
    const integration = at(endpoint.url);
    const error = await refused(refreshAccessToken({ guard, integration, refreshToken, timeoutMs: 100 }));
    expect(error).toMatchObject({ sent: 'maybe', code: 'timeout' });
  });

  it('an answer drips in too slowly', async () => {
    const endpoint = await startEndpoint((response) => void response.writeHead(200).write('{'));
    const integration = at(endpoint.url);
    const error = await refused(refreshAccessToken({ guard, integration, refreshToken, timeoutMs: 100 }));
    expect(error).toMatchObject({ sent: 'maybe', code: 'timeout' });
  });

  it('the deadline passes while the provider thinks', async () => {
    const deadline = new AbortController();
    const endpoint = await startEndpoint(() => deadline.abort());
    const integration = at(endpoint.url);
    const error = await refused(
      refreshAccessToken({ guard, integration, refreshToken, signal: deadline.signal }),
    );
    expect(error).toMatchObject({ sent: 'maybe', code: 'aborted' });
  });

  it('the connection is reset before an answer', async () => {
    const endpoint = await startEndpoint((response) => response.socket?.resetAndDestroy());
    const error = await refused(refreshAccessToken({ guard, integration: at(endpoint.url), refreshToken }));
    expect(error).toMatchObject({ sent: 'maybe', code: 'connection_lost' });
  });

  it('the connection is closed before an answer', async () => {
    const endpoint = await startEndpoint((response) => response.socket?.end());
    const error = await refused(refreshAccessToken({ guard, integration: at(endpoint.url), refreshToken }));
    expect(error).toMatchObject({ sent: 'maybe', code: 'connection_lost' });
  });

  it.each(['with a content length', 'in chunks'])('an answer %s is cut', async (how) => {
    const endpoint = await startEndpoint((response) => {
      response.writeHead(200, how === 'in chunks' ? {} : { 'content-length': '1000' });
      response.write('{"access_token":"at-canary"', () => response.destroy());
    });
    const error = await refused(refreshAccessToken({ guard, integration: at(endpoint.url), refreshToken }));
    expect(error).toMatchObject({ sent: 'maybe', code: 'response_cut' });
  });

  it('an answer has no end', async () => {
    const endpoint = await startEndpoint((response) => {
      const more = () => void (response.destroyed || response.write('x'.repeat(64 * 1024), more));
      more();
    });
    const error = await refused(refreshAccessToken({ guard, integration: at(endpoint.url), refreshToken }));
    expect(error).toMatchObject({ sent: 'maybe', code: 'response_too_large' });
  });

  it('an answer is larger than any token', async () => {
    const endpoint = await startEndpoint((response) => response.end('x'.repeat(256 * 1024 + 1)));
    const error = await refused(refreshAccessToken({ guard, integration: at(endpoint.url), refreshToken }));
    expect(error).toMatchObject({ sent: 'maybe', code: 'response_too_large' });
  });
});
