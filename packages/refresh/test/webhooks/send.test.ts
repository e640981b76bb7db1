import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { EgressGuard } from '@connectors/egress';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { sendWebhook } from '../../src/webhooks/send.ts';
import { certificate, startReceiver } from './start-receiver.ts';

const local = new EgressGuard({ allow: ['127.0.0.1'] });
const request = { headers: { 'webhook-id': 'msg_1' }, body: '{"type":"test"}' };

function send(url: string, { guard = local, timeoutMs = 10_000 } = {}) {
  return sendWebhook({ ...request, url }, { guard, timeoutMs, now: () => 1_000 });
}

/** A guard to whom every name leads to these addresses. */
function resolving(...addresses: string[]): EgressGuard {
  const found = addresses.map((address) => ({ address, family: 4 }));
  return new EgressGuard({ resolve: (_host, _options, callback) => callback(null, found) });
}

describe('a request to an endpoint', () => {
  it('is a POST of JSON with the headers it is given', async () => {
    const receiver = await startReceiver();
    expect(await send(receiver.url)).toMatchObject({ kind: 'answer', status: 204, receivedAt: 1_000 });
    expect(receiver.received).toMatchObject([
      { headers: { 'content-type': 'application/json', 'webhook-id': 'msg_1' }, body: request.body },
    ]);
  });

  it('goes over TLS, and only if the certificate is trusted', async () => {
    const receiver = await startReceiver({ secure: true });
    expect(await send(receiver.url)).toEqual({ kind: 'failure', reason: 'tls_failure' });
    expect(receiver.received).toEqual([]);
    const before = getCACertificates('default');
    setDefaultCACertificates([...before, certificate]);
    onTestFinished(() => setDefaultCACertificates(before));
    expect(await send(receiver.url)).toMatchObject({ kind: 'answer', status: 204 });
  });

  it('follows no redirect', async () => {
    const [first, second] = [await startReceiver(), await startReceiver()];
    first.respond = (response) => response.writeHead(307, { location: second.url }).end();
    expect(await send(first.url)).toMatchObject({ kind: 'answer', status: 307 });
    expect(second.received).toEqual([]);
  });

  it('tells when the receiver wants to be asked again', async () => {
    const receiver = await startReceiver();
    const date = 'Sat, 08 Nov 2025 12:00:00 GMT';
    receiver.respond = (response) => response.writeHead(503, { 'retry-after': '30', date }).end();
    expect(await send(receiver.url)).toMatchObject({ headers: { 'retry-after': '30', date } });
  });

  it('is over as soon as enough is known: of an endless answer a little is read', async () => {
    const receiver = await startReceiver();
    let written = 0;
    receiver.respond = (response) => {
      response.writeHead(200);
      const more = (): void => {
        if (response.destroyed) return;
        written += 1_000;
        response.write('x'.repeat(1_000), more);
      };
      more();
    };
    expect(await send(receiver.url, { timeoutMs: 60_000 })).toMatchObject({ kind: 'answer', status: 200 });
    await vi.waitFor(() => expect(receiver.underWay()).toBe(0), 10_000);
    // Most of it lies in buffers of the two sockets.
    expect(written).toBeLessThan(20_000_000);
  });

  it('gives a receiver that never answers up in time', async () => {
    const receiver = await startReceiver();
    receiver.respond = () => undefined;
    expect(await send(receiver.url, { timeoutMs: 200 })).toEqual({ kind: 'failure', reason: 'timeout' });
    await vi.waitFor(() => expect(receiver.underWay()).toBe(0), 10_000);
  });

  it('counts as answered although the body never ends', async () => {
    const receiver = await startReceiver();
    receiver.respond = (response) => response.writeHead(202).write('x');
    expect(await send(receiver.url, { timeoutMs: 300 })).toMatchObject({ kind: 'answer', status: 202 });
  });

  it('tells that nobody listens, and that there is no such name', async () => {
    expect(await send('http://127.0.0.1:1')).toEqual({ kind: 'failure', reason: 'connection_refused' });
    const error = Object.assign(new Error('no such name'), { code: 'ENOTFOUND' });
    const guard = new EgressGuard({ resolve: (_host, _options, callback) => callback(error, []) });
    const nameless = await send('https://hooks.example.com', { guard });
    expect(nameless).toEqual({ kind: 'failure', reason: 'dns_failure' });
  });

  it('tells that the connection was cut', async () => {
    const receiver = await startReceiver();
    receiver.respond = (response) => response.destroy();
    expect(await send(receiver.url)).toEqual({ kind: 'failure', reason: 'connection_failed' });
  });

  it.each([
    ['plain http', 'http://hooks.example.com', resolving('93.184.215.14')],
    ['a private address', 'https://10.0.0.1/hooks', resolving('10.0.0.1')],
    ['a name that leads to a private address', 'https://hooks.example.com', resolving('10.0.0.1')],
    [
      'a name that also leads to this machine',
      'https://hooks.example.com',
      resolving('93.184.215.14', '127.0.0.1'),
    ],
    ['what is no address', 'hooks', resolving('93.184.215.14')],
  ])('is refused for %s', async (_what, url, guard) => {
    expect(await send(url, { guard })).toEqual({ kind: 'failure', reason: 'egress_refused' });
  });
});
