import { brokenFields, missingScopes, readCallback, type ReadyIntegration } from '@connectors/oauth';
import { callbackUrl, VaultError, type StoredCredential } from '@connectors/vault-core';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { undoLate } from '../offboard.ts';
import type { ConnectOptions } from './connect.ts';
import { complete } from './connect-page.ts';
import type { Flow, FlowSecrets } from './connect-states.ts';
import { endReplaced } from './end-replaced.ts';
import { failures, type FailureCode, type WarningCode } from './outcomes.ts';
import { redeem, type Redeemed } from './redeem.ts';
import { failurePage, resultPath, vaultAwayPage } from './result-page.ts';
import { returnAddress, withResult } from './return-url.ts';
import { findReadable, saveGranted, type Saved } from './save-granted.ts';
import { comeLate, comeUnasked } from './stray-callbacks.ts';
import { tell } from './tell.ts';

/** How a flow ended. A reason is a code, for the log. */
export type Ending =
  | (Saved & { kind: 'connected'; warnings: WarningCode[] })
  | { kind: 'failed'; code: FailureCode; reason?: string };

/** The way back from a provider. */
export function registerCallback(app: FastifyInstance, options: ConnectOptions): void {
  const { vault, states, log } = options;
  const underWay = new Set<Promise<unknown>>();
  const path = '/connect/callback/:integration';
  // A program that only looks must not use a state up.
  app.get(path, { exposeHeadRoute: false }, async (request, reply) => {
    const { searchParams: query } = new URL(request.url, options.origin);
    const state = query.get('state') ?? '';
    if (state === '') return comeUnasked(options, request, reply);
    // Before anything is used up: then the user has only to look again.
    if (!(await vault.healthCheck())) return vaultAwayPage(reply);
    const flow = await states.take(state);
    if (flow === undefined) return comeLate(options, request, reply, state);
    const secrets = states.secretsOf(state);
    const end = async (): Promise<Ending> => {
      const ending = await comeBack(options, { request, query, flow, secrets });
      await tell(options, flow, secrets.id, ending);
      return ending;
    };
    const ending = await keep(underWay, end());
    // The user need not wait for it.
    if (ending.kind === 'connected' && ending.replaced !== undefined)
      void keep(underWay, endReplaced(options, flow, ending.replaced, ending.credential)).catch(
        (error: unknown) => log.warn({ err: error }, 'replaced tokens could not be ended'),
      );
    return sendOn(options, reply, flow, ending);
  });
  // Tokens on their way are saved also when nobody waits for the page any more.
  app.addHook('onClose', async () => void (await Promise.allSettled(underWay)));
}

async function keep<T>(underWay: Set<Promise<unknown>>, ending: Promise<T>): Promise<T> {
  underWay.add(ending);
  return await ending.finally(() => underWay.delete(ending));
}

interface ComingBack {
  request: FastifyRequest;
  query: URLSearchParams;
  flow: Flow;
  secrets: FlowSecrets;
}

/** The steps of a callback. The code is redeemed only when nothing else can be in its way, for it can be only once. */
async function comeBack(options: ConnectOptions, coming: ComingBack): Promise<Ending> {
  const { request, query, flow, secrets } = coming;
  const { integration: addressed } = request.params as { integration: string };
  if (options.sessions.read(request)?.id !== flow.sessionId) return failed('wrong_browser');
  const integration = options.integrations.get(flow.integration);
  if (addressed !== flow.integration || integration === undefined) return failed('wrong_issuer');
  if (await options.offboardings.isSince(flow.tenantId, flow.startedAt)) return failed('tenant_offboarded');
  const ready = await complete(options, integration);
  if (typeof ready === 'string') return failed(ready);

  const callback = readCallback(ready, query);
  if (callback.kind === 'wrong_issuer') return failed('wrong_issuer');
  if (callback.kind === 'refused') return refused(ready, callback.error);
  const fields = knownFields(options, ready, { ...flow.fields, ...callback.fields });
  if (lacksCallbackField(ready, fields)) return failed('fields_missing');

  const before = await prepare(options, flow);
  if (before instanceof VaultError) return failed('vault_unavailable', before.reason);
  const { code } = callback;
  const redeemed = await redeem(options, { integration: ready, flow, secrets, code, fields, query });
  if (redeemed.kind === 'failed') return redeemed;
  const saved = await saveGranted(options, flow, redeemed, before.stored);
  if (saved === undefined) return failed('not_saved');
  // Without Redis nobody knows. Then whoever offboards is told to repeat it.
  if (await options.offboardings.isSince(flow.tenantId, flow.startedAt).catch(() => false)) {
    await undoLate(options.engine, { tenantId: flow.tenantId, integration: flow.integration }, options.log);
    return failed('tenant_offboarded');
  }
  return { kind: 'connected', ...saved, warnings: warningsOf(ready, flow, redeemed, saved.replaced) };
}

