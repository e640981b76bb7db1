import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { Agent } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { integration, startFleet } from '@connectors/tools/fleet/start-fleet.ts';
import { readFlags } from '../flags.ts';
import { median, quantile } from '../quantiles.ts';
import { startEventSource } from './event-source.ts';
import { openStream, type Stream } from './stream.ts';

const usage = `usage: npx pnpm@12 bench:streams [--pairs 200] [--streams 1000] [--idle 10]

How much later the first event of a stream comes through the proxy than directly, in pairs; then many open streams that say
nothing for --idle seconds and one event after that: how many were cut, and what they cost in memory. Fails if the median of
the pairs is over 5 ms, or a stream is cut.`;

const { pairs, streams, idle } = readFlags(usage, { pairs: 200, streams: 1_000, idle: 10 });
process.exitCode = (await run(pairs, streams, idle)) ? 0 : 1;

async function run(pairs: number, count: number, idleSeconds: number): Promise<boolean> {
  const dir = mkdtempSync(join(tmpdir(), 'bench-streams-'));
  const source = await startEventSource();
  const fleet = await startFleet(dir, { workers: 0, proxies: 1, mcpUrl: source.url });
  try {
    const [proxy] = fleet.proxies;
    await fleet.connect('acme');
    const key = await fleet.createAgent({ name: 'bench', grants: [{ tenants: ['acme'] }] });
    const url = `${proxy?.url}/mcp/${integration}`;
    const isSoon = await firstEvents(pairs, source.url, url, key);
    const isUncut = await openMany(count, idleSeconds, url, key, proxy?.pid ?? 0, source.speak);
    return isSoon && isUncut;
  } finally {
    await fleet.close();
    source.close();
    rmSync(dir, { recursive: true, force: true });
  }
}

/** In pairs, the one or the other first by turns, so that what else the machine does meets both. */
async function firstEvents(pairs: number, direct: string, proxied: string, key: string): Promise<boolean> {
  const measure = async (url: string) => {
    const stream = await openStream(url, key);
    stream.close();
    return stream.firstEventMs;
  };
  const results: [number, number][] = [];
  // The first ones warm up.
  for (let pair = -20; pair < pairs; pair += 1) {
    const isOdd = pair % 2 !== 0;
    const [one, other] = [await measure(isOdd ? direct : proxied), await measure(isOdd ? proxied : direct)];
    if (pair >= 0) results.push(isOdd ? [one, other] : [other, one]);
  }
  const later = results.map(([byItself, through]) => through - byItself);
  console.log(`First event, ${pairs} pairs, in milliseconds:`);
  console.log('             median    p95');
  show(
    'direct',
    results.map(([byItself]) => byItself),
  );
  show(
    'proxied',
    results.map(([, through]) => through),
  );
  show('later by', later);
  return median(later) <= 5;
}

async function openMany(
  count: number,
  idleSeconds: number,
  url: string,
  key: string,
  pid: number,
  speak: () => number,
): Promise<boolean> {
  const before = residentKiB(pid);
  const agent = new Agent({ maxSockets: Infinity });
  const streams: Stream[] = [];
  while (streams.length < count) {
    const some = Array.from({ length: Math.min(50, count - streams.length) }, () =>
      openStream(url, key, agent),
    );
    streams.push(...(await Promise.all(some)));
  }
  const after = residentKiB(pid);
  console.log(`\n${count} open streams: ${before} KiB resident before, ${after} KiB with them,`);
  console.log(`${((after - before) / count).toFixed(1)} KiB each`);
  await delay(idleSeconds * 1_000);
  const told = speak();
  const heard = () => streams.filter((stream) => stream.events() >= 2).length;
  for (let tries = 0; tries < 100 && heard() < count; tries += 1) await delay(50);
  const cut = streams.filter((stream) => stream.isCut()).length;
  console.log(
    `After ${idleSeconds} s of silence ${told} were still open at the upstream, ${heard()} heard the next event, ${cut} were cut`,
  );
  console.log(`${residentKiB(pid)} KiB resident at the end`);
  for (const stream of streams) stream.close();
  return heard() === count && cut === 0;
}

function show(name: string, values: readonly number[]): void {
  const cells = [median(values), quantile(values, 0.95)].map((value) => value.toFixed(2).padStart(8));
  console.log(`${name.padEnd(11)}${cells.join('')}`);
}

function residentKiB(pid: number): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}
