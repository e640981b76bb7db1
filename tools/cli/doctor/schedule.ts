import { Passes, Spool } from '@connectors/refresh';
import { refreshQueueName, requestQueueName } from '@connectors/vault-core';
import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { findingsOf, type Finding } from './finding.ts';
import { openRedis } from './redis.ts';

export interface ScheduleExam {
  url: string;
  prefix: string;
  integrations: readonly string[];
  sweepIntervalMs: number;
  now: () => number;
}

const { ok, failed, warning, skipped } = findingsOf('system');

/** Examines what the workers do, as Redis shows it. Redis is known to answer. */
export async function examineSchedule(exam: ScheduleExam): Promise<Finding[]> {
  const redis = openRedis(exam.url);
  try {
    await redis.connect();
    return [
      await examineWorkers(exam, redis),
      ...(await examineSweeps(exam, redis)),
      await examineSpool(exam, redis),
      await examineFailures(exam, redis),
    ];
  } finally {
    redis.disconnect();
  }
}

async function examineWorkers({ prefix }: ScheduleExam, redis: Redis): Promise<Finding> {
  const check = 'workers.alive';
  const queue = openQueue(requestQueueName, prefix, redis);
  const workers = await queue.getWorkers().catch(() => undefined);
  if (workers === undefined)
    return skipped(
      check,
      'workers: this user of Redis may not list its clients',
      'Allow it `client|list`, as k8s/redis/users.acl does',
    );
  if (workers.length > 0) return ok(check, `${workers.length} worker(s) take jobs`);
  return failed(
    check,
    'no worker takes jobs: nothing is refreshed',
    'Start a worker with this REDIS_URL and REDIS_PREFIX',
  );
}

async function examineSweeps(
  { prefix, sweepIntervalMs, now }: ScheduleExam,
  redis: Redis,
): Promise<Finding[]> {
  const { last, current } = await new Passes(redis, prefix).look();
  if (last === undefined) return [judgeFirst(current !== undefined)];
  const ageMs = now() - (last.endedAt ?? last.begunAt);
  const isLate = current === undefined && ageMs > 2 * sweepIntervalMs + 60_000;
  return [
    judgeLast(last, `${Math.round(ageMs / 1_000)} s ago`, isLate),
    ...judgeUnreadable(last),
    ...judgeUnconfigured(last),
  ];
}

type Sweep = NonNullable<Awaited<ReturnType<Passes['look']>>['last']>;

const sweeping = 'workers.sweeping';

function judgeFirst(isUnderWay: boolean): Finding {
  if (isUnderWay)
    return warning(sweeping, 'the first sweep is under way', 'Wait until it has ended, and examine again');
  return failed(
    sweeping,
    'no sweep has ever ended: credentials may have no job',
    'Start a worker, and look into its log for `sweep`',
  );
}

function judgeLast({ tally: { tenants, failed: failures } }: Sweep, age: string, isLate: boolean): Finding {
  if (isLate)
    return failed(
      sweeping,
      `the last sweep ended ${age}: nothing finds what was lost`,
      'Start a worker, or look into its log for `sweep`',
    );
  if (failures > 0)
    return warning(
      sweeping,
      `the last sweep could not look at ${failures} of ${tenants} tenants`,
      'Look into the log of the workers for `sweep`',
    );
  return ok(sweeping, `the last sweep ended ${age}, over ${tenants} tenant(s)`);
}

function judgeUnreadable({ tally: { unreadable } }: Sweep): Finding[] {
  if (unreadable === 0) return [];
  return [
    warning(
      'credentials.unreadable',
      `${unreadable} credential(s) in Vault are not as they should be`,
      'Look into the log of the workers for their names, and connect them again',
    ),
  ];
}

function judgeUnconfigured({ unconfigured }: Sweep): Finding[] {
  const strangers = Object.keys(unconfigured);
  if (strangers.length === 0) return [];
  return [
    warning(
      'credentials.unconfigured',
      `there are credentials of integrations that are not configured: ${strangers.join(', ')}`,
      'Configure these integrations again, or disconnect the credentials',
    ),
  ];
}

async function examineSpool({ prefix, now }: ScheduleExam, redis: Redis): Promise<Finding> {
  const noKeys = {
    create: () => Promise.reject(new Error('not used')),
    open: () => Promise.reject(new Error('not used')),
  };
  const { length } = await new Spool(redis, prefix, noKeys, now).list();
  if (length === 0) return ok('spool', 'the spool is empty');
  return warning(
    'spool',
    `${length} token response(s) wait in Redis until Vault takes them: do not wipe Redis now`,
    'Find out why Vault takes no writes; the workers save them as soon as it does',
  );
}

async function examineFailures({ prefix, integrations }: ScheduleExam, redis: Redis): Promise<Finding> {
  const failing: string[] = [];
  for (const integration of integrations) {
    const count = await openQueue(refreshQueueName(integration), prefix, redis).getFailedCount();
    if (count > 0) failing.push(`${count} of ${integration}`);
  }
  if (failing.length === 0) return ok('credentials.failing', 'no credential waits for somebody');
  return warning(
    'credentials.failing',
    `credentials that are refreshed no more: ${failing.join(', ')}`,
    'See whose on the first page of the console, and why with `npx pnpm@12 connectors list <tenant>`. Send their users through the connect link',
  );
}

/** Only looks: what the queue is kept with stays as it is. */
function openQueue(name: string, prefix: string, connection: Redis): Queue {
  return new Queue(name, { connection, prefix, skipMetasUpdate: true, skipVersionCheck: true }).on(
    'error',
    () => undefined,
  );
}
