import { ConfigError } from '@connectors/vault-core';
import { startApp, type WorkerApp } from './app.ts';
import { readWorkerConfig, type WorkerConfig } from './config.ts';
import { createLogger } from './log.ts';

const config = readConfigOrExit();
const log = createLogger(config.LOG_LEVEL);
const app = await startApp(config, log);

try {
  const address = await app.console.listen({ host: config.HOST, port: config.CONSOLE_PORT });
  log.info({ address, integrations: [...config.integrations.keys()] }, 'worker started');
} catch (error) {
  const { code } = error as NodeJS.ErrnoException;
  log.fatal(
    code === 'EADDRINUSE'
      ? `Port ${config.CONSOLE_PORT} is taken: stop what listens there, or set CONSOLE_PORT.`
      : `Cannot listen on ${config.HOST}:${config.CONSOLE_PORT} (${code}).`,
  );
  process.exit(1);
}

process.once('SIGTERM', () => void stop(app));
process.once('SIGINT', () => void stop(app));
// The channel to a parent that started us; without that parent nobody would stop us.
process.once('disconnect', () => void stop(app));

async function stop(running: WorkerApp): Promise<void> {
  log.info('finishing what is in flight');
  const overdue = setTimeout(() => {
    log.error('jobs are still running at the end of SHUTDOWN_SECONDS');
    process.exit(1);
  }, config.SHUTDOWN_SECONDS * 1000);
  await running.close();
  clearTimeout(overdue);
  log.info('worker stopped');
  process.exit(0);
}

function readConfigOrExit(): WorkerConfig {
  try {
    return readWorkerConfig(process.env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  }
}
