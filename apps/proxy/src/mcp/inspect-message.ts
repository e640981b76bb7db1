import type { IncomingMessage } from 'node:http';
import { ConnectorsError } from '@connectors/vault-core';
import { GrantMissingError } from '../access/grant-missing-error.ts';
import type { Exchange } from '../exchange.ts';
import type { ProxyParts } from '../pipeline.ts';
import { takeBody } from '../upstream/forward.ts';
import { readMessages, type McpCall, type McpMessage } from './message.ts';
import { findMismatch, HeaderMismatchError } from './mirrored-headers.ts';
import { parseStrictly } from './strict-json.ts';

/**
 * Where the agent's grants name MCP methods or tools, what it sends is read, and each message in it must be granted. What
 * was read is what is sent on, byte for byte. Nobody else's body is read.
 */
export function inspectMessage(exchange: Exchange, parts: ProxyParts): void | Promise<void> {
  const { now } = parts;
  const { agent, target, credentialId, request } = exchange;
  if (target.surface !== 'mcp' || !agent.permissions.limitsMcp(credentialId, now())) return;
  if (target.path !== '' && target.path !== '/') {
    throw new ConnectorsError('agent_forbidden', 'The agent has no grant for paths below the MCP server');
  }
  const { method = '', headers } = request;
  if (method === 'POST') return inspect(exchange, parts);
  if (method !== 'GET' && method !== 'DELETE') {
    throw new ConnectorsError('agent_forbidden', 'To MCP servers the agent may send POST, GET and DELETE');
  }
  if (headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined) {
    throw refusal(`a ${method} has no body`);
  }
}

async function inspect(exchange: Exchange, parts: ProxyParts): Promise<void> {
  const { request, response } = exchange;
  refuseOtherForms(request);
  await takeBody(exchange, parts);
  if (exchange.body.kind === 'streamed') {
    // Nobody reads what is left of it.
    response.shouldKeepAlive = false;
    throw exchange.body.isLarge
      ? new ConnectorsError('payload_too_large', 'MCP messages of this agent may have at most 1 MiB')
      : new ConnectorsError('overloaded', 'There is no room to read the message', { retryAfterMs: 2_000 });
  }
  const bytes = exchange.body.kind === 'kept' ? exchange.body.bytes : Buffer.alloc(0);
  const { messages, isBatch } = read(bytes);
  const mismatch = findMismatch(request, isBatch ? undefined : messages[0]);
  if (mismatch !== undefined) throw new HeaderMismatchError(mismatch);
  exchange.messages = messages;
  checkMessages(exchange, messages, parts.now());
}

/** Each of them is granted. */
function checkMessages(exchange: Exchange, messages: readonly McpMessage[], now: number): void {
  const { agent, credentialId: id } = exchange;
  for (const message of messages) {
    if (message.kind === 'response') continue;
    const tool = message.method === 'tools/call' ? message.name : undefined;
    if (!agent.permissions.allowsMcp(id, message.method, tool, now)) throw missing(exchange, message, tool);
  }
}

/** What was let pass before would be granted now as well. Of a body that nobody has read nobody can tell. */
export function checkPassedMessages(exchange: Exchange, now: number): void {
  const { agent, target, credentialId, request, messages } = exchange;
  const { body }: Partial<Exchange> = exchange;
  if (target.surface !== 'mcp' || !agent.permissions.limitsMcp(credentialId, now)) return;
  if (messages !== undefined) checkMessages(exchange, messages, now);
  else if (request.method === 'POST' && body !== undefined) throw new ConnectorsError('agent_forbidden');
}

function missing(
  { credentialId }: Exchange,
  { method }: McpCall,
  tool: string | undefined,
): GrantMissingError {
  const { tenantId: tenant, integration } = credentialId;
  const what = tool === undefined ? method : `the tool ${tool}`;
  const grant = { tenant, integration, mcpMethod: method, ...(tool === undefined ? {} : { tool }) };
  return new GrantMissingError(`The agent has no grant for ${what} of ${integration} for ${tenant}`, grant);
}

function read(bytes: Buffer) {
  try {
    return readMessages(parseStrictly(bytes));
  } catch (error) {
    throw refusal((error as Error).message);
  }
}

/** A body that is anything but plain JSON might be something else to the upstream. */
function refuseOtherForms({ headers, headersDistinct }: IncomingMessage): void {
  const types = headersDistinct['content-type'] ?? [];
  if (types.length !== 1 || !/^application\/json(?:; *charset="?utf-8"?)?$/i.test(types[0] ?? '')) {
    throw refusal('its Content-Type must be application/json');
  }
  if (headers['content-encoding'] !== undefined) throw refusal('it must not be encoded');
}

function refusal(what: string): ConnectorsError {
  return new ConnectorsError('invalid_request', `The agent's grants need its MCP messages read: ${what}`);
}
