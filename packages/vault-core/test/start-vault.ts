import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { vaultTargets, type VaultTarget } from '@connectors/dev-servers/vault-targets';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { VaultClient, type VaultClientOptions } from '../src/index.ts';

export interface Answer {
  status: number;
  // Answers are asserted on, not computed with.
  // eslint-disable-next-line typescript/no-explicit-any
  body: any;
}

const policy = new URL('../../../vault/policies/oauth-policy.hcl', import.meta.url);

/**
 * A Vault with mounts, policy and role of this run's own: it may be shared, and is left as it was. Except that approle stays
 * enabled, for others may be logging in.
 */
export async function prepareVault({ address, token }: { address: string; token: string }) {
  const run = randomBytes(6).toString('hex');
  const mounts = {
    transitEngine: `transit-${run}`,
    refreshTransitEngine: `transit-refresh-${run}`,
    kvEngine: `secret-${run}`,
  };
  const role = `auth/approle/role/gateway-${run}`;
  const made: string[] = [];
  const clients: VaultClient[] = [];

  /** What an operator does, as root. */
  async function call(method: string, path: string, body?: object): Promise<Answer> {
    const response = await fetch(`${address}/v1/${path}`, {
      method,
      headers: { 'X-Vault-Token': token },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
  }

  async function make(path: string, body: object): Promise<void> {
    const { status, body: answer } = await call('POST', path, body);
    if (status >= 300) throw new Error(`${path}: ${status} ${JSON.stringify(answer)}`);
    made.push(path);
  }

  await make(`sys/mounts/${mounts.transitEngine}`, { type: 'transit' });
  await make(`sys/mounts/${mounts.refreshTransitEngine}`, { type: 'transit' });
  await make(`sys/mounts/${mounts.kvEngine}`, { type: 'kv-v2' });
  // A real Vault upgrades a new KV mount in the background, and refuses requests meanwhile.
  while ((await call('GET', `${mounts.kvEngine}/config`)).status !== 200);
  const { body: methods } = await call('GET', 'sys/auth');
  if (methods.data['approle/'] === undefined) await call('POST', 'sys/auth/approle', { type: 'approle' });
  const source = (await readFile(policy, 'utf8')).replaceAll(
    /"(transit-refresh|transit|secret)\//g,
    (_, mount: string) => `"${mount}-${run}/`,
  );
  await make(`sys/policies/acl/gateway-${run}`, { policy: source });
  await make(role, { token_policies: `gateway-${run}`, token_ttl: '1h', token_max_ttl: '4h' });
  const { body: roleId } = await call('GET', `${role}/role-id`);

  async function newSecretId(): Promise<string> {
    const { body } = await call('POST', `${role}/secret-id`);
    return body.data.secret_id as string;
  }

  const appRole = { roleId: roleId.data.role_id as string, secretId: await newSecretId() };

  return {
    address,
    token,
    mounts,
    call,
    /** The role of the workers, with the policy that is shipped for them. */
    appRole,
    newSecretId,
    setRole: (settings: object) => call('POST', role, settings),
    /** A client with the rights of a worker, closed with this Vault. */
    client(options: Partial<VaultClientOptions> = {}): VaultClient {
      const login = options.token === undefined ? { appRole } : {};
      const client = new VaultClient({ address, ...login, ...mounts, ...options });
      clients.push(client);
      return client;
    },
    async clean(): Promise<void> {
      await Promise.all(clients.map((client) => client.close()));
      for (const path of made.toReversed()) await call('DELETE', path);
    },
  };
}

export type PreparedVault = Awaited<ReturnType<typeof prepareVault>>;

/** Runs a suite against the embedded Vault, the one that TEST_VAULT_ADDR names, and one in Docker. */
export async function eachVault(suite: (vault: () => PreparedVault) => void): Promise<void> {
  for (const target of await vaultTargets()) {
    const { missing } = target;
    // eslint-disable-next-line vitest/no-disabled-tests, vitest/no-conditional-tests -- says in the list what was left out
    if (missing !== undefined) it.skip(`against ${target.name} (${missing})`, () => undefined);
    // eslint-disable-next-line vitest/no-conditional-tests
    else
      describe(`against ${target.name}`, () => {
        let vault: PreparedVault;
        let started: Awaited<ReturnType<VaultTarget['start']>>;

        beforeAll(async () => {
          started = await target.start();
          vault = await prepareVault(started);
        }, 180_000);

        afterAll(async () => {
          await vault.clean();
          await started.stop();
        });

        suite(() => vault);
      });
  }
}
