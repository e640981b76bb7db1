import type { Integration } from '@connectors/oauth';
import { ConnectorsError, errorTable } from '@connectors/vault-core';
import type { FastifyInstance } from 'fastify';
import type { Redis } from 'ioredis';
import { html } from '../pages/html.ts';
import { noticePage } from '../pages/layout.ts';
import { registerLinkPages, type LinkPages } from './connect-link-pages.ts';

export interface ConnectDeps {
  /** Fails at once without Redis. */
  redis: Redis;
  prefix: string;
  integrations: ReadonlyMap<string, Integration>;
  /** Where users may be sent back to. */
  returnOrigins: readonly string[];
}

/** The pages on which users connect integrations. */
export function registerConnect(app: FastifyInstance, options: ConnectDeps & LinkPages): void {
  app.setErrorHandler((error, _request, reply) => {
    if (!(error instanceof ConnectorsError)) throw error;
    const { status, title, action } = errorTable[error.code];
    if (status === 500) throw error;
    return reply
      .code(status)
      .type('text/html; charset=utf-8')
      .send(noticePage('warning', title, html`<p>${action}</p>`));
  });
  registerLinkPages(app, options);
}
