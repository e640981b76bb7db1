import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { proxyConfigSchema, readProxyConfig } from '../../../apps/proxy/src/config.ts';
import { readWorkerConfig, workerConfigSchema } from '../../../apps/worker/src/config.ts';
import { interpolate, readComposeFile, type Service } from './compose-file.ts';
import { isSecretName, pinned, repository } from './deployables.ts';

const whole = readComposeFile('docker-compose.yml');
const vault = readComposeFile('vault/docker-compose.vault.yml');
const folderOf = new Map([
  ...Object.values(whole.services).map((service) => [service, '.'] as const),
  ...Object.values(vault.services).map((service) => [service, 'vault'] as const),
]);
const services: Record<string, Service> = { ...vault.services, ...whole.services };
const all = Object.entries(services);
const given = {
  ADMIN_TOKEN: 'an-admin-token-of-the-tests',
  MCP_SESSION_KEY: 'a-session-key-of-the-tests-0123456789',
  REDIS_PROXY_PASSWORD: 'proxy-password',
  REDIS_WORKER_PASSWORD: 'worker-password',
  GITHUB_CLIENT_ID: 'client',
};

const scratch = mkdtempSync(join(tmpdir(), 'compose-'));
afterAll(() => rmSync(scratch, { recursive: true }));

/** What a service finds in its environment; the files it mounts lie elsewhere here. */
function environmentOf(name: string, values: Record<string, string> = given): Record<string, string> {
  const file = join(scratch, 'id');
  writeFileSync(file, 'an-id');
  const entries = Object.entries(services[name]!.environment).map(([variable, text]) => {
    const value = interpolate(text, values);
    if (variable.endsWith('_FILE')) return [variable, file];
    return [variable, variable === 'CONNECTORS_CONFIG' ? join(repository, 'k8s/connectors.yaml') : value];
  });
  return Object.fromEntries(entries) as Record<string, string>;
}

const mountsOf = (service: Service) => service.volumes.map((volume) => volume.split(':') as [string, string]);

describe('the compose files', () => {
  it('make up one project, with the Vault file as a part', () => {
    expect(whole.include).toEqual(['vault/docker-compose.vault.yml']);
    expect(vault.name).toBe(whole.name);
  });

  it('run Vault, its keeper, Redis, a proxy and two workers, one of them with the console', () => {
    expect(Object.keys(services).sort()).toEqual(
      ['connectors-vault', 'console', 'proxy', 'redis', 'vault-init', 'worker'].sort(),
    );
    expect(services['console']!.image).toBe(services['worker']!.image);
  });

  it('declare every volume and network that a service uses', () => {
    const volumes = { ...vault.volumes, ...whole.volumes };
    const networks = { ...vault.networks, ...whole.networks };
    for (const [, service] of all) {
      const named = mountsOf(service).filter(([source]) => !source.startsWith('.'));
      for (const [source] of named) expect(Object.keys(volumes)).toContain(source);
      for (const network of service.networks) expect(Object.keys(networks)).toContain(network);
    }
  });

  it('mount only files that are there, and those read only', () => {
    for (const [service, folder] of folderOf) {
      const binds = service.volumes
        .filter((volume) => volume.startsWith('.'))
        .map((volume) => volume.split(':'));
      expect(binds.filter(([source]) => !existsSync(join(repository, folder, source!)))).toEqual([]);
      expect(binds.filter(([, , mode]) => mode !== 'ro')).toEqual([]);
    }
  });

  it('pin every image that is not built here', () => {
    const pulled = all.map(([, service]) => service).filter(({ build }) => build === undefined);
    expect(pulled.map(({ image }) => image).filter((image) => !pinned.test(image))).toEqual([]);
  });

  it('wait only for services that exist, and for health only where it is checked', () => {
    const waits = all.map(([, service]) => service.depends_on ?? []);
    const forHealth = waits.filter((wait) => !Array.isArray(wait)).flatMap(Object.keys);
    expect(Object.keys(services)).toEqual(expect.arrayContaining(waits.filter(Array.isArray).flat()));
    expect(forHealth.map((name) => services[name]?.healthcheck)).not.toContain(undefined);
    expect(forHealth).toContain('vault-init');
  });

  it('hold no secret but the root token for one machine', () => {
    for (const [name, { environment }] of all) {
      for (const [variable, text] of Object.entries(environment)) {
        const isRootToken = vault.services[name] !== undefined && text === '${DEV_ROOT_TOKEN-dev-root-token}';
        if (!isSecretName(variable) || isRootToken) continue;
        expect(`${variable}=${text}`).toMatch(/^[A-Z_]+=\$\{[A-Z_]+(:-|:\?[^}]*)\}$/);
      }
    }
  });

  it.each(['ADMIN_TOKEN', 'MCP_SESSION_KEY', 'REDIS_PROXY_PASSWORD', 'REDIS_WORKER_PASSWORD'])(
    'insist on %s',
    (name) => {
      const without = { ...given, [name]: '' };
      const start = () => Object.keys(services).map((service) => environmentOf(service, without));
      expect(start).toThrow(`${name}: see docs/deployment.md`);
    },
  );

  it('use the same version of Vault to serve and to initialise', () => {
    expect(services['vault-init']!.image).toBe(services['connectors-vault']!.image);
  });
});

