import { isPassing, type TokenFailure } from '@connectors/oauth';
import { Secret } from '@connectors/vault-core';
import type { FastifyReply } from 'fastify';
import type { Logger } from 'pino';
import type { Connections } from '../connections.ts';
import { credentialView } from '../credential-view.ts';
import { storeUnlessOffboarded, type OffboardDeps } from '../offboard.ts';
import { answerCode, answerProblem, tellRetryAfter } from '../problem.ts';
import {
  credentialList,
  credentialQuery,
  disconnectReport,
  importedCredential,
  mintedCredential,
  refreshQuery,
  refreshReport,
} from './credential-schemas.ts';
import { credentialParams, tenantParams } from './params.ts';
import type { ZodRoutes } from './zod-routes.ts';

export interface CredentialRoutes extends Pick<OffboardDeps, 'engine' | 'offboardings'> {
  connections: Connections;
  log: Logger;
}

const all = '/tenants/:tenantId/credentials';
const one = `${all}/:integration`;

/** A tenant's credentials: what they are in, never a token. */
export function registerCredentials(app: ZodRoutes, options: CredentialRoutes): void {
  registerViews(app, options);
  registerImport(app, options);
  registerMint(app, options);
  registerRefresh(app, options);
  registerDisconnect(app, options);
}

function registerViews(app: ZodRoutes, { connections }: CredentialRoutes): void {
  const list = {
    operationId: 'listCredentials',
    summary: 'The credentials of a tenant.',
    params: tenantParams,
    querystring: credentialQuery,
    response: { 200: credentialList },
  };
  app.get(all, { schema: list }, async ({ params, query }) => ({
    items: await connections.list(params.tenantId, query),
  }));

  const get = {
    operationId: 'getCredential',
    summary: 'One credential: its state, never a token.',
    params: credentialParams,
    response: { 200: credentialView },
    problems: ['not_found'] as const,
  };
  app.get(
    one,
    { schema: get },
    async ({ params }, reply) => (await connections.view(params)) ?? notFound(reply),
  );
}

function registerImport(app: ZodRoutes, options: CredentialRoutes): void {
  const { connections, log } = options;
  const schema = {
    operationId: 'importCredential',
    summary:
      'Stores tokens that were granted elsewhere, and replaces any that are stored; 201 if there were none.',
    params: credentialParams,
    body: importedCredential,
    response: { 200: credentialView, 201: credentialView },
    problems: ['integration_unknown', 'conflict'] as const,
  };
  app.put(one, { schema }, async ({ params, body: { expiresAt, ...tokens } }, reply) => {
    const end = expiresAt === undefined ? {} : { expiresAt: new Date(expiresAt) };
    const { isNew, credential } = await storeUnlessOffboarded(options, params, log, () =>
      connections.import(params, { ...tokens, ...end }),
    );
    log.info({ ...params, revision: credential.revision }, 'credential imported');
    return reply.code(isNew ? 201 : 200).send(credential);
  });
}

function registerMint(app: ZodRoutes, options: CredentialRoutes): void {
  const { connections, log } = options;
  const schema = {
    operationId: 'mintCredential',
    summary:
      'Connects a tenant without a user, for integrations whose tokens are minted: mints the first one.',
    params: credentialParams,
    body: mintedCredential,
    response: { 201: credentialView },
    problems: ['integration_unknown', 'conflict', 'provider_refused', 'provider_unavailable'] as const,
  };
  app.post(`${one}/mint`, { schema }, async ({ params, body: { fields, grantSecret } }, reply) => {
    const secret = grantSecret === undefined ? {} : { grantSecret: new Secret(grantSecret) };
    const minted = await storeUnlessOffboarded(options, params, log, () =>
      connections.mint(params, { fields, ...secret }),
    );
    if (minted.kind === 'failure') return answerFailure(reply, minted.failure);
    log.info({ ...params, revision: minted.credential.revision }, 'credential minted');
    return reply.code(201).send(minted.credential);
  });
}

/** Whose it is to do something about it: the provider's, later, or the operator's now. */
function answerFailure(reply: FastifyReply, failure: TokenFailure): FastifyReply {
  const { reason, retryAfterMs } = failure;
  tellRetryAfter(reply, retryAfterMs);
  return isPassing(failure)
    ? answerCode(reply, 'provider_unavailable', `The provider gave no token for now: ${reason}`, { reason })
    : answerCode(reply, 'provider_refused', `The provider gave no token: ${reason}`, { reason });
}

function registerRefresh(app: ZodRoutes, { connections }: CredentialRoutes): void {
  const schema = {
    operationId: 'refreshCredential',
    summary: 'Refreshes a credential now; 200 if the refresh has ended, 202 if it is still under way.',
    params: credentialParams,
    querystring: refreshQuery,
    response: { 200: refreshReport, 202: refreshReport },
    problems: ['not_found'] as const,
  };
  app.post(`${one}/refresh`, { schema }, async ({ params, query }, reply) => {
    const report = await connections.refresh(params, query.wait * 1000);
    if (report === undefined) return notFound(reply);
    const isOver = report.outcome === 'refreshed' || report.outcome === 'failed';
    return reply.code(isOver ? 200 : 202).send(report);
  });
}

function registerDisconnect(app: ZodRoutes, { connections, log }: CredentialRoutes): void {
  const schema = {
    operationId: 'disconnectCredential',
    summary: 'Revokes the tokens at the provider, destroys every stored version and removes the job.',
    params: credentialParams,
    response: { 200: disconnectReport },
  };
  app.delete(one, { schema }, async ({ params }) => {
    const report = await connections.disconnect(params);
    log.info({ ...params, ...report }, 'credential disconnected');
    return report;
  });
}

function notFound(reply: FastifyReply): FastifyReply {
  return answerProblem(reply, 404, 'This tenant has not connected this integration.');
}
