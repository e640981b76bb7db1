import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readWorkerConfig } from '../src/config.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'worker-config-'));
});

afterAll(() => rm(folder, { recursive: true }));

const complete = {
  VAULT_ADDR: 'http://127.0.0.1:8200',
  VAULT_TOKEN: 'a-vault-token',
  REDIS_URL: 'redis://127.0.0.1:6379',
  ADMIN_TOKEN: 'the-admin-token-of-this-test',
};

function problems(env: Record<string, string>): string[] {
  try {
    readWorkerConfig(env);
  } catch (error) {
    return (error as { problems: string[] }).problems;
  }
  return [];
}

async function fileWith(content: string): Promise<string> {
  const file = join(folder, 'connectors.yaml');
  await writeFile(file, content);
  return file;
}

describe('the address of the console', () => {
  it.each([
    ['https://console.example.com/', []],
    ['https://example.com/console', ['CONSOLE_URL: must have no path: the console has a host of its own']],
  ])('is a host: %s', (CONSOLE_URL, found) => {
    expect(problems({ ...complete, CONSOLE_URL })).toEqual(found);
  });
});

describe('a configuration', () => {
  it('needs Vault, Redis and an admin token; the rest has defaults', () => {
    expect(readWorkerConfig(complete)).toMatchObject({
      HOST: '127.0.0.1',
      CONSOLE_PORT: 8090,
      CONSOLE: true,
      CONSOLE_URL: 'http://127.0.0.1:8090',
      BOARD_WRITABLE: false,
      REFRESH_CONCURRENCY: 10,
      REFRESH_REQUEST_SECONDS: 15,
      REFRESH_ATTEMPT_SECONDS: 30,
      SWEEP_INTERVAL_SECONDS: 300,
      SWEEP_CALLS_PER_SECOND: 100,
      JOB_LOCK_SECONDS: 30,
    });
  });

  it('needs no admin token without a console', () => {
    const { ADMIN_TOKEN: _none, ...others } = complete;
    expect(problems({ ...others, CONSOLE: 'off' })).toEqual([]);
    expect(problems(others)).toEqual(['ADMIN_TOKEN: is required, unless CONSOLE is off']);
  });

  it('of operators with an issuer needs a client, and says who is one', () => {
    const issuer = { ...complete, ADMIN_OIDC_ISSUER: 'https://login.example.com/' };
    expect(problems(issuer)).toEqual([
      'ADMIN_OIDC_CLIENT_ID: is required with ADMIN_OIDC_ISSUER',
      'ADMIN_OIDC_ALLOW: is required with ADMIN_OIDC_ISSUER',
    ]);
    const client = { ...issuer, ADMIN_OIDC_CLIENT_ID: 'console' };
    expect(problems({ ...client, ADMIN_OIDC_ALLOW: 'ops' })).toEqual([
      'ADMIN_OIDC_ALLOW: must be claim=value, or a list of them with commas',
    ]);
    expect(problems({ ...client, ADMIN_OIDC_ALLOW: 'groups=ops' })).toEqual([]);
    expect(problems({ ...complete, ADMIN_OIDC_ALLOW: 'groups=ops' })).toEqual([
      'ADMIN_OIDC_ISSUER: is required, since there is ADMIN_OIDC_ALLOW',
    ]);
  });

  it('may hold empty variables, which count as absent', () => {
    const empty = { CONNECTORS_CONFIG: '', EGRESS_ALLOW_HOSTS: '', SWEEP_INTERVAL_SECONDS: '', CONSOLE: '' };
    expect(problems({ ...complete, ...empty })).toEqual([]);
  });

  it('brings its integrations along, and a guard that trusts the hosts it names', async () => {
    const demo = {
      authorizeUrl: 'https://a.example/a',
      tokenUrl: 'http://127.0.0.1:9/t',
      clientId: 'a',
      upstream: { rest: 'https://api.example' },
    };
    const { integrations, guard } = readWorkerConfig({
      ...complete,
      GITHUB_CLIENT_ID: 'a-client',
      CONNECTORS_CONFIG: await fileWith(JSON.stringify({ integrations: { demo } })),
      EGRESS_ALLOW_HOSTS: ' 127.0.0.1:9 , localhost,',
    });
    expect([...integrations.keys()]).toEqual(['github', 'demo']);
    expect(guard.check('http://127.0.0.1:9/t').port).toBe('9');
    expect(guard.check('http://localhost/').hostname).toBe('localhost');
    expect(() => guard.check('http://127.0.0.1:10/')).toThrow('port_not_allowed');
  });
});

