import type { Mutation } from '../mutation.ts';

const src = 'packages/refresh/src';

/** When a refresh is due, and whom it holds up. */
export const schedule: Mutation[] = [
  {
    without: 'the revision in the id of a job',
    file: 'packages/vault-core/src/refresh-queue.ts',
    text: 'return `${tenantId}.${revision}`;',
    replacement: 'return tenantId;',
    tests: 'hazards/schedule',
    name: 'each state of a credential has an id of its own',
  },
  {
    without: 'a queue for each integration',
    file: 'packages/vault-core/src/refresh-queue.ts',
    text: "return `refresh-${checkId('integration', integration)}`;",
    replacement: "return 'refresh-all';",
    tests: 'hazards/isolation',
    name: 'holds up no other',
  },
  {
    without: 'the lead of a short life',
    file: `${src}/schedule.ts`,
    text: 'Math.min(maxLeadMs, lifetimeMs / 2)',
    replacement: 'maxLeadMs',
    tests: 'hazards/schedule',
    name: 'a life that is shorter than the lead',
  },
  {
    without: 'the clock of the provider',
    file: 'packages/oauth/src/token-failure.ts',
    text: 'return Number.isNaN(told) ? receivedAt : told;',
    replacement: 'return receivedAt;',
    tests: 'hazards/schedule',
    name: 'a point in time is read on the clock',
  },
  {
    without: 'the cooldown',
    file: `${src}/refresh-now.ts`,
    text: "return isFresh && !isDue ? 'cooling_down' : undefined;",
    replacement: 'return undefined;',
    tests: 'test/refresh-now.test',
    name: 'within a minute after the token was issued',
  },
  {
    without: 'the schedule of what a dying worker has stored',
    file: 'packages/refresh/src/refresh.ts',
    text: 'if (record !== undefined) await scheduleRefresh(engine, job, record.credential);',
    replacement: '',
    tests: 'hazards/schedule',
    name: 'whoever takes the job up again schedules what is stored',
  },
];
