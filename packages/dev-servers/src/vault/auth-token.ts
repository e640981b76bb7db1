import { flag, integer, isObject, seconds, strings, text, type Fields } from './fields.ts';
import {
  listedError,
  VaultError,
  type Backend,
  type Caller,
  type RoutedRequest,
  type VaultAnswer,
} from './request.ts';
import type { Policies } from './policies.ts';
import { normalize, type TokenEntry, type Tokens } from './tokens.ts';

/** The `auth/token` method. */
export function tokenAuth(tokens: Tokens, policies: Policies): Backend {
  const own = (request: RoutedRequest) => callerOf(request).token;
  const named = (request: RoutedRequest) => {
    const clientToken = text(request.fields, 'token') || request.clientToken;
    return { clientToken, token: tokens.lookup(clientToken) };
  };
  const renew = (request: RoutedRequest, clientToken: string, token: TokenEntry): VaultAnswer => {
    const increment = seconds(request.fields, 'increment');
    const renewed = tokens.renew(token, increment);
    const left = tokens.ttl(renewed);
    const capped = increment !== undefined && left < increment - 1 && renewed.period === 0;
    return {
      auth: authOf(clientToken, renewed, Math.round((renewed.expiresAt ?? 0) - (renewed.lastRenewal ?? 0))),
      ...(capped
        ? { warnings: ['TTL exceeded the effective max_ttl; TTL value is capped accordingly'] }
        : {}),
    };
  };
  const create = (request: RoutedRequest, orphan: boolean) => createToken(tokens, policies, request, orphan);

  return {
    routes: [
      {
        path: /^create$/,
        on: { write: (request) => create(request, flag(request.fields, 'no_parent') ?? false) },
      },
      { path: /^create-orphan$/, sudo: true, on: { write: (request) => create(request, true) } },
      {
        path: /^lookup-self$/,
        on: {
          read: (request) => describe(tokens, own(request), request.clientToken),
          write: (request) => describe(tokens, own(request), request.clientToken),
        },
      },
      {
        path: /^lookup$/,
        on: {
          write(request) {
            const { clientToken, token } = named(request);
            if (!token) throw new VaultError(403, 'bad token');
            return describe(tokens, token, clientToken);
          },
        },
      },
      {
        path: /^lookup-accessor$/,
        on: { write: (request) => describe(tokens, byAccessor(tokens, request), '') },
      },
      { path: /^accessors\/?$/, sudo: true, on: { list: () => ({ data: { keys: tokens.accessors() } }) } },
      { path: /^renew-self$/, on: { write: (request) => renew(request, request.clientToken, own(request)) } },
      {
        path: /^renew$/,
        on: {
          write(request) {
            const { clientToken, token } = named(request);
            if (!token) throw new VaultError(400, 'token not found');
            return renew(request, clientToken, token);
          },
        },
      },
      { path: /^revoke-self$/, on: { write: (request) => revoke(tokens, own(request)) } },
      {
        path: /^revoke$/,
        on: {
          write(request) {
            const clientToken = text(request.fields, 'token');
            if (!clientToken) throw listedError(400, 'missing token ID');
            return revoke(tokens, tokens.lookup(clientToken));
          },
        },
      },
      {
        path: /^revoke-accessor$/,
        on: {
          write(request) {
            const accessor = text(request.fields, 'accessor');
            if (!accessor) throw listedError(400, 'missing accessor');
            const token = tokens.lookupAccessor(accessor);
            if (!token) return { warnings: ['No token found with this accessor'] };
            return revoke(tokens, token);
          },
        },
      },
    ],
  };
}

