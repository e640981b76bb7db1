import { startEmbeddedVault } from '@connectors/dev-servers';
import { expect, it, onTestFinished } from 'vitest';
import { startRelay, tlsFile } from '../../../packages/vault-core/test/start-relay.ts';
import { callRest, newEnvironment, removeData, runToEnd, startSystem } from './start-system.ts';

/** A Vault that somebody else runs, with a certificate of a CA of their own. */
async function startVault() {
  const vault = await startEmbeddedVault();
  const relay = await startRelay(vault.url, { secure: true });
  onTestFinished(() => vault.close());
  const environment = await newEnvironment({ VAULT_ADDR: relay.address, VAULT_TOKEN: vault.rootToken });
  onTestFinished(() => removeData(environment));
  return { vault, environment };
}

it('a Vault of one’s own serves with its certificate and its names for the mounts, which were not passed on', async () => {
  const { vault, environment } = await startVault();
  const system = await startSystem({
    ...environment,
    VAULT_CACERT: tlsFile('ca'),
    VAULT_TRANSIT_ENGINE: 'crypt',
    VAULT_REFRESH_TRANSIT_ENGINE: 'crypt-refresh',
    VAULT_KV_ENGINE: 'creds',
  });
  onTestFinished(async () => void (await system.interrupt()));
  expect(await callRest(system)).toMatchObject({ status: 200, account: 'demo-user' });
  const response = await fetch(`${vault.url}/v1/sys/mounts`, {
    headers: { 'x-vault-token': vault.rootToken },
  });
  const { data } = (await response.json()) as { data: object };
  expect(Object.keys(data)).toEqual(expect.arrayContaining(['crypt/', 'crypt-refresh/', 'creds/']));
  expect(Object.keys(data)).not.toContain('secret/');
});

it('a Vault whose certificate is not trusted is told from one that does not answer', async () => {
  const { environment } = await startVault();
  const { code, output } = await runToEnd(environment);
  expect(code).toBe(1);
  expect(output).toContain(
    'Let VAULT_CACERT name the PEM file of the CA that signed the certificate of Vault',
  );
});

it('a file of the CA that is not there is named', async () => {
  const { environment } = await startVault();
  const { code, output } = await runToEnd({ ...environment, VAULT_CACERT: '/nowhere/ca.pem' });
  expect(code).toBe(1);
  expect(output).toContain('VAULT_CACERT: must name a file that can be read');
  expect(output).not.toContain('    at ');
});
