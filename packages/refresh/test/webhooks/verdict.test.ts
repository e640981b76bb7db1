import { describe, expect, it } from 'vitest';
import { judgeDelivery } from '../../src/webhooks/verdict.ts';

const receivedAt = Date.parse('2025-11-08T12:00:00Z');
const answer = (status: number, headers = {}) =>
  judgeDelivery({ kind: 'answer', status, headers, receivedAt });

describe('the verdict on a delivery', () => {
  it.each([200, 201, 202, 204, 299])('%i: delivered', (status) => {
    expect(answer(status)).toEqual({ kind: 'delivered', status });
  });

  it('410: the receiver wants no more', () => {
    expect(answer(410)).toEqual({ kind: 'gone' });
  });

  it.each([301, 302, 307, 400, 401, 403, 404, 408, 429, 500, 502, 503])('%i: failed', (status) => {
    expect(answer(status)).toEqual({ kind: 'failed', reason: `http_${status}` });
  });

  it('no answer: failed, with the reason', () => {
    const verdict = judgeDelivery({ kind: 'failure', reason: 'timeout' });
    expect(verdict).toEqual({ kind: 'failed', reason: 'timeout' });
  });

  it.each([
    ['seconds', '120'],
    ['a date', 'Sat, 08 Nov 2025 12:02:00 GMT'],
  ])('takes Retry-After in %s along', (_kind, retryAfter) => {
    expect(answer(503, { 'retry-after': retryAfter })).toMatchObject({ retryAfterMs: 120_000 });
  });
});
