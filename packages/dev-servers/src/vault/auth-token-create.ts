import { flag, integer, isObject, seconds, strings, text, type Fields } from './fields.ts';
import type { Policies } from './policies.ts';
import { callerOf, VaultError, type Caller, type RoutedRequest, type VaultAnswer } from './request.ts';
import { authOf, normalize, type Tokens } from './tokens.ts';

/** `auth/token/create`: a child of the caller's token, or an orphan. */
export function createToken(
  tokens: Tokens,
  policies: Policies,
  request: RoutedRequest,
  orphan: boolean,
): VaultAnswer {
  const { fields } = request;
  const caller = callerOf(request);
  const id = text(fields, 'id');
  const period = seconds(fields, 'period');
  checkPrivileges(caller, id, period, orphan);
  if ((text(fields, 'type') ?? 'service') !== 'service') {
    throw new VaultError(400, 'only service tokens are supported here');
  }
  const { clientToken, token } = tokens.create({
    id,
    period,
    policies: policiesFor(fields, caller),
    displayName: ['token', text(fields, 'display_name')].filter(Boolean).join('-'),
    path: 'auth/token/create',
    meta: stringMap(fields['meta']),
    ttl: seconds(fields, 'ttl'),
    explicitMaxTtl: seconds(fields, 'explicit_max_ttl'),
    renewable: flag(fields, 'renewable'),
    numUses: integer(fields, 'num_uses'),
    parent: orphan ? undefined : caller.token.hash,
  });
  const missing = token.policies.filter((name) => policies.get(name) === undefined);
  return {
    auth: authOf(clientToken, token, token.creationTtl),
    ...(missing.length > 0 ? { warnings: missing.map((name) => `Policy "${name}" does not exist`) } : {}),
  };
}

function checkPrivileges(
  caller: Caller,
  id: string | undefined,
  period: number | undefined,
  orphan: boolean,
): void {
  if (id && !caller.sudo) throw privileged('specify token id');
  if (id && /^(?:s|b|r|hvs|hvb|hvr)\./.test(id)) {
    throw new VaultError(400, `custom token ID cannot have the '${id.slice(0, id.indexOf('.') + 1)}' prefix`);
  }
  if (orphan && !caller.sudo) throw privileged('create orphan token');
  if (period && !caller.sudo) throw privileged('create periodic token');
}

function privileged(what: string): VaultError {
  return new VaultError(400, `root or sudo privileges required to ${what}`);
}

function policiesFor(fields: Fields, { token: parent, sudo }: Caller): string[] {
  const wanted = normalize(strings(fields, 'policies') ?? []);
  if (wanted.length === 0) return parent.policies;
  if (wanted.includes('root') && wanted.length > 1) {
    throw new VaultError(400, 'root tokens may not have other policies');
  }
  const beyond = wanted.some((name) => name !== 'default' && !parent.policies.includes(name));
  if (beyond && !sudo) throw new VaultError(400, 'child policies must be subset of parent');
  if (wanted.includes('root') && !parent.policies.includes('root')) {
    throw new VaultError(400, 'root tokens may not be created without parent token being root');
  }
  return wanted.includes('root') || flag(fields, 'no_default_policy')
    ? wanted
    : normalize([...wanted, 'default']);
}

function stringMap(value: unknown): Record<string, string> | null {
  if (!isObject(value)) return null;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, String(item)]));
}
