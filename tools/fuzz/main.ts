import { randomInt } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { fuzz } from './run.ts';
import { startWorld } from './world.ts';

const usage = `usage: npx pnpm@12 fuzz:proxy [--requests 100000] [--seed n]

Sends random requests over bare connections to a proxy with two upstreams. Exits with 0 if it neither crashes nor hangs, every
answer is well-formed, no token reaches a wrong upstream or comes back, and the proxy serves on.
`;

const { values } = parseArgs({
  options: {
    requests: { type: 'string', default: '100000' },
    seed: { type: 'string' },
    help: { type: 'boolean', short: 'h' },
  },
});
const requests = Number(values.requests);
const seed = values.seed === undefined ? randomInt(2 ** 31) : Number(values.seed);
if (values.help === true || !(requests > 0) || !Number.isSafeInteger(seed)) {
  process.stdout.write(usage);
  process.exitCode = values.help === true ? 0 : 2;
} else {
  process.stdout.write(`seed ${seed}\n`);
  const dir = mkdtempSync(join(tmpdir(), 'connectors-fuzz-'));
  const world = await startWorld(dir);
  let told = 0;
  try {
    const sent = await fuzz(world, {
      requests,
      seed,
      onProgress: (count) => {
        if (count - told < 10_000) return;
        told = count;
        process.stdout.write(`${count} requests\n`);
      },
    });
    process.stdout.write(`${sent} requests, and nothing went wrong\n`);
    await world.close();
    rmSync(dir, { recursive: true });
  } catch (error) {
    process.stdout.write(`${String(error)}\nlogs: ${join(dir, 'logs')}\n`);
    await world.close();
    process.exitCode = 1;
  }
}