function createToken(
  tokens: Tokens,
  policies: Policies,
  request: RoutedRequest,
  orphan: boolean,
): VaultAnswer {
  const { fields } = request;
  const { token: parent, sudo, acl } = callerOf(request);
  const id = text(fields, 'id');
  const period = seconds(fields, 'period');
  const privileged = sudo || acl.isRoot;
  if (id && !privileged) throw new VaultError(400, 'root or sudo privileges required to specify token id');
  if (id && /^(?:s|b|r|hvs|hvb|hvr)\./.test(id)) {
    throw new VaultError(400, `custom token ID cannot have the '${id.slice(0, id.indexOf('.') + 1)}' prefix`);
  }
  if (orphan && !privileged) {
    throw new VaultError(400, 'root or sudo privileges required to create orphan token');
  }
  if (period && !privileged) {
    throw new VaultError(400, 'root or sudo privileges required to create periodic token');
  }
  if ((text(fields, 'type') ?? 'service') !== 'service') {
    throw new VaultError(400, 'only service tokens are supported here');
  }
  const wanted = policiesFor(fields, parent, privileged);
  const { clientToken, token } = tokens.create({
    id,
    period,
    policies: wanted,
    displayName: ['token', text(fields, 'display_name')].filter(Boolean).join('-'),
    path: 'auth/token/create',
    meta: stringMap(fields['meta']),
    ttl: seconds(fields, 'ttl'),
    explicitMaxTtl: seconds(fields, 'explicit_max_ttl'),
    renewable: flag(fields, 'renewable'),
    numUses: integer(fields, 'num_uses'),
    parent: orphan ? undefined : parent.hash,
  });
  const missing = token.policies.filter((name) => policies.get(name) === undefined);
  return {
    auth: authOf(clientToken, token, token.creationTtl),
    ...(missing.length > 0 ? { warnings: missing.map((name) => `Policy "${name}" does not exist`) } : {}),
  };
}

function policiesFor(fields: Fields, parent: TokenEntry, privileged: boolean): string[] {
  const wanted = normalize(strings(fields, 'policies') ?? []);
  if (wanted.length === 0) return parent.policies;
  if (wanted.includes('root') && wanted.length > 1) {
    throw new VaultError(400, 'root tokens may not have other policies');
  }
  const beyond = wanted.some((name) => name !== 'default' && !parent.policies.includes(name));
  if (beyond && !privileged) throw new VaultError(400, 'child policies must be subset of parent');
  if (wanted.includes('root') && !parent.policies.includes('root')) {
    throw new VaultError(400, 'root tokens may not be created without parent token being root');
  }
  return wanted.includes('root') || flag(fields, 'no_default_policy')
    ? wanted
    : normalize([...wanted, 'default']);
}

/** The `auth` part of an answer that hands out or renews a token. */
export function authOf(clientToken: string, token: TokenEntry, leaseDuration: number): Fields {
  return {
    client_token: clientToken,
    accessor: token.accessor,
    policies: token.policies,
    token_policies: token.policies,
    metadata: token.meta,
    lease_duration: leaseDuration,
    renewable: token.renewable,
    entity_id: '',
    token_type: 'service',
    orphan: token.parent === undefined,
    mfa_requirement: null,
    num_uses: token.numUses,
  };
}

function describe(tokens: Tokens, token: TokenEntry, clientToken: string): VaultAnswer {
  return {
    data: {
      accessor: token.accessor,
      creation_time: Math.trunc(token.issuedAt),
      creation_ttl: token.creationTtl,
      display_name: token.displayName,
      entity_id: '',
      expire_time: token.expiresAt === null ? null : timestamp(token.expiresAt),
      explicit_max_ttl: token.explicitMaxTtl,
      id: clientToken,
      issue_time: timestamp(token.issuedAt),
      ...(token.lastRenewal === undefined
        ? {}
        : { last_renewal: timestamp(token.lastRenewal), last_renewal_time: Math.trunc(token.lastRenewal) }),
      meta: token.meta,
      num_uses: token.numUses,
      orphan: token.parent === undefined,
      path: token.path,
      ...(token.period > 0 ? { period: token.period } : {}),
      policies: token.policies,
      renewable: token.renewable,
      ttl: tokens.ttl(token),
      type: 'service',
    },
  };
}

function revoke(tokens: Tokens, token: TokenEntry | undefined): VaultAnswer {
  if (token) tokens.revoke(token);
  return {};
}

function byAccessor(tokens: Tokens, request: RoutedRequest): TokenEntry {
  const token = tokens.lookupAccessor(text(request.fields, 'accessor') ?? '');
  if (!token) throw listedError(400, 'invalid accessor');
  return token;
}

function callerOf(request: RoutedRequest): Caller {
  if (!request.caller) throw new VaultError(403, 'permission denied');
  return request.caller;
}

function stringMap(value: unknown): Record<string, string> | null {
  if (!isObject(value)) return null;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, String(item)]));
}

function timestamp(epochSeconds: number): string {
  return new Date(epochSeconds * 1000).toISOString();
}
