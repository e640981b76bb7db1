import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  baseUrl,
  ConfigError,
  consoleUrlField,
  integer,
  readConfig,
  redisFields,
  serverFields,
  vaultFields,
  vaultLoginRule,
  vaultOptions,
} from '../src/index.ts';

const vaultSchema = z.object(vaultFields);
const folder = mkdtempSync(join(tmpdir(), 'config-'));

afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

function problemsOf(read: () => unknown): readonly string[] {
  try {
    read();
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

const readVault = (env: Record<string, string>) => readConfig(vaultSchema, env, [vaultLoginRule]);
const vaultEnv = { VAULT_ADDR: 'https://vault.production.com:8200' };

describe('a configuration', () => {
  const schema = z.object({
    PORT: integer({ min: 1, max: 9, fallback: 5 }),
    NAME: z.string(),
    URL: baseUrl(),
  });

  it('is told all its problems at once, each with its variable', () => {
    const rule = () => ['BOTH: must not be given'];
    expect(problemsOf(() => readConfig(schema, { PORT: 'x', URL: 'ftp://x' }, [rule]))).toEqual([
      'PORT: must be a whole number from 1 to 9',
      'NAME: is required',
      'URL: must be an http or https URL without credentials, query and fragment',
      'BOTH: must not be given',
    ]);
  });

  it('says the problems in its message', () => {
    expect(() => readConfig(schema, { URL: 'http://x' })).toThrow(
      'The configuration has 1 problem(s):\n- NAME: is required',
    );
  });

  it('takes an empty variable for none', () => {
    const config = readConfig(schema, { PORT: '', NAME: 'x', URL: 'http://x' });
    expect(config.PORT).toBe(5);
    expect(problemsOf(() => readConfig(schema, { NAME: '', URL: 'http://x' }))).toEqual([
      'NAME: is required',
    ]);
  });

  it('ignores variables that it does not name', () => {
    const config = readConfig(schema, { NAME: 'x', URL: 'http://x', PATH: '/bin' });
    expect(Object.keys(config).toSorted()).toEqual(['NAME', 'PORT', 'URL']);
  });

  it('never shows a value', () => {
    const env = {
      VAULT_ADDR: 'canary',
      VAULT_KV_ENGINE: '../canary',
      VAULT_TIMEOUT: 'canary',
      VAULT_CACERT: 'canary',
    };
    const problems = problemsOf(() => readVault(env));
    expect(problems).toHaveLength(6);
    expect(problems.join()).not.toContain('canary');
  });
});

describe('a whole number', () => {
  const schema = z.object({ N: integer({ min: 100, max: 200, fallback: 150, unit: 'seconds' }) });

  it.each([
    ['100', 100],
    ['200', 200],
    ['0150', 150],
  ])('takes %s', (text, value) => {
    expect(readConfig(schema, { N: text }).N).toBe(value);
  });

  it.each(['99', '201', '1e2', '150.5', '-150', ' 150', '150s', '99999999999'])('refuses %j', (text) => {
    expect(problemsOf(() => readConfig(schema, { N: text }))).toEqual([
      'N: must be a whole number of seconds from 100 to 200',
    ]);
  });
});

describe('a base URL', () => {
  const schema = z.object({ URL: baseUrl() });

  it.each([
    ['https://vault.example.com:8200', 'https://vault.example.com:8200'],
    ['http://127.0.0.1/', 'http://127.0.0.1'],
    ['https://example.com/vault//', 'https://example.com/vault'],
  ])('takes %s', (text, kept) => {
    expect(readConfig(schema, { URL: text }).URL).toBe(kept);
  });

  it.each([
    'vault:8200',
    'ftp://vault',
    'https://user:pw@vault',
    'https://vault?x=1',
    'https://vault#x',
    '/vault',
    ' ',
  ])('refuses %j', (text) => {
    expect(problemsOf(() => readConfig(schema, { URL: text }))).toHaveLength(1);
  });
});

describe('Vault', () => {
  it('is reached as the guide says', () => {
    const config = readVault({
      ...vaultEnv,
      VAULT_TOKEN: 's.xyz',
      VAULT_TRANSIT_ENGINE: 'transit',
      VAULT_KV_ENGINE: 'secret',
      VAULT_TIMEOUT: '5000',
      VAULT_MAX_RETRIES: '3',
    });
    expect(vaultOptions(config)).toEqual({
      address: 'https://vault.production.com:8200',
      token: 's.xyz',
      transitEngine: 'transit',
      refreshTransitEngine: 'transit-refresh',
      kvEngine: 'secret',
      timeout: 5_000,
      maxRetries: 3,
    });
  });

  it('has the guide’s settings unless told otherwise', () => {
    const defaults = vaultOptions(readVault({ ...vaultEnv, VAULT_TOKEN: 's.xyz' }));
    expect(defaults).toMatchObject({
      transitEngine: 'transit',
      kvEngine: 'secret',
      timeout: 5_000,
      maxRetries: 3,
    });
  });

  it('does not show its token', () => {
    const config = readVault({ ...vaultEnv, VAULT_TOKEN: 's.canary', VAULT_SECRET_ID: 'canary' });
    expect(JSON.stringify(config)).not.toContain('canary');
  });

  it.each(['/transit', 'transit/', 'a//b', '../sys', 'a b', 'a?b', 'é'])('has no mount %j', (mount) => {
    expect(problemsOf(() => readVault({ ...vaultEnv, VAULT_TOKEN: 'x', VAULT_KV_ENGINE: mount }))).toEqual([
      'VAULT_KV_ENGINE: must be the path of a mount',
    ]);
  });

  it('may have mounts in folders', () => {
    expect(readVault({ ...vaultEnv, VAULT_TOKEN: 'x', VAULT_KV_ENGINE: 'team-a/kv' }).VAULT_KV_ENGINE).toBe(
      'team-a/kv',
    );
  });

  it('has a CA file that can be read', () => {
    const ca = file('ca.pem', 'PEM');
    expect(vaultOptions(readVault({ ...vaultEnv, VAULT_TOKEN: 'x', VAULT_CACERT: ca })).caFile).toBe(ca);
    expect(
      problemsOf(() => readVault({ ...vaultEnv, VAULT_TOKEN: 'x', VAULT_CACERT: `${ca}.missing` })),
    ).toEqual(['VAULT_CACERT: must name a file that can be read']);
  });
});

describe('the login to Vault', () => {
  it('needs a token or an AppRole', () => {
    expect(problemsOf(() => readVault(vaultEnv))).toEqual([
      'VAULT_ROLE_ID: is required, here or as VAULT_ROLE_ID_FILE, unless VAULT_TOKEN is given',
      'VAULT_SECRET_ID: is required, here or as VAULT_SECRET_ID_FILE, unless VAULT_TOKEN is given',
    ]);
  });

  it('needs both halves of an AppRole', () => {
    expect(problemsOf(() => readVault({ ...vaultEnv, VAULT_ROLE_ID: 'r' }))).toEqual([
      'VAULT_SECRET_ID: is required, here or as VAULT_SECRET_ID_FILE, unless VAULT_TOKEN is given',
    ]);
  });

  it('is the AppRole when there is a token, too', async () => {
    const env = { ...vaultEnv, VAULT_TOKEN: 't', VAULT_ROLE_ID: 'r', VAULT_SECRET_ID: 's' };
    const options = vaultOptions(readVault(env));
    expect(options.token).toBeUndefined();
    expect(options.appRole?.roleId).toBe('r');
    expect(await secretIdOf(options)).toBe('s');
  });

  it('is the token when only half an AppRole is there', () => {
    const options = vaultOptions(readVault({ ...vaultEnv, VAULT_TOKEN: 't', VAULT_ROLE_ID: 'r' }));
    expect(options).toMatchObject({ token: 't' });
    expect(options.appRole).toBeUndefined();
  });

  it('reads its halves from files, the secret id at each login', async () => {
    const secretIdFile = file('secret-id', 'first\n');
    const env = {
      ...vaultEnv,
      VAULT_ROLE_ID_FILE: file('role-id', 'role\n'),
      VAULT_SECRET_ID_FILE: secretIdFile,
    };
    const options = vaultOptions(readVault(env));
    expect(options.appRole?.roleId).toBe('role');
    expect(await secretIdOf(options)).toBe('first');
    writeFileSync(secretIdFile, 'second\n');
    expect(await secretIdOf(options)).toBe('second');
  });

  it('is told when a file cannot be read', () => {
    const env = { ...vaultEnv, VAULT_ROLE_ID: 'r', VAULT_SECRET_ID_FILE: join(folder, 'missing') };
    expect(problemsOf(() => readVault(env))).toEqual([
      'VAULT_SECRET_ID_FILE: must name a file that can be read',
    ]);
  });

  async function secretIdOf({ appRole }: ReturnType<typeof vaultOptions>): Promise<string | undefined> {
    return typeof appRole?.secretId === 'function' ? await appRole.secretId() : appRole?.secretId;
  }
});

describe('Redis', () => {
  const schema = z.object(redisFields);

  it('is reached at a URL, under a prefix of ours', () => {
    expect(readConfig(schema, { REDIS_URL: 'rediss://user:pw@redis:6380/1' })).toEqual({
      REDIS_URL: 'rediss://user:pw@redis:6380/1',
      REDIS_PREFIX: 'connectors',
    });
  });

  it.each([
    [{ REDIS_URL: 'http://redis' }, 'REDIS_URL: must be a redis: or rediss: URL'],
    [{ REDIS_URL: 'redis://x', REDIS_PREFIX: 'a:b' }, 'REDIS_PREFIX: must be letters, digits, _ and -'],
    [{ REDIS_URL: 'redis://x', REDIS_PREFIX: '{a}' }, 'REDIS_PREFIX: must be letters, digits, _ and -'],
  ])('is refused as %j', (env, problem) => {
    expect(problemsOf(() => readConfig(schema, env))).toEqual([problem]);
  });
});

describe('a server', () => {
  it('listens on its default port on this machine only, unless told otherwise', () => {
    expect(readConfig(z.object({ ...serverFields(8080), ...consoleUrlField }), {})).toEqual({
      HOST: '127.0.0.1',
      PORT: 8080,
      LOG_LEVEL: 'info',
      SHUTDOWN_SECONDS: 45,
      CONSOLE_URL: 'http://127.0.0.1:8090',
    });
  });

  it('is told an unknown log level without its value', () => {
    const [problem = ''] = problemsOf(() => readConfig(z.object(serverFields(1)), { LOG_LEVEL: 'canary' }));
    expect(problem).toMatch(/^LOG_LEVEL: .*"info"/);
    expect(problem).not.toContain('canary');
  });
});
