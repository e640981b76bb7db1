import { parseBody } from './token-response.ts';
import type { ProviderAnswer } from './provider-call.ts';
import { readRetryAfter, serverTime } from './token-failure.ts';

/** What an API said, as far as it may be about too many requests. */
export interface ThrottlingAnswer extends Pick<ProviderAnswer, 'status' | 'body' | 'receivedAt'> {
  headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** The wait if an API names none. */
const defaultWaitMs = 60_000;

/**
 * How long an API asks to wait, in milliseconds; `undefined` if its answer is not about too many requests. Besides 429 that may be
 * a 403, as GitHub answers: with `Retry-After`, with nothing remaining, or with a message that says so.
 */
export function readRateLimit(answer: ThrottlingAnswer): number | undefined {
  const { status } = answer;
  if (status !== 429 && status !== 403) return undefined;
  const asked = readRetryAfter({ headers: onlyTexts(answer.headers), receivedAt: answer.receivedAt });
  const waitMs = asked ?? readReset(answer);
  if (waitMs !== undefined) return waitMs;
  return status === 429 || speaksOfLimit(answer) ? defaultWaitMs : undefined;
}

/** `X-RateLimit-Reset` is a time in seconds; some providers mean seconds from now. */
function readReset({ headers, receivedAt }: ThrottlingAnswer): number | undefined {
  const told = onlyTexts(headers);
  const reset = told['x-ratelimit-reset'] ?? '';
  if (told['x-ratelimit-remaining'] !== '0' || !/^\d{1,12}$/.test(reset)) return undefined;
  const seconds = Number(reset);
  const isTime = seconds > 1_000_000_000;
  const waitMs = isTime ? seconds * 1_000 - serverTime(told['date'], receivedAt) : seconds * 1_000;
  return Math.max(0, waitMs);
}

function speaksOfLimit({ headers, ...answer }: ThrottlingAnswer): boolean {
  const { message } = parseBody({ ...answer, headers: onlyTexts(headers) });
  return typeof message === 'string' && /rate limit/i.test(message);
}

function onlyTexts(headers: ThrottlingAnswer['headers']): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}
