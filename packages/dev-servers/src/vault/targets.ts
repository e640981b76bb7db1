/* eslint-disable no-process-env -- the environment says which Vault and which Docker engine there are */
import { request } from 'node:http';
import { startEmbeddedVault } from './server.ts';

/** A Vault that tests run against. */
export interface VaultTarget {
  name: string;
  /** Why it cannot be had here. */
  missing?: string;
  start(): Promise<{ address: string; token: string; stop(): Promise<void> }>;
}

const embedded: VaultTarget = {
  name: 'the embedded Vault',
  async start() {
    const vault = await startEmbeddedVault();
    return { address: vault.url, token: vault.rootToken, stop: () => vault.close() };
  },
};

function given(address: string, token: string): VaultTarget {
  return {
    name: 'the Vault at TEST_VAULT_ADDR',
    start: () => Promise.resolve({ address, token, stop: () => Promise.resolve() }),
  };
}

const docker: VaultTarget = {
  name: 'Vault in Docker',
  async start() {
    const { GenericContainer, Wait } = await import('testcontainers');
    const container = await new GenericContainer('hashicorp/vault:1.21.4')
      .withEnvironment({ VAULT_DEV_ROOT_TOKEN_ID: 'root', VAULT_DEV_LISTEN_ADDRESS: '0.0.0.0:8200' })
      .withExposedPorts(8200)
      .withWaitStrategy(Wait.forHttp('/v1/sys/health', 8200))
      .start();
    const address = `http://${container.getHost()}:${container.getMappedPort(8200)}`;
    return { address, token: 'root', stop: async () => void (await container.stop()) };
  },
};

/** The embedded Vault, the one that the environment names, and one in Docker. */
export async function vaultTargets(): Promise<VaultTarget[]> {
  const { TEST_VAULT_ADDR: address, TEST_VAULT_TOKEN: token } = process.env;
  const missing = (await dockerAnswers()) ? undefined : 'no Docker engine answers';
  return [
    embedded,
    ...(address && token ? [given(address, token)] : []),
    { ...docker, ...(missing === undefined ? {} : { missing }) },
  ];
}

function dockerAnswers(): Promise<boolean> {
  return new Promise((resolve) => {
    const ping = request({ ...dockerAddress(), path: '/_ping', timeout: 2000 }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    ping.once('timeout', () => ping.destroy());
    ping.once('error', () => resolve(false));
    ping.end();
  });
}

function dockerAddress(): { socketPath: string } | { host: string; port: number } {
  const host = process.env['DOCKER_HOST'] ?? 'unix:///var/run/docker.sock';
  if (host.startsWith('unix://')) return { socketPath: host.slice('unix://'.length) };
  const { hostname, port } = new URL(host);
  return { host: hostname, port: Number(port || 2375) };
}
