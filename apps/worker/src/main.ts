import { createLogger, explainStart, onceAskedToStop } from '@connectors/vault-core';
import { readWorkerConfig } from './config.ts';
import { startWithClients } from './start-with-clients.ts';

try {
  await start();
} catch (error) {
  giveUp(error);
}

function giveUp(error: unknown): never {
  process.stderr.write(`${explainStart('worker', 'CONSOLE_PORT', error)}\n`);
  process.exit(1);
}

async function start(): Promise<void> {
  const config = readWorkerConfig(process.env, 'elsewhere');
  const log = createLogger('worker', config.LOG_LEVEL);
  const starting = startWithClients(process.env, config, { log, onFailure: giveUp });
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
  await starting;
  const attemptSeconds = config.REFRESH_ATTEMPT_SECONDS + config.REFRESH_CLOCK_SKEW_SECONDS;
  if (config.SHUTDOWN_SECONDS <= attemptSeconds)
    log.warn(
      { attemptSeconds },
      'SHUTDOWN_SECONDS is too short: new tokens could be lost on their way at a stop',
    );
}
