import { createHmac } from 'node:crypto';
import type { Secret } from '@connectors/vault-core';
import type { FastifyRequest } from 'fastify';
import { consoleKey } from './console-key.ts';
import { isSameOrigin } from './guard.ts';
import { isSame } from './is-same.ts';
import { html, type Html } from './pages/html.ts';

const field = 'form_token';

/**
 * Both locks of forms: the origin that a browser states, and a token that only a page of the same session can hold. The
 * token is a MAC of the session, so nothing is stored.
 */
export class FormLocks {
  readonly #key: Buffer;
  readonly #origin: string;

  /** @param origin of the console */
  constructor(adminToken: Secret, origin: string) {
    this.#key = consoleKey(adminToken, 'form');
    this.#origin = origin;
  }

  /**
   * The hidden field that each form of a session's pages has.
   *
   * @param session what nobody else has: a session's cookie, or its id
   */
  field(session: string): Html {
    return html`<input type="hidden" name="${field}" value="${this.#tokenOf(session)}" />`;
  }

  /** Whether this request is a form from a page of the session. */
  open(request: FastifyRequest, session: string): boolean {
    const { body } = request;
    if (!isSameOrigin(request, this.#origin) || !(body instanceof URLSearchParams)) return false;
    return isSame(body.get(field) ?? '', this.#tokenOf(session));
  }

  #tokenOf(session: string): string {
    return createHmac('sha256', this.#key).update(session).digest('base64url');
  }
}
