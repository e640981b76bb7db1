import { EgressGuard } from '@connectors/egress';
import { Secret } from '@connectors/vault-core';
import { jwtVerify } from 'jose';
import { describe, expect, it } from 'vitest';
import { refreshAccessToken, revokeToken } from '../src/index.ts';
import type { ReadyIntegration, ReadyProvider } from '../src/index.ts';
import { plainIntegration } from './fixtures.ts';
import { newKey } from './new-key.ts';
import { sendJson, startEndpoint } from './start-endpoint.ts';

const guard = new EgressGuard({ allow: ['127.0.0.1'] });
const key = newKey('ES256');
const refreshToken = new Secret('rt');

function signing(tokenUrl: string, provider: Partial<ReadyProvider> = {}): ReadyIntegration {
  return plainIntegration(
    { clientKey: key.pem, clientKeyId: 'k1' },
    { tokenUrl, clientAuthentication: 'private_key_jwt', ...provider },
  );
}

async function verified(form: string | undefined) {
  return await jwtVerify(new URLSearchParams(form).get('client_assertion') ?? '', key.publicKey);
}

describe('a client with a private key', () => {
  it('sends an assertion that names it and the token endpoint, and no secret', async () => {
    const { url, requests } = await startEndpoint((response) => sendJson(response, {}));
    await refreshAccessToken({ guard, integration: signing(url), refreshToken });
    const form = Object.fromEntries(new URLSearchParams(requests[0]?.body));
    expect(form).toEqual({
      grant_type: 'refresh_token',
      refresh_token: 'rt',
      client_id: 'client-1',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: expect.any(String) as string,
    });
    expect(requests[0]?.headers.authorization).toBeUndefined();
    const { payload, protectedHeader } = await verified(requests[0]?.body);
    expect(protectedHeader).toMatchObject({ alg: 'ES256', kid: 'k1' });
    expect(payload).toMatchObject({ iss: 'client-1', sub: 'client-1', aud: url });
  });

  it('signs anew for each request, by the injected clock', async () => {
    const { url, requests } = await startEndpoint((response) => sendJson(response, {}));
    const ask = (now: number) =>
      refreshAccessToken({ guard, integration: signing(url), refreshToken, now: () => now });
    await ask(Date.now());
    await ask(Date.now());
    await ask(Date.now() - 3_600_000);
    const [first, second] = await Promise.all([verified(requests[0]?.body), verified(requests[1]?.body)]);
    expect(first.payload.jti).not.toBe(second.payload.jti);
    await expect(verified(requests[2]?.body)).rejects.toMatchObject({ code: 'ERR_JWT_EXPIRED' });
  });

  it('names another audience where the provider wants one', async () => {
    const { url, requests } = await startEndpoint((response) => sendJson(response, {}));
    const integration = signing(url, { assertionAudience: 'https://as.example' });
    await refreshAccessToken({ guard, integration, refreshToken });
    expect((await verified(requests[0]?.body)).payload.aud).toBe('https://as.example');
  });

  it('authenticates a revocation with the audience of the token endpoint', async () => {
    const { url, requests } = await startEndpoint((response) => response.end());
    const integration = signing(`${url}/token`, { revokeUrl: `${url}/revoke` });
    await revokeToken({ guard, integration, accessToken: refreshToken });
    expect((await verified(requests[0]?.body)).payload.aud).toBe(`${url}/token`);
  });

  it.each([
    ['missing', undefined, 'private_key_missing'],
    ['no key', new Secret('canary'), 'private_key_invalid'],
  ])('sends nothing when the key is %s', async (_, clientKey, code) => {
    const { url, requests } = await startEndpoint((response) => sendJson(response, {}));
    const { clientKey: _valid, ...integration } = signing(url);
    const keyed = clientKey === undefined ? integration : { ...integration, clientKey };
    const refused = refreshAccessToken({ guard, integration: keyed, refreshToken });
    await expect(refused).rejects.toMatchObject({ code, sent: 'no' });
    expect(requests).toEqual([]);
  });
});

it('extra parameters go with every token request, and never in place of ours', async () => {
  const { url, requests } = await startEndpoint((response) => sendJson(response, {}));
  const tokenParams = { audience: 'https://api.example', refresh_token: 'other', client_secret: 'other' };
  await refreshAccessToken({
    guard,
    integration: plainIntegration({}, { tokenUrl: url, tokenParams }),
    refreshToken,
  });
  expect(Object.fromEntries(new URLSearchParams(requests[0]?.body))).toEqual({
    grant_type: 'refresh_token',
    refresh_token: 'rt',
    audience: 'https://api.example',
    client_id: 'client-1',
    client_secret: 'client-secret-canary',
  });
});
