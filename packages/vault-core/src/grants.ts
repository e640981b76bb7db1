import { METHODS } from 'node:http';
import { z } from 'zod';
import { idRule, isId } from './ids.ts';
import { isPathPattern, pathPatternRule } from './path-pattern.ts';

const id = z.string().refine(isId, `must be ${idRule}`);

const httpMethods = new Set(METHODS.filter((method) => method !== 'CONNECT' && method !== 'TRACE'));
const httpMethod = z
  .string()
  .refine((method) => httpMethods.has(method), 'must be an HTTP method that the proxy takes, in upper case');

const pathPattern = z.string().max(1_024).refine(isPathPattern, `must be ${pathPatternRule}`);

const mcpMethod = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9_/$.-]{0,127}$/, 'must be the name of an MCP method, for example `tools/call`');

const toolPattern = z
  .string()
  .regex(/^[\x21-\x7e]{1,128}$/, 'must be the name of an MCP tool, in which `*` stands for any part');

/**
 * What an agent may do. Neither `rest` nor `mcp`: everything of these integrations for these tenants. One of them: only
 * that. An unknown field is refused, since it could be a restriction that a newer version of ours knows.
 */
export const grantSchema = z.strictObject({
  tenants: z.array(id).min(1),
  /** Absent: all of them. */
  integrations: z.array(id).min(1).exactOptional(),
  /** Parts that are absent: all methods, all paths. */
  rest: z
    .strictObject({
      methods: z.array(httpMethod).min(1).exactOptional(),
      paths: z.array(pathPattern).min(1).exactOptional(),
    })
    .exactOptional(),
  /** Neither part: everything. `tools` alone: to list tools and to call these. */
  mcp: z
    .strictObject({
      methods: z.array(mcpMethod).min(1).exactOptional(),
      tools: z.array(toolPattern).min(1).exactOptional(),
    })
    .exactOptional(),
  expiresAt: z.iso.datetime().exactOptional(),
});

export type Grant = z.infer<typeof grantSchema>;

/** The grants of one agent: a call must be allowed by one of them, as a whole. */
export const grantsSchema = z.array(grantSchema).min(1).max(1_000);
