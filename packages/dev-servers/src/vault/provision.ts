import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export interface ProvisionOptions {
  /** Such as `http://127.0.0.1:8200`. */
  address: string;
  /** A token that may write mounts, policies and roles. */
  token: string;
  /** PEM file with the CA of Vault's certificate. */
  caFile?: string | undefined;
  /** Where to write `{gateway,proxy}/{role-id,secret-id}`; nowhere when absent. */
  approleDir?: string;
  /** The audit log's file; `off`, the default, for none. */
  auditLog?: string;
  /** Other names than `transit`, `transit-refresh` and `secret` for the mounts. */
  mounts?: { transit?: string; refreshTransit?: string; kv?: string };
  /** The `vault` CLI on the PATH, or Node, which is always there. */
  client?: 'node' | 'vault';
  /** How long to wait for Vault, in seconds. */
  waitSeconds?: number;
  /** Each line that the script says. */
  onProgress?: (line: string) => void;
  /** Ends the script. */
  signal?: AbortSignal;
}

const script = fileURLToPath(new URL('../../../../vault/init-vault.sh', import.meta.url));

/**
 * Prepares a Vault with `vault/init-vault.sh`: mounts, keys, policies, roles. Idempotent.
 *
 * @throws {Error} with what the script says about what to do, or when it is aborted
 */
export async function provisionVault(options: ProvisionOptions): Promise<void> {
  const { stderr, code } = await run(options);
  if (code !== 0) throw new Error(stderr.trim() || `init-vault.sh ended with code ${code}`);
}

function run({ signal, ...options }: ProvisionOptions): Promise<{ stderr: string; code: number | null }> {
  signal?.throwIfAborted();
  return new Promise((resolve, reject) => {
    // A process group of its own: what the script has started ends with it.
    const child = spawn('sh', [script], {
      env: environment(options),
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    const end = (): void => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid);
      } catch {
        // It has just ended by itself.
      }
    };
    signal?.addEventListener('abort', end, { once: true });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      const lines = (stdout + chunk).split('\n');
      stdout = lines.pop() ?? '';
      for (const line of lines) options.onProgress?.(line);
    });
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk));
    child.once('error', reject);
    // All of them hold its output: when that is closed, none is left.
    child.once('close', (code) => {
      signal?.removeEventListener('abort', end);
      if (signal?.aborted === true) reject(signal.reason as Error);
      else resolve({ stderr, code });
    });
  });
}

/** Only what the script names: a VAULT_NAMESPACE or proxy of the caller's must not reach it. */
function environment(options: ProvisionOptions): NodeJS.ProcessEnv {
  const { mounts = {} } = options;
  return {
    // eslint-disable-next-line no-process-env -- `sh` and the CLI are found there
    PATH: process.env['PATH'],
    NODE: process.execPath,
    VAULT_ADDR: options.address,
    VAULT_TOKEN: options.token,
    VAULT_CLIENT: options.client ?? 'node',
    VAULT_AUDIT_LOG: options.auditLog ?? 'off',
    VAULT_WAIT: String(options.waitSeconds ?? 60),
    ...(options.caFile === undefined ? {} : { VAULT_CACERT: options.caFile }),
    ...(options.approleDir === undefined ? {} : { APPROLE_DIR: options.approleDir }),
    ...(mounts.transit === undefined ? {} : { VAULT_TRANSIT_ENGINE: mounts.transit }),
    ...(mounts.refreshTransit === undefined ? {} : { VAULT_REFRESH_TRANSIT_ENGINE: mounts.refreshTransit }),
    ...(mounts.kv === undefined ? {} : { VAULT_KV_ENGINE: mounts.kv }),
  };
}
