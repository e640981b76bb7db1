import { compilePathPattern, normalisePath, type CredentialId, type Grant } from '@connectors/vault-core';
import type { Surface } from '@connectors/oauth';
import { compileToolPattern } from './tool-pattern.ts';

/** Of each part, `undefined` stands for all. */
interface RestRule {
  methods: ReadonlySet<string> | undefined;
  paths: readonly ((path: string) => boolean)[] | undefined;
}

interface McpRule {
  methods: ReadonlySet<string> | undefined;
  tools: readonly ((tool: string) => boolean)[] | undefined;
}

interface Permission {
  integrations: ReadonlySet<string> | undefined;
  /** `undefined`: nothing of this surface. */
  rest: RestRule | undefined;
  mcp: McpRule | undefined;
  /** Milliseconds; Infinity for never. */
  expiresAt: number;
}

/** What an agent may do: its grants, compiled once and asked at each of its requests. */
export class Permissions {
  /** The tenants that it may act for; also those whose grants have expired, so that a request goes on to mean the same. */
  readonly tenants: readonly string[];
  readonly #byTenant = new Map<string, Permission[]>();

  constructor(grants: readonly Grant[]) {
    for (const grant of grants) {
      const permission = compile(grant);
      for (const tenant of new Set(grant.tenants)) {
        const others = this.#byTenant.get(tenant);
        if (others === undefined) this.#byTenant.set(tenant, [permission]);
        else others.push(permission);
      }
    }
    this.tenants = [...this.#byTenant.keys()];
  }

  includesTenant(tenant: string): boolean {
    return this.#byTenant.has(tenant);
  }

  /** Whether anything of this surface is granted. */
  allowsSurface(id: CredentialId, surface: Surface, now: number): boolean {
    return this.#some(id, now, (permission) => permission[surface] !== undefined);
  }

  /** Whether some grant allows this call. A path is compared in its normal form, an empty one as `/`. */
  allowsRest(id: CredentialId, method: string, path: string, now: number): boolean {
    return this.#some(id, now, ({ rest }) => rest !== undefined && allowsCall(rest, method, path));
  }

  /** Whether what is granted of REST depends on the call. */
  limitsRest(id: CredentialId, now: number): boolean {
    return !this.#some(id, now, ({ rest }) => rest !== undefined && !rest.methods && !rest.paths);
  }

  /** Whether some grant allows this MCP message; `tool` is the tool that a `tools/call` names. */
  allowsMcp(id: CredentialId, method: string, tool: string | undefined, now: number): boolean {
    return this.#some(id, now, ({ mcp }) => mcp !== undefined && allowsMessage(mcp, method, tool));
  }

  /** Whether what is granted of MCP depends on the message, so that it has to be read. */
  limitsMcp(id: CredentialId, now: number): boolean {
    return !this.#some(id, now, ({ mcp }) => mcp !== undefined && !mcp.methods && !mcp.tools);
  }

  #some({ tenantId, integration }: CredentialId, now: number, allows: (one: Permission) => boolean): boolean {
    const permissions = this.#byTenant.get(tenantId);
    if (permissions === undefined) return false;
    return permissions.some(
      (permission) =>
        now < permission.expiresAt &&
        (permission.integrations === undefined || permission.integrations.has(integration)) &&
        allows(permission),
    );
  }
}

function compile({ integrations, rest, mcp, expiresAt }: Grant): Permission {
  const isForAll = rest === undefined && mcp === undefined;
  const all = { methods: undefined, paths: undefined, tools: undefined };
  return {
    integrations: setOf(integrations),
    rest:
      rest === undefined
        ? isForAll
          ? all
          : undefined
        : { methods: methodsOf(rest.methods), paths: rest.paths?.map(compilePathPattern) },
    mcp:
      mcp === undefined
        ? isForAll
          ? all
          : undefined
        : { methods: setOf(mcp.methods), tools: mcp.tools?.map(compileToolPattern) },
    expiresAt: expiresAt === undefined ? Infinity : Date.parse(expiresAt),
  };
}

function setOf(names: readonly string[] | undefined): ReadonlySet<string> | undefined {
  return names && new Set(names);
}

/** HEAD is GET without the body (RFC 9110 9.3.2): who may read one may read the other. */
function methodsOf(names: readonly string[] | undefined): ReadonlySet<string> | undefined {
  return setOf(names?.includes('GET') ? [...names, 'HEAD'] : names);
}

function allowsCall({ methods, paths }: RestRule, method: string, path: string): boolean {
  if (methods !== undefined && !methods.has(method)) return false;
  if (paths === undefined) return true;
  const normal = normalisePath(path === '' ? '/' : path);
  return paths.some((matches) => matches(normal));
}

function allowsMessage({ methods, tools }: McpRule, method: string, tool: string | undefined): boolean {
  if (isLifecycle(method)) return true;
  const isNamed = methods?.has(method) ?? (tools === undefined || toolMethods.has(method));
  if (!isNamed || tools === undefined || method !== 'tools/call') return isNamed;
  return tool !== undefined && tools.some((matches) => matches(tool));
}

/** What every use of MCP takes, whatever it is for. */
function isLifecycle(method: string): boolean {
  return lifecycleMethods.has(method) || method.startsWith('notifications/');
}

const lifecycleMethods = new Set(['initialize', 'ping', 'server/discover']);

/** What a grant of tools is for. */
const toolMethods = new Set(['tools/list', 'tools/call']);
