import { parse } from 'node:querystring';
import { text } from 'node:stream/consumers';
import type { KoaContextWithOIDC, Provider } from 'oidc-provider';
import { fingerprint } from '../fingerprint.ts';
import type { Fault, Faults } from './faults.ts';

/** One request to the token endpoint, written down when it arrives and completed when it is answered. */
export interface TokenRequest {
  /** Milliseconds since the epoch. */
  at: number;
  clientId?: string;
  grantType?: string;
  /** Of the refresh token that came with the request. */
  refreshTokenFingerprint?: string;
  /** What was decided; a fault may have kept it from the client. Absent while the request is being handled. */
  status?: number;
  fault?: Fault['kind'];
  /** The connection closed before the client had the answer. */
  aborted: boolean;
}

/** Puts the log and the scripted faults in front of the token endpoint. */
export function watchTokenEndpoint(provider: Provider, log: TokenRequest[], faults: Faults): void {
  provider.use(async (ctx: KoaContextWithOIDC, next) => {
    if (ctx.method !== 'POST' || ctx.path !== '/token') {
      await next();
      return;
    }
    const fault = faults.take();
    const entry: TokenRequest = { at: Date.now(), aborted: false, ...(fault ? { fault: fault.kind } : {}) };
    log.push(entry);
    ctx.res.once('close', () => {
      entry.aborted = !ctx.res.writableFinished;
    });
    if (fault?.kind === 'hang' || (fault?.kind === 'status' && fault.held)) await faults.released();
    if (fault?.kind === 'cut' || ctx.req.destroyed) {
      cut(ctx);
      return;
    }
    if (fault?.kind === 'status') {
      describe(entry, ctx, parse(await text(ctx.req)));
      answer(ctx, fault);
    } else {
      await next();
      describe(entry, ctx, ctx.oidc.body ?? {});
    }
    entry.status = ctx.status;
    if (fault?.kind === 'hangAfterRotation') await faults.released();
    if (fault?.kind === 'cutAfterRotation') cut(ctx);
  });
}

function answer(ctx: KoaContextWithOIDC, fault: Fault & { kind: 'status' }): void {
  ctx.status = fault.status;
  ctx.body = fault.body ?? '';
  ctx.set(fault.headers ?? {});
}

function cut(ctx: KoaContextWithOIDC): void {
  ctx.respond = false;
  ctx.req.socket.destroy();
}

function describe(entry: TokenRequest, ctx: KoaContextWithOIDC, form: Record<string, unknown>): void {
  const clientId = form['client_id'] ?? basicUser(ctx.get('authorization'));
  const { grant_type: grantType, refresh_token: refreshToken } = form;
  if (typeof clientId === 'string') entry.clientId = clientId;
  if (typeof grantType === 'string') entry.grantType = grantType;
  if (typeof refreshToken === 'string') entry.refreshTokenFingerprint = fingerprint(refreshToken);
}

/** RFC 6749 2.3.1: both halves of Basic credentials are form-encoded. */
function basicUser(authorization: string): string | undefined {
  const [scheme, credentials = ''] = authorization.split(' ');
  if (scheme?.toLowerCase() !== 'basic') return undefined;
  const [user = ''] = Buffer.from(credentials, 'base64').toString().split(':');
  return new URLSearchParams(`user=${user}`).get('user') ?? undefined;
}
