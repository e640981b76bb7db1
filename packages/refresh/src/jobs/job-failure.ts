import { ConnectorsError } from '@connectors/vault-core';
import type { Processor } from 'bullmq';
import type { Logger } from 'pino';

/** What a failed job says of its failure: messages and stacks are for the log, for Redis is open to look at. */
export function failureCode(error: unknown): string {
  return error instanceof ConnectorsError ? error.code : 'internal_error';
}

/** A processor whose failures leave nothing but their code in Redis. */
export function codingFailures<T extends object>(
  log: Logger,
  queue: string,
  process: Processor<T>,
): Processor<T> {
  return async (job, token) => {
    try {
      return (await process(job, token)) as unknown;
    } catch (error) {
      log.warn({ queue, job: job.id, err: error }, 'job failed');
      throw Object.assign(new Error(failureCode(error)), { stack: '' });
    }
  };
}
