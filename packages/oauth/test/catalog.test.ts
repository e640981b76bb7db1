import { EgressGuard } from '@connectors/egress';
import { Secret } from '@connectors/vault-core';
import { describe, expect, it } from 'vitest';
import {
  authorizeUrl,
  catalog,
  Discovery,
  entrySchema,
  loadIntegrations,
  refreshAccessToken,
  requestToken,
} from '../src/index.ts';
import type { Provider, ReadyIntegration } from '../src/index.ts';
import { newKey } from './new-key.ts';
import { startEndpoint, sendJson } from './start-endpoint.ts';

const guard = new EgressGuard({ allow: ['127.0.0.1'] });
const signingKey = newKey('RS256').pem.reveal();

/** What an operator has to set before a provider can be used. */
const needed: Record<string, object> = {
  auth0: { values: { domain: 'acme.eu.auth0.com' } },
  databricks: { values: { workspace: 'dbc-1.cloud.databricks.com' } },
  keycloak: { values: { host: 'sso.acme.example:8443/auth', realm: 'main' } },
  oidc: {
    authorizeUrl: 'https://as.example/authorize',
    tokenUrl: 'https://as.example/token',
    apiBaseUrl: 'https://api.example',
  },
  okta: { values: { domain: 'acme.okta.com' } },
  'sentry-integration': { authorizeUrl: 'https://sentry.example/install' },
  servicenow: { values: { instance: 'acme' } },
  snowflake: { values: { account: 'acme-eu1' } },
};

/** What a credential of a provider may bring along, wherever it has fields of its own. */
const example: Record<string, string> = {
  accounts: 'accounts.zoho.eu',
  api: 'www.zohoapis.eu',
  base: 'na3.docusign.net',
  cloudId: '11223344-a11b-1b33-c444-def123456789',
  company: 'acme.pipedrive.com',
  dc: 'us19',
  installationId: '11223344-a11b-1b33-c444-def123456789',
  instance: 'acme.my.salesforce.com',
  issuer: 'bot@acme.iam.gserviceaccount.com',
  shop: 'acme-shop',
  subdomain: 'acme',
  xeroTenantId: '11223344-a11b-1b33-c444-def123456789',
};

function fieldsOf({ id, fields }: Provider): Record<string, string> {
  const names = Object.keys(fields).filter((name) => fields[name]?.optional !== true);
  const own: Record<string, string> = {
    ...example,
    ...(id === 'gong' ? { base: 'us-1.api.gong.io' } : {}),
    ...(id === 'github-app' ? { installationId: '7' } : {}),
  };
  return Object.fromEntries(names.map((name) => [name, own[name] ?? 'unknown']));
}

async function integrationOf(id: string, entry: object = needed[id] ?? {}): Promise<ReadyIntegration> {
  const file = {
    integrations: { [id]: { provider: id, clientId: 'client-1', scopes: ['a', 'b'], ...entry } },
  };
  const name = id.toUpperCase().replaceAll('-', '_');
  const env = { [`${name}_CLIENT_SECRET`]: 'secret-1', [`${name}_CLIENT_KEY`]: signingKey };
  const { integrations, problems } = loadIntegrations({ yaml: JSON.stringify(file), env });
  expect(problems).toEqual([]);
  const integration = integrations.get(id);
  if (integration === undefined) throw new Error(`${id} was not loaded`);
  return await new Discovery({ guard }).complete(integration);
}

