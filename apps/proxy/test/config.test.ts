import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readProxyConfig } from '../src/config.ts';

let folder: string;
let file: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'proxy-config-'));
  file = join(folder, 'connectors.yaml');
  const entry = { authorizeUrl: 'https://a.example/a', tokenUrl: 'https://a.example/t', clientId: 'a' };
  const inside = { ...entry, upstream: { rest: 'http://127.0.0.1:9/api', mcp: 'https://10.0.0.1/mcp' } };
  await writeFile(file, JSON.stringify({ integrations: { inside } }));
});
afterAll(() => rm(folder, { recursive: true }));

const complete = {
  VAULT_ADDR: 'http://127.0.0.1:8200',
  VAULT_TOKEN: 'root',
  REDIS_URL: 'redis://127.0.0.1:6379',
  MCP_SESSION_KEY: 'a-session-key-of-the-tests-0123456789',
};

function problems(env: Record<string, string>): unknown {
  try {
    readProxyConfig(env);
  } catch (error) {
    return (error as { problems?: unknown }).problems;
  }
  return [];
}

test('an empty environment is told everything that is missing', () => {
  expect(problems({})).toEqual([
    'VAULT_ADDR: is required',
    'REDIS_URL: is required',
    'VAULT_ROLE_ID: is required, here or as VAULT_ROLE_ID_FILE, unless VAULT_TOKEN is given',
    'VAULT_SECRET_ID: is required, here or as VAULT_SECRET_ID_FILE, unless VAULT_TOKEN is given',
  ]);
});

test('every broken rule is named, and no value', () => {
  const env = {
    ...complete,
    PORT: '99999',
    REFRESH_WAIT_MS: 'soon',
    VAULT_ADDR: 'https://user:pass@vault',
    LOG_LEVEL: 'loud',
  };
  expect(problems(env)).toEqual([
    'PORT: must be a whole number from 0 to 65535',
    expect.stringContaining('LOG_LEVEL: '),
    'VAULT_ADDR: must be an http or https URL without credentials, query and fragment',
    'REFRESH_WAIT_MS: must be a whole number of milliseconds from 1 to 600000',
  ]);
});

test('what is not set has a default', () => {
  expect(readProxyConfig(complete).config).toMatchObject({
    HOST: '127.0.0.1',
    PORT: 8080,
    CONSOLE_URL: 'http://127.0.0.1:8090',
    CREDENTIAL_CACHE_SECONDS: 60,
    STALE_MAX_SECONDS: 3_600,
    REFRESH_WAIT_MS: 15_000,
    UPSTREAM_HEADERS_TIMEOUT_MS: 60_000,
  });
});

test('an upstream that the egress guard refuses is a problem at start', () => {
  expect(problems({ ...complete, CONNECTORS_CONFIG: file })).toEqual([
    'integrations.inside.upstream.rest: Outgoing connection refused: not_https (127.0.0.1)',
    'integrations.inside.upstream.mcp: Outgoing connection refused: address_not_public (10.0.0.1)',
  ]);
});

test('a host that is allowed by name may be private and plain', () => {
  const env = { ...complete, CONNECTORS_CONFIG: file, EGRESS_ALLOW_HOSTS: '127.0.0.1:9, 10.0.0.1' };
  expect(readProxyConfig(env).upstreams.get('inside')?.has('rest')).toBe(true);
});

test('a malformed allow list is a problem', () => {
  expect(problems({ ...complete, EGRESS_ALLOW_HOSTS: 'http://a/b' })).toEqual([
    'EGRESS_ALLOW_HOSTS: must be host or host:port, separated by commas',
  ]);
});

test('MCP sessions need a key once somebody can start one', () => {
  const env = { ...complete, CONNECTORS_CONFIG: file, EGRESS_ALLOW_HOSTS: '127.0.0.1:9,10.0.0.1' };
  expect(problems({ ...complete, MCP_SESSION_KEY: '' })).toEqual([]);
  expect(problems({ ...env, MCP_SESSION_KEY: '' })).toEqual([
    'MCP_SESSION_KEY: is required, because an integration has an MCP upstream',
  ]);
  expect(problems({ ...env, MCP_SESSION_KEY: 'short' })).toEqual([
    'MCP_SESSION_KEY: must have at least 32 characters',
  ]);
  expect(problems(env)).toEqual([]);
});

test('origins are web origins, as browsers send them', () => {
  const origins = 'https://app.example.com, http://localhost:3000';
  const { config } = readProxyConfig({ ...complete, MCP_ALLOWED_ORIGINS: origins });
  expect(config.MCP_ALLOWED_ORIGINS).toEqual(['https://app.example.com', 'http://localhost:3000']);
  for (const wrong of ['*', 'null', 'https://app.example.com/', 'app.example.com']) {
    expect(problems({ ...complete, MCP_ALLOWED_ORIGINS: wrong })).toEqual([
      'MCP_ALLOWED_ORIGINS: must be web origins such as https://app.example.com',
    ]);
  }
});

describe('tokens of an issuer', () => {
  const issuer = { AGENT_JWT_ISSUER: 'https://login.example.com/', AGENT_JWT_AUDIENCE: 'connectors' };

  test('are nobody’s, if none is configured', () => {
    expect(readProxyConfig(complete).tokens).toBeUndefined();
  });

  test('are those of an issuer, spelled as it is', () => {
    expect(readProxyConfig({ ...complete, ...issuer }).tokens).toEqual({
      issuer: 'https://login.example.com/',
      audience: 'connectors',
      jwksUrl: undefined,
      claims: { tenants: 'tenants', integrations: undefined, grants: undefined },
    });
  });

  test('need an audience', () => {
    expect(problems({ ...complete, AGENT_JWT_ISSUER: issuer.AGENT_JWT_ISSUER })).toEqual([
      'AGENT_JWT_AUDIENCE: is required with AGENT_JWT_ISSUER',
    ]);
  });

  test('need an issuer', () => {
    expect(problems({ ...complete, AGENT_JWT_TENANTS_CLAIM: 'orgs' })).toEqual([
      'AGENT_JWT_ISSUER: is required, since there is AGENT_JWT_TENANTS_CLAIM',
    ]);
  });

  test('have keys that may be fetched', () => {
    const env = { ...complete, ...issuer, AGENT_JWT_JWKS_URL: 'http://login.example.com/jwks' };
    expect(problems(env)).toEqual([
      'AGENT_JWT_JWKS_URL: Outgoing connection refused: not_https (login.example.com)',
    ]);
    expect(problems({ ...env, AGENT_JWT_JWKS_URL: 'keys' })).toEqual([
      'AGENT_JWT_JWKS_URL: must be an https URL',
    ]);
  });
});
