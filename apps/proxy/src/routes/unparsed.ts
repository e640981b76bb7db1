import type { Socket } from 'node:net';
import { ConnectorsError } from '@connectors/vault-core';
import { nextRequestId, type Exchange } from '../exchange.ts';
import type { ProxyParts } from '../pipeline.ts';
import { problemMessage } from './problem.ts';

const details: Record<string, string> = {
  HPE_INVALID_METHOD: 'There is no such method',
  HPE_HEADER_OVERFLOW: 'The headers are larger than 16 KB',
  ERR_HTTP_REQUEST_TIMEOUT: 'The headers did not arrive in time',
};

/** Answers what Node cannot parse: there is no request then, only a connection. */
export function refuseUnparsed(
  { code = '' }: Error & { code?: string },
  socket: Socket,
  { underWay, consoleUrl, metrics, writeAccess }: ProxyParts,
): void {
  if (code === 'ECONNRESET' || !socket.writable) return;
  // An answer within another would be taken for its body, and one before it for that one.
  if ([...underWay].some((exchange) => exchange.request.socket === socket && isOwedAnswer(exchange))) {
    socket.destroy();
    return;
  }
  const error = new ConnectorsError('invalid_request', details[code] ?? 'This is not well-formed HTTP/1.1');
  const requestId = nextRequestId();
  const { status, headers, body } = problemMessage(error, { requestId }, consoleUrl);
  const fields = Object.entries({ ...headers, Connection: 'close' }).map(
    ([name, value]) => `${name}: ${value}`,
  );
  socket.write(`HTTP/1.1 ${status} Bad Request\r\n${fields.join('\r\n')}\r\n\r\n${body}`);
  socket.destroySoon();
  metrics.countRequest('none', '4xx');
  metrics.errors.inc({ code: error.code });
  writeAccess?.({ requestId, status, error: error.code, cause: code });
}

/** Whether this request arrived whole, or its answer has begun: then what comes next on the connection is its answer. */
function isOwedAnswer({ request, response }: Exchange): boolean {
  return !response.writableEnded && (request.complete || response.headersSent);
}
