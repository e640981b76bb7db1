import { createToken } from './auth-token-create.ts';
import { flag, seconds, text } from './fields.ts';
import type { Policies } from './policies.ts';
import {
  callerOf,
  listedError,
  VaultError,
  type Backend,
  type Route,
  type RoutedRequest,
  type VaultAnswer,
} from './request.ts';
import { authOf, type TokenEntry, type Tokens } from './tokens.ts';

/** The `auth/token` method. */
export function tokenAuth(tokens: Tokens, policies: Policies): Backend {
  const create = (request: RoutedRequest, orphan: boolean) => createToken(tokens, policies, request, orphan);
  return {
    routes: [
      {
        path: /^create$/,
        on: { write: (request) => create(request, flag(request.fields, 'no_parent') ?? false) },
      },
      { path: /^create-orphan$/, sudo: true, on: { write: (request) => create(request, true) } },
      ...lookupRoutes(tokens),
      ...renewRoutes(tokens),
      ...revokeRoutes(tokens),
    ],
  };
}

function lookupRoutes(tokens: Tokens): Route[] {
  const self = (request: RoutedRequest) => describe(tokens, callerOf(request).token, request.clientToken);
  return [
    { path: /^accessors\/?$/, sudo: true, on: { list: () => ({ data: { keys: tokens.accessors() } }) } },
    { path: /^lookup-self$/, on: { read: self, write: self } },
    {
      path: /^lookup$/,
      on: {
        write(request) {
          // Without a token in the body it is the caller's own, as in Vault.
          const clientToken = text(request.fields, 'token') || request.clientToken;
          const token = tokens.lookup(clientToken);
          if (!token) throw new VaultError(403, 'bad token');
          return describe(tokens, token, clientToken);
        },
      },
    },
    {
      path: /^lookup-accessor$/,
      on: {
        write(request) {
          const token = tokens.lookupAccessor(text(request.fields, 'accessor') ?? '');
          if (!token) throw listedError(400, 'invalid accessor');
          return describe(tokens, token, '');
        },
      },
    },
  ];
}

function renewRoutes(tokens: Tokens): Route[] {
  return [
    {
      path: /^renew-self$/,
      on: { write: (request) => renew(tokens, request, request.clientToken, callerOf(request).token) },
    },
    {
      path: /^renew$/,
      on: {
        write(request) {
          const clientToken = text(request.fields, 'token') ?? '';
          const token = tokens.lookup(clientToken);
          if (!token) throw new VaultError(400, 'token not found');
          return renew(tokens, request, clientToken, token);
        },
      },
    },
  ];
}

function revokeRoutes(tokens: Tokens): Route[] {
  return [
    { path: /^revoke-self$/, on: { write: (request) => revoke(tokens, callerOf(request).token) } },
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
          return token ? revoke(tokens, token) : { warnings: ['No token found with this accessor'] };
        },
      },
    },
  ];
}

function renew(tokens: Tokens, request: RoutedRequest, clientToken: string, token: TokenEntry): VaultAnswer {
  const increment = seconds(request.fields, 'increment');
  const renewed = tokens.renew(token, increment);
  const granted = Math.round((renewed.expiresAt ?? 0) - (renewed.lastRenewal ?? 0));
  const isCapped = increment !== undefined && granted < increment && renewed.period === 0;
  return {
    auth: authOf(clientToken, renewed, granted),
    ...(isCapped
      ? { warnings: ['TTL exceeded the effective max_ttl; TTL value is capped accordingly'] }
      : {}),
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

function timestamp(epochSeconds: number): string {
  return new Date(epochSeconds * 1000).toISOString();
}
