import { ConnectorsError, errorTable } from '@connectors/vault-core';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { html } from './html.ts';
import { noticePage } from './layout.ts';

/** Answers a page's error with a page; what nobody can do anything about is left to the console's own handler. */
export function answerErrorPage(error: unknown, _request: FastifyRequest, reply: FastifyReply): FastifyReply {
  if (!(error instanceof ConnectorsError)) throw error;
  const { status, title, action } = errorTable[error.code];
  if (status === 500) throw error;
  if (error.retryAfterMs !== undefined)
    void reply.header('retry-after', String(Math.ceil(error.retryAfterMs / 1000)));
  const next = status === 503 ? 'Nothing is lost. Try again in a moment.' : action;
  return reply
    .code(status)
    .type('text/html; charset=utf-8')
    .send(noticePage('warning', title, html`<p>${next}</p>`));
}
