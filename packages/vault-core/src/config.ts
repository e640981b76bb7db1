import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { CredentialId } from './credential.ts';
import { Secret } from './secret.ts';
import type { VaultClientOptions } from './vault-client.ts';

/*
 * Environment variables, as groups of fields. Each app puts the groups it needs together; each field carries the
 * sentence that docs/configuration.md shows.
 */

type Environment = Readonly<Record<string, string | undefined>>;

/** Every problem of a configuration at once: each names a variable and the rule it breaks, none shows a value. */
export class ConfigError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(
      `The configuration has ${problems.length} problem(s):\n${problems.map((p) => `- ${p}`).join('\n')}`,
    );
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

/** A rule about several variables; it sees which are given, and returns the problems. */
export type ConfigRule = (given: Environment) => string[];

/**
 * Reads the variables that `schema` names; an empty one counts as absent, since compose files and shells pass those on.
 *
 * @throws {ConfigError}
 */
export function readConfig<S extends z.ZodObject>(
  schema: S,
  env: Environment,
  rules: readonly ConfigRule[] = [],
): z.infer<S> {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
  const result = schema.safeParse(given);
  // All values are strings, so one of a wrong type is one that is missing.
  const problems = (result.error?.issues ?? []).map(
    ({ code, path, message }) => `${path.join('.')}: ${code === 'invalid_type' ? 'is required' : message}`,
  );
  problems.push(...rules.flatMap((rule) => rule(given)));
  if (result.success && problems.length === 0) return result.data;
  throw new ConfigError(problems);
}

/** A whole number within limits, of `unit` if it counts something. */
export function integer(limits: { min: number; max: number; fallback: number; unit?: string }) {
  const { min, max, fallback, unit } = limits;
  const rule = `must be a whole number ${unit === undefined ? '' : `of ${unit} `}from ${min} to ${max}`;
  return z
    .string()
    .regex(/^\d{1,10}$/, rule)
    .transform(Number)
    .refine((value) => value >= min && value <= max, rule)
    .prefault(String(fallback));
}

/** An http or https URL without credentials, query and fragment, kept without a slash at its end. */
export function baseUrl() {
  return z
    .string()
    .refine(isBaseUrl, 'must be an http or https URL without credentials, query and fragment')
    .transform((text) => text.replace(/\/+$/, ''));
}

function isBaseUrl(text: string): boolean {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) return false;
  return url.username === '' && url.password === '' && url.search === '' && url.hash === '';
}

/** Web origins, separated by commas. */
export function origins() {
  return z
    .string()
    .transform((text) =>
      text
        .split(',')
        .map((origin) => origin.trim())
        .filter((origin) => origin !== ''),
    )
    .refine((list) => list.every(isOrigin), 'must be web origins such as https://app.example.com');
}

function isOrigin(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && /^https?:$/.test(url.protocol) && url.origin === text;
}

/** The path of a file that can be read. */
export function readableFile() {
  return z.string().refine(isReadable, 'must name a file that can be read');
}

const name = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_-]*$/, 'must be letters, digits, _ and -');
const mount = z.string().regex(/^[A-Za-z0-9_-]+(?:\/[A-Za-z0-9_-]+)*$/, 'must be the path of a mount');
const secret = z.string().transform((value) => new Secret(value));

/** How to reach Vault, and as whom. They go with {@link vaultLoginRule}. */
export const vaultFields = {
  VAULT_ADDR: baseUrl().describe('Address of Vault, for example `https://vault.example.com:8200`.'),
  VAULT_TOKEN: secret.optional().describe('A Vault token. In production use an AppRole instead.'),
  VAULT_ROLE_ID: z.string().optional().describe('Role id of the AppRole to log in with.'),
  VAULT_ROLE_ID_FILE: readableFile()
    .optional()
    .describe('File with the role id, in place of `VAULT_ROLE_ID`.'),
  VAULT_SECRET_ID: secret.optional().describe('Secret id of the AppRole.'),
  VAULT_SECRET_ID_FILE: readableFile()
    .optional()
    .describe('File with the secret id, read at every login, in place of `VAULT_SECRET_ID`.'),
  VAULT_CACERT: readableFile().optional().describe('PEM file with the CA that issued Vault’s certificate.'),
  VAULT_TRANSIT_ENGINE: mount
    .default('transit')
    .describe('Mount of the Transit engine that encrypts access tokens.'),
  VAULT_REFRESH_TRANSIT_ENGINE: mount
    .default('transit-refresh')
    .describe('Mount of the Transit engine that encrypts refresh tokens and client secrets.'),
  VAULT_KV_ENGINE: mount.default('secret').describe('Mount of the KV v2 engine.'),
  VAULT_TIMEOUT: integer({ unit: 'milliseconds', min: 100, max: 60_000, fallback: 5_000 }).describe(
    'How long one call to Vault may take, in milliseconds.',
  ),
  VAULT_MAX_RETRIES: integer({ min: 0, max: 10, fallback: 3 }).describe(
    'How often a call to Vault is repeated after a transient failure.',
  ),
};

