import type { Fleet } from '@connectors/tools/fleet/start-fleet.ts';

/** What the workers of a fleet need, by their own figures. */
export interface WorkerLoad {
  /** Of all workers, in seconds since they started. */
  cpuSeconds: number;
  /** The longest that an event loop was held up since this was last asked, and what 99 % of its turns stayed below. */
  lagMaxMs: number;
  lagP99Ms: number;
  /** Resident memory of the largest worker. */
  memoryMb: number;
}

export async function readWorkerLoad({ workers }: Fleet): Promise<WorkerLoad> {
  const pages = await Promise.all(workers.map(async ({ url }) => (await fetch(`${url}/metrics`)).text()));
  const valuesOf = (metric: string) =>
    pages.map((page) => Number(new RegExp(`^${metric} (\\S+)$`, 'm').exec(page)?.[1]));
  return {
    cpuSeconds: valuesOf('process_cpu_seconds_total').reduce((sum, value) => sum + value),
    lagMaxMs: Math.max(...valuesOf('nodejs_eventloop_lag_max_seconds')) * 1000,
    lagP99Ms: Math.max(...valuesOf('nodejs_eventloop_lag_p99_seconds')) * 1000,
    memoryMb: Math.max(...valuesOf('process_resident_memory_bytes')) / 2 ** 20,
  };
}

/** Of this process: its own connection, and the one that hears events. */
const ownConnections = 2;

/** Connections to Redis of one worker. */
export async function countRedisConnections({ redisConnection, workers }: Fleet): Promise<number> {
  const info = await redisConnection.info('clients');
  return (Number(/connected_clients:(\d+)/.exec(info)?.[1]) - ownConnections) / workers.length;
}
