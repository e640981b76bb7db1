import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { startEmbeddedVault } from '@connectors/dev-servers';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { VaultError, type VaultClient, type VaultClientOptions } from '../../src/index.ts';
import { sealed, startRelay, type Relay } from '../start-relay.ts';
import { eachVault, prepareVault, type PreparedVault } from '../start-vault.ts';

const login = 'auth/approle/login';
const renewal = 'auth/token/renew-self';
const minutes = 60_000;

/** A clock that only tests move. */
function newClock() {
  const clock = { ms: Date.parse('2030-01-01T00:00:00Z'), now: () => clock.ms };
  return clock;
}

let relay: Relay;
let clock: ReturnType<typeof newClock>;

/** A client that reaches Vault through the relay, so that its logins can be counted. */
function connect(vault: PreparedVault, options: Partial<VaultClientOptions> = {}): VaultClient {
  return vault.client({ address: relay.address, now: clock.now, maxRetries: 0, ...options });
}

const missingFile = () => readFile('/nowhere/secret-id', 'utf8');

/** One call, of which only the login matters. */
const use = (client: VaultClient) => client.credentials.find({ tenantId: 'tenant-1', integration: 'github' });

/** Whether the client holds a lease that needs no renewal now. */
async function isRenewed(client: VaultClient): Promise<boolean> {
  const before = relay.count(renewal);
  await use(client);
  return relay.count(renewal) === before;
}

