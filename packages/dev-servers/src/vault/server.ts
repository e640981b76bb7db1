import { createServer, type Server } from 'node:http';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Barrier } from './barrier.ts';
import { answerHttp } from './http.ts';
import { createKeyFile, readKeyFile, writePrivate } from './seal-key.ts';
import { Seal } from './seal.ts';

/** Vault's own: at Node's 5 s, clients that keep connections would now and then meet one that is just being closed. */
const keepAliveTimeout = 5 * 60_000;

export interface EmbeddedVaultOptions {
  /** 8200 is Vault's own; 0, the default, picks a free one. */
  port?: number;
  /** 127.0.0.1 when absent. */
  host?: string;
  /** Where state and key are kept; in memory when absent. */
  dataDir?: string;
  /** The root token. When absent it is the one in `{dataDir}/root-token`, made on the first start. */
  rootToken?: string;
  /** The file of an audit device, enabled at start. */
  auditLog?: string;
  /** Milliseconds since the epoch. */
  now?: () => number;
}

export interface EmbeddedVault {
  url: string;
  rootToken: string;
  /** The one key share; `undefined` when the key file was taken away, so that it has to be brought. */
  unsealKey: string | undefined;
  seal(): void;
  /** @throws {VaultError} when there is no key, or it is not the one */
  unseal(key?: string): void;
  close(): Promise<void>;
}

/**
 * Starts a Vault for one machine: Vault's HTTP API over state in SQLite. It unseals itself as long as its key file is
 * there.
 *
 * @throws {Error} `EADDRINUSE` when the port is taken; "database is locked" when another process uses `dataDir`
 */
export async function startEmbeddedVault(options: EmbeddedVaultOptions = {}): Promise<EmbeddedVault> {
  const now = options.now ?? Date.now;
  const { dataDir } = options;
  if (dataDir !== undefined) mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const barrier = new Barrier(dataDir === undefined ? ':memory:' : join(dataDir, 'vault.db'));
  try {
    const unsealKey = openBarrier(barrier, dataDir)?.toString('base64');
    const rootToken = options.rootToken ?? rootTokenOf(dataDir);
    const seal = new Seal(barrier, now);
    const unseal = (key = unsealKey) => {
      seal.unseal(key ?? '');
      prepare(seal, rootToken, options.auditLog);
    };
    if (unsealKey !== undefined) unseal();
    const server = createServer(
      { keepAliveTimeout },
      (request, response) => void answerHttp(seal, now, request, response),
    );
    await listen(server, options.port ?? 0, options.host ?? '127.0.0.1');
    const { port } = server.address() as AddressInfo;
    return {
      url: `http://${options.host ?? '127.0.0.1'}:${port}`,
      rootToken,
      unsealKey,
      seal: () => seal.seal(),
      unseal,
      async close() {
        await new Promise<void>((resolve) => {
          server.close(() => resolve());
          server.closeAllConnections();
        });
        seal.seal();
        barrier.close();
      },
    };
  } catch (error) {
    barrier.close();
    throw error;
  }
}

/** Makes the key on the first start. Returns `undefined` when there is a sealed storage and no key file. */
function openBarrier(barrier: Barrier, dataDir: string | undefined): Buffer | undefined {
  const keyFile = dataDir === undefined ? undefined : join(dataDir, 'unseal-key');
  const known = keyFile === undefined ? undefined : readKeyFile(keyFile);
  if (barrier.initialized) return known;
  const key = known ?? (keyFile === undefined ? randomBytes(32) : createKeyFile(keyFile));
  barrier.initialize(key);
  return key;
}

/** What has to be there whenever the vault is unsealed: the root token and the audit device that were asked for. */
function prepare(seal: Seal, rootToken: string, auditLog: string | undefined): void {
  const { tokens, audit } = seal.core;
  if (!tokens.lookup(rootToken)) {
    tokens.create({ id: rootToken, policies: ['root'], displayName: 'root', path: 'auth/token/root' });
  }
  if (auditLog !== undefined && !audit.devices().some((device) => device.path === 'file/')) {
    audit.enable({ path: 'file/', type: 'file', description: '', options: { file_path: auditLog } });
  }
}

function rootTokenOf(dataDir: string | undefined): string {
  const file = dataDir === undefined ? undefined : join(dataDir, 'root-token');
  if (file !== undefined && existsSync(file)) return readFileSync(file, 'utf8').trim();
  const token = `hvs.${randomBytes(24).toString('base64url')}`;
  if (file !== undefined) writePrivate(file, `${token}\n`);
  return token;
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
