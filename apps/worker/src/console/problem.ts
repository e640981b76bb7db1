import { STATUS_CODES } from 'node:http';
import { errorTable, type ErrorCode } from '@connectors/vault-core';
import type { FastifyReply } from 'fastify';

/** What a status means where nothing more is known. */
const codes: Readonly<Record<number, ErrorCode>> = {
  400: 'invalid_request',
  401: 'admin_unauthenticated',
  403: 'forbidden',
  404: 'not_found',
  409: 'conflict',
  413: 'payload_too_large',
  415: 'unsupported_media_type',
  429: 'rate_limited',
  500: 'internal_error',
  503: 'queue_unavailable',
};

/** Answers with an RFC 9457 problem: its status, a sentence, and the code of it. */
export function answerProblem(
  reply: FastifyReply,
  status: number,
  detail: string,
  code: ErrorCode = codes[status] ?? 'invalid_request',
  more: Readonly<Record<string, unknown>> = {},
): FastifyReply {
  return reply
    .code(status)
    .type('application/problem+json')
    .send({ type: 'about:blank', title: STATUS_CODES[status], status, code, detail, ...more });
}

/** The same with the status that a code has. */
export function answerCode(
  reply: FastifyReply,
  code: ErrorCode,
  detail: string,
  more?: Readonly<Record<string, unknown>>,
): FastifyReply {
  return answerProblem(reply, errorTable[code].status, detail, code, more);
}

/** Says how long to wait before another try, if that is known. */
export function tellRetryAfter(reply: FastifyReply, retryAfterMs: number | undefined): void {
  if (retryAfterMs !== undefined) void reply.header('retry-after', String(Math.ceil(retryAfterMs / 1000)));
}
