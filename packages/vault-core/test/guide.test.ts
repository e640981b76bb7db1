import { provisionVault, startEmbeddedVault, type EmbeddedVault } from '@connectors/dev-servers';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CredentialNotFoundError, VaultClient, type OAuthCredentials } from '../src/index.ts';

// The examples of the user's guide, under the names that it uses: `transit`, `secret`, `dev-root-token`.

const now = Date.parse('2025-11-08T12:00:00Z');
const credentials: OAuthCredentials = {
  accessToken: 'gho_abc123',
  refreshToken: 'ghr_xyz789',
  expiresAt: new Date('2025-12-31T23:59:59Z'),
  scopes: ['repo', 'user'],
  tokenType: 'Bearer',
  integration: 'github',
};

let server: EmbeddedVault;
let vault: VaultClient;

beforeAll(async () => {
  server = await startEmbeddedVault({ rootToken: 'dev-root-token' });
  await provisionVault({ address: server.url, token: server.rootToken });
  vault = new VaultClient({ address: server.url, token: 'dev-root-token', now: () => now });
});

afterAll(async () => {
  await vault.close();
  await server.close();
});

beforeEach(async () => {
  await vault.storeCredentials('tenant-123', 'github', credentials);
});

async function read(path: string) {
  const response = await fetch(`${server.url}/v1/${path}`, {
    headers: { 'X-Vault-Token': server.rootToken },
  });
  // eslint-disable-next-line typescript/no-explicit-any
  return ((await response.json()) as any).data;
}

describe('storing credentials', () => {
  it('writes a document of the shape that the guide shows', async () => {
    const { data } = await read('secret/data/tenant-123/github');
    const ciphertext = expect.stringMatching(/^vault:v1:[A-Za-z0-9+/]+=*$/) as string;
    expect(data).toEqual({
      accessToken: ciphertext,
      refreshToken: ciphertext,
      expiresAt: '2025-12-31T23:59:59.000Z',
      scopes: ['repo', 'user'],
      tokenType: 'Bearer',
      metadata: {
        createdAt: '2025-11-08T12:00:00.000Z',
        updatedAt: '2025-11-08T12:00:00.000Z',
        createdBy: 'oauth-proxy',
        integration: 'github',
        autoRefresh: true,
        refreshCount: 0,
        status: 'active',
        revision: expect.stringMatching(/^[a-z2-7]{20}$/) as string,
        tokenIssuedAt: '2025-11-08T12:00:00.000Z',
      },
    });
  });

  it('encrypts under keys of the tenant', async () => {
    expect(await read('transit/keys/tenant-123')).toMatchObject({ type: 'aes256-gcm96', exportable: false });
    expect(await read('transit-refresh/keys/tenant-123')).toMatchObject({ type: 'aes256-gcm96' });
  });

  it('keeps a version for each time', async () => {
    const before = await read('secret/metadata/tenant-123/github');
    await vault.storeCredentials('tenant-123', 'github', credentials);
    const after = await read('secret/metadata/tenant-123/github');
    expect(after.current_version).toBe(before.current_version + 1);
  });

  it('leaves out what a provider does not issue', async () => {
    const { accessToken, scopes, tokenType, integration } = credentials;
    await vault.storeCredentials('tenant-123', 'slack', { accessToken, scopes, tokenType, integration });
    const { data } = await read('secret/data/tenant-123/slack');
    expect(Object.keys(data).toSorted()).toEqual(['accessToken', 'metadata', 'scopes', 'tokenType']);
    const stored = await vault.getCredentials('tenant-123', 'slack');
    expect([stored.refreshToken, stored.expiresAt]).toEqual([undefined, undefined]);
  });
});

describe('retrieving credentials', () => {
  it('decrypts the tokens', async () => {
    const creds = await vault.getCredentials('tenant-123', 'github');
    expect(creds.accessToken).toBe('gho_abc123');
    expect(creds.refreshToken).toBe('ghr_xyz789');
  });

  it('gives the expiry as a Date', async () => {
    const creds = await vault.getCredentials('tenant-123', 'github');
    expect(creds.expiresAt).toEqual(new Date('2025-12-31T23:59:59Z'));
  });

  it('gives the facts that were stored with them', async () => {
    const { scopes, tokenType, integration } = await vault.getCredentials('tenant-123', 'github');
    expect({ scopes, tokenType, integration }).toEqual({
      scopes: ['repo', 'user'],
      tokenType: 'Bearer',
      integration: 'github',
    });
  });

  it('throws CredentialNotFoundError for an integration that the tenant has not connected', async () => {
    const asked = vault.getCredentials('tenant-123', 'unknown');
    await expect(asked).rejects.toBeInstanceOf(CredentialNotFoundError);
    await expect(asked).rejects.toMatchObject({
      code: 'credential_not_found',
      message: 'Tenant tenant-123 has not connected unknown',
    });
  });

  it('carries a token of any characters', async () => {
    const accessToken = `ключ-🔑-${'x'.repeat(8_000)}\n"\\`;
    await vault.storeCredentials('tenant-123', 'odd', { ...credentials, accessToken });
    expect((await vault.getCredentials('tenant-123', 'odd')).accessToken).toBe(accessToken);
  });
});

describe('deleting credentials', () => {
  it('says whether there were any', async () => {
    expect(await vault.deleteCredentials('tenant-123', 'github')).toBe(true);
    expect(await vault.deleteCredentials('tenant-123', 'github')).toBe(false);
    expect(await vault.deleteCredentials('tenant-123', 'unknown')).toBe(false);
  });

  it('makes them unknown', async () => {
    await vault.deleteCredentials('tenant-123', 'github');
    await expect(vault.getCredentials('tenant-123', 'github')).rejects.toBeInstanceOf(
      CredentialNotFoundError,
    );
  });
});

describe('listing credentials', () => {
  it('names the integrations that the tenant has connected', async () => {
    await vault.storeCredentials('tenant-456', 'github', credentials);
    await vault.storeCredentials('tenant-456', 'slack', credentials);
    expect(await vault.listCredentials('tenant-456')).toEqual(['github', 'slack']);
  });

  it('is empty for a tenant that never connected anything', async () => {
    expect(await vault.listCredentials('nobody')).toEqual([]);
  });
});

describe('health', () => {
  it('is good while Vault works', async () => {
    expect(await vault.healthCheck()).toBe(true);
  });

  it('is bad while Vault is sealed, and good again after', async () => {
    server.seal();
    expect(await vault.healthCheck()).toBe(false);
    server.unseal();
    expect(await vault.healthCheck()).toBe(true);
  });

  it('is bad, and no error, where no Vault is', async () => {
    const nowhere = new VaultClient({ address: 'http://127.0.0.1:1', token: 'dev-root-token' });
    expect(await nowhere.healthCheck()).toBe(false);
  });
});

it('needs a way to log in', () => {
  expect(() => new VaultClient({ address: server.url })).toThrow(
    expect.objectContaining({ code: 'invalid_request', message: 'VaultClient needs `token` or `appRole`' }),
  );
});
