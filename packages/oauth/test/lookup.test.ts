import { EgressGuard } from '@connectors/egress';
import { Secret } from '@connectors/vault-core';
import { describe, expect, it } from 'vitest';
import { lookUp } from '../src/index.ts';
import type { ReadyProvider } from '../src/index.ts';
import { plainIntegration } from './fixtures.ts';
import { startEndpoint } from './start-endpoint.ts';

const guard = new EgressGuard({ allow: ['127.0.0.1'] });

/** Asks an endpoint that answers this for `cloudId` and the account. */
async function ask(body: unknown, more: Partial<ReadyProvider> = {}, status = 200) {
  const endpoint = await startEndpoint((response) => {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  });
  const lookup = `${endpoint.url}/sites`;
  const provider = {
    fields: { cloudId: { pattern: '[a-z]{3}', from: { lookup, path: '0.id', label: '0.name' } } },
    account: { id: { lookup, path: '0.owner' } },
    ...more,
  };
  const found = await lookUp({
    integration: plainIntegration({}, provider),
    accessToken: new Secret('token-canary'),
    fields: {},
    guard,
  });
  return { found, requests: endpoint.requests };
}

const sites = [
  { id: 'aaa', name: 'First', owner: 7 },
  { id: 'bbb', owner: 8 },
  { id: '../', name: 'Bad' },
];

describe('a look-up', () => {
  it('asks each address once, as the API is asked', async () => {
    const { requests } = await ask(sites, {
      injection: {
        header: 'X-Token',
        scheme: '',
        headers: { 'X-Site': '{cloudId}' },
        defaultHeaders: { 'X-Version': '1' },
      },
    });
    expect(requests).toHaveLength(1);
    expect(requests[0]?.headers).toMatchObject({ 'x-token': 'token-canary', 'x-version': '1' });
    // What it is to find is not known yet.
    expect(requests[0]?.headers).not.toHaveProperty('x-site');
  });

  it('finds the first of a list, and what else there is to choose from', async () => {
    const { found } = await ask(sites);
    expect(found).toEqual({
      fields: { cloudId: 'aaa' },
      account: { id: '7' },
      choices: [
        {
          field: 'cloudId',
          options: [
            { value: 'aaa', label: 'First' },
            { value: 'bbb', label: 'bbb' },
          ],
        },
      ],
    });
  });

  it('finds lists inside of an object, and the host of an address', async () => {
    const accounts = [{ base: 'https://na1.example/x' }, { base: 'https://eu1.example' }];
    const { found } = await ask({ accounts });
    expect(found.fields).toEqual({});
    const endpoint = await startEndpoint((response) => response.end(JSON.stringify({ accounts })));
    const from = { lookup: endpoint.url, path: 'accounts.0.base', part: 'host' as const };
    const { fields, choices } = await lookUp({
      integration: plainIntegration({}, { fields: { base: { pattern: '[a-z0-9.]+', from } } }),
      accessToken: new Secret('t'),
      fields: {},
      guard,
    });
    expect(fields).toEqual({ base: 'na1.example' });
    expect(choices[0]?.options.map(({ value }) => value)).toEqual(['na1.example', 'eu1.example']);
  });

  it.each([
    ['an error', sites, 500],
    ['a refusal', sites, 401],
    ['a page', '<h1>hi</h1>', 200],
    ['nothing', '', 200],
    ['null', 'null', 200],
    ['a list of nothing', '[]', 200],
  ])('finds nothing in %s', async (_name, body, status) => {
    expect((await ask(body, {}, status)).found).toEqual({ fields: {}, account: undefined, choices: [] });
  });

  it('asks no address that the guard refuses', async () => {
    const from = { lookup: 'http://127.0.0.1:1/private', path: 'id' };
    const found = await lookUp({
      integration: plainIntegration({}, { fields: { id: { pattern: '.+', from } } }),
      accessToken: new Secret('t'),
      fields: {},
      guard: new EgressGuard(),
    });
    expect(found.fields).toEqual({});
  });
});
