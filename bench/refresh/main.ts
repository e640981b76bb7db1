import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { inParallel } from '@connectors/tools/fleet/in-parallel.ts';
import { refreshTogether, type JointRefresh } from '@connectors/tools/fleet/refresh-together.ts';
import { integration, startFleet, type Fleet } from '@connectors/tools/fleet/start-fleet.ts';
import type { BareLoopOrder } from './bare-loop.ts';

const usage = `usage: npx pnpm@12 bench:refresh [--credentials 1000] [--rounds 5]

Lets that many credentials fall due in the same second, with three workers; then a bare loop makes the same calls to Vault and
to the token endpoint. Fails unless every credential is refreshed exactly once and in time, and the workers reach
0.6 of the loop's throughput. After a round to warm up, the medians of the rounds count.`;

const requiredRatio = 0.6;
const workers = 3;
/** Of one worker; its default. */
const concurrency = 10;

const { credentials, rounds } = readFlags();
const dir = mkdtempSync(join(tmpdir(), 'bench-'));
try {
  process.exitCode = (await run()) ? 0 : 1;
} finally {
  rmSync(dir, { recursive: true, force: true });
}

async function run(): Promise<boolean> {
  const fleet = await startFleet(dir, {
    workers,
    proxies: 0,
    workerEnv: { REFRESH_CONCURRENCY: String(concurrency), SWEEP_INTERVAL_SECONDS: '86400' },
  });
  const loop = fork(join(import.meta.dirname, 'bare-loop.ts'));
  try {
    const tenants = Array.from({ length: credentials }, (_, index) => `tenant-${index}`);
    console.log(`connecting ${credentials} tenants`);
    await inParallel(tenants, (tenant) => fleet.connect(tenant));
    const ours: number[] = [];
    const bare: number[] = [];
    for (let round = 0; round <= rounds; round++) {
      const joint = await refreshTogether(fleet, tenants);
      const loopSeconds = await runBareLoop(fleet, loop, tenants);
      const name = round === 0 ? 'warm-up' : `round ${round}`;
      console.log(`${name}: ${describe(joint)}; bare loop ${perSecond(loopSeconds)}/s`);
      if (!isFaultless(joint)) return false;
      if (round === 0) continue;
      ours.push(credentials / joint.seconds);
      bare.push(credentials / loopSeconds);
    }
    return judge(median(ours), median(bare));
  } finally {
    loop.disconnect();
    await fleet.close();
  }
}

async function runBareLoop(fleet: Fleet, loop: ReturnType<typeof fork>, tenants: string[]): Promise<number> {
  const order: BareLoopOrder = {
    tenants,
    integration,
    concurrency: workers * concurrency,
    vault: fleet.vault.url,
    approleDir: join(dir, 'approle/gateway'),
    tokenEndpoint: fleet.authorizationServer.tokenEndpoint,
    clientId: fleet.client.clientId,
    clientSecret: fleet.client.clientSecret,
  };
  loop.send(order);
  const [answer] = (await once(loop, 'message')) as [{ seconds: number } | { error: string }];
  if ('error' in answer) throw new Error(`the bare loop failed: ${answer.error}`);
  return answer.seconds;
}

function isFaultless({ tokenRequests, granted, sentAgain, savedInTime }: JointRefresh): boolean {
  return [tokenRequests, granted, savedInTime].every((count) => count === credentials) && sentAgain === 0;
}

function describe({ seconds, tokenRequests, granted, sentAgain, savedInTime }: JointRefresh): string {
  return (
    `${tokenRequests} token requests, ${granted} granted, ${sentAgain} sent again, ${savedInTime} saved in time, ` +
    `workers ${perSecond(seconds)}/s`
  );
}

function perSecond(seconds: number): string {
  return (credentials / seconds).toFixed(0);
}

function judge(ours: number, bare: number): boolean {
  const ratio = ours / bare;
  const verdict = ratio >= requiredRatio ? 'enough' : `too little: ${requiredRatio} is required`;
  console.log(
    `median: workers ${ours.toFixed(0)}/s, bare loop ${bare.toFixed(0)}/s, ratio ${ratio.toFixed(2)}, ${verdict}`,
  );
  return ratio >= requiredRatio;
}

function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return ((sorted[middle] ?? 0) + (sorted[sorted.length - 1 - middle] ?? 0)) / 2;
}

function readFlags(): { credentials: number; rounds: number } {
  const { values } = parseArgs({
    options: {
      credentials: { type: 'string', default: '1000' },
      rounds: { type: 'string', default: '5' },
      help: { type: 'boolean' },
    },
  });
  const numbers = { credentials: Number(values.credentials), rounds: Number(values.rounds) };
  if (values.help === true) {
    console.log(usage);
    process.exit(0);
  }
  if (Object.values(numbers).every((number) => Number.isInteger(number) && number > 0)) return numbers;
  console.error(usage);
  process.exit(2);
}
