/** A claim that lets somebody in: who has this value in it is an operator. */
export interface ClaimRule {
  claim: string;
  value: string;
}

/**
 * Reads rules such as `email=a@example.com,groups=ops`.
 *
 * @returns undefined when the text is malformed
 */
export function readClaimRules(text: string): ClaimRule[] | undefined {
  const rules = text.split(',').map((rule) => {
    const [, claim, value] = /^\s*([^=\s]+)\s*=\s*(\S(?:.*\S)?)\s*$/.exec(rule) ?? [];
    return claim === undefined || value === undefined ? undefined : { claim, value };
  });
  return rules.every((rule) => rule !== undefined) ? rules : undefined;
}

/** The first rule that lets the bearer of these claims in. A claim is one value, or a list of them. */
export function ruleThatAllows(
  claims: Readonly<Record<string, unknown>>,
  rules: readonly ClaimRule[],
): ClaimRule | undefined {
  return rules.find(({ claim, value }) => {
    const stated = Object.hasOwn(claims, claim) ? claims[claim] : undefined;
    // Some issuers let anybody write down the address of somebody else. Cognito says it as a text.
    if (claim === 'email' && String(claims['email_verified']) !== 'true') return false;
    return Array.isArray(stated) ? stated.includes(value) : stated === value;
  });
}
