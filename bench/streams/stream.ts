import { once } from 'node:events';
import { request, type Agent, type IncomingMessage } from 'node:http';

export interface Stream {
  /** From the moment at which the request was made until its first event was there, in milliseconds. */
  firstEventMs: number;
  events: () => number;
  isCut: () => boolean;
  close(): void;
}

/** Opens a stream and waits for its first event. */
export async function openStream(url: string, key: string, agent?: Agent): Promise<Stream> {
  const headers = { authorization: `Bearer ${key}`, accept: 'text/event-stream' };
  const startedAt = performance.now();
  const outgoing = request(url, { headers, ...(agent === undefined ? {} : { agent }) });
  outgoing.end();
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
  if (response.statusCode !== 200) throw new Error(`A stream was answered with ${response.statusCode}`);
  let [events, isCut] = [0, false];
  const end = (): void => void (isCut = true);
  response.on('data', (chunk: Buffer) => (events += chunk.toString().split('\n\n').length - 1));
  response.on('end', end).on('error', end);
  await once(response, 'data');
  return {
    firstEventMs: performance.now() - startedAt,
    events: () => events,
    isCut: () => isCut,
    close: () => {
      response.off('error', end).on('error', () => undefined);
      outgoing.destroy();
    },
  };
}
