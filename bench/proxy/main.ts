import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Launch } from '@connectors/dev-servers';
import { findLastingPort } from '@connectors/tools/fleet/port.ts';
import { readFlags } from '../flags.ts';
import { fetchNginx, fetchWrk } from './debian.ts';
import { integration, startDeployment, token } from './deployment.ts';
import { makeLoad, type LoadResult } from './load.ts';
import { nginxProxy, nginxUpstream } from './nginx.ts';
import { startProgram, type ProgramSpec } from './program.ts';
import { judge, report, row, type Round } from './report.ts';

const usage = `usage: npx pnpm@12 bench:proxy [--rounds 5] [--seconds 4] [--connections 64] [--only ours,reply-from] [--profile DIR]

Sends GETs for 1 KiB through each proxy in turn, every time in a fresh process, and compares them round by round: nginx with
a static header, a bare node:http and undici, a bare Fastify and @fastify/reply-from, and ours with everything on, without and
with its lines for access and audit. Fails below 1.1 times reply-from, 0.7 of node:http and undici, and, with the log on, 0.9 times reply-from. With --profile, each Node
leaves a CPU profile in that directory.`;

const flags = readFlags(usage, { rounds: 5, seconds: 4, connections: 64 }, ['only', 'profile']);
const { rounds, seconds, connections, profile } = flags;
const only = flags.only?.split(',');
const profiling = profile === undefined ? {} : { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${profile}` };
const dir = mkdtempSync(join(tmpdir(), 'bench-proxy-'));
process.once('exit', () => rmSync(dir, { recursive: true, force: true }));
process.once('SIGINT', () => process.exit(130));

/** What is asked for, at the upstream. */
const path = '/repos/acme/site/issues?state=open&page=2';

interface Variant {
  name: string;
  /** Nobody in between when it has none. */
  program?: Pick<ProgramSpec, 'launch' | 'env'>;
  url: string;
  headers: Record<string, string>;
}

async function run(): Promise<boolean> {
  const [nginx, wrk] = [await fetchNginx(), await fetchWrk()];
  const [port, upstreamPort] = [await findLastingPort(), await findLastingPort()];
  const upstream = await startProgram({
    launch: nginxUpstream(nginx, join(dir, 'upstream'), upstreamPort),
    core: 'load',
    output: join(dir, 'upstream.log'),
    probe: { url: `http://127.0.0.1:${upstreamPort}/` },
  });
  const deployment = await startDeployment(dir, `http://127.0.0.1:${upstreamPort}`);
  try {
    const variants = describeVariants(nginx, { own: port, upstream: upstreamPort }, deployment);
    const measured: Round[] = [];
    for (let round = 1; round <= rounds; round++) {
      const results: Round = {};
      for (const variant of variants) {
        results[variant.name] = await measure(wrk, variant);
        console.log(row(round, variant.name, results[variant.name]!));
      }
      measured.push(results);
    }
    console.log(report(measured));
    return judge(measured);
  } finally {
    await deployment.close();
    await upstream.stop();
  }
}

/** In a process that has just been started, and has seen enough requests for its code to be compiled. */
async function measure(wrk: Launch, { name, program, url, headers }: Variant) {
  const load = { url, headers, connections };
  if (program === undefined) return { ...(await makeLoad(wrk, { ...load, seconds })), cpuMs: 0 };
  const running = await startProgram({
    ...program,
    core: 'measured',
    output: join(dir, `${name.replaceAll(/\W+/g, '-')}.log`),
    probe: { url, headers },
  });
  try {
    await makeLoad(wrk, { ...load, seconds });
    const before = running.cpuSeconds();
    const result: LoadResult = await makeLoad(wrk, { ...load, seconds });
    return { ...result, cpuMs: ((running.cpuSeconds() - before) * 1e7) / result.requests };
  } finally {
    await running.stop();
  }
}

function describeVariants(
  nginx: Launch,
  ports: { own: number; upstream: number },
  { agentKey, environment }: Awaited<ReturnType<typeof startDeployment>>,
): Variant[] {
  const own = `http://127.0.0.1:${ports.own}`;
  const origin = `http://127.0.0.1:${ports.upstream}`;
  const headers = {
    Authorization: `Bearer ${agentKey}`,
    Accept: 'application/json',
    'User-Agent': 'agent/1.0',
  };
  const behind = (name: string, launch: Launch): Variant => ({
    name,
    program: { launch, env: profiling },
    url: `${own}${path}`,
    headers,
  });
  const ours = (name: string, log: Record<string, string>): Variant => ({
    name,
    program: {
      launch: script('../../apps/proxy/src/main.ts'),
      env: { ...profiling, ...environment, PORT: String(ports.own), ...log },
    },
    url: `${own}/proxy/${integration}${path}`,
    headers,
  });
  const bare = [String(ports.own), origin, token];
  const all: Variant[] = [
    { name: 'direct', url: `${origin}${path}`, headers },
    behind('nginx', nginxProxy(nginx, join(dir, 'proxy'), ports, token)),
    behind('node:http + undici', script('bare-undici.ts', ...bare)),
    behind('reply-from', script('reply-from.ts', ...bare)),
    ours('ours', { LOG_LEVEL: 'silent', AUDIT_LOG: 'off' }),
    ours('ours with log', {}),
  ];
  return only === undefined ? all : all.filter(({ name }) => only.includes(name));
}

function script(file: string, ...args: string[]): Launch {
  return { command: process.execPath, args: [join(import.meta.dirname, file), ...args] };
}

process.exitCode = (await run()) ? 0 : 1;
