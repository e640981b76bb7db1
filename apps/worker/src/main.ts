import { createLogger, explainStart, onceAskedToStop } from '@connectors/vault-core';
import { startApp } from './app.ts';
import { readWorkerConfig } from './config.ts';

try {
  await start();
} catch (error) {
  process.stderr.write(`${explainStart('worker', 'CONSOLE_PORT', error)}\n`);
  process.exit(1);
}

async function start(): Promise<void> {
  const config = readWorkerConfig(process.env);
  const log = createLogger('worker', config.LOG_LEVEL);
  const starting = startApp(config, log);
  // Before the first job is begun.
  onceAskedToStop(process, async () => {
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
  const attemptSeconds = config.REFRESH_ATTEMPT_SECONDS + config.REFRESH_CLOCK_SKEW_SECONDS;
  if (config.SHUTDOWN_SECONDS <= attemptSeconds)
    log.warn(
      { attemptSeconds },
      'SHUTDOWN_SECONDS is too short: new tokens could be lost on their way at a stop',
    );
  const integrations = [...config.integrations.keys()];
  log.info({ url, vault: config.VAULT_ADDR, integrations }, 'worker started');
}
