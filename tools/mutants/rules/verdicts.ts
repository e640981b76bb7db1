import type { Mutation } from '../mutation.ts';

const src = 'packages/refresh/src';

/** What a failure costs, and for how long. */
export const verdicts: Mutation[] = [
  {
    without: 'the doubt that names a lost response',
    file: `${src}/conclude.ts`,
    text: "claim.attempt.afterLost === true ? 'response_lost' : refusal",
    replacement: 'refusal',
    tests: 'hazards/lost-responses',
    name: 'the next attempt finds the token spent',
  },
  {
    without: 'keeping a doubt over the next failure',
    file: `${src}/conclude.ts`,
    text: 'const keep = inDoubt || claim.attempt.afterLost === true;',
    replacement: 'const keep = inDoubt;',
    tests: 'hazards/lost-responses',
    name: 'the doubt outlives',
  },
  {
    without: 'the wait after a request that nobody answered',
    file: `${src}/conclude.ts`,
    text: "if (kind === 'failure') await endAttempt",
    replacement: 'await endAttempt',
    tests: 'hazards/lost-responses',
    name: 'keeps everybody else out',
  },
  {
    without: 'the end of an attempt that was answered',
    file: `${src}/conclude.ts`,
    text: "if (kind === 'failure') await endAttempt(engine, job, claim, failure.mayHaveRotated);",
    replacement: '',
    tests: 'hazards/lost-responses',
    name: 'an attempt that was answered leaves no doubt',
  },
  {
    without: 'the latch',
    file: `${src}/conclude.ts`,
    text: "status: 'needs_reauth', statusReason: reason",
    replacement: 'statusReason: reason',
    tests: 'hazards/verdicts',
    name: 'one refusal is the end',
  },
  {
    without: 'a word from the next worker about what was given up',
    file: `${src}/refresh.ts`,
    text: 'if (isLatchUntold(record.credential)) return concludeLatch(engine, job, record);',
    replacement: '',
    tests: 'hazards/verdicts',
    name: 'one whose worker died before it could tell',
  },
  {
    without: 'an end for good in the job',
    file: `${src}/jobs/refresh-job.ts`,
    text: 'throw new UnrecoverableError(outcome.reason);',
    replacement: "return retryLater(deps, job, { kind: 'retry', reason: outcome.reason });",
    tests: 'hazards/verdicts',
    name: 'the grant is gone',
  },
  {
    without: 'a pause for an integration that is throttled',
    file: `${src}/jobs/refresh-job.ts`,
    text: 'if (isThrottled === true && waitMs > 0)',
    replacement: 'if (false)',
    tests: 'hazards/verdicts',
    name: 'too many requests',
  },
  {
    without: 'doubt after a server error',
    file: 'packages/oauth/src/token-failure.ts',
    text: '(unreadable || status === 408 || status >= 500)',
    replacement: 'unreadable',
    tests: 'hazards/lost-responses',
    name: 'leaves the same doubt',
  },
];
