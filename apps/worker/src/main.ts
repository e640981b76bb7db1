import { ConfigError, createLogger } from '@connectors/vault-core';
import { startApp } from './app.ts';
import { readWorkerConfig } from './config.ts';

try {
  await start();
} catch (error) {
  process.stderr.write(`${explain(error)}\n`);
  process.exit(1);
}

async function start(): Promise<void> {
  const config = readWorkerConfig(process.env);
  const log = createLogger('worker', config.LOG_LEVEL);
  const starting = startApp(config, log);
  // Before the first job is begun.
  onceAskedToStop(async () => {
    log.info('finishing what is in flight');
    const overdue = setTimeout(() => {
      log.error('jobs are still running at the end of SHUTDOWN_SECONDS');
      process.exit(1);
    }, config.SHUTDOWN_SECONDS * 1000);
    await (await starting).close();
    clearTimeout(overdue);
    log.info('worker stopped');
    process.exit(0);
  });
  const { url } = await starting;
  const integrations = [...config.integrations.keys()];
  log.info({ url, vault: config.VAULT_ADDR, integrations }, 'worker started');
}

function onceAskedToStop(stop: () => Promise<void>): void {
  let isStopping = false;
  const ask = (): void => {
    if (!isStopping) void stop();
    isStopping = true;
  };
  // A second one of the same kind ends the process at once.
  process.once('SIGTERM', ask);
  process.once('SIGINT', ask);
  // The channel to a parent that started us; without that parent nobody would stop us.
  process.once('disconnect', ask);
}

function explain(error: unknown): string {
  if (error instanceof ConfigError) return error.message;
  const { code, port } = error as { code?: unknown; port?: unknown };
  if (code === 'EADDRINUSE') {
    return `Port ${String(port)} is taken, so the worker cannot listen on it: stop what runs there, or set CONSOLE_PORT.`;
  }
  return `The worker cannot start: ${error instanceof Error ? error.message : 'for an unknown reason'}`;
}
