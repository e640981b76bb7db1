import { join } from 'node:path';
import { expect, vi } from 'vitest';
import { examine } from '../../cli/doctor/examine.ts';
import type { Finding } from '../../cli/doctor/finding.ts';
import type { Environment, Subjects } from '../../cli/doctor/subjects.ts';
import { startCli } from './start-cli.ts';

export type Doctor = Awaited<ReturnType<typeof startDoctor>>;

/** A deployment that is as it should be, and what its apps are started with. */
export async function startDoctor() {
  const cli = await startCli({ proxies: 1 });
  const { fleet, dir, access } = cli;
  await fleet.connect('acme');
  const { CONSOLE_URL } = access;
  const worker: Record<string, string> = {
    ...fleet.environment('gateway'),
    CONNECTORS_CONFIG: join(dir, 'worker-1.yaml'),
    CONSOLE_URL,
    ADMIN_TOKEN: cli.adminToken,
    DEMO_CLIENT_SECRET: fleet.client.clientSecret,
  };
  const proxy: Record<string, string> = {
    ...fleet.environment('proxy'),
    CONNECTORS_CONFIG: join(dir, 'proxy-1.yaml'),
    CONSOLE_URL,
    MCP_SESSION_KEY: fleet.sessionKey,
  };
  const { vaultToken: operatorToken } = fleet;

  /** Calls Vault as its operator. */
  async function vault(
    method: string,
    path: string,
    body?: object,
  ): Promise<{ data: Record<string, unknown> }> {
    const response = await fetch(`${fleet.vault.url}/v1/${path}`, {
      method,
      headers: { 'x-vault-token': operatorToken },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return (text === '' ? { data: {} } : JSON.parse(text)) as { data: Record<string, unknown> };
  }

  let policies = 0;
  /** A token of Vault with this policy. */
  async function tokenWith(policy: string, options: object = {}): Promise<string> {
    const name = `planted-${(policies += 1)}`;
    await vault('POST', `sys/policies/acl/${name}`, { policy });
    const answer = await vault('POST', 'auth/token/create', { policies: [name], ...options });
    return (answer as unknown as { auth: { client_token: string } }).auth.client_token;
  }

  await vi.waitFor(async () => {
    const { status } = await finding({ worker }, 'workers.sweeping');
    expect(status).toBe('ok');
  }, 20_000);
  return { ...cli, worker, proxy, operatorToken, vault, tokenWith };
}

interface Options {
  asksProviders?: boolean;
  now?: () => number;
}

export function findingsOf(subjects: Subjects, options: Options = {}): Promise<Finding[]> {
  return examine({ subjects, asksProviders: false, now: Date.now, ...options });
}

/** What is found under this name, the worst first. */
export async function finding(subjects: Subjects, check: string, options: Options = {}): Promise<Finding> {
  const found = (await findingsOf(subjects, options)).filter((one) => one.check === check);
  const worst = found.find(({ status }) => status === 'failed') ?? found.find(({ fix }) => fix) ?? found[0];
  if (worst === undefined) throw new Error(`Nothing was found of ${check}`);
  return worst;
}

/** The environment with a token in place of the AppRole. */
export function withToken(env: Environment, token: string): Environment {
  const { VAULT_ROLE_ID_FILE: _role, VAULT_SECRET_ID_FILE: _secret, ...rest } = env;
  return { ...rest, VAULT_TOKEN: token };
}
