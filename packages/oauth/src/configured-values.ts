import { fits } from './credential-fields.ts';
import type { FieldRule, ValueSource } from './field-rule.ts';
import type { Provider } from './provider.ts';

/** The addresses of a provider, in which `{name}` may stand for what the operator configures. */
const addresses = [
  'issuer',
  'authorizeUrl',
  'tokenUrl',
  'refreshUrl',
  'revokeUrl',
  'apiBaseUrl',
  'mcpUrl',
] as const;

type Configurable = {
  fields: Readonly<Record<string, FieldRule>>;
  account?: Provider['account'];
} & Partial<Record<(typeof addresses)[number], string | undefined>>;

/**
 * Puts what holds for an integration as a whole into the addresses of its provider, so that only what each credential brings along is
 * left to fill in.
 *
 * @param values what the operator set, by name; a field of the credentials may be among them, and is none any more then
 * @param report is told what is wrong with a value, and never the value
 */
export function configure<P extends Configurable>(
  provider: P,
  values: Readonly<Record<string, string>>,
  report: (name: string, rule: string) => void,
): P {
  const fixed: Record<string, string> = {};
  for (const [name, rule] of Object.entries(provider.fields)) {
    const value = Object.hasOwn(values, name) ? values[name] : rule.default;
    if (value === undefined && rule.configured !== true) continue;
    const isUsable = value !== undefined && fits(value, rule.pattern);
    if (!isUsable) report(name, value === undefined ? 'required' : `must match ${rule.pattern}`);
    // Something stands in for what cannot be used, so that all other problems are found at once, and no others.
    fixed[name] = isUsable ? value : 'missing';
  }
  for (const name of Object.keys(values)) {
    if (!Object.hasOwn(provider.fields, name)) report(name, 'there is no such field');
  }
  const fields = Object.fromEntries(
    Object.entries(provider.fields)
      .filter(([name]) => !Object.hasOwn(fixed, name))
      .map(([name, rule]) => [
        name,
        rule.from === undefined ? rule : { ...rule, from: asked(rule.from, fixed) },
      ]),
  );
  const filled = addresses.map((key) => [key, provider[key] && fill(provider[key], fixed)] as const);
  const account = provider.account && {
    id: asked(provider.account.id, fixed),
    ...(provider.account.name === undefined ? {} : { name: asked(provider.account.name, fixed) }),
  };
  return {
    ...provider,
    ...Object.fromEntries(filled.filter(([, text]) => text !== undefined)),
    ...(account === undefined ? {} : { account }),
    fields,
  };
}

/** A source with the values in the address that is asked. */
function asked(from: ValueSource, values: Readonly<Record<string, string>>): ValueSource {
  return 'lookup' in from ? { ...from, lookup: fill(from.lookup, values) } : from;
}

/** Operators are trusted with their hosts, ports and paths, so these go into an address unchanged. */
function fill(template: string, values: Readonly<Record<string, string>>): string {
  return template.replaceAll(/\{(\w+)\}/g, (place, name: string) =>
    Object.hasOwn(values, name) ? (values[name] ?? place) : place,
  );
}
