import { STATUS_CODES } from 'node:http';
import type { FastifyReply } from 'fastify';

/** Answers with an RFC 9457 problem that is no more than its status and a sentence. */
export function answerProblem(reply: FastifyReply, status: number, detail: string): FastifyReply {
  return reply
    .code(status)
    .type('application/problem+json')
    .send({ type: 'about:blank', title: STATUS_CODES[status], status, detail });
}