await eachVault((vault) => {
  beforeEach(async () => {
    relay = await startRelay(vault().address);
    clock = newClock();
  });

  /** Vault forgets the token that the client got last. */
  async function revokeLast(): Promise<void> {
    const token = relay.requests.findLast((request) => request.token !== undefined)?.token;
    await vault().call('POST', 'auth/token/revoke', { token });
  }

  async function newToken(settings: object): Promise<string> {
    const { body } = await vault().call('POST', 'auth/token/create', {
      policies: ['default'],
      ...settings,
    });
    return body.auth.client_token as string;
  }

  describe('a root token', () => {
    it('is used as it is, for ever', async () => {
      const client = connect(vault(), { token: vault().token });
      await use(client);
      clock.ms += 10 * 365 * 24 * 60 * minutes;
      await use(client);
      expect([relay.count(login), relay.count(renewal), relay.count('auth/token/lookup-self')]).toEqual([
        0, 0, 1,
      ]);
    });
  });

  describe('a token with an end', () => {
    it('is renewed', async () => {
      const client = connect(vault(), { token: await newToken({ ttl: '1h' }) });
      await use(client).catch(() => undefined);
      clock.ms += 45 * minutes;
      await use(client).catch(() => undefined);
      await expect.poll(() => relay.count(renewal)).toBe(1);
    });

    it('that Vault does not know is refused with a clear error', async () => {
      const client = connect(vault(), { token: 's.wrong-token' });
      await expect(use(client)).rejects.toMatchObject({
        code: 'vault_unavailable',
        reason: 'login_refused',
        message: 'Vault login: login_refused (403)',
      });
    });

    it('that Vault does not know is asked about once in 5 s, however many calls need it', async () => {
      const client = connect(vault(), { token: 's.wrong-token' });
      for (let call = 0; call < 5; call += 1) await use(client).catch(() => undefined);
      expect(relay.requests).toHaveLength(1);
      clock.ms += 5_000;
      await use(client).catch(() => undefined);
      expect(relay.requests).toHaveLength(2);
    });

    it('that was revoked makes calls fail, and no others', async () => {
      const client = connect(vault(), { token: await newToken({ ttl: '1h' }) });
      await use(client).catch(() => undefined);
      await revokeLast();
      clock.ms += 10_000;
      const before = relay.requests.length;
      await expect(use(client)).rejects.toMatchObject({ reason: 'denied' });
      expect(relay.requests).toHaveLength(before + 1);
    });
  });

  describe('an AppRole', () => {
    it('logs in once, and uses its token', async () => {
      const client = connect(vault());
      await use(client);
      await use(client);
      expect(relay.count(login)).toBe(1);
      expect(relay.requests[0]).toMatchObject({ path: login, token: undefined });
    });

    it('logs in once for all concurrent callers', async () => {
      const client = connect(vault());
      await Promise.all(Array.from({ length: 20 }, () => use(client)));
      expect(relay.count(login)).toBe(1);
    });

    it('is renewed by the first use after two thirds of its lease, not before', async () => {
      const client = connect(vault());
      await use(client);
      clock.ms += 39 * minutes;
      await use(client);
      await client.healthCheck();
      expect(relay.count(renewal)).toBe(0);
      clock.ms += 2 * minutes;
      await use(client);
      await expect.poll(() => relay.count(renewal)).toBe(1);
      expect(relay.count(login)).toBe(1);
    });

    it('goes on with the lease that the renewal gave it', async () => {
      const client = connect(vault());
      await use(client);
      for (let time = 0; time < 3; time += 1) {
        clock.ms += 45 * minutes;
        await use(client);
        await expect.poll(() => relay.count(renewal)).toBe(time + 1);
        // The answer has to be through before the clock moves on.
        await expect.poll(() => isRenewed(client)).toBe(true);
      }
      expect(relay.count(login)).toBe(1);
    });

    it('answers while the renewal takes its time', async () => {
      const client = connect(vault(), { timeout: 60_000 });
      await use(client);
      relay.disturb = ({ path }) => (path === renewal ? 'silence' : undefined);
      clock.ms += 45 * minutes;
      await expect(use(client)).resolves.toBeUndefined();
    });

    it('logs in anew, beside the call, when Vault will not renew its token', async () => {
      const client = connect(vault());
      await use(client);
      relay.disturbNext([{ status: 403, body: '{"errors":["permission denied"]}' }], renewal);
      clock.ms += 45 * minutes;
      await use(client);
      await expect.poll(() => relay.count(login)).toBe(2);
    });

    it('keeps its token when the renewal fails, and tries again 5 s later', async () => {
      const client = connect(vault());
      await use(client);
      relay.disturbNext([sealed], renewal);
      clock.ms += 45 * minutes;
      await use(client);
      await expect.poll(() => relay.count(renewal)).toBe(1);
      await client.healthCheck();
      await use(client);
      await client.healthCheck();
      expect(relay.count(renewal)).toBe(1);
      clock.ms += 5_000;
      await expect.poll(() => use(client).then(() => relay.count(renewal))).toBe(2);
      expect(relay.count(login)).toBe(1);
    });

    it('logs in again when its token has lapsed', async () => {
      const client = connect(vault());
      await use(client);
      clock.ms += 61 * minutes;
      await use(client);
      expect(relay.count(login)).toBe(2);
      expect(relay.count(renewal)).toBe(0);
    });

    it('logs in again, once, when its token was revoked, and the call succeeds', async () => {
      const client = connect(vault());
      await use(client);
      await revokeLast();
      clock.ms += 10_000;
      await Promise.all([use(client), use(client), use(client)]);
      expect(relay.count(login)).toBe(2);
    });

    it('asks for its secret id at each login, so that a rotated one is picked up', async () => {
      const folder = await mkdtemp(join(tmpdir(), 'secret-id-'));
      onTestFinished(() => rm(folder, { recursive: true }));
      const file = join(folder, 'secret-id');
      await writeFile(file, await vault().newSecretId());
      const { roleId } = vault().appRole;
      const client = connect(vault(), { appRole: { roleId, secretId: () => readFile(file, 'utf8') } });
      await use(client);
      const rotated = await vault().newSecretId();
      await writeFile(file, rotated);
      clock.ms += 61 * minutes;
      await use(client);
      expect(relay.requests.findLast(({ path }) => path === login)?.body).toContain(rotated);
    });

    it('with a wrong secret id is refused with a clear error', async () => {
      const client = connect(vault(), { appRole: { ...vault().appRole, secretId: 'wrong-secret-id' } });
      await expect(use(client)).rejects.toMatchObject({
        code: 'vault_unavailable',
        reason: 'login_refused',
        message: 'Vault login: login_refused (400)',
        isTransient: false,
      });
    });

    it('with a wrong secret id tries once in 5 s, however many calls need it', async () => {
      let secretId = 'wrong-secret-id';
      const { roleId } = vault().appRole;
      const client = connect(vault(), { maxRetries: 3, appRole: { roleId, secretId: () => secretId } });
      await Promise.allSettled(Array.from({ length: 20 }, () => use(client)));
      for (let call = 0; call < 5; call += 1) await use(client).catch(() => undefined);
      expect(relay.count(login)).toBe(1);
      ({ secretId } = vault().appRole);
      clock.ms += 5_000;
      await expect(use(client)).resolves.toBeUndefined();
    });

    it('whose secret id cannot be read says so, and asks Vault nothing', async () => {
      const { roleId } = vault().appRole;
      const client = connect(vault(), { appRole: { roleId, secretId: missingFile } });
      await expect(use(client)).rejects.toMatchObject({
        reason: 'login_refused',
        message: 'Vault login, reading the secret id: login_refused',
      });
      expect(relay.requests).toEqual([]);
    });

    it('whose role is away for a moment logs in as soon as Vault is back', async () => {
      const client = connect(vault());
      relay.disturbNext([sealed, 'reset'], login);
      await expect(use(client)).rejects.toMatchObject({ reason: 'sealed' });
      await expect(use(client)).rejects.toMatchObject({ reason: 'unreachable' });
      await expect(use(client)).resolves.toBeUndefined();
    });

    it('whose role stays away is tried as often as any call', async () => {
      const client = connect(vault(), { maxRetries: 2 });
      relay.disturb = () => sealed;
      await expect(use(client)).rejects.toMatchObject({ reason: 'sealed' });
      expect(relay.count(login)).toBe(3);
    });

    it('replaces a revoked token as soon as Vault is back', async () => {
      const client = connect(vault());
      await use(client);
      await revokeLast();
      clock.ms += 10_000;
      relay.disturbNext([sealed], login);
      await expect(use(client)).rejects.toMatchObject({ reason: 'sealed' });
      await expect(use(client)).resolves.toBeUndefined();
    });

    it('that may not do something is told so, and does not log in again for each time', async () => {
      const client = connect(vault(), { kvEngine: 'forbidden' });
      for (let call = 0; call < 10; call += 1) {
        await expect(use(client)).rejects.toMatchObject({ reason: 'denied', status: 403 });
      }
      expect(relay.count(login)).toBe(1);
      clock.ms += 6_000;
      for (let call = 0; call < 10; call += 1) await use(client).catch(() => undefined);
      expect(relay.count(login)).toBe(2);
    });

    it('shows neither its secret id nor its token in an error', async () => {
      const client = connect(vault());
      await use(client);
      const token = relay.requests.at(-1)?.token ?? 'none';
      relay.disturb = ({ body }) => ({ status: 500, body: JSON.stringify({ errors: [body, token] }) });
      clock.ms += 2 * 60 * minutes;
      const errors = [
        await use(client).catch((thrown: unknown) => thrown),
        await use(connect(vault())).catch((thrown: unknown) => thrown),
      ];
      expect(errors[0]).toBeInstanceOf(VaultError);
      const shown = inspect(errors, { showHidden: true, depth: 20 }) + JSON.stringify(errors);
      expect(shown).not.toContain(token);
      expect(shown).not.toContain(vault().appRole.secretId);
    });
  });
});

