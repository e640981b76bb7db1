import { createHmac, hash, timingSafeEqual } from 'node:crypto';
import type { Secret } from '@connectors/vault-core';
import { consoleKey } from './console-key.ts';
import { html, type Html } from './pages/html.ts';

const field = 'form_token';

/**
 * The second lock of forms, beside the check of the origin: a token that only a page of the same session can hold.
 * It is a MAC of the session's cookie, so nothing is stored.
 */
export class FormTokens {
  readonly #key: Buffer;

  constructor(adminToken: Secret) {
    this.#key = consoleKey(adminToken, 'form');
  }

  /**
   * The hidden field that each form of a session's pages has.
   *
   * @param session the value of the session's cookie
   */
  field(session: string): Html {
    return html`<input type="hidden" name="${field}" value="${this.#tokenOf(session)}" />`;
  }

  /** Whether this form came from a page of the session. */
  isFrom(session: string, form: URLSearchParams): boolean {
    const digests = [form.get(field) ?? '', this.#tokenOf(session)].map((text) =>
      hash('sha256', text, 'buffer'),
    );
    const [presented, expected] = digests as [Buffer, Buffer];
    return timingSafeEqual(presented, expected);
  }

  #tokenOf(session: string): string {
    return createHmac('sha256', this.#key).update(session).digest('base64url');
  }
}