describe('a wrong configuration', () => {
  it('is told everything that is missing', () => {
    expect(problems({})).toEqual([
      'VAULT_ADDR: is required',
      'REDIS_URL: is required',
      'VAULT_ROLE_ID: is required, here or as VAULT_ROLE_ID_FILE, unless VAULT_TOKEN is given',
      'VAULT_SECRET_ID: is required, here or as VAULT_SECRET_ID_FILE, unless VAULT_TOKEN is given',
      'ADMIN_TOKEN: is required, unless CONSOLE is off',
    ]);
  });

  it('is told every rule that it breaks, in the environment and in the file, and none of its values', async () => {
    const canary = 'canary-value';
    const env = {
      VAULT_ADDR: `ftp://${canary}`,
      VAULT_TOKEN: canary,
      REDIS_URL: `http://${canary}`,
      REDIS_PREFIX: `${canary}:`,
      ADMIN_TOKEN: canary,
      CONSOLE: canary,
      BOARD_WRITABLE: 'true',
      CONSOLE_PORT: '70000',
      CONSOLE_URL: `https://user:${canary}@host`,
      REFRESH_CONCURRENCY: '0',
      REFRESH_REQUEST_SECONDS: '30',
      REFRESH_ATTEMPT_SECONDS: '30',
      SWEEP_INTERVAL_SECONDS: '-1',
      EGRESS_ALLOW_HOSTS: `http://${canary}/`,
      GITHUB_CLIENT_SECRET: canary,
      CONNECTORS_CONFIG: await fileWith(
        JSON.stringify({ integrations: { '-bad': {}, demo: { scopes: [`a ${canary}`] } } }),
      ),
    };
    const found = problems(env);
    expect(found).toEqual([
      'CONSOLE_PORT: must be a whole number from 0 to 65535',
      'CONSOLE: must be on or off',
      'CONSOLE_URL: must be an http or https URL without credentials, query and fragment',
      'ADMIN_TOKEN: must have at least 24 characters',
      'BOARD_WRITABLE: must be on or off',
      'VAULT_ADDR: must be an http or https URL without credentials, query and fragment',
      'REDIS_URL: must be a redis: or rediss: URL',
      'REDIS_PREFIX: must be letters, digits, _ and -',
      'EGRESS_ALLOW_HOSTS: must be host or host:port, separated by commas',
      'REFRESH_CONCURRENCY: must be a whole number from 1 to 1000',
      'SWEEP_INTERVAL_SECONDS: must be a whole number of seconds from 1 to 86400',
      'REFRESH_ATTEMPT_SECONDS: must be longer than REFRESH_REQUEST_SECONDS',
      'GITHUB_CLIENT_SECRET: set without GITHUB_CLIENT_ID',
      expect.stringMatching(/^integrations\.-bad: the name must be /) as string,
      'integrations.demo.scopes.0: must be one scope, without spaces',
    ]);
    expect(found.join('\n')).not.toContain(canary);
  });

  it('is told of an integration without the private key that its tokens are asked for with', () => {
    expect(problems({ ...complete, GITHUB_APP_CLIENT_ID: 'Iv1' })).toEqual([
      'integrations.github-app.clientKeyEnv: a private key is required, as GITHUB_APP_CLIENT_KEY or in the variable named here',
    ]);
  });

  it('is told of a file that is not there', () => {
    expect(problems({ ...complete, CONNECTORS_CONFIG: join(folder, 'none') })).toEqual([
      'CONNECTORS_CONFIG: must name a file that can be read',
    ]);
  });

  it('is told of a file that is no YAML, by its line', async () => {
    const file = await fileWith('integrations:\n  demo: [');
    expect(problems({ ...complete, CONNECTORS_CONFIG: file })).toEqual([
      expect.stringMatching(/^connectors\.yaml: not valid YAML, line \d/) as string,
    ]);
  });
});
