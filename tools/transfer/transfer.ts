import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { request, type IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { json } from 'node:stream/consumers';
import { integration, startFleet } from '../fleet/start-fleet.ts';

export interface Transfer {
  direction: 'up' | 'down';
  seconds: number;
  /** By how much the proxy's resident memory grew at most, in MiB. */
  growth: number;
  isEqual: boolean;
}

const MiB = 1024 * 1024;
const sampleMs = 50;
/** What a proxy's memory is compared with: it has passed some bytes, and so has all that it needs for passing bytes. */
const warmUpBytes = 64 * MiB;

/** What the REST upstream sends: byte i is i mod 251. */
const block = Buffer.from(Array.from({ length: 251 * 256 }, (_, index) => index % 251));

function* bytes(size: number): Generator<Buffer> {
  for (let sent = 0; sent < size; sent += block.length) yield block.subarray(0, size - sent);
}

/** Sends this many bytes up and then down through a proxy that is a process of its own. `dir` is for data and logs. */
export async function transfer(dir: string, size: number): Promise<Transfer[]> {
  const fleet = await startFleet(dir, { workers: 0, proxies: 1 });
  try {
    await fleet.connect('acme');
    const key = await fleet.createAgent({ name: 'transfer', grants: [{ tenants: ['acme'] }] });
    const [proxy] = fleet.proxies;
    if (proxy === undefined) throw new Error('There is no proxy');
    const target = { url: `${proxy.url}/proxy/${integration}`, key };
    await upload(target, warmUpBytes);
    await download(target, warmUpBytes);
    const expected = sha256(size);
    const run = async (direction: Transfer['direction'], move: typeof upload) => {
      using memory = watch(proxy.pid);
      const startedAt = performance.now();
      const sum = await move(target, size);
      const seconds = (performance.now() - startedAt) / 1_000;
      return { direction, seconds, growth: memory.growth(), isEqual: sum === expected };
    };
    return [await run('up', upload), await run('down', download)];
  } finally {
    await fleet.close();
  }
}

interface Target {
  url: string;
  key: string;
}

/** @returns the checksum of what the upstream received */
async function upload({ url, key }: Target, size: number): Promise<string> {
  const headers = { authorization: `Bearer ${key}`, 'content-length': size };
  const outgoing = request(`${url}/up`, { method: 'PUT', headers });
  const answered = once(outgoing, 'response') as Promise<[IncomingMessage]>;
  await pipeline(Readable.from(bytes(size)), outgoing);
  const [response] = await answered;
  const { body } = (await json(response)) as { body: { sha256: string } };
  return body.sha256;
}

/** @returns the checksum of what arrived */
async function download({ url, key }: Target, size: number): Promise<string> {
  const outgoing = request(`${url}/bytes/${size}`, { headers: { authorization: `Bearer ${key}` } }).end();
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
  const hash = createHash('sha256');
  await pipeline(response, hash);
  return hash.digest('hex');
}

function sha256(size: number): string {
  const hash = createHash('sha256');
  for (const chunk of bytes(size)) hash.update(chunk);
  return hash.digest('hex');
}

/** Looks at a process's resident memory again and again. */
function watch(pid: number): { growth: () => number } & Disposable {
  const before = resident(pid);
  let most = before;
  const timer = setInterval(() => (most = Math.max(most, resident(pid))), sampleMs);
  return { growth: () => most - before, [Symbol.dispose]: () => clearInterval(timer) };
}

/** In MiB. */
function resident(pid: number): number {
  const [, kiB = ''] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kiB) / 1024;
}
