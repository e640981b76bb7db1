import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { transfer } from './transfer.ts';

const usage = `usage: npx pnpm@12 transfer [--gigabytes 2]

Sends that much up and down through a proxy, and watches its memory. Exits with 0 if the checksums are equal and the resident
memory grew by less than 64 MiB. Linux only: it reads /proc.
`;

const { values } = parseArgs({
  options: { gigabytes: { type: 'string', default: '2' }, help: { type: 'boolean', short: 'h' } },
});
const gigabytes = Number(values.gigabytes);
if (values.help === true || !(gigabytes > 0 && gigabytes <= 100)) {
  process.stdout.write(usage);
  process.exitCode = values.help === true ? 0 : 2;
} else {
  const dir = mkdtempSync(join(tmpdir(), 'connectors-transfer-'));
  try {
    for (const { direction, seconds, growth, isEqual } of await transfer(dir, gigabytes * 1_000_000_000)) {
      const speed = (gigabytes * 1_000) / seconds;
      process.stdout.write(
        `${gigabytes} GB ${direction}: ${seconds.toFixed(1)} s (${speed.toFixed(0)} MB/s), memory grew by ${growth.toFixed(1)} MiB, checksums ${isEqual ? 'equal' : 'DIFFER'}\n`,
      );
      if (!isEqual || growth >= 64) process.exitCode = 1;
    }
  } finally {
    rmSync(dir, { recursive: true });
  }
}
