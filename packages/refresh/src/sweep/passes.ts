import type { Redis } from 'ioredis';
import { z } from 'zod';
import type { KnownPasses, PassFacts } from './pass-due.ts';

const count = z.coerce.number().default(0);

const tallySchema = z.object({
  tenants: count,
  credentials: count,
  restored: count,
  revived: count,
  removed: count,
  unreadable: count,
  failed: count,
  calls: count,
});

/** What a pass has found and done so far, all workers together. A worker that dies may make it count a tenant twice. */
export type Tally = z.infer<typeof tallySchema>;

/** How far a pass has come. */
const positionSchema = z.object({
  /** The tenants up to this one have been handed to the workers. */
  tenant: z.string().default(''),
  /** Once all tenants have been swept: the set of jobs that is looked through, and up to where. */
  jobs: z.string().default(''),
  cursor: z.string().default('0'),
});

export type Position = z.infer<typeof positionSchema>;

const passSchema = z.object({
  id: z.string(),
  speed: z.enum(['full', 'trickle']),
  begunAt: z.coerce.number(),
  endedAt: z.coerce.number().optional(),
  life: z.string(),
});

export interface Pass extends PassFacts {
  id: string;
  endedAt?: number | undefined;
  position: Position;
  tally: Tally;
  /** Integrations that are not configured, with the number of their credentials. */
  unconfigured: Record<string, number>;
}

// Who writes for a pass, or a run of it, that is no longer the current one writes nothing: a wipe must not leave behind what
// only looks like a pass.
const guard = `if redis.call('hget', KEYS[1], ARGV[1]) ~= ARGV[2] then return false end `;
const setIf = `${guard} if #ARGV > 2 then redis.call('hset', KEYS[1], unpack(ARGV, 3)) end return redis.call('hgetall', KEYS[1])`;
const addIf = `${guard} for i = 3, #ARGV, 2 do redis.call('hincrby', KEYS[1], ARGV[i], ARGV[i + 1]) end return 1`;
const endIf = `${guard} redis.call('hset', KEYS[1], 'endedAt', ARGV[3]) redis.call('rename', KEYS[1], KEYS[2]) return 1`;
const dropIf = `${guard} return redis.call('del', KEYS[1])`;

const unconfiguredPrefix = 'unconfigured.';

/**
 * The record of the pass under way, and that of the last one: the epoch. The record is in Redis so that any worker can go
 * on where another stopped, and goes when Redis is wiped: then the pass under way is over, and a new one begins.
 */
export class Passes {
  readonly #redis: Redis;
  readonly #current: string;
  readonly #epoch: string;

  constructor(redis: Redis, prefix: string) {
    this.#redis = redis;
    this.#current = `${prefix}:pass`;
    this.#epoch = `${prefix}:epoch`;
  }

  async look(): Promise<KnownPasses<Pass>> {
    const [info, last, current] = await Promise.all([
      this.#redis.info('server'),
      this.#redis.hgetall(this.#epoch),
      this.#redis.hgetall(this.#current),
    ]);
    const life = /^run_id:(\w+)/m.exec(info)?.[1] ?? '';
    return { life, last: parse(last), current: parse(current) };
  }

  /** Begins a pass; whatever was under way is over. */
  async begin(run: string, pass: Pick<Pass, 'id' | 'speed' | 'begunAt' | 'life'>): Promise<Pass> {
    const record = { ...pass, run };
    await this.#redis.multi().del(this.#current).hset(this.#current, record).exec();
    return { ...pass, position: positionSchema.parse({}), tally: tallySchema.parse({}), unconfigured: {} };
  }

  /** Goes on with a pass: from now on only this run of it may {@link advance}. Absent if that pass is over. */
  takeOver(run: string, id: string): Promise<Pass | undefined> {
    return this.#set('id', id, { run });
  }

  /** Notes how far a run has come, and answers what all workers have done. Absent if the run is no longer the one. */
  advance(run: string, position: Partial<Position> = {}): Promise<Pass | undefined> {
    return this.#set('run', run, position);
  }

  /** Adds to what a pass has found, if it is still the current one. */
  async count(id: string, found: Partial<Tally>, unconfigured: readonly string[] = []): Promise<void> {
    const figures = Object.entries(found).filter(([, figure]) => figure > 0);
    const ones = unconfigured.map((integration) => [`${unconfiguredPrefix}${integration}`, 1]);
    await this.#redis.eval(addIf, 1, this.#current, 'id', id, ...[...figures, ...ones].flat());
  }

  /** Makes the pass the epoch, which it is only when it was completed. Says whether it still was the current one. */
  async end(run: string, now: number): Promise<boolean> {
    return (await this.#redis.eval(endIf, 2, this.#current, this.#epoch, 'run', run, now)) !== null;
  }

  /** Gives up a pass. Whoever is at it notices. */
  async drop(id: string): Promise<void> {
    await this.#redis.eval(dropIf, 1, this.#current, 'id', id);
  }

  async #set(field: string, value: string, change: Record<string, string>): Promise<Pass | undefined> {
    const pairs = Object.entries(change).flat();
    const flat = await this.#redis.eval(setIf, 1, this.#current, field, value, ...pairs);
    return flat === null ? undefined : parse(toRecord(flat as string[]));
  }
}

/** A record that cannot be understood, such as that of another version, is none: then all is swept anew. */
function parse(hash: Record<string, string>): Pass | undefined {
  const pass = passSchema.safeParse(hash);
  if (!pass.success) return undefined;
  const unconfigured = Object.entries(hash)
    .filter(([field]) => field.startsWith(unconfiguredPrefix))
    .map(([field, text]) => [field.slice(unconfiguredPrefix.length), Number(text)]);
  return {
    ...pass.data,
    position: positionSchema.parse(hash),
    tally: tallySchema.parse(hash),
    unconfigured: Object.fromEntries(unconfigured) as Record<string, number>,
  };
}

function toRecord(flat: string[]): Record<string, string> {
  const record: Record<string, string> = {};
  for (let at = 0; at < flat.length; at += 2) record[flat[at] ?? ''] = flat[at + 1] ?? '';
  return record;
}
