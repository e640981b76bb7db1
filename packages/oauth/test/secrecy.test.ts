import type { ServerResponse } from 'node:http';
import { format, inspect } from 'node:util';
import { EgressGuard } from '@connectors/egress';
import { Secret } from '@connectors/vault-core';
import { describe, expect, it } from 'vitest';
import { readTokenResponse, refreshAccessToken, requestToken, revokeToken } from '../src/index.ts';
import { plainIntegration } from './fixtures.ts';
import { newKey } from './new-key.ts';
import { sendJson, startEndpoint } from './start-endpoint.ts';

const guard = new EgressGuard({ allow: ['127.0.0.1'] });

function everyWayToPrint(value: unknown): string {
  const stack = value instanceof Error ? value.stack : '';
  return [
    inspect(value, { depth: null, showHidden: true }),
    format('%o', value),
    JSON.stringify(value),
    String(value),
    stack,
  ].join();
}

async function outcome(clientAuthentication: 'basic' | 'post', url: string): Promise<unknown> {
  const integration = plainIntegration({}, { tokenUrl: url, clientAuthentication });
  return await refreshAccessToken({
    guard,
    integration,
    refreshToken: new Secret('rt-canary'),
    timeoutMs: 200,
  }).catch((error: unknown) => error);
}

const basic = Buffer.from('client-1:client-secret-canary').toString('base64');

describe.each(['basic', 'post'] as const)(
  'with client authentication %s no secret shows in',
  (clientAuthentication) => {
    it('an answer and the tokens read from it', async () => {
      const { url } = await startEndpoint((response) =>
        sendJson(response, { access_token: 'at-canary', refresh_token: 'new-rt-canary' }),
      );
      const answer = await outcome(clientAuthentication, url);
      const printed = everyWayToPrint(answer);
      expect(printed).toContain('status');
      expect(printed).not.toMatch(/canary/);
      const result = readTokenResponse(
        plainIntegration().provider,
        answer as Parameters<typeof readTokenResponse>[1],
      );
      expect(everyWayToPrint(result)).not.toMatch(/canary/);
    });

    it.each([
      ['an error after a cut', 'cut'],
      ['an error after a timeout', 'hang'],
    ])('%s', async (_, how) => {
      const { url } = await startEndpoint((response) => {
        response.writeHead(200, { 'content-length': '100' });
        response.write('{"access_token":"at-canary"', () => how === 'cut' && response.destroy());
      });
      const printed = everyWayToPrint(await outcome(clientAuthentication, url));
      expect(printed).toContain('TokenRequestError');
      expect(printed).not.toMatch(/canary/);
      expect(printed).not.toContain(basic);
    });
  },
);

describe('a token that a provider wants in a URL shows in no', () => {
  it.each([
    ['error after a cut', (response: ServerResponse) => response.destroy()],
    ['answer', (response: ServerResponse) => sendJson(response, { error: 'rt-canary' }, 400)],
  ])('%s', async (_, respond) => {
    const { url, requests } = await startEndpoint(respond);
    const integration = plainIntegration({}, { tokenUrl: `${url}/token`, tokenRequestBody: 'query' });
    const refreshToken = new Secret('rt-canary');
    const answered = await refreshAccessToken({ guard, integration, refreshToken }).catch(
      (error: unknown) => error,
    );
    expect(requests[0]?.path).toContain('refresh_token=rt-canary');
    expect(requests[0]?.path).not.toContain('client-secret-canary');
    expect(everyWayToPrint(answered)).not.toMatch(/canary/);
  });

  it.each([
    ['revocation that was cut', (response: ServerResponse) => response.destroy()],
    [
      'revocation that was refused',
      (response: ServerResponse) => sendJson(response, { error: 'rt-Canary' }, 400),
    ],
  ])('%s', async (_, respond) => {
    const { url, requests } = await startEndpoint(respond);
    const { revocation, ...provider } = plainIntegration().provider;
    const own = { ...revocation, method: 'DELETE', authentication: 'bearer', body: 'none' } as const;
    const integration = plainIntegration(
      {},
      { ...provider, revokeUrl: `${url}/tokens/{token}`, revocation: own },
    );
    const tokens = { accessToken: new Secret('at-canary'), refreshToken: new Secret('rt-canary/1') };
    const revoked = await revokeToken({ guard, integration, ...tokens });
    expect(requests[0]?.path).toBe('/tokens/rt-canary%2F1');
    expect(revoked.kind).toBe('failed');
    expect(everyWayToPrint(revoked)).not.toMatch(/canary/i);
  });
});

describe('what an assertion is signed with, and the assertion, show in no', () => {
  const key = newKey('ES256');
  const halves = key.pem.reveal().split('\n').slice(1, 3);
  const integration = (tokenUrl: string) =>
    plainIntegration(
      { clientKey: key.pem },
      { tokenUrl, grant: 'jwt_bearer', clientAuthentication: 'private_key_jwt' },
    );

  it.each([
    ['answer', (response: ServerResponse) => sendJson(response, { access_token: 'at-canary' })],
    ['error after a cut', (response: ServerResponse) => response.destroy()],
  ])('%s', async (_, respond) => {
    const { url, requests } = await startEndpoint(respond);
    const mint = requestToken({ integration: integration(url), fields: {}, guard });
    const printed = everyWayToPrint(await mint.catch((error: unknown) => error));
    const sent = new URLSearchParams(requests[0]?.body);
    const signed = [sent.get('assertion'), sent.get('client_assertion')];
    expect(signed.map((jwt) => jwt?.split('.').length)).toEqual([3, 3]);
    for (const secret of [...halves, ...signed, 'canary']) expect(printed).not.toContain(secret);
  });

  it('error about a key that is none', async () => {
    const mint = { integration: integration('https://as.example'), fields: {}, guard };
    const error: unknown = await requestToken({ ...mint, grantSecret: new Secret('canary') }).catch(
      (failure: unknown) => failure,
    );
    expect(everyWayToPrint(error)).toContain('private_key_invalid');
    expect(everyWayToPrint(error)).not.toContain('canary');
  });
});
