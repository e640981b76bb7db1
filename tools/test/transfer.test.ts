import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { transfer } from '../transfer/transfer.ts';

test('256 MiB pass up and down with the same checksums, and the proxy needs less than 64 MiB more', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'transfer-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  const transfers = await transfer(dir, 256 * 1024 * 1024);
  expect(transfers.map(({ direction, isEqual }) => [direction, isEqual])).toEqual([
    ['up', true],
    ['down', true],
  ]);
  for (const { growth } of transfers) expect(growth).toBeLessThan(64);
});
