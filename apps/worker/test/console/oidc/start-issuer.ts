import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT, type JWTPayload } from 'jose';

/** An issuer whose next ID token may say anything. It takes every code, and knows the nonce that it was asked with last. */
export async function startIssuer() {
  const server = createServer((request, response) => void answer(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { privateKey, publicKey } = await generateKeyPair('ES256');
  const { privateKey: foreignKey } = await generateKeyPair('ES256');
  const state = { claims: {} as JWTPayload, isSignedByAnother: false, tokenRequests: 0 };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    request.resume();
    const bodies: Record<string, () => unknown> = {
      '/.well-known/openid-configuration': () => ({
        issuer: url,
        authorization_endpoint: `${url}/auth`,
        token_endpoint: `${url}/token`,
        jwks_uri: `${url}/jwks`,
        id_token_signing_alg_values_supported: ['ES256'],
        token_endpoint_auth_methods_supported: ['client_secret_post'],
      }),
      '/jwks': async () => ({ keys: [{ ...(await exportJWK(publicKey)), kid: 'k', alg: 'ES256' }] }),
      '/token': async () => {
        state.tokenRequests += 1;
        return { access_token: 'a', token_type: 'bearer', id_token: await idToken() };
      },
    };
    const body = await bodies[request.url ?? '']?.();
    response.writeHead(body === undefined ? 404 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(body ?? {}));
  }

  function idToken(): Promise<string> {
    return new SignJWT({
      iss: url,
      aud: 'console',
      sub: 'alice',
      exp: Date.now() / 1_000 + 300,
      ...state.claims,
    })
      .setProtectedHeader({ alg: 'ES256', kid: 'k' })
      .setIssuedAt()
      .sign(state.isSignedByAnother ? foreignKey : privateKey);
  }

  return {
    url,
    state,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