describe('the apps in the compose files', () => {
  it('give the proxy a configuration that it accepts', () => {
    expect(readProxyConfig(environmentOf('proxy')).upstreams.has('github')).toBe(true);
  });

  it.each(['console', 'worker'])('give the service %s a configuration that the worker accepts', (name) => {
    expect(readWorkerConfig(environmentOf(name)).CONSOLE).toBe(name === 'console');
  });

  it.each([
    ['proxy', proxyConfigSchema.shape],
    ['console', workerConfigSchema.shape],
    ['worker', workerConfigSchema.shape],
  ])('set only variables that the %s knows', (name, known) => {
    const variables = Object.keys(services[name]!.environment);
    const own = variables.filter((variable) => !/_CLIENT_(ID|SECRET|KEY)$/.test(variable));
    expect(Object.keys(known)).toEqual(expect.arrayContaining(own));
  });

  it('keep client secrets and the role of the worker from the proxy', () => {
    const { environment, volumes } = services['proxy']!;
    expect(Object.keys(environment).filter((name) => /_CLIENT_(SECRET|KEY)$/.test(name))).toEqual([]);
    expect(volumes.join()).not.toContain('gateway');
  });

  it('keep the unseal key in a volume that vault-init alone mounts', () => {
    const holders = all.filter(([, service]) =>
      mountsOf(service).some(([source]) => source === 'vault-keys'),
    );
    expect(holders.map(([name]) => name)).toEqual(['vault-init']);
  });

  it('run the apps without privileges on a file system that they cannot write', () => {
    for (const name of ['proxy', 'console', 'worker', 'redis']) {
      const hardening = { read_only: true, cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] };
      expect(services[name]).toMatchObject(hardening);
    }
  });

  it('give the apps longer to stop than they take', () => {
    for (const name of ['proxy', 'console', 'worker']) {
      const { stop_grace_period: grace, environment } = services[name]!;
      expect(parseInt(grace!, 10)).toBeGreaterThan(Number(environment['SHUTDOWN_SECONDS']));
    }
  });
});

const hasCompose = spawnSync('docker', ['compose', 'version']).status === 0;

describe.skipIf(!hasCompose)('docker compose (not installed here)', () => {
  it.each(['docker-compose.yml', 'vault/docker-compose.vault.yml'])('accepts %s', (file) => {
    const env = { ...process.env, ...given };
    const config = spawnSync('docker', ['compose', '-f', file, 'config', '--quiet'], {
      cwd: repository,
      env,
    });
    expect(String(config.stderr)).toBe('');
    expect(config.status).toBe(0);
  });
});
