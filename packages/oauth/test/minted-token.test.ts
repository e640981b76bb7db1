import { EgressGuard } from '@connectors/egress';
import { Secret } from '@connectors/vault-core';
import { jwtVerify } from 'jose';
import { describe, expect, it } from 'vitest';
import { catalog, readTokenResponse, requestToken, TokenRequestError } from '../src/index.ts';
import type { Mint, Provider, ReadyIntegration, ReadyProvider, TokenResult } from '../src/index.ts';
import { plainIntegration } from './fixtures.ts';
import { newKey } from './new-key.ts';
import { sendJson, startEndpoint } from './start-endpoint.ts';
import { startGithub } from './start-github.ts';

const guard = new EgressGuard({ allow: ['127.0.0.1'] });
const jwtBearer = 'urn:ietf:params:oauth:grant-type:jwt-bearer';

function formOf({ body }: { body: string } = { body: '' }): Record<string, string> {
  return Object.fromEntries(new URLSearchParams(body));
}

async function failureOf(mint: Mint): Promise<TokenRequestError> {
  const error: unknown = await requestToken(mint).catch((failure: unknown) => failure);
  if (error instanceof TokenRequestError) return error;
  throw new Error('was answered', { cause: error });
}

async function startTokenEndpoint() {
  return await startEndpoint((response) => sendJson(response, { access_token: 'at', expires_in: 60 }));
}

describe('client credentials', () => {
  function acting(
    tokenUrl: string,
    provider: Partial<ReadyProvider> = {},
    fields: Partial<ReadyIntegration> = {},
  ): ReadyIntegration {
    return plainIntegration(fields, { grant: 'client_credentials', tokenUrl, ...provider });
  }

  it('are sent with the scopes and the extra parameters of the integration', async () => {
    const { url, requests } = await startTokenEndpoint();
    const integration = acting(url, { tokenParams: { audience: 'https://api.example' } });
    const answer = await requestToken({ integration, fields: {}, guard });
    expect(formOf(requests[0])).toEqual({
      grant_type: 'client_credentials',
      scope: 'read write',
      audience: 'https://api.example',
      client_id: 'client-1',
      client_secret: 'client-secret-canary',
    });
    expect(readTokenResponse(integration.provider, answer)).toMatchObject({ kind: 'tokens' });
  });

  it('go without a scope where there is none', async () => {
    const { url, requests } = await startTokenEndpoint();
    await requestToken({ integration: acting(url, {}, { scopes: [] }), fields: {}, guard });
    expect(formOf(requests[0])).not.toHaveProperty('scope');
  });

  it('are not changed by an extra parameter', async () => {
    const { url, requests } = await startTokenEndpoint();
    const tokenParams = { grant_type: 'password', client_id: 'other', scope: 'all' };
    await requestToken({ integration: acting(url, { tokenParams }), fields: {}, guard });
    expect(formOf(requests[0])).toMatchObject({
      grant_type: 'client_credentials',
      client_id: 'client-1',
      scope: 'read write',
    });
  });

  const ownClient = { fields: { clientId: { pattern: '[a-z0-9-]+' } } };

  it('may be a client of the tenant’s own', async () => {
    const { url, requests } = await startTokenEndpoint();
    const own = { fields: { clientId: 'tenant-1' }, grantSecret: new Secret('tenant-secret') };
    await requestToken({ integration: acting(url, ownClient), ...own, guard });
    expect(formOf(requests[0])).toMatchObject({ client_id: 'tenant-1', client_secret: 'tenant-secret' });
  });

  it('of a tenant are never sent with the secret of the integration', async () => {
    const { url, requests } = await startTokenEndpoint();
    const own = { fields: { clientId: 'tenant-1' } };
    const error = await failureOf({ integration: acting(url, ownClient), ...own, guard });
    expect(error).toMatchObject({ code: 'client_secret_missing', sent: 'no' });
    expect(requests).toEqual([]);
  });

  it('go to a token endpoint that a field is part of, and are for that one', async () => {
    const key = newKey('ES256');
    const { url, requests } = await startTokenEndpoint();
    const fields = { realm: { pattern: '[a-z]+' } };
    const integration = acting(
      `${url}/realms/{realm}/token`,
      { fields, clientAuthentication: 'private_key_jwt' },
      { clientKey: key.pem },
    );
    await requestToken({ integration, fields: { realm: 'acme' }, guard });
    expect(requests[0]?.path).toBe('/realms/acme/token');
    const { payload } = await jwtVerify(formOf(requests[0])['client_assertion'] ?? '', key.publicKey);
    expect(payload.aud).toBe(`${url}/realms/acme/token`);
  });

  it('may be a key of the tenant’s own', async () => {
    const key = newKey('ES256');
    const { url, requests } = await startTokenEndpoint();
    const integration = acting(url, { ...ownClient, clientAuthentication: 'private_key_jwt' });
    await requestToken({ integration, fields: { clientId: 'tenant-1' }, grantSecret: key.pem, guard });
    const { payload } = await jwtVerify(formOf(requests[0])['client_assertion'] ?? '', key.publicKey);
    expect(payload).toMatchObject({ iss: 'tenant-1', sub: 'tenant-1', aud: url });
  });
});

