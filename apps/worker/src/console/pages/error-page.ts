import { ConnectorsError, errorTable } from '@connectors/vault-core';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { tellRetryAfter } from '../problem.ts';
import { html, htmlType } from './html.ts';
import { noticePage } from './layout.ts';

/** Answers a page's error with a page; what nobody can do anything about is left to the console's own handler. */
export function answerErrorPage(error: unknown, _request: FastifyRequest, reply: FastifyReply): FastifyReply {
  if (!(error instanceof ConnectorsError)) throw error;
  const { status, title, action } = errorTable[error.code];
  if (status === 500) throw error;
  tellRetryAfter(reply, error.retryAfterMs);
  const next = status === 503 ? 'Nothing is lost. Try again in a moment.' : action;
  const what = status === 400 ? html`<p>${error.message}</p>` : '';
  return reply
    .code(status)
    .type(htmlType)
    .send(
      noticePage(
        'warning',
        title,
        html`${what}
          <p>${next}</p>`,
      ),
    );
}

/** Whether it is a person in a browser who waits for the answer, and no program. */
export function wantsPage({ headers: { accept, authorization } }: FastifyRequest): boolean {
  return authorization === undefined && accept?.includes('text/html') === true;
}

export function notFoundPage(): string {
  return noticePage(
    'neutral',
    'There is nothing here',
    html`<p>The address is wrong, or what was here is gone. Links to connect are sent by your application.</p>
      <p><a class="button wide" href="/">To the operator’s overview</a></p>`,
  );
}

/** For what nobody foresaw. */
export function brokenPage(): string {
  return noticePage(
    'bad',
    'Something went wrong here',
    html`<p>It was not your doing, and the log of the console says what it was. Try again in a moment.</p>`,
  );
}

/** For a form that did not come from a page of the session. */
export function foreignFormPage(path: string): string {
  return noticePage(
    'bad',
    'This was not done',
    html`<p>
        The request did not come from this page, or the page was open for too long. Nothing was changed.
      </p>
      <p><a class="button wide" href="${path}">Back to the page</a></p>`,
  );
}
