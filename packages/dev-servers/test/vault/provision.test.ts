import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { provisionVault, type ProvisionOptions } from '../../src/vault/provision.ts';
import { startEmbeddedVault, type EmbeddedVault } from '../../src/vault/server.ts';
import { denied, VaultHttp } from './contract/vault-http.ts';

const clients = [{ client: 'node' as const }, { client: 'vault' as const }];
const present = clients.filter(({ client }) => isOnPath(client));

// eslint-disable-next-line vitest/expect-expect -- it names what cannot be had here
it.for(clients.filter((each) => !present.includes(each)))('over $client (not on the PATH)', (_, { skip }) =>
  skip(),
);

function isOnPath(command: string): boolean {
  try {
    return execFileSync('sh', ['-c', `command -v ${command}`]).length > 0;
  } catch {
    return false;
  }
}

describe.each(present)('over $client', ({ client }) => {
  let folder: string;
  let approleDir: string;
  let vault: EmbeddedVault;
  let root: VaultHttp;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'vault-'));
    approleDir = join(folder, 'approle');
    vault = await startEmbeddedVault();
    root = new VaultHttp(vault.url, vault.rootToken);
  });

  afterEach(async () => {
    await vault.close();
    await rm(folder, { recursive: true });
  });

  /** Returns what the script said. */
  async function provision(options: Partial<ProvisionOptions> = {}): Promise<string[]> {
    const lines: string[] = [];
    await provisionVault({
      address: vault.url,
      token: vault.rootToken,
      approleDir,
      client,
      waitSeconds: 0,
      onProgress: (line) => lines.push(line),
      ...options,
    });
    return lines;
  }

  async function logIn(role: string): Promise<VaultHttp> {
    const read = (name: string) => readFile(join(approleDir, role, name), 'utf8');
    const body = { role_id: await read('role-id'), secret_id: await read('secret-id') };
    const answer = await root.as('').post('auth/approle/login', body);
    if (answer.status !== 200) throw new Error(`cannot log in as ${role}`);
    return root.as(answer.body.auth.client_token);
  }

  it('makes mounts, keys, policies and roles', async () => {
    await provision();
    const { data: mounts } = (await root.get('sys/mounts')).body;
    expect(mounts).toMatchObject({
      'transit/': { type: 'transit' },
      'transit-refresh/': { type: 'transit' },
      'secret/': { type: 'kv', options: { version: '2' } },
    });
    expect((await root.list('transit-refresh/keys')).body.data.keys).toEqual(['_spool']);
    expect((await root.get('auth/approle/role/gateway')).body.data).toMatchObject({
      token_policies: ['oauth-policy'],
      token_ttl: 3600,
      token_max_ttl: 14400,
    });
    expect((await root.get('auth/approle/role/proxy')).body.data.token_policies).toEqual([
      'oauth-proxy-policy',
    ]);
  });

  it('hands out roles that can do their work and no more', async () => {
    await provision();
    const worker = await logIn('gateway');
    const proxy = await logIn('proxy');
    expect((await worker.post('secret/data/t/github', { data: {} })).status).toBe(200);
    expect((await proxy.get('secret/data/t/github')).status).toBe(200);
    expect(await proxy.post('secret/data/t/github', { data: {} })).toEqual(denied);
    expect(await worker.get('sys/mounts')).toEqual(denied);
  });

  it('changes nothing the second time, and says so', async () => {
    await provision();
    const before = await Promise.all(
      ['gateway/secret-id', 'proxy/role-id'].map((name) => readFile(join(approleDir, name), 'utf8')),
    );
    expect(await provision()).toEqual(['init-vault: nothing to change']);
    const after = await Promise.all(
      ['gateway/secret-id', 'proxy/role-id'].map((name) => readFile(join(approleDir, name), 'utf8')),
    );
    expect(after).toEqual(before);
  });

  it('writes ids where only their owner reads', async () => {
    await provision();
    for (const name of ['gateway/role-id', 'gateway/secret-id', 'proxy/role-id', 'proxy/secret-id']) {
      expect([name, (await stat(join(approleDir, name))).mode & 0o777]).toEqual([name, 0o600]);
    }
  });

  it('replaces a secret id that no longer logs in, and keeps the other', async () => {
    await provision();
    const kept = await readFile(join(approleDir, 'proxy/secret-id'), 'utf8');
    await writeFile(join(approleDir, 'gateway/secret-id'), 'stale');
    const lines = await provision();
    expect(lines).toEqual([`init-vault: writing ${approleDir}/gateway/secret-id`, 'init-vault: done']);
    await logIn('gateway');
    expect(await readFile(join(approleDir, 'proxy/secret-id'), 'utf8')).toBe(kept);
  });

  it('puts right a policy that was changed by hand', async () => {
    await provision();
    await root.post('sys/policies/acl/oauth-proxy-policy', {
      policy: 'path "*" { capabilities = ["create"] }',
    });
    expect(await provision()).toEqual([
      'init-vault: writing the policy oauth-proxy-policy',
      'init-vault: done',
    ]);
    expect(await (await logIn('proxy')).post('secret/data/t/x', { data: {} })).toEqual(denied);
  });

  it.each([{ token_policies: 'oauth-policy' }, { token_ttl: '2h' }, { token_max_ttl: '9h' }])(
    'puts right a role that was changed by hand to %j',
    async (change) => {
      await provision();
      const before = (await root.get('auth/approle/role/proxy')).body.data;
      await root.post('auth/approle/role/proxy', change);
      expect(await provision()).toEqual(['init-vault: writing the role proxy', 'init-vault: done']);
      expect((await root.get('auth/approle/role/proxy')).body.data).toEqual(before);
    },
  );

  it('follows other names for the mounts, also in the policies', async () => {
    await provision({ mounts: { transit: 'crypt', refreshTransit: 'transit', kv: 'creds' } });
    const { policy } = (await root.get('sys/policies/acl/oauth-proxy-policy')).body.data;
    expect(policy).toContain('path "crypt/decrypt/+"');
    expect(policy).toContain('path "creds/data/+/+"');
    expect(policy).not.toContain('path "transit');
    expect((await root.get('sys/policies/acl/oauth-policy')).body.data.policy).toContain(
      'path "transit/encrypt/+"',
    );
    expect((await root.list('transit/keys')).body.data.keys).toEqual(['_spool']);
  });

  it('enables the audit log, and leaves it alone the second time', async () => {
    const auditLog = join(folder, 'audit.log');
    expect(await provision({ auditLog })).toContain(`init-vault: audit log at ${auditLog}`);
    expect((await root.get('sys/audit')).body.data['file/'].options).toEqual({ file_path: auditLog });
    expect(await provision({ auditLog })).toEqual(['init-vault: nothing to change']);
  });

  it('says which file the audit log cannot be written to', async () => {
    await expect(provision({ auditLog: '/dev/null/audit.log' })).rejects.toThrow(
      'cannot write the audit log /dev/null/audit.log',
    );
  });

  it('says what to do about a token that is refused', async () => {
    await expect(provision({ token: 'bad' })).rejects.toThrow('Vault refuses the token in VAULT_TOKEN');
    await expect(provision({ token: '' })).rejects.toThrow('set VAULT_TOKEN');
  });

  it('says what to do about a token that may only read', async () => {
    const reader = await root.tokenWith('path "*" { capabilities = ["read"] }');
    await expect(provision({ token: reader.token })).rejects.toThrow(
      'Vault refuses the token in VAULT_TOKEN',
    );
  });

  it('says what to do about a Vault that is sealed', async () => {
    vault.seal();
    await expect(provision()).rejects.toThrow('vault operator unseal');
  });

  it('says what to do about a Vault that does not answer', async () => {
    await vault.close();
    await expect(provision()).rejects.toThrow('does not answer: start it, or correct VAULT_ADDR');
    vault = await startEmbeddedVault();
  });

  it('waits for a Vault that is about to be unsealed', async () => {
    vault.seal();
    const lines: string[] = [];
    await provision({
      waitSeconds: 30,
      onProgress(line) {
        lines.push(line);
        if (line.includes('waiting')) vault.unseal();
      },
    });
    expect(lines[0]).toContain('waiting for Vault');
    expect(lines.at(-1)).toBe('init-vault: done');
  });

  it.each([
    [{ transit: 'a b' }, "'a b' is no name for a mount"],
    [{ transit: 'same', refreshTransit: 'same' }, 'must differ'],
  ])('refuses the mounts %j', async (mounts, message) => {
    await expect(provision({ mounts })).rejects.toThrow(message);
  });

  it('does not take over a mount of another kind', async () => {
    await root.post('sys/mounts/transit', { type: 'kv-v2' });
    await expect(provision()).rejects.toThrow('transit/ is a mount of type kv, not transit');
  });
});
