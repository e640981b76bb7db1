import type { Integration } from '@connectors/oauth';
import type { RefreshEngine } from '@connectors/refresh';
import type { VaultClient } from '@connectors/vault-core';
import type { FastifyInstance } from 'fastify';
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import type { FormLocks } from '../form-locks.ts';
import type { Offboardings } from '../offboardings.ts';
import { answerErrorPage } from '../pages/error-page.ts';
import { registerCallback } from './callback.ts';
import { registerChoicesPage } from './choices-page.ts';
import { registerLinkPages } from './connect-link-pages.ts';
import type { ConnectLinks } from './connect-links.ts';
import { registerConnectPage } from './connect-page.ts';
import type { ConnectStates } from './connect-states.ts';
import { registerResultPage } from './result-page.ts';
import type { TenantSessions } from './tenant-session.ts';

export interface ConnectDeps {
  /** Fails at once without Redis. */
  redis: Redis;
  prefix: string;
  vault: VaultClient;
  engine: RefreshEngine;
  integrations: ReadonlyMap<string, Integration>;
  /** Where users may be sent back to. */
  returnOrigins: readonly string[];
  /** Where users without a session are sent, with `{tenant}` and `{integration}` in it. */
  signInUrl: string | undefined;
  /** Counts what becomes of connects. */
  onConnect: (integration: string, outcome: string) => void;
}

export interface ConnectOptions extends ConnectDeps {
  links: ConnectLinks;
  states: ConnectStates;
  offboardings: Offboardings;
  sessions: TenantSessions;
  formLocks: FormLocks;
  consoleUrl: string;
  /** Of the console. */
  origin: string;
  log: Logger;
}

/** The pages on which users connect integrations: a link, consent at the provider, and back. */
export function registerConnect(app: FastifyInstance, options: ConnectOptions): void {
  app.setErrorHandler(answerErrorPage);
  registerLinkPages(app, options);
  registerConnectPage(app, options);
  registerCallback(app, options);
  registerResultPage(app, options);
  registerChoicesPage(app, options);
}
