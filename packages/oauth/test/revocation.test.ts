import { EgressGuard } from '@connectors/egress';
import { Secret } from '@connectors/vault-core';
import { describe, expect, it } from 'vitest';
import { revokeToken } from '../src/index.ts';
import type { ReadyProvider, Revocation } from '../src/index.ts';
import { plainIntegration } from './fixtures.ts';
import { sendJson, startEndpoint } from './start-endpoint.ts';

const guard = new EgressGuard({ allow: ['127.0.0.1'] });

async function revoke(provider: Partial<ReadyProvider>, strict = guard): Promise<Revocation> {
  return await revokeToken({
    integration: plainIntegration({}, provider),
    accessToken: new Secret('at-canary'),
    refreshToken: new Secret('rt-canary'),
    guard: strict,
  });
}

async function answered(status: number, body: unknown): Promise<Revocation> {
  const { url } = await startEndpoint((response) => sendJson(response, body, status));
  return await revoke({ revokeUrl: url });
}

describe('a revocation', () => {
  it('posts the token as a form, in the name of the client', async () => {
    const { url, requests } = await startEndpoint((response) => response.end());
    const provider = {
      revokeUrl: `${url}/revoke`,
      tokenRequestBody: 'json',
      tokenParams: { a: 'b' },
    } as const;
    expect(await revoke(provider)).toEqual({ kind: 'revoked' });
    expect(requests[0]).toMatchObject({
      method: 'POST',
      path: '/revoke',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    });
    expect(Object.fromEntries(new URLSearchParams(requests[0]?.body))).toEqual({
      token: 'rt-canary',
      token_type_hint: 'refresh_token',
      client_id: 'client-1',
      client_secret: 'client-secret-canary',
    });
  });

  it('of a token that is dead already has succeeded, also where the provider calls that an error', async () => {
    expect(await answered(400, { error: 'invalid_token' })).toEqual({ kind: 'revoked' });
  });

  it('is unsupported where the provider has no address for it', async () => {
    expect(await revoke({})).toEqual({ kind: 'unsupported' });
  });

  it('is unsupported where the token is not of a client of ours', async () => {
    const { url, requests } = await startEndpoint((response) => response.end());
    const { clientId: _theirs, ...integration } = plainIntegration({}, { revokeUrl: url });
    const accessToken = new Secret('at-canary');
    const revocation = await revokeToken({ integration, accessToken, guard });
    expect(revocation).toEqual({ kind: 'unsupported' });
    expect(requests).toEqual([]);
  });

  it('is unsupported where the provider says so', async () => {
    expect(await answered(400, { error: 'unsupported_token_type' })).toEqual({ kind: 'unsupported' });
  });

  it.each([
    ['the client is refused', 401, { error: 'invalid_client' }, 'invalid_client'],
    ['the provider is away', 503, {}, 'http_503'],
    ['the answer is another address', 302, {}, 'http_302'],
    ['the error is a text', 400, { error: 'rt-canary is bad' }, 'unrecognised'],
  ])('fails with a code when %s', async (_, status, body, reason) => {
    expect(await answered(status, body)).toEqual({ kind: 'failed', reason });
  });

  it('fails with a code when no answer comes', async () => {
    const { url } = await startEndpoint((response) => response.destroy());
    expect(await revoke({ revokeUrl: url })).toEqual({ kind: 'failed', reason: 'connection_lost' });
  });

  it('fails with a code when the address is not public', async () => {
    const refused = await revoke({ revokeUrl: 'https://10.0.0.1/revoke' }, new EgressGuard());
    expect(refused).toEqual({ kind: 'failed', reason: 'egress_refused' });
  });
});
