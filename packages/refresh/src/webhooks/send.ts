import type { EgressGuard } from '@connectors/egress';
import { Agent, request } from 'undici';

/** What became of one request to an endpoint, unjudged. Of the answer's body nothing is kept. */
export type SendResult =
  | {
      kind: 'answer';
      status: number;
      headers: { 'retry-after'?: string; date?: string };
      /** In milliseconds since the epoch. */
      receivedAt: number;
    }
  | { kind: 'failure'; reason: SendFailure };

/** Why there was no answer. */
type SendFailure =
  'egress_refused' | 'dns_failure' | 'connection_refused' | 'connection_failed' | 'tls_failure' | 'timeout';

export interface WebhookRequest {
  url: string;
  headers: Record<string, string>;
  body: string;
}

/** Bytes of an answer that are read, and thrown away, so that a receiver can end in peace. */
const maxAnswerSize = 4 * 1024;

/**
 * Makes one request to a tenant's address, through the guard. Redirects are not followed: where one leads nobody has
 * checked. Never throws for what the other side does.
 *
 * @param options `timeoutMs` is for all of it
 */
export async function sendWebhook(
  { url, headers, body }: WebhookRequest,
  options: { guard: EgressGuard; timeoutMs: number; now: () => number },
): Promise<SendResult> {
  const { guard, timeoutMs, now } = options;
  const signal = AbortSignal.timeout(timeoutMs);
  // A connection for each: deliveries to one address are rare, and each looks its name up anew.
  const agent = new Agent({
    allowH2: false,
    maxHeaderSize: 16 * 1024,
    connect: { lookup: guard.lookup, rejectUnauthorized: true, timeout: timeoutMs },
  });
  try {
    const answer = await request(guard.check(url), {
      method: 'POST',
      dispatcher: agent,
      headers: { 'content-type': 'application/json', 'user-agent': 'connectors', ...headers },
      body,
      signal,
      reset: true,
    });
    const receivedAt = now();
    await answer.body.dump({ limit: maxAnswerSize, signal }).catch(() => undefined);
    return { kind: 'answer', status: answer.statusCode, headers: timesOf(answer.headers), receivedAt };
  } catch (error) {
    return { kind: 'failure', reason: signal.aborted ? 'timeout' : failureOf(error) };
  } finally {
    await agent.destroy();
  }
}

function timesOf({ 'retry-after': retryAfter, date }: Record<string, string | string[] | undefined>) {
  return {
    ...(typeof retryAfter === 'string' ? { 'retry-after': retryAfter } : {}),
    ...(typeof date === 'string' ? { date } : {}),
  };
}

function failureOf(error: unknown): SendFailure {
  const code = String((error as { code?: unknown }).code);
  if (code === 'egress_refused') return 'egress_refused';
  if (code === 'ENOTFOUND' || code.startsWith('EAI_')) return 'dns_failure';
  if (code === 'ECONNREFUSED') return 'connection_refused';
  if (code === 'ETIMEDOUT' || code === 'UND_ERR_CONNECT_TIMEOUT') return 'timeout';
  // OpenSSL's names for what is wrong with a certificate, and Node's.
  return /CERT|ISSUER|SIGNATURE|^ERR_(TLS|SSL)/.test(code) ? 'tls_failure' : 'connection_failed';
}
