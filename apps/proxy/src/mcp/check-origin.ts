import { ConnectorsError } from '@connectors/vault-core';
import type { Exchange } from '../exchange.ts';
import type { ProxyParts } from '../pipeline.ts';

/**
 * A web page calls MCP servers only if the operator has named its origin: else one that has its own name resolve to our
 * address (DNS rebinding) could. Programs send no `Origin`.
 */
export function checkOrigin(exchange: Exchange, { mcpOrigins }: ProxyParts): void {
  if (exchange.target.surface !== 'mcp') return;
  const { origin } = exchange.request.headers;
  if (origin !== undefined && !mcpOrigins.has(origin)) throw new ConnectorsError('origin_forbidden');
}
