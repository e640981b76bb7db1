import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { answersProblem } from '../fuzz/answers.ts';
import { fuzz } from '../fuzz/run.ts';
import { startWorld } from '../fuzz/world.ts';

test('3,000 random requests: no crash, no hang, no token astray, every answer well-formed', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'fuzz-'));
  const world = await startWorld(dir);
  onTestFinished(async () => {
    await world.close();
    rmSync(dir, { recursive: true });
  });
  expect(await fuzz(world, { requests: 3_000, seed: 1, onProgress: () => undefined })).toBeGreaterThanOrEqual(
    3_000,
  );
});

describe('of what comes back on a connection', () => {
  const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
  const chunked = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-A: 1\r\n\r\n';

  test.each([
    ['nothing', '', ['GET']],
    ['answers one behind the other', `${ok}${chunked}${ok}`, ['GET', 'GET', 'GET']],
    ['an answer without a body', `HTTP/1.1 204 No Content\r\n\r\n${ok}`, ['GET', 'GET']],
    ['an answer to HEAD', `HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n${ok}`, ['HEAD', 'GET']],
    ['an invitation before an answer', `HTTP/1.1 100 Continue\r\n\r\n${ok}`, ['POST']],
    ['a last answer that is cut short', `${ok}${chunked.slice(0, -9)}`, ['GET', 'GET']],
  ])('%s is fine', (_what, text, methods) => {
    expect(answersProblem(text, methods)).toBeUndefined();
  });

  test.each([
    ['rubbish behind an answer', `${ok}rubbish`, ['GET', 'GET']],
    ['a body behind a 204', 'HTTP/1.1 204 No Content\r\n\r\nbody', ['GET', 'GET']],
    ['a header that was split', 'HTTP/1.1 200 OK\r\nX-A: 1\nX-B: 2\r\nContent-Length: 0\r\n\r\n', ['GET']],
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n', ['GET']],
    ['a status that there is not', 'HTTP/1.1 999 X\r\nContent-Length: 0\r\n\r\n', ['GET']],
    ['more answers than requests', `${ok}${ok}${ok}`, ['GET']],
  ])('%s is wrong', (_what, text, methods) => {
    expect(answersProblem(text, methods)).toBeDefined();
  });
});
