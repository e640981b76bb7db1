import type { IncomingMessage } from 'node:http';
import { ConnectorsError } from '@connectors/vault-core';
import type { McpMessage } from './message.ts';

/** A header and the message say different things. */
export class HeaderMismatchError extends ConnectorsError {
  constructor(what: string) {
    super('invalid_request', what);
  }
}

/**
 * What a header says otherwise than the message, if one does: what stands between us and the server may go by the headers.
 *
 * @param message `undefined` for a batch, of which no header speaks
 */
export function findMismatch(
  { headersDistinct: headers }: Pick<IncomingMessage, 'headersDistinct'>,
  message: McpMessage | undefined,
): string | undefined {
  const call = message?.kind === 'call' ? message : undefined;
  const disagrees = (header: string, value: unknown, decode = (text: string): string | undefined => text) => {
    const given = headers[header];
    return given !== undefined && (given.length !== 1 || decode(given[0] ?? '') !== value);
  };
  if (disagrees('mcp-method', call?.method)) return 'Mcp-Method and the message differ';
  if (call?.name !== undefined && disagrees('mcp-name', call.name, decodeName)) {
    return 'Mcp-Name and the message differ';
  }
  const versions = headers['mcp-protocol-version']?.length ?? 1;
  const isOther = call?.revision !== undefined && disagrees('mcp-protocol-version', call.revision);
  return versions !== 1 || isOther ? 'MCP-Protocol-Version and the message differ' : undefined;
}

/** A name that is no plain text for a header stands there as Base64 of its UTF-8. */
function decodeName(text: string): string | undefined {
  const encoded = /^=\?base64\?(.*)\?=$/.exec(text)?.[1];
  if (encoded === undefined) return text;
  const bytes = Buffer.from(encoded, 'base64');
  // Node skips what is no Base64; others might read something else.
  return bytes.toString('base64') === encoded ? bytes.toString() : undefined;
}
