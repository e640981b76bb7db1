/*
 * Connects a tenant: prints the link to open, waits for the user's consent at the provider, exchanges the code and stores what
 * was granted. From then on the credential is refreshed, and agents may use it.
 *
 *     node examples/connect-tenant.ts acme demo
 *
 * It is trusted with everything, as a worker is: it writes to Vault and holds the client secret.
 */
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { RefreshScheduler } from '@connectors/connectors';
import {
  authorizeUrl,
  Discovery,
  exchangeCode,
  newPkce,
  readIntegrations,
  readTokenResponse,
} from '@connectors/oauth';
import { Secret } from '@connectors/vault-core';

const { VAULT_ADDR = 'http://127.0.0.1:8200', VAULT_TOKEN = '', CALLBACK_PORT = '8099' } = process.env;
const { REDIS_URL = 'redis://127.0.0.1:6379', REDIS_PREFIX = 'connectors' } = process.env;
const [tenantId = 'acme', integrationId = 'demo'] = process.argv.slice(2);
const redirectUri = `http://127.0.0.1:${CALLBACK_PORT}/callback`;

const { integrations, guard } = readIntegrations(process.env);
const known = integrations.get(integrationId);
if (known === undefined) throw new Error(`There is no integration ${integrationId}`);
const integration = await new Discovery({ guard }).complete(known);

const { verifier: codeVerifier, challenge: codeChallenge } = newPkce();
const state = randomBytes(16).toString('base64url');
const comesBack = waitForCallback(state);
console.log(`Open ${authorizeUrl(integration, { redirectUri, state, codeChallenge }).href}`);
const code = await comesBack;

const answer = await exchangeCode({ integration, guard, code, codeVerifier, redirectUri });
const result = readTokenResponse(integration.provider, answer);
if (result.kind === 'failure') throw new Error(`The code was not taken: ${result.failure.reason}`);
const { tokens } = result;

// Not started: it only stores here, and leaves refreshing to the workers.
const scheduler = new RefreshScheduler({
  vault: { address: VAULT_ADDR, token: VAULT_TOKEN },
  redisUrl: REDIS_URL,
  prefix: REDIS_PREFIX,
  env: process.env,
});
await scheduler.storeCredentials(tenantId, integrationId, {
  accessToken: tokens.accessToken.reveal(),
  refreshToken: tokens.refreshToken?.reveal(),
  expiresAt: tokens.expiresAt,
  refreshTokenExpiresAt: tokens.refreshTokenExpiresAt,
  scopes: tokens.scopes ?? [...integration.scopes],
  tokenType: tokens.tokenType,
  integration: integrationId,
});
await scheduler.close();
console.log(`${tenantId} has connected ${integrationId}`);

/** What the user's browser brings back. Only the one that was sent away knows the state (RFC 6749 10.12). */
function waitForCallback(state: string): Promise<Secret> {
  const { promise, resolve, reject } = Promise.withResolvers<Secret>();
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', redirectUri);
    const isOurs = pathname === '/callback' && searchParams.get('state') === state;
    response.writeHead(isOurs ? 200 : 404, { Connection: 'close' });
    response.end(isOurs ? 'You may close this page.' : 'Not here.');
    if (!isOurs) return;
    server.close();
    const code = searchParams.get('code');
    if (code === null) reject(new Error(`There was no consent: ${searchParams.get('error')}`));
    else resolve(new Secret(code));
  });
  server.listen(Number(CALLBACK_PORT), '127.0.0.1');
  return promise;
}