function failed(code: FailureCode, reason?: string): Ending {
  return { kind: 'failed', code, ...(reason === undefined ? {} : { reason }) };
}

function refused({ provider }: ReadyIntegration, error: string): Ending {
  if (provider.declinedErrors.includes(error)) return failed('consent_denied');
  const isTransient = error === 'server_error' || error === 'temporarily_unavailable';
  return failed(isTransient ? 'provider_unavailable' : 'provider_refused', error);
}

function knownFields(
  { consoleUrl }: ConnectOptions,
  { id, provider }: ReadyIntegration,
  fields: Record<string, string>,
): Record<string, string> {
  // Some want to see it again when they refresh.
  const isKept = Object.hasOwn(provider.fields, 'redirectUri');
  return isKept ? { ...fields, redirectUri: callbackUrl(consoleUrl, id) } : fields;
}

function lacksCallbackField({ provider }: ReadyIntegration, fields: Record<string, string>): boolean {
  const needed = Object.entries(provider.fields)
    .filter(([, { from, optional }]) => from !== undefined && 'callback' in from && optional !== true)
    .map(([name]) => name);
  return brokenFields(provider, needed, fields).length > 0;
}

/** Makes sure that Vault can keep what is about to be granted. */
async function prepare(
  { vault }: ConnectOptions,
  { tenantId, integration }: Flow,
): Promise<{ stored: StoredCredential | undefined } | VaultError> {
  try {
    await vault.credentials.ensureKeys(tenantId);
    return { stored: await findReadable(vault, { tenantId, integration }) };
  } catch (error) {
    if (error instanceof VaultError) return error;
    throw error;
  }
}

function warningsOf(
  { provider, scopes }: ReadyIntegration,
  flow: Flow,
  { granted, isSeveral, unknownFields }: Redeemed,
  before: StoredCredential | undefined,
): WarningCode[] {
  const { account, expiresAt, refreshToken } = granted;
  const former = before?.metadata.account;
  const isOther = former !== undefined && account !== undefined && former.id !== account.id;
  const missing = missingScopes(provider, flow.scopes ?? scopes, granted.scopes);
  const checks: [WarningCode, boolean][] = [
    ['other_account', isOther],
    ['fewer_scopes', missing.length > 0],
    ['no_refresh_token', refreshToken === undefined && expiresAt !== undefined],
    ['several_sites', isSeveral],
    ['fields_unknown', unknownFields.length > 0],
  ];
  return checks.filter(([, is]) => is).map(([code]) => code);
}

function sendOn(options: ConnectOptions, reply: FastifyReply, flow: Flow, ending: Ending): FastifyReply {
  const back = returnAddress(flow.returnUrl ?? '', options.returnOrigins);
  if (ending.kind === 'connected') {
    const { warnings } = ending;
    // These are for the user to settle here, before anything else.
    const isOpen = warnings.some((code) => code === 'several_sites' || code === 'fields_unknown');
    const page = resultPath(flow, 'connected', warnings);
    return reply.redirect(
      back === undefined || isOpen ? page : withResult(back, 'connected', flow.integration, warnings),
      303,
    );
  }
  const { code } = ending;
  // Whoever this is, it is not the one who began.
  if (code === 'wrong_browser') return failurePage(reply, code);
  const { result } = failures[code];
  return reply.redirect(
    back === undefined ? resultPath(flow, code) : withResult(back, result, flow.integration, [code]),
    303,
  );
}