export type VaultConfig = z.infer<z.ZodObject<typeof vaultFields>>;

/** There is a token, or both halves of an AppRole. */
export const vaultLoginRule: ConfigRule = (given) => {
  if (given['VAULT_TOKEN'] !== undefined) return [];
  return ['VAULT_ROLE_ID', 'VAULT_SECRET_ID']
    .filter((variable) => given[variable] === undefined && given[`${variable}_FILE`] === undefined)
    .map((variable) => `${variable}: is required, here or as ${variable}_FILE, unless VAULT_TOKEN is given`);
};

/** The options of the VaultClient that a configuration describes. An AppRole wins over a token. */
export function vaultOptions(config: VaultConfig): VaultClientOptions {
  return {
    address: config.VAULT_ADDR,
    ...loginOf(config),
    transitEngine: config.VAULT_TRANSIT_ENGINE,
    refreshTransitEngine: config.VAULT_REFRESH_TRANSIT_ENGINE,
    kvEngine: config.VAULT_KV_ENGINE,
    timeout: config.VAULT_TIMEOUT,
    maxRetries: config.VAULT_MAX_RETRIES,
    ...(config.VAULT_CACERT === undefined ? {} : { caFile: config.VAULT_CACERT }),
  };
}

function loginOf(config: VaultConfig): Pick<VaultClientOptions, 'token' | 'appRole'> {
  const roleId = config.VAULT_ROLE_ID ?? readText(config.VAULT_ROLE_ID_FILE);
  const { VAULT_SECRET_ID: secretId, VAULT_SECRET_ID_FILE: secretIdFile, VAULT_TOKEN: token } = config;
  if (roleId !== undefined && (secretId ?? secretIdFile) !== undefined) {
    return { appRole: { roleId, secretId: () => secretId?.reveal() ?? readText(secretIdFile) ?? '' } };
  }
  return token === undefined ? {} : { token: token.reveal() };
}

/** How to reach Redis. */
export const redisFields = {
  REDIS_URL: z
    .string()
    .regex(/^rediss?:\/\//, 'must be a redis: or rediss: URL')
    .describe('Address of Redis, for example `redis://127.0.0.1:6379`.'),
  REDIS_PREFIX: name.default('connectors').describe('Prefix of all keys and channels in Redis.'),
};

/** What every app that listens needs; `port` is its default. */
export function serverFields(port: number) {
  return {
    HOST: z.string().default('127.0.0.1').describe('Address to listen on.'),
    PORT: integer({ min: 0, max: 65_535, fallback: port }).describe('Port to listen on; 0 picks a free one.'),
    LOG_LEVEL: z
      .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'])
      .default('info')
      .describe('The least severe log lines that are written.'),
    SHUTDOWN_SECONDS: integer({ unit: 'seconds', min: 0, max: 3_600, fallback: 45 }).describe(
      'How long work in flight may take to finish after SIGTERM, in seconds. For a worker it must be longer than an attempt, or new tokens could be lost.',
    ),
  };
}

/** How often tokens may be refreshed on demand. */
export const refreshCooldownField = {
  REFRESH_COOLDOWN_SECONDS: integer({ unit: 'seconds', min: 0, max: 3_600, fallback: 60 }).describe(
    'How long a token is not refreshed on demand after it was issued, and after the last demand, in seconds.',
  ),
};

/** Where users find the console. */
export const consoleUrlField = {
  // Its pages link to each other from the root, and a cookie with the prefix `__Host-` is for the whole host.
  CONSOLE_URL: baseUrl()
    .refine(
      (text) => URL.parse(text)?.pathname === '/',
      'must have no path: the console has a host of its own',
    )
    .prefault('http://127.0.0.1:8090')
    .describe('Address at which users reach the console. Connect links begin with it.'),
};

/**
 * The redirect URI of an integration. Each has its own, so that a provider cannot pass off an answer of its own as another's
 * (RFC 9700 4.4.2).
 */
export function callbackUrl(consoleUrl: string, integration: string): string {
  return `${consoleUrl}/connect/callback/${integration}`;
}

/** Where a user connects an integration. The link grants nothing. */
export function connectUrl(consoleUrl: string, { tenantId, integration }: CredentialId): string {
  return `${consoleUrl}/connect/${tenantId}/${integration}`;
}

function readText(path: string | undefined): string | undefined {
  return path === undefined ? undefined : readFileSync(path, 'utf8').trim();
}

function isReadable(path: string): boolean {
  try {
    readFileSync(path);
    return true;
  } catch {
    return false;
  }
}
