import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { provisionVault, startEmbeddedVault } from '@connectors/dev-servers';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startRelay, tlsFile } from '../../../packages/vault-core/test/start-relay.ts';
import { repository } from './deployables.ts';

const run = promisify(execFile);
const present = (
  await Promise.all(
    (['node', 'vault'] as const).map((client) =>
      run('sh', ['-c', `command -v ${client}`]).then(
        () => [client],
        () => [],
      ),
    ),
  )
).flat();

async function startVault() {
  const vault = await startEmbeddedVault();
  onTestFinished(() => vault.close());
  return vault;
}

describe.each(present)('init-vault.sh over %s', (client) => {
  it('takes the CA of Vault’s certificate from VAULT_CACERT, and says so where it is missing', async () => {
    const vault = await startVault();
    const { address } = await startRelay(vault.url, { secure: true });
    const options = { address, token: vault.rootToken, client };
    await expect(provisionVault(options)).rejects.toThrow('let VAULT_CACERT name the PEM file of its CA');
    await provisionVault({ ...options, caFile: tlsFile('ca') });
  });

  it('leaves a mount of KV version 1 alone, which others may read', async () => {
    const vault = await startVault();
    await provisionVault({ address: vault.url, token: vault.rootToken });
    const relay = await startRelay(vault.url);
    const body = JSON.stringify({ data: { type: 'kv', options: null } });
    relay.disturb = ({ path }) => (path === 'sys/mounts/secret' ? { status: 200, body } : undefined);
    const provisioned = provisionVault({ address: relay.address, token: vault.rootToken, client });
    await expect(provisioned).rejects.toThrow('secret/ is KV of version 1: let VAULT_KV_ENGINE name another');
    expect(relay.requests.filter(({ method }) => method !== 'GET')).toEqual([]);
  });

  it('understands the CLI also where VAULT_FORMAT is set', async () => {
    const vault = await startVault();
    await provisionVault({ address: vault.url, token: vault.rootToken });
    const { stdout } = await run('sh', [join(repository, 'vault/init-vault.sh')], {
      env: {
        // eslint-disable-next-line no-process-env -- `sh` and the CLI are found there
        PATH: process.env['PATH'],
        VAULT_ADDR: vault.url,
        VAULT_TOKEN: vault.rootToken,
        VAULT_CLIENT: client,
        VAULT_AUDIT_LOG: 'off',
        VAULT_FORMAT: 'json',
      },
    });
    expect(stdout).toBe('init-vault: nothing to change\n');
  });
});
