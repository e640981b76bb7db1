import { ConnectorsError } from '@connectors/vault-core';
import { pino, type Logger } from 'pino';

/** JSON lines on standard output. */
export function createLogger(level: string): Logger {
  return pino({ level, base: null, serializers: { err: describeError } });
}

/** Never the whole error: those of HTTP clients hold headers and bodies, and so tokens, as properties. */
function describeError(error: unknown): object {
  if (!(error instanceof Error)) return { name: typeof error };
  const { name, stack } = error;
  if (error instanceof ConnectorsError) return { name, code: error.code, message: error.message };
  return { name, stack };
}