describe('at the end of the longest life of a token', () => {
  let vault: PreparedVault;
  let stop: () => Promise<void>;

  beforeEach(async () => {
    clock = newClock();
    const server = await startEmbeddedVault({ now: clock.now });
    vault = await prepareVault({ address: server.url, token: server.rootToken });
    stop = async () => {
      await vault.clean();
      await server.close();
    };
    relay = await startRelay(server.url);
  });

  afterEach(() => stop());

  it('an AppRole logs in again before Vault ends its token', async () => {
    const client = connect(vault);
    await use(client);
    for (let elapsed = 0; elapsed < 4.5 * 60; elapsed += 1) {
      clock.ms += minutes;
      await expect(use(client)).resolves.toBeUndefined();
      // Renewals and logins happen beside the calls.
      await client.healthCheck();
    }
    // Four and a half hours, of which a token may live four: every 40 minutes, and no ever shorter leases at the end.
    expect(relay.count(login)).toBe(2);
    expect(relay.count(renewal)).toBeLessThanOrEqual(7);
  });

  it('a token that cannot log in again is refused, and not taken for one without an end', async () => {
    const { body } = await vault.call('POST', 'auth/token/create', {
      policies: ['root'],
      ttl: '60s',
      explicit_max_ttl: '60s',
    });
    const client = connect(vault, { token: body.auth.client_token as string });
    // Vault tells whole seconds: none is left.
    clock.ms += 59_700;
    await use(client);
    clock.ms += 1_000;
    await expect(use(client)).rejects.toMatchObject({ reason: 'login_refused', status: 403 });
  });
});
