import { ConfigError } from './config.ts';

/*
 * What the main.ts of each app does alike. It hands in its process, which nobody else touches.
 */

/** Calls `stop` once, when the process is asked to exit. */
export function onceAskedToStop(process: NodeJS.Process, stop: () => Promise<void>): void {
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

/** Tells the operator why an app cannot start. `portVariable` is the variable that sets its port. */
export function explainStart(app: string, portVariable: string, error: unknown): string {
  if (error instanceof ConfigError) return error.message;
  const { code, port } = error as { code?: unknown; port?: unknown };
  if (code === 'EADDRINUSE') {
    return `Port ${String(port)} is taken, so the ${app} cannot listen on it: stop what runs there, or set ${portVariable}.`;
  }
  return `The ${app} cannot start: ${error instanceof Error ? error.message : 'for an unknown reason'}`;
}
