import { Audit } from './audit.ts';
import type { Barrier } from './barrier.ts';
import { Mounts } from './mounts.ts';
import { Policies } from './policies.ts';
import {
  listedError,
  VaultError,
  type Backend,
  type Caller,
  type Handler,
  type Operation,
  type Route,
  type RoutedRequest,
  type VaultAnswer,
  type VaultRequest,
} from './request.ts';
import { system } from './sys.ts';
import { Tokens, type TokenEntry } from './tokens.ts';

interface Routed {
  backend: Backend;
  route: Route | undefined;
  request: RoutedRequest;
}

/** An unsealed Vault. Everything it does is synchronous, so requests never interleave. */
export class Core {
  readonly tokens: Tokens;
  readonly audit: Audit;
  readonly #policies: Policies;
  readonly #mounts: Mounts;

  constructor(barrier: Barrier, now: () => number, seal: () => void) {
    barrier.deleteExpired(now());
    this.tokens = new Tokens(barrier, now);
    this.audit = new Audit(barrier, now);
    this.#policies = new Policies(barrier);
    this.#mounts = new Mounts(barrier, now, this.tokens, this.#policies);
    this.#mounts.mountSystem(system(this.#mounts, this.#policies, this.audit, seal));
  }

  /**
   * token → route → ACL → audit → handler → audit.
   *
   * @throws {VaultError}
   */
  handle(incoming: VaultRequest): VaultAnswer {
    const token = this.tokens.lookup(incoming.clientToken);
    const lastUse = token !== undefined && this.tokens.use(token);
    const routed = this.#route(incoming);
    const { request } = routed;
    try {
      this.#authorize(routed, token);
    } catch (error) {
      if (error instanceof VaultError) this.audit.request(request, token, error.message);
      throw error;
    } finally {
      if (lastUse && routed.request.caller === undefined) this.tokens.revoke(token);
    }
    this.audit.request(request, token);
    try {
      const answer = run(routed);
      this.audit.response(request, token, answer);
      return answer;
    } catch (error) {
      if (error instanceof VaultError) this.audit.response(request, token, {}, error.message);
      throw error;
    } finally {
      if (lastUse) this.tokens.revoke(token);
    }
  }

  #route(incoming: VaultRequest): Routed {
    const found = this.#mounts.find(incoming.path);
    const backend = found?.backend ?? unrouted;
    const inside = incoming.path.slice(found?.mount.path.length ?? 0);
    const request: RoutedRequest = { ...incoming, params: {}, caller: undefined };
    for (const route of backend.routes) {
      const match = route.path.exec(inside);
      if (!match) continue;
      Object.assign(request.params, match.groups);
      if (request.operation === 'update' && route.exists?.(request) === false) request.operation = 'create';
      return { backend, route, request };
    }
    return { backend, route: undefined, request };
  }

  #authorize({ route, request }: Routed, token: TokenEntry | undefined): void {
    if (route?.public) return;
    if (!token) throw new VaultError(403, 'permission denied');
    const acl = this.#policies.acl(token.policies);
    const caller: Caller = { token, acl, sudo: acl.sudo(request.path) };
    const allowed = route?.anyToken || acl.allows(request.path, request.operation);
    if (!allowed || (route?.sudo && !caller.sudo)) throw listedError(403, 'permission denied');
    request.caller = caller;
  }
}

/** What answers outside every mount. */
const unrouted: Backend = {
  routes: [],
  fallback({ path }) {
    throw new VaultError(404, `no handler for route "${path}". route entry not found.`);
  },
};

function run({ backend, route, request }: Routed): VaultAnswer {
  if (!route) {
    if (backend.fallback) return backend.fallback(request);
    throw listedError(404, 'unsupported path');
  }
  const isWrite = request.operation === 'create' || request.operation === 'update';
  if (isWrite && request.path.endsWith('/'))
    throw new VaultError(400, "cannot write to a path ending in '/'");
  const handler = handlerFor(route, request.operation);
  if (!handler) throw listedError(405, 'unsupported operation');
  return handler(request);
}

function handlerFor(route: Route, operation: Operation): Handler | undefined {
  return route.on[operation === 'create' || operation === 'update' ? 'write' : operation];
}
