import type { Provider } from './provider.ts';

/**
 * What a credential has of its own beside its tokens, for example the id of an installation, by name. Where the
 * integration's key signs, they alone say whose data is reached: a tenant must not be believed what they are.
 */
export type CredentialFields = Readonly<Record<string, string>>;

const maxLength = 512;

/**
 * What is wrong with the fields of a credential. Check them when they are written; they are checked again when they
 * are used.
 *
 * @returns one line for each field, none with a value in it
 */
export function fieldProblems(
  { fields: rules }: Pick<Provider, 'fields'>,
  fields: CredentialFields,
): string[] {
  const unknown = Object.keys(fields).filter((name) => !Object.hasOwn(rules, name));
  const problems = unknown.map((name) => `${name}: there is no such field`);
  for (const [name, { pattern, optional = false }] of Object.entries(rules)) {
    const value = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (value === undefined && !optional) problems.push(`${name}: is required`);
    if (value !== undefined && !fits(value, pattern)) problems.push(`${name}: must match ${pattern}`);
  }
  return problems;
}

/** The names of those fields that are missing, unknown or break their rule. */
export function brokenFields(
  { fields: rules }: Pick<Provider, 'fields'>,
  names: readonly string[],
  fields: CredentialFields,
): string[] {
  return names.filter((name) => {
    const rule = Object.hasOwn(rules, name) ? rules[name] : undefined;
    const value = Object.hasOwn(fields, name) ? fields[name] : undefined;
    return rule === undefined || value === undefined || !fits(value, rule.pattern);
  });
}

/** Whether a value satisfies its rule. */
export function fits(value: string, pattern: string): boolean {
  // In a path these two climb, whatever the pattern says.
  if (value === '.' || value === '..' || value.length > maxLength) return false;
  return new RegExp(`^(?:${pattern})$`, 'u').test(value);
}

/** Replaces each `{name}` in a URL with that field of a credential; the fields must have been checked. */
export function fillUrl(template: string, fields: CredentialFields): string {
  return fill(template, (name) => encodeURIComponent(fields[name] ?? ''));
}

/** The same for a text that is not a URL. */
export function fillText(template: string, fields: CredentialFields): string {
  return fill(template, (name) => fields[name] ?? '');
}

/** The names of the fields that a text contains as `{name}`. */
export function placeholders(template = ''): string[] {
  return [...template.matchAll(place)].map(([, name = '']) => name);
}

const place = /\{(\w+)\}/g;

function fill(template: string, valueOf: (name: string) => string): string {
  return template.replaceAll(place, (_, name: string) => valueOf(name));
}
