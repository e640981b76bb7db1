import type { Mutation } from '../mutation.ts';

const src = 'packages/refresh/src';

/** One worker at a time spends a refresh token, and only for the state that is stored. */
export const races: Mutation[] = [
  {
    without: 'the claim',
    file: `${src}/claim.ts`,
    text: 'const version = await writeClaim(engine, id, credential, record.version);',
    replacement: 'const version = record.version;',
    tests: 'hazards/races',
    name: 'no race is run',
  },
  {
    without: 'the wait for the claim of another',
    file: `${src}/claim.ts`,
    text: "if (engine.now() < heldUntil) return { kind: 'held', until: heldUntil };",
    replacement: '',
    tests: 'hazards/races',
    name: 'a worker that finds a claim',
  },
  {
    without: 'the margin for clock skew',
    file: `${src}/claim.ts`,
    text: 'return beganAt + lengthMs + limits.clockSkewMs;',
    replacement: 'return beganAt + lengthMs;',
    tests: 'hazards/races',
    name: 'a worker that finds a claim',
  },
  {
    without: 'the deadline check',
    file: `${src}/ask-provider.ts`,
    text: "if (remainingMs < engine.limits.requestMs) return { kind: 'failure', failure: deadlineMissed };",
    replacement: '',
    tests: 'hazards/races',
    name: 'sends nothing',
  },
  {
    without: 'the monotonic clock in the deadline check',
    file: `${src}/ask-provider.ts`,
    text: 'Math.min(deadline - engine.monotonic(), Date.parse(attempt.deadline) - engine.now())',
    replacement: '(engine.monotonic(), Date.parse(attempt.deadline) - engine.now())',
    tests: 'hazards/races',
    name: 'sends nothing',
  },
  {
    without: 'the wall clock in the deadline check',
    file: `${src}/ask-provider.ts`,
    text: 'Math.min(deadline - engine.monotonic(), Date.parse(attempt.deadline) - engine.now())',
    replacement: 'deadline - engine.monotonic()',
    tests: 'hazards/races',
    name: 'sends nothing',
  },
  {
    without: 'patience up to the deadline',
    file: `${src}/ask-provider.ts`,
    text: 'timeoutMs: remainingMs',
    replacement: 'timeoutMs: engine.limits.requestMs',
    tests: 'hazards/races',
    name: 'a slow provider is waited for',
  },
  {
    without: 'the “still due?” check',
    file: `${src}/refresh.ts`,
    text: 'record?.credential.metadata.revision !== job.revision',
    replacement: 'record === undefined',
    tests: 'test/refresh.test',
    name: 'a job',
  },
  {
    without: 'the cas',
    file: 'packages/vault-core/src/vault/kv.ts',
    text: 'const body = { options: { cas }, data };',
    replacement: 'const body = { data };',
    tests: 'hazards/races',
    name: 'no race is run',
  },
  {
    without: 'a look at whose attempt ends',
    file: `${src}/conclude.ts`,
    text: 'return stored.metadata.attempt?.id === claim.attempt.id;',
    replacement: 'return true;',
    tests: 'hazards/races',
    name: 'an attempt that ends late',
  },
];
