import { Secret } from '@connectors/vault-core';
import { expect, it } from 'vitest';
import { readRateLimit } from '../src/rate-limit.ts';

const receivedAt = Date.parse('2026-01-01T12:00:00Z');
const date = 'Thu, 01 Jan 2026 12:00:00 GMT';
const inOneMinute = receivedAt / 1_000 + 60;

const read = (status: number, headers: Record<string, string> = {}, body = '') =>
  readRateLimit({ status, headers, body: new Secret(body), receivedAt });

it.each([
  ['seconds', { 'retry-after': '120' }, 120_000],
  ['a date', { 'retry-after': 'Thu, 01 Jan 2026 12:00:30 GMT' }, 30_000],
  [
    "a date by the server's clock",
    { date: 'Thu, 01 Jan 2026 12:10:00 GMT', 'retry-after': 'Thu, 01 Jan 2026 12:10:30 GMT' },
    30_000,
  ],
  ['nothing', {}, 60_000],
  ['what makes no sense', { 'retry-after': 'soon' }, 60_000],
])('a 429 with %s', (_what, headers, waitMs) => {
  expect(read(429, headers as Record<string, string>)).toBe(waitMs);
});

it.each([
  ['a time', String(inOneMinute), 60_000],
  ['a number of seconds', '7', 7_000],
  ['a time that has passed', String(inOneMinute - 120), 0],
])('nothing remains until %s', (_what, reset, waitMs) => {
  expect(read(403, { date, 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': reset })).toBe(waitMs);
});

it('Retry-After counts for more than the reset', () => {
  const headers = { 'retry-after': '5', 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '99' };
  expect(read(403, headers)).toBe(5_000);
});

it('a 403 may say in words that it is about too many requests', () => {
  const body = '{"message":"You have exceeded a secondary rate limit. Please wait."}';
  expect(read(403, { 'content-type': 'application/json' }, body)).toBe(60_000);
});

it.each([
  ['a 403 for a missing permission', 403, { 'x-ratelimit-remaining': '4999', 'x-ratelimit-reset': '99' }],
  ['a 503 with Retry-After', 503, { 'retry-after': '5' }],
  [
    'a success that was the last one allowed',
    200,
    { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '99' },
  ],
])('%s is no rate limit', (_what, status, headers) => {
  expect(read(status, headers as Record<string, string>)).toBeUndefined();
});
