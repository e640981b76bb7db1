import { setTimeout as delay } from 'node:timers/promises';
import { VaultClient, VaultError, vaultOptions, type KeptClient } from '@connectors/vault-core';
import type { Logger } from 'pino';
import { startApp, type WorkerApp } from './app.ts';
import { readWorkerConfig, type WorkerConfig } from './config.ts';

const retryMs = 5_000;

/**
 * Starts a worker with the clients that Vault keeps. While these cannot be read it runs without them, for its health is asked
 * for and nothing can be refreshed anyway; it is started anew once they are there.
 *
 * @param settings the configuration as the environment alone has it
 * @param onFailure told what keeps the worker from being started anew; it has ended then
 * @throws ConfigError, and what `startApp` throws
 */
export async function startWithClients(
  env: NodeJS.ProcessEnv,
  settings: WorkerConfig,
  { log, onFailure }: { log: Logger; onFailure: (error: unknown) => void },
): Promise<WorkerApp> {
  const vault = new VaultClient({ ...vaultOptions(settings), maxRetries: 0 });
  const stopping = new AbortController();
  const reader = new ClientReader(vault, log);
  const clients = await reader.read();
  let app = await start(clients === undefined ? settings : readWorkerConfig(env, clients), log);
  const isComplete = clients === undefined ? completeLater().catch(onFailure) : undefined;

  async function completeLater(): Promise<void> {
    const late = await keepReading(reader, stopping.signal);
    if (late === undefined) return;
    const config = readWorkerConfig(env, late);
    if (late.size === 0) return;
    await app.close();
    app = await start(config, log);
  }

  return {
    url: app.url,
    async close() {
      stopping.abort();
      await isComplete;
      await app.close();
      await vault.close();
    },
  };
}

async function start(config: WorkerConfig, log: Logger): Promise<WorkerApp> {
  const app = await startApp(config, log);
  const integrations = [...config.integrations.keys()];
  log.info({ url: app.url, vault: config.VAULT_ADDR, integrations }, 'worker started');
  return app;
}

/** Reads until Vault answers; `undefined` if the worker was stopped before. */
async function keepReading(reader: ClientReader, stop: AbortSignal) {
  for (;;) {
    await delay(retryMs, undefined, { signal: stop }).catch(() => undefined);
    if (stop.aborted) return undefined;
    const clients = await reader.read();
    if (clients !== undefined) return clients;
  }
}

/** Says why the clients cannot be read, once for each reason in turn. */
class ClientReader {
  readonly #vault: VaultClient;
  readonly #log: Logger;
  #toldReason: string | undefined;

  constructor(vault: VaultClient, log: Logger) {
    this.#vault = vault;
    this.#log = log;
  }

  /** `undefined` if Vault cannot be asked. A client that is not as it should be is no reason to do without the others. */
  async read(): Promise<Map<string, KeptClient> | undefined> {
    try {
      const { clients, unreadable } = await this.#vault.clients.readAll();
      if (unreadable.length > 0)
        this.#log.error({ integrations: unreadable }, 'clients in Vault are not as they should be');
      return clients;
    } catch (error) {
      if (!(error instanceof VaultError)) throw error;
      const { reason } = error;
      if (reason !== this.#toldReason) this.#log.warn({ reason }, 'the clients in Vault cannot be read yet');
      this.#toldReason = reason;
      return undefined;
    }
  }
}
