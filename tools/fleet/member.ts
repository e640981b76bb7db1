import { startRedis } from '@connectors/dev-servers';
import { startChild, type ChildSpec } from './child.ts';
import { findLastingPort } from './port.ts';

/** A process of a fleet. */
export interface Member {
  readonly name: string;
  /** The same after a restart. */
  readonly url: string;
  readonly pid: number;
  /** Resolves when the process that runs now has ended, with how. */
  readonly ended: Promise<string>;
  kill(signal: NodeJS.Signals): void;
  /** Starts it again once it has ended. Resolves when it listens. */
  restart(): Promise<void>;
  /** Ends it in order. */
  stop(): Promise<void>;
}

type Running = Omit<Member, 'name' | 'restart'>;

/** Starts a process that listens on this port. */
type Launch = (port: number) => Promise<Running>;

export async function startMember(name: string, launch: Launch): Promise<Member> {
  let running = await launch(await findLastingPort());
  let starting: Promise<unknown> = Promise.resolve();
  const { url } = running;
  const restart = async (): Promise<void> => {
    await running.ended;
    running = await launch(Number(new URL(url).port));
  };
  return {
    name,
    url,
    get pid() {
      return running.pid;
    },
    get ended() {
      return running.ended;
    },
    kill: (signal) => running.kill(signal),
    restart: () => {
      const restarted = restart();
      starting = restarted.catch(() => undefined);
      return restarted;
    },
    stop: async () => {
      await starting;
      await running.stop();
    },
  };
}

/** What our programs say when they listen: a log line of the apps, or the embedded Vault's sentence. */
const announcement = /(?:"url":"|Embedded Vault at )(http:\/\/[\w.:]+)/;

/**
 * Starts one of our programs, and waits until it listens.
 *
 * @throws {Error} with its last words, if it ends before
 */
export async function launchProgram(spec: ChildSpec): Promise<Running> {
  const { promise: listens, resolve } = Promise.withResolvers<string>();
  const child = startChild({
    ...spec,
    onLine: (line) => {
      const url = announcement.exec(line)?.[1];
      if (url !== undefined) resolve(url);
      spec.onLine?.(line);
    },
  });
  const endedEarly = child.ended.then((how) => {
    throw new Error(`${spec.name} ended at start (${how}):\n${child.lastWords.join('\n')}`);
  });
  return { ...child, url: await Promise.race([listens, endedEarly]) };
}

/** Starts Redis with an append-only file. */
export async function launchRedis(port: number, dataDir: string): Promise<Running> {
  const redis = await startRedis({ port, dataDir });
  const { url, pid, ended } = redis;
  return { url, pid, ended, kill: (signal) => process.kill(pid, signal), stop: () => redis.close() };
}
