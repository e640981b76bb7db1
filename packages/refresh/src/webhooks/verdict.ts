import { readRetryAfter } from '@connectors/oauth';
import type { SendResult } from './send.ts';

/** What a delivery's outcome means. */
export type Verdict =
  | { kind: 'delivered'; status: number }
  /** The receiver wants no more, ever. */
  | { kind: 'gone' }
  /** Tried again, as long as tries are left. */
  | { kind: 'failed'; reason: string; retryAfterMs?: number };

/** Standard Webhooks: 2xx is a success, 410 switches the endpoint off, everything else is tried again. */
export function judgeDelivery(result: SendResult): Verdict {
  if (result.kind === 'failure') return { kind: 'failed', reason: result.reason };
  const { status } = result;
  if (status >= 200 && status < 300) return { kind: 'delivered', status };
  if (status === 410) return { kind: 'gone' };
  const retryAfterMs = readRetryAfter(result);
  return {
    kind: 'failed',
    reason: `http_${status}`,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
}
