import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { EgressGuard } from '@connectors/egress';
import { Injection } from '@connectors/oauth';
import { Secret } from '@connectors/vault-core';
import { expect, it, onTestFinished } from 'vitest';
import { prepareCall, UpstreamCaller } from '../src/upstream-call.ts';

/** What arrives of a caller's headers beside `X-Api-Key: token`, `X-Client-Id: client` and, by default, `Api-Version: 1`. */
async function arriving(headers: Record<string, string>): Promise<IncomingHttpHeaders> {
  const server = createServer((_request, response) => response.end()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const caller = new UpstreamCaller(new EgressGuard({ allow: ['127.0.0.1'] }), 5_000, () => 0);
  onTestFinished(() => {
    caller.close();
    server.close();
  });
  const style = {
    header: 'X-Api-Key',
    scheme: '',
    headers: { 'X-Client-Id': 'client' },
    defaultHeaders: { 'Api-Version': '1' },
  };
  const injection = new Injection(style, { accessToken: new Secret('token') });
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const received = once(server, 'request') as Promise<[{ headers: IncomingHttpHeaders }]>;
  const request = { tenantId: 'acme', integration: 'demo', method: 'GET', path: '/', headers };
  await caller.send(prepareCall(request), {
    addresses: { rest: { origin, basePath: '', baseQuery: '' } },
    injection,
  });
  return (await received)[0].headers;
}

it('X_Api_Key went beside the X-Api-Key that is injected, which some upstreams take for the same', async () => {
  const headers = await arriving({
    X_Api_Key: 'own',
    'x-api_key': 'own',
    x_client_id: 'own',
    x_other: 'kept',
  });
  expect(headers).toMatchObject({ 'x-api-key': 'token', 'x-client-id': 'client', x_other: 'kept' });
  for (const name of ['x_api_key', 'x-api_key', 'x_client_id']) expect(headers).not.toHaveProperty(name);
});

it('Api_Version went beside the Api-Version that is there by default', async () => {
  const headers = await arriving({ Api_Version: '2' });
  expect(headers).toMatchObject({ api_version: '2' });
  expect(headers).not.toHaveProperty('api-version');
});

it('Proxy_Authorization went on, though Proxy-Authorization does not', async () => {
  expect(await arriving({ Proxy_Authorization: 'own' })).not.toHaveProperty('proxy_authorization');
});
