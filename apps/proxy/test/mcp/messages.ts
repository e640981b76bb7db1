import { bearer, call, type Answer } from '../call.ts';

/** A JSON-RPC request. */
export function request(method: string, params: object = {}, id: string | number = 1) {
  return { jsonrpc: '2.0', id, method, params };
}

export const initialize = (capabilities: object = {}) =>
  request('initialize', {
    protocolVersion: '2025-11-25',
    capabilities,
    clientInfo: { name: 'a-test', version: '1.0.0' },
  });

/** A request as it is from 2026-07-28 on: it says all about itself. */
export function statelessRequest(method: string, params: object = {}, capabilities: object = {}) {
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientInfo': { name: 'a-test', version: '1.0.0' },
    'io.modelcontextprotocol/clientCapabilities': capabilities,
  };
  return request(method, { ...params, _meta });
}

/** The headers that go with it. */
export function statelessHeaders(method: string, name?: string): Record<string, string> {
  return {
    'mcp-protocol-version': '2026-07-28',
    'mcp-method': method,
    ...(name === undefined ? {} : { 'mcp-name': name }),
  };
}

export interface Post {
  key: string;
  integration?: string;
  headers?: Record<string, string>;
}

/** Sends a message, or text that is none, to an integration's MCP server. */
export function post(
  base: string,
  message: unknown,
  { key, integration = 'demo', headers }: Post,
): Promise<Answer> {
  return call(base, `/mcp/${integration}`, {
    method: 'POST',
    headers: {
      ...bearer(key),
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...headers,
    },
    body: typeof message === 'string' || Buffer.isBuffer(message) ? message : JSON.stringify(message),
  });
}

/** The last message of an answer, which is JSON or a stream of events. */
export function messageOf({ text }: Answer): unknown {
  const events = [...text.matchAll(/^data: (\{.*\})$/gm)];
  return JSON.parse(events.at(-1)?.[1] ?? text);
}
