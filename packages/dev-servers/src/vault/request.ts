import type { Acl } from './acl.ts';
import type { Fields } from './fields.ts';
import type { TokenEntry } from './tokens.ts';

/** What a request does, in the words of Vault's policies. */
export type Operation = 'create' | 'read' | 'update' | 'patch' | 'delete' | 'list';

/** A request on its way through the router. */
export interface VaultRequest {
  id: string;
  operation: Operation;
  /** Below `/v1/`, decoded; a list's ends in `/`. */
  path: string;
  fields: Fields;
  contentType: string;
  clientToken: string;
  remoteAddress: string;
}

/** What a route's handler is given. */
export interface RoutedRequest extends VaultRequest {
  /** The named groups of the route's pattern. */
  params: Record<string, string>;
  /** Absent on public routes. */
  caller: Caller | undefined;
}

/** Who sent an authenticated request. */
export interface Caller {
  token: TokenEntry;
  acl: Acl;
  /** Whether the caller's policies give `sudo` on the path. */
  sudo: boolean;
}

export interface VaultAnswer {
  /** 200 when absent and there is something to say, else 204. */
  status?: number;
  data?: Fields | null;
  auth?: Fields;
  warnings?: string[];
  /** Some of Vault's oldest routes repeat `data` at the top level. */
  flat?: true;
}

/** A refusal, as Vault words it. */
export class VaultError extends Error {
  readonly status: number;
  readonly errors: string[];

  constructor(status: number, ...errors: string[]) {
    super(errors.join('; '));
    this.status = status;
    this.errors = errors;
  }
}

/** Vault's framework wraps some of its errors in Go's list format. */
export function listedError(status: number, message: string): VaultError {
  return new VaultError(status, `1 error occurred:\n\t* ${message}\n\n`);
}

/** What was never there: a 404 with an empty list of errors. */
export function notFound(): VaultError {
  return new VaultError(404);
}

/** @throws {VaultError} 403 on a public route */
export function callerOf(request: RoutedRequest): Caller {
  if (!request.caller) throw new VaultError(403, 'permission denied');
  return request.caller;
}

/** An answer to a list: an empty one is a 404. */
export function listing(keys: string[]): VaultAnswer {
  if (keys.length === 0) throw notFound();
  return { data: { keys } };
}

/** What Vault takes for the name of a key or a role, as a group of a route's pattern. */
export const namePattern = String.raw`(?<name>\w(?:[\w.-]*\w)?)`;

export interface Route {
  /** Matched against the path below the mount. */
  path: RegExp;
  /** Reachable without a token. */
  public?: true;
  /** Reachable with any valid token, whatever its policies. */
  anyToken?: true;
  /** Root-protected: wants the `sudo` capability too. */
  sudo?: true;
  /** Where present, tells a `create` from an `update`; without it every write is an `update`. */
  exists?: (request: RoutedRequest) => boolean;
  on: Partial<Record<'read' | 'list' | 'write' | 'patch' | 'delete', Handler>>;
}

export type Handler = (request: RoutedRequest) => VaultAnswer;

/** A secrets engine, an auth method or the system: a table of routes. */
export interface Backend {
  routes: Route[];
  /** Answers what no route matches; 404 "unsupported path" when absent. */
  fallback?: Handler;
}
