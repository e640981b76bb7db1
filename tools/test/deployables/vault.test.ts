import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readComposeFile } from './compose-file.ts';
import { filesBelow, read, repository } from './deployables.ts';

const require = createRequire(import.meta.url);
// Imported, its types would bring the browser's globals into every file of the repository.
const hcl = require('@cdktf/hcl2json') as {
  parse(name: string, text: string): Promise<Record<string, unknown>>;
};
const hclFiles = ['vault', 'k8s'].flatMap(filesBelow).filter((file) => file.endsWith('.hcl'));
const { services, networks } = readComposeFile('vault/docker-compose.vault.yml');
const server = services['connectors-vault']!;

const parseHcl = (file: string) => hcl.parse(file, read(file));

describe('the files of Vault', () => {
  it.each(hclFiles)('%s is HCL', async (file) => {
    expect(Object.keys(await parseHcl(file))).not.toEqual([]);
  });

  it.each(
    filesBelow('vault')
      .concat(filesBelow('k8s'))
      .filter((file) => file.endsWith('.sh')),
  )('%s is a shell script', (file) => {
    expect(spawnSync('sh', ['-n', join(repository, file)])).toMatchObject({ status: 0 });
  });

  it('the local configuration stores what it is told on the mounted volume', async () => {
    const config = await parseHcl('vault/config.hcl');
    expect(config).toMatchObject({ ui: true, storage: { raft: [{ path: '/vault/file' }] } });
    expect(server.volumes).toContain('vault-data:/vault/file');
  });

  it.each(['vault/config.production.hcl', 'k8s/vault.hcl'])('%s demands TLS', async (file) => {
    const { listener } = (await parseHcl(file)) as { listener: { tcp: Record<string, unknown>[] } };
    expect(listener.tcp).toEqual([expect.objectContaining({ tls_min_version: 'tls12' })]);
    expect(listener.tcp[0]).toHaveProperty('tls_cert_file');
    expect(listener.tcp[0]).toHaveProperty('tls_key_file');
    expect(listener.tcp[0]).not.toHaveProperty('tls_disable');
  });

  it('the production configuration is the one of the guide', async () => {
    expect(await parseHcl('vault/config.production.hcl')).toMatchObject({
      ui: true,
      storage: { consul: [{ address: 'consul:8500', path: 'vault/' }] },
      seal: { awskms: [{ region: 'us-east-1', kms_key_id: 'alias/vault-unseal' }] },
      telemetry: [{ prometheus_retention_time: '30s', disable_hostname: false }],
    });
  });

  it.each(hclFiles.filter((file) => !file.includes('policies')))('%s reports to Prometheus', async (file) => {
    const telemetry = [{ prometheus_retention_time: '30s', disable_hostname: false }];
    expect(await parseHcl(file)).toMatchObject({ telemetry });
  });
});

describe('the commands of the guide', () => {
  const mounts = server.volumes.map((volume) => volume.split(':')[1]);

  it('find a container and a network by name', () => {
    expect(server.container_name).toBe('connectors-vault');
    expect(Object.values(networks).map(({ name }) => name)).toEqual(['connectors-network']);
  });

  it('find Vault on port 8200 of this machine', () => {
    expect(server.ports).toEqual(['127.0.0.1:8200:8200']);
  });

  it('speak to Vault from inside its container, with a token', () => {
    expect(server.environment).toEqual({
      VAULT_ADDR: 'http://127.0.0.1:8200',
      VAULT_TOKEN: '${DEV_ROOT_TOKEN-dev-root-token}',
    });
  });

  it('find the script that provisions, its policies, and the audit log', () => {
    expect(mounts).toEqual(
      expect.arrayContaining(['/vault/scripts/init-vault.sh', '/vault/policies', '/vault/logs']),
    );
    expect(read('vault/init-vault.sh')).toContain('/vault/logs/audit.log');
  });

  it('find the policy that they read', () => {
    expect(filesBelow('vault/policies')).toContain('vault/policies/oauth-policy.hcl');
  });
});
