import { describe, expect, it } from 'vitest';
import { readClaimRules, ruleThatAllows } from '../../../src/console/oidc/claim-rules.ts';

describe('claim rules', () => {
  it('are claim=value, with commas between', () => {
    expect(readClaimRules('email=a@example.com, groups = team ops')).toEqual([
      { claim: 'email', value: 'a@example.com' },
      { claim: 'groups', value: 'team ops' },
    ]);
  });

  it('keep what follows the first equals sign', () => {
    expect(readClaimRules('groups=cn=ops')).toEqual([{ claim: 'groups', value: 'cn=ops' }]);
  });

  it.each(['', 'email', 'email=', '=ops', 'email=a,', 'email=a,,sub=b'])('are not %j', (text) => {
    expect(readClaimRules(text)).toBeUndefined();
  });
});

describe('a rule', () => {
  const rules = readClaimRules('email=a@example.com,groups=ops') ?? [];

  it.each([
    [{ email: 'a@example.com' }, undefined],
    [{ email: 'a@example.com', email_verified: 'true' }, 'email'],
    [{ email: 'a@example.com', email_verified: true }, 'email'],
    [{ email: 'a@example.com', email_verified: false }, undefined],
    [{ email: 'A@example.com', email_verified: true }, undefined],
    [{ groups: ['all', 'ops'] }, 'groups'],
    [{ groups: 'ops' }, 'groups'],
    [{ groups: 'ops all' }, undefined],
    [{ groups: [['ops']] }, undefined],
    [{ groups: { ops: true } }, undefined],
    [{}, undefined],
  ])('for %j lets in by: %s', (claims, claim) => {
    expect(ruleThatAllows(claims, rules)?.claim).toBe(claim);
  });

  it('takes nothing from what every object has', () => {
    expect(ruleThatAllows({}, [{ claim: 'constructor', value: 'x' }])).toBeUndefined();
  });
});
