import { shownUrl } from '../../start/given.ts';
import { Redis } from 'ioredis';
import { judgeClock } from './clock.ts';
import { findingsOf, type Finding } from './finding.ts';

export interface RedisExam {
  app: 'worker' | 'proxy';
  url: string;
  prefix: string;
  allowedSkewMs: number;
  now: () => number;
}

const patienceMs = 5_000;

/** Opens a connection that tries once. */
export function openRedis(url: string): Redis {
  const redis = new Redis(url, {
    connectTimeout: patienceMs,
    commandTimeout: patienceMs,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
    lazyConnect: true,
  });
  redis.on('error', () => undefined);
  return redis;
}

/** Examines Redis as an app meets it. */
export async function examineRedis(exam: RedisExam): Promise<Finding[]> {
  const { failed } = findingsOf(exam.app);
  const redis = openRedis(exam.url);
  // A refused password is told by an event alone.
  let said = '';
  redis.on('error', ({ message }: Error) => (said += message));
  try {
    await redis.connect();
    await redis.ping();
  } catch (error) {
    redis.disconnect();
    const message = `${said} ${(error as Error).message}`;
    const isRefused = /NOAUTH|WRONGPASS|NOPERM|invalid username-password/i.test(message);
    const fix = isRefused
      ? 'Correct the user and the password in REDIS_URL'
      : 'Start that Redis, or correct REDIS_URL';
    const what = isRefused ? 'refuses the user of REDIS_URL' : 'does not answer';
    return [failed('redis.reachable', `Redis at ${shownUrl(exam.url)} ${what}`, fix)];
  }
  try {
    return exam.app === 'worker' ? await asWorker(exam, redis) : await asProxy(exam, redis);
  } finally {
    redis.disconnect();
  }
}

async function asWorker({ url, allowedSkewMs, now, prefix }: RedisExam, redis: Redis): Promise<Finding[]> {
  const { ok, failed } = findingsOf('worker');
  const [info, time, saves] = await Promise.all([
    redis.info(),
    redis.time(),
    // Its own user may not, with the ACL that is shipped.
    redis.config('GET', 'save').catch(() => []),
  ]);
  const theirs = Number(time[0]) * 1_000 + Number(time[1]) / 1_000;
  const mayWork = await may(redis.exists(`${prefix}:epoch`));
  return [
    mayWork
      ? ok('redis.reachable', `Redis at ${shownUrl(url)} answers`)
      : failed(
          'redis.reachable',
          `its user in Redis may not use keys that begin with ${prefix}:`,
          'Correct its rights as in k8s/redis/users.acl, or REDIS_PREFIX',
        ),
    ...judgeInfo(info, readSetting(saves)),
    judgeClock('Redis', theirs, now(), allowedSkewMs),
  ];
}

function readSetting(answer: unknown): string | undefined {
  const value: unknown = Array.isArray(answer) ? answer[1] : undefined;
  return typeof value === 'string' ? value : undefined;
}

/** Judges what INFO says. `saves` is when snapshots are made, if that can be seen. */
function judgeInfo(info: string, saves: string | undefined): Finding[] {
  const { ok, failed, warning } = findingsOf('system');
  const field = (name: string) => new RegExp(`^${name}:(.*?)\r?$`, 'm').exec(info)?.[1] ?? '';
  const version = field('redis_version');
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const policy = field('maxmemory_policy');
  const keepsLog = field('aof_enabled') === '1';
  const keepsSome = keepsLog || (saves ?? '') !== '';
  return [
    major > 6 || (major === 6 && minor >= 2)
      ? ok('redis.version', `Redis ${version}`)
      : failed('redis.version', `Redis ${version} is too old`, 'Run Redis 6.2 or newer'),
    policy === 'noeviction'
      ? ok('redis.eviction', 'Redis evicts nothing')
      : failed(
          'redis.eviction',
          `Redis evicts keys when its memory is full (${policy}): jobs would vanish`,
          'Set maxmemory-policy noeviction in redis.conf',
        ),
    keepsLog
      ? ok('redis.persistence', 'Redis keeps an append-only file')
      : warning(
          'redis.persistence',
          keepsSome
            ? 'Redis keeps snapshots only: what was written after the last one is lost when it dies'
            : 'Redis keeps nothing on disk: a restart loses queued webhooks, and the schedule until the next sweep',
          'Set appendonly yes in redis.conf',
        ),
  ];
}

function may(attempt: Promise<unknown>): Promise<boolean> {
  return attempt.then(
    () => true,
    () => false,
  );
}

/** The proxy's user has to hear events, add to one queue and count; and it must not see anything else. */
async function asProxy({ url, prefix }: RedisExam, redis: Redis): Promise<Finding[]> {
  const { ok, failed, warning } = findingsOf('proxy');
  const needs: [string, boolean][] = [
    ['use the queue refresh-requests', await may(redis.exists(`${prefix}:refresh-requests:meta`))],
    ['count rates', await may(redis.eval('return 1', 1, `${prefix}:rate:doctor`))],
    ['hear events', await may(redis.subscribe(`${prefix}:events`))],
  ];
  await redis.unsubscribe().catch(() => undefined);
  const lacks = needs.filter(([, isAllowed]) => !isAllowed).map(([what]) => what);
  const seesMore = await may(redis.exists(`${prefix}:epoch`));
  const fix =
    'Give it a user of its own with the rights in k8s/redis/users.acl, and name that in its REDIS_URL';
  return [
    lacks.length === 0
      ? ok('redis.reachable', `Redis at ${shownUrl(url)} answers, and lets it do what it needs`)
      : failed('redis.reachable', `its user in Redis may not ${lacks.join(', nor ')}`, fix),
    seesMore
      ? warning(
          'redis.least_privilege',
          'its user in Redis may use every key: a stolen proxy could change the schedule',
          fix,
        )
      : ok('redis.least_privilege', 'its user in Redis may use no more than it needs'),
  ];
}
