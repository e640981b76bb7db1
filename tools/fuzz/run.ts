import { connect } from 'node:net';
import * as fc from 'fast-check';
import { answersProblem } from './answers.ts';
import { conversations, type Conversation } from './requests.ts';
import type { World } from './world.ts';

/** Longer than the proxy waits for anything in a run. */
const hangMs = 10_000;
const connectionsAtOnce = 300;

/** Ends a connection on which all that came before is whole. */
const finale = 'GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';

export interface FuzzOptions {
  requests: number;
  seed: number;
  onProgress: (requests: number) => void;
}

/**
 * Sends random requests to a proxy until there were this many.
 *
 * @returns how many were sent
 * @throws {Error} with the conversation that went wrong
 */
export async function fuzz(world: World, { requests, seed, onProgress }: FuzzOptions): Promise<number> {
  let sent = 0;
  const batches = fc.array(conversations(world.keys), {
    minLength: connectionsAtOnce,
    maxLength: connectionsAtOnce,
  });
  const isGood = fc.asyncProperty(batches, async (batch) => {
    if (sent >= requests) return;
    await Promise.all(batch.map((conversation) => converse(world, conversation)));
    sent += batch.reduce((sum, conversation) => sum + conversation.requests, 0);
    onProgress(sent);
    const [wrong] = world.takeWrongs();
    if (wrong !== undefined) throw new Error(wrong);
    if (!(await isAlive(world))) throw new Error('The proxy does not serve any more');
  });
  // The error names the one conversation that matters: to shrink the others beside it takes long and tells nothing.
  const runs = {
    endOnFailure: true,
    seed,
    numRuns: Math.ceil(requests / connectionsAtOnce),
    includeErrorInReport: true,
  };
  await fc.assert(isGood, runs);
  return sent;
}

async function converse(world: World, { bytes, methods }: Conversation): Promise<void> {
  const text = await exchange(world.url, `${bytes}${finale}`);
  const leaked = world.secrets.find(
    (secret) => text.includes(secret) || text.includes(encodeURIComponent(secret)),
  );
  const wrong = leaked === undefined ? answersProblem(text, [...methods, 'GET']) : 'a secret came back';
  if (wrong !== undefined) throw new Error(`${wrong}, after ${JSON.stringify(bytes)}`);
}

/** Sends bytes; resolves with all that came back when the connection is over. */
function exchange(url: string, bytes: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  const chunks: Buffer[] = [];
  const timer = setTimeout(() => {
    const text = Buffer.concat(chunks).toString('latin1');
    reject(new Error(`no end after ${JSON.stringify(bytes)}, but ${JSON.stringify(text)}`));
    socket.destroy();
  }, hangMs);
  socket.on('data', (chunk: Buffer) => chunks.push(chunk)).on('error', () => undefined);
  socket.once('close', () => {
    clearTimeout(timer);
    resolve(Buffer.concat(chunks).toString('latin1'));
  });
  socket.write(Buffer.from(bytes, 'latin1'));
  return promise;
}

async function isAlive({ url, keys }: World): Promise<boolean> {
  const answer = await exchange(
    url,
    `GET /proxy/first/alive HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${keys.valid}\r\nConnection: close\r\n\r\n`,
  );
  return answer.startsWith('HTTP/1.1 ') && !answer.includes('\r\nConnectors-Error: internal_error');
}