describe('a JWT bearer assertion', () => {
  const key = newKey('RS256');
  const clientKey = newKey('RS256');

  function signing(tokenUrl: string, provider: Partial<ReadyProvider> = {}): ReadyIntegration {
    const fields = {
      issuer: { pattern: '[a-z@.]+', optional: true },
      subject: { pattern: '[a-z@.]+', optional: true },
      keyId: { pattern: '[0-9a-f]+', optional: true },
    };
    return plainIntegration(
      { clientKey: clientKey.pem, clientKeyId: 'ours' },
      { grant: 'jwt_bearer', clientAuthentication: 'none', tokenUrl, fields, ...provider },
    );
  }

  it('of a service account is signed with its own key', async () => {
    const { url, requests } = await startTokenEndpoint();
    const google = catalog.get('google-service-account') as ReadyProvider;
    const { clientId: _none, ...integration } = signing(url, { ...google, tokenUrl: url });
    const fields = { issuer: 'bot@a.iam.gserviceaccount.com', subject: 'ann@example.com', keyId: 'c0ffee' };
    await requestToken({ integration, fields, grantSecret: key.pem, guard });
    const { assertion = '', ...others } = formOf(requests[0]);
    expect(others).toEqual({ grant_type: jwtBearer });
    const { payload, protectedHeader } = await jwtVerify(assertion, key.publicKey);
    expect(protectedHeader).toMatchObject({ alg: 'RS256', kid: 'c0ffee' });
    expect(payload).toMatchObject({
      iss: 'bot@a.iam.gserviceaccount.com',
      sub: 'ann@example.com',
      aud: url,
      scope: 'read write',
    });
  });

  it('of an integration is signed with its key, for a user that the credential names', async () => {
    const { url, requests } = await startTokenEndpoint();
    await requestToken({ integration: signing(url), fields: { subject: 'ann@example.com' }, guard });
    const { assertion = '', ...others } = formOf(requests[0]);
    expect(others).toEqual({ grant_type: jwtBearer, scope: 'read write', client_id: 'client-1' });
    const { payload, protectedHeader } = await jwtVerify(assertion, clientKey.publicKey);
    expect(protectedHeader.kid).toBe('ours');
    expect(payload).toMatchObject({ iss: 'client-1', sub: 'ann@example.com' });
    expect(payload).not.toHaveProperty('scope');
  });

  it('of an issuer that the credential names is never signed with the key of the integration', async () => {
    const { url, requests } = await startTokenEndpoint();
    const error = await failureOf({ integration: signing(url), fields: { issuer: 'other@example' }, guard });
    expect(error).toMatchObject({ code: 'private_key_missing', sent: 'no' });
    expect(requests).toEqual([]);
  });

  it('may be for another audience than the token endpoint', async () => {
    const { url, requests } = await startTokenEndpoint();
    const integration = signing(url, { assertionAudience: 'https://login.example' });
    await requestToken({ integration, fields: {}, guard });
    const { payload } = await jwtVerify(formOf(requests[0])['assertion'] ?? '', clientKey.publicKey);
    expect(payload.aud).toBe('https://login.example');
  });

  it.each([
    ['is no key', new Secret('canary'), 'private_key_invalid'],
    ['is missing', undefined, 'private_key_missing'],
  ])('is not sent when the key %s', async (_, grantSecret, code) => {
    const { url, requests } = await startTokenEndpoint();
    const { clientKey: _ours, ...integration } = signing(url);
    const error = await failureOf({ integration, fields: {}, grantSecret, guard });
    expect(error).toMatchObject({ code, sent: 'no' });
    expect(requests).toEqual([]);
  });
});

