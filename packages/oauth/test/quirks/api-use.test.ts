import { EgressGuard } from '@connectors/egress';
import { Secret } from '@connectors/vault-core';
import { describe, expect, it } from 'vitest';
import { apiAddress } from '../../src/api-address.ts';
import { Injection, isRefusalBody, isTokenRefused } from '../../src/index.ts';
import type { CredentialFields } from '../../src/index.ts';
import { definitionOf } from './start-quirky.ts';

function headersOf(id: string, fields: CredentialFields = {}): Record<string, string> {
  const accessToken = new Secret('at-1');
  const injection = new Injection(definitionOf(id).injection, { accessToken, fields, clientId: 'client-1' });
  const all = injection.headers();
  const pairs = all.flatMap((name, index) => (index % 2 === 0 ? [[name, all[index + 1] ?? '']] : []));
  return {
    ...Object.fromEntries(injection.defaults.map(({ name, value }) => [name, value])),
    ...Object.fromEntries(pairs),
  };
}

function addressOf(id: string, fields: CredentialFields): string | undefined {
  const definition = definitionOf(id);
  return apiAddress(definition, definition.apiBaseUrl ?? '', fields, new EgressGuard())?.href;
}

describe('quirk: scheme is not Bearer', () => {
  it.each([
    ['zoho', { Authorization: 'Zoho-oauthtoken at-1' }],
    ['shopify', { 'X-Shopify-Access-Token': 'at-1' }],
    ['monday', { Authorization: 'at-1' }],
  ])('of %s', (id, headers) => expect(headersOf(id)).toEqual(headers));
});

describe('quirk: extra header required', () => {
  it.each<[string, CredentialFields, object]>([
    ['notion', {}, { 'Notion-Version': '2022-06-28' }],
    ['xero', { xeroTenantId: 'org-1' }, { 'Xero-Tenant-Id': 'org-1' }],
    ['twitch', {}, { 'Client-Id': 'client-1' }],
    ['heroku', {}, { Accept: 'application/vnd.heroku+json; version=3' }],
    ['intercom', {}, { 'Intercom-Version': '2.11' }],
    ['reddit', {}, { 'User-Agent': 'connectors' }],
  ])('of %s', (id, fields, headers) => {
    expect(headersOf(id, fields)).toEqual({ Authorization: 'Bearer at-1', ...headers });
  });
});

describe('quirk: API host differs per account', () => {
  it.each<[string, CredentialFields, string]>([
    ['salesforce', { instance: 'acme.my.salesforce.com' }, 'https://acme.my.salesforce.com/'],
    ['pipedrive', { company: 'acme.pipedrive.com' }, 'https://acme.pipedrive.com/api'],
    ['zoho', { api: 'www.zohoapis.com.au' }, 'https://www.zohoapis.com.au/'],
    ['zoho', { api: 'www.zohoapis.ca' }, 'https://www.zohoapis.ca/'],
    ['gong', { base: 'us-1.api.gong.io' }, 'https://us-1.api.gong.io/'],
    ['docusign', { base: 'na3.docusign.net' }, 'https://na3.docusign.net/'],
    ['mailchimp', { dc: 'us19' }, 'https://us19.api.mailchimp.com/3.0'],
    ['zendesk', { subdomain: 'acme' }, 'https://acme.zendesk.com/api/v2'],
    ['shopify', { shop: 'acme' }, 'https://acme.myshopify.com/admin/api'],
  ])('of %s', (id, fields, address) => expect(addressOf(id, fields)).toBe(address));

  it.each<[string, CredentialFields]>([
    ['salesforce', { instance: 'evil.example' }],
    ['salesforce', { instance: 'salesforce.com.evil.example' }],
    ['salesforce', { instance: 'evilsalesforce.com' }],
    ['pipedrive', { company: 'pipedrive.com.evil.example' }],
    ['zoho', { api: 'www.zohoapis.evil.example' }],
    ['zoho', { api: 'www.zohoapis.xyz' }],
    ['gong', { base: 'evil-api.gong.io.example' }],
    ['gong', { base: 'evilapi.gong.io' }],
    ['docusign', { base: 'docusign.net.evil.example' }],
    ['mailchimp', { dc: 'us19.evil' }],
    ['zendesk', { subdomain: 'evil.example#' }],
    ['shopify', { shop: 'evil.example/' }],
  ])('of %s is never another’s: %j', (id, fields) => expect(addressOf(id, fields)).toBeUndefined());
});

describe('quirk: dead access token not signalled by 401', () => {
  it.each(['slack', 'slack-rotating'])('of %s is told by what its success says', (id) => {
    const { tokenRefusedErrors } = definitionOf(id);
    expect(isRefusalBody('{"ok":false,"error":"token_expired"}', tokenRefusedErrors)).toBe(true);
    expect(isRefusalBody('{"ok":false,"error":"channel_not_found"}', tokenRefusedErrors)).toBe(false);
  });
});

describe('quirk: 401 that is not a dead token', () => {
  it('cannot come from the site of an Atlassian customer, for its gateway alone is called', () => {
    const { apiBaseUrl = '' } = definitionOf('atlassian');
    expect(new URL(apiBaseUrl).host).toBe('api.atlassian.com');
  });

  it('refreshes nothing where the challenge speaks of a permission', () => {
    const challenge = 'Bearer error="insufficient_scope"';
    expect(isTokenRefused({ status: 401, challenge }, definitionOf('atlassian').tokenRefusedStatuses)).toBe(
      false,
    );
  });
});

describe('quirk: token accepted outside the header', () => {
  it('is used for APIs that take nothing else, and by no provider of the catalogue', () => {
    const style = { ...definitionOf('bitbucket').injection, query: 'access_token' };
    const injection = new Injection(style, { accessToken: new Secret('at/1') });
    expect(injection.intoQuery('?a=b&access_token=theirs')).toBe('?a=b&access_token=at%2F1');
    expect(definitionOf('bitbucket').injection.query).toBeUndefined();
  });
});