describe.each([...catalog.values()])('$id', (definition) => {
  const { id, grant } = definition;

  it('loads with a client, and what else it says that it needs', async () => {
    const { provider, upstreams } = await integrationOf(id);
    const urls = [provider.authorizeUrl, provider.tokenUrl, provider.refreshUrl, provider.revokeUrl];
    const all = [...urls, upstreams.rest, upstreams.mcp].filter((url) => url !== undefined);
    const strict = new EgressGuard();
    const schemes = all.map((url) => strict.check(url.replaceAll(/\{\w+\}/g, 'x')).protocol);
    expect(new Set(schemes)).toEqual(new Set(['https:']));
  });

  it.skipIf(grant !== 'authorization_code')(
    `sends users to its page, with what protects the flow${grant === 'authorization_code' ? '' : ` (skipped: with ${grant} nobody consents)`}`,
    async () => {
      const integration = await integrationOf(id);
      const url = authorizeUrl(integration, {
        redirectUri: 'https://console.example/callback',
        state: 'state-1',
        codeChallenge: 'challenge-1',
        fields: fieldsOf(integration.provider),
      });
      expect(url.href).not.toMatch(/[{}]|%7B|%7D/);
      expect(Object.fromEntries(url.searchParams)).toMatchObject({
        client_id: 'client-1',
        redirect_uri: 'https://console.example/callback',
        state: 'state-1',
        ...(definition.pkce ? { code_challenge: 'challenge-1', code_challenge_method: 'S256' } : {}),
      });
    },
  );

  it('asks for tokens once, and shows who it is', async () => {
    const { url, requests } = await startEndpoint((response) => sendJson(response, {}));
    const integration = await integrationOf(id);
    const { refreshUrl: _own, authorizationHost: _other, ...provider } = integration.provider;
    const there = { ...integration, provider: { ...provider, tokenUrl: `${url}/token` } };
    const refreshToken = new Secret('rt-canary');
    const fields = fieldsOf(provider);
    await (grant === 'authorization_code'
      ? refreshAccessToken({ integration: there, refreshToken, fields, guard })
      : requestToken({ integration: there, fields, grantSecret: grantSecretOf(provider), guard }));
    expect(requests).toHaveLength(1);
    const [request] = requests;
    const sent = `${request?.path} ${request?.headers.authorization} ${request?.body}`;
    expect(sent).toContain(grant === 'authorization_code' ? 'rt-canary' : '');
    expect(sent).toMatch(/Basic |Bearer |client_secret|assertion/);
  });

  it('has a page of its documentation, and names what is not verified by its fields', () => {
    expect(definition.docsUrl).toMatch(/^https:/);
    expect(Object.keys(entrySchema.shape)).toEqual(expect.arrayContaining(definition.unverified));
  });
});

function grantSecretOf({ grant }: Provider): Secret | undefined {
  return grant === 'jwt_bearer' ? new Secret(signingKey) : undefined;
}

describe('a provider whose addresses are not the same for all', () => {
  it.each([
    ['okta', ['integrations.okta.values.domain: required']],
    [
      'keycloak',
      ['integrations.keycloak.values.host: required', 'integrations.keycloak.values.realm: required'],
    ],
    ['sentry-integration', ['integrations.sentry-integration.authorizeUrl: required']],
  ])('%s says what is missing', (id, expected) => {
    const name = id.toUpperCase().replaceAll('-', '_');
    expect(loadIntegrations({ env: { [`${name}_CLIENT_ID`]: 'c' } }).problems).toEqual(expected);
  });

  it('is filled with what the operator set, or the usual', async () => {
    const usual = await integrationOf('gitlab', {});
    expect(usual.provider.tokenUrl).toBe('https://gitlab.com/oauth/token');
    const own = await integrationOf('gitlab', { values: { host: 'git.acme.example:8443/lab' } });
    expect(own.provider.tokenUrl).toBe('https://git.acme.example:8443/lab/oauth/token');
    expect(own.upstreams.rest).toBe('https://git.acme.example:8443/lab/api/v4');
    expect(Object.keys(own.provider.fields)).toEqual(['redirectUri']);
  });

  it('can be tied to one instance, so that no credential names another', async () => {
    const { provider } = await integrationOf('zendesk', { values: { subdomain: 'acme' } });
    expect(provider.tokenUrl).toBe('https://acme.zendesk.com/oauth/tokens');
    expect(provider.fields).toEqual({});
  });

  it.each([
    [{ values: { host: 'evil.example?' } }, 'integrations.gitlab.values.host: must match'],
    [{ values: { host: 'evil example' } }, 'integrations.gitlab.values.host: must match'],
    [{ values: { hots: 'git.acme.example' } }, 'integrations.gitlab.values.hots: there is no such field'],
  ])('refuses values that break their rule, without quoting them: %j', (entry, problem) => {
    const yaml = JSON.stringify({ integrations: { gitlab: { clientId: 'c', ...entry } } });
    const { problems, integrations } = loadIntegrations({ yaml, env: {} });
    expect(problems).toEqual([expect.stringContaining(problem)]);
    expect(problems.join()).not.toContain('evil');
    expect(integrations.size).toBe(0);
  });
});