describe('an installation token of a GitHub App', () => {
  const key = newKey('RS256');
  const app = { clientId: 'Iv23li', publicKey: key.publicKey, installationId: '4711' };

  function integrationAt(tokenUrl: string, fields: Partial<ReadyIntegration> = {}): ReadyIntegration {
    const provider = { ...(catalog.get('github-app') as Provider), tokenUrl } as ReadyProvider;
    return { ...plainIntegration(), provider, clientId: app.clientId, clientKey: key.pem, ...fields };
  }

  async function ask(integration: ReadyIntegration, installationId = '4711'): Promise<TokenResult> {
    const answer = await requestToken({ integration, fields: { installationId }, guard });
    return readTokenResponse(integration.provider, answer);
  }

  it('is had for a JWT of the app, and ends when GitHub says', async () => {
    const { tokenUrl, requests } = await startGithub(app);
    const result = await ask(integrationAt(tokenUrl));
    if (result.kind === 'failure') throw new Error(result.failure.reason);
    expect(result.tokens.accessToken.reveal()).toBe('ghs_canary');
    expect(result.tokens).toMatchObject({ refreshToken: undefined, scopes: undefined, tokenType: 'Bearer' });
    // GitHub's `Date` has whole seconds.
    const inAnHour = (result.tokens.expiresAt?.getTime() ?? 0) - Date.now() - 3_600_000;
    expect(Math.abs(inAnHour)).toBeLessThan(2_000);
    expect(requests[0]).toMatchObject({ method: 'POST', body: '' });
  });

  it('is refused as the operator’s matter when the key is another', async () => {
    const { tokenUrl } = await startGithub(app);
    const result = await ask(integrationAt(tokenUrl, { clientKey: newKey('RS256').pem }));
    expect(result).toMatchObject({ failure: { class: 'operator', reason: 'http_401' } });
  });

  it('is refused as the operator’s matter when the installation is gone: it costs no credential', async () => {
    const { tokenUrl } = await startGithub(app);
    const result = await ask(integrationAt(tokenUrl), '4712');
    expect(result).toMatchObject({
      failure: { class: 'operator', reason: 'http_404', mayHaveRotated: false },
    });
  });

  it.each(['0', '4711/../../user', '..', '4711?x', 'four', ''])(
    'is not asked for when the installation is %j',
    async (installationId) => {
      const { tokenUrl, requests } = await startGithub(app);
      const error = await failureOf({
        integration: integrationAt(tokenUrl),
        fields: { installationId },
        guard,
      });
      expect(error).toMatchObject({ code: 'fields_invalid', sent: 'no' });
      expect(requests).toEqual([]);
    },
  );
});

it.each(['authorization_code', 'api_key'] as const)(
  'a grant that is not minted is refused: %s',
  async (grant) => {
    const integration = plainIntegration({}, { grant });
    await expect(requestToken({ integration, fields: {}, guard })).rejects.toThrow(TypeError);
  },
);
