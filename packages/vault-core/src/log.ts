import { pino, type DestinationStream, type Logger } from 'pino';
import { ConnectorsError } from './errors.ts';

/** The log of an app: JSON lines, on standard output unless told otherwise. Errors go under `err`. */
export function createLogger(app: string, level: string, destination?: DestinationStream): Logger {
  const options = {
    level,
    base: { app },
    timestamp: pino.stdTimeFunctions.isoTime,
    serializers: { err: describeError },
  };
  return pino(options, destination ?? standardOutput());
}

/** How many milliseconds lines are gathered: a write costs more than everything else about a line. */
const gatherMs = 10;

/** Standard output, with one write for all lines that are logged at about the same time. */
function standardOutput(): DestinationStream {
  // Asynchronous output is flushed at exit, over and over when nobody reads it any more.
  const output = pino.destination({ dest: 1, sync: true, minLength: 16_000 });
  let isDue = false;
  const flush = (): void => {
    isDue = false;
    // Not flushSync, which tries for ever when nobody reads any more.
    output.flush();
  };
  process.once('exit', flush);
  return {
    write: (line) => {
      output.write(line);
      if (isDue) return;
      isDue = true;
      setTimeout(flush, gatherMs).unref();
    },
  };
}

/** Writes one line; its fields are strings, numbers, booleans, or left out. */
export type WriteLine = (line: object) => void;

/**
 * What writes the lines that each request has, just as `log.info(line, msg)` would: at thousands of them a second pino's
 * way, which looks at every field, takes several times as long as the native one.
 *
 * @returns `undefined` where the level of the log leaves them out
 */
export function lineWriter(log: Logger, msg: string): WriteLine | undefined {
  if (!log.isLevelEnabled('info')) return undefined;
  const { [pino.symbols.streamSym]: stream } = log as unknown as Record<symbol, DestinationStream>;
  const rest = JSON.stringify({ ...log.bindings(), msg }).slice(1);
  let at = 0;
  let time = '';
  return (line) => {
    const now = Date.now();
    if (now !== at) time = new Date((at = now)).toISOString();
    stream?.write(
      `{"level":${pino.levels.values['info']},"time":"${time}",${JSON.stringify(line).slice(1, -1)},${rest}\n`,
    );
  };
}

/**
 * What a log may tell of an error: its name, our own code and message, else where it comes from. Any other message
 * stays out, for it may quote what it choked on, and so do properties: those of HTTP clients hold headers and bodies.
 */
export function describeError(error: unknown): object {
  if (!(error instanceof Error)) return { name: typeof error };
  const { name, message, stack = '' } = error;
  if (error instanceof ConnectorsError) return { name, code: error.code, message };
  // A message of several lines may look like frames.
  const frames = stack
    .replace(message, '')
    .split('\n')
    .filter((line) => /^ {4}at /.test(line));
  return { name, stack: frames.map((line) => line.trim()) };
}

/** Logs errors of Redis, at most one line in half a minute, because ioredis reports every attempt to reconnect. */
export function warnOfRedis(log: Logger, now = Date.now): (error: Error) => void {
  let quietUntil = 0;
  return (error) => {
    if (now() < quietUntil) return;
    quietUntil = now() + 30_000;
    log.warn({ error: redisCode(error) }, 'Redis does not answer as it should');
  };
}

/** Redis begins its refusals with a word for what is wrong, such as WRONGPASS. */
function redisCode(error: Error): unknown {
  if (error.name === 'ReplyError') return error.message.split(' ', 1)[0];
  return 'code' in error ? error.code : error.name;
}
