import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { fingerprint } from '@connectors/dev-servers';
import type { Ledger, TokenCall } from './ledger.ts';
import type { Random } from './random.ts';

/** What the token endpoint does to every request. */
export type Mode =
  | { kind: 'provider-503' }
  | { kind: 'provider-429'; retryAfterSeconds: number; isDate: boolean }
  /** Never answers, and does nothing. */
  | { kind: 'provider-hang' }
  /** Lets so many requests rotate their token, and closes the connection instead of answering. */
  | { kind: 'response-cut'; left: number };

export interface TokenEndpointOptions {
  ledger: Ledger;
  random: Random;
  /** The real one, which decides. */
  target: () => string;
}

/**
 * The token endpoint as the workers see it, in front of the authorization server's. It takes its time as providers
 * do, keeps the ledger, and misbehaves when told to. Each process of a worker has a URL of its own, which tells who asks.
 */
export class TokenEndpoint {
  /** Absent: it behaves. */
  mode: Mode | undefined;
  /** How far the provider's clock is ahead, in milliseconds. */
  clockAheadMs = 0;
  /** Until when a Retry-After has asked to wait. */
  throttledUntil = 0;
  readonly #options: TokenEndpointOptions;
  readonly #starts = new Map<string, number>();
  readonly #hanging = new Set<ServerResponse>();
  readonly #server = createServer((request, response) => {
    this.#answer(request, response).catch(() => response.destroy());
  });

  constructor(options: TokenEndpointOptions) {
    this.#options = options;
  }

  async listen(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  /** The URL of a process that is about to be started. */
  newUrlFor(worker: string): string {
    this.#starts.set(worker, (this.#starts.get(worker) ?? 0) + 1);
    const { port } = this.#server.address() as AddressInfo;
    return `http://127.0.0.1:${port}/${this.processOf(worker)}/token`;
  }

  /** What the ledger calls the process that a worker is now. */
  processOf(worker: string): string {
    return `${worker}.${this.#starts.get(worker)}`;
  }

  /** Drops the requests that hang: they were never looked at. */
  dropHanging(): void {
    for (const response of this.#hanging) response.destroy();
    this.#hanging.clear();
  }

  async close(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await text(request);
    const call: TokenCall = {
      at: Date.now(),
      worker: request.url?.split('/')[1] ?? '',
      token: fingerprint(new URLSearchParams(body).get('refresh_token') ?? ''),
    };
    this.#options.ledger.calls.push(call);
    response.once('finish', () => (call.answeredAt = Date.now()));
    response.once('close', () => {
      if (!response.writableFinished) call.closedAt = Date.now();
    });
    const { mode } = this;
    if (mode?.kind === 'response-cut' && mode.left > 0) {
      mode.left -= 1;
      call.fault = mode.kind;
      await this.#decide(call, request, body);
      response.destroy();
      return;
    }
    if (mode !== undefined && mode.kind !== 'response-cut') {
      call.fault = mode.kind;
      this.#misbehave(mode, response);
      return;
    }
    const decided = await this.#decide(call, request, body);
    await delay(20 + 480 * this.#options.random.next() ** 2);
    this.#send(response, decided.status, { 'content-type': 'application/json' }, this.#dated(decided.answer));
  }

  async #decide(call: TokenCall, request: IncomingMessage, body: string) {
    const response = await fetch(this.#options.target(), {
      method: 'POST',
      headers: {
        authorization: request.headers.authorization ?? '',
        'content-type': request.headers['content-type'] ?? '',
      },
      body,
    });
    const answer = (await response.json()) as Record<string, unknown>;
    this.#options.ledger.decide(call, response.status, answer);
    return { status: response.status, answer };
  }

  #misbehave(mode: Exclude<Mode, { kind: 'response-cut' }>, response: ServerResponse): void {
    switch (mode.kind) {
      case 'provider-hang':
        this.#hanging.add(response);
        response.once('close', () => this.#hanging.delete(response));
        return;
      case 'provider-503':
        this.#send(response, 503, {}, {});
        return;
      case 'provider-429': {
        const waitMs = mode.retryAfterSeconds * 1000;
        this.throttledUntil = Math.max(this.throttledUntil, Date.now() + waitMs);
        const date = new Date(this.#now() + waitMs).toUTCString();
        const retryAfter = mode.isDate ? date : String(mode.retryAfterSeconds);
        this.#send(response, 429, { 'retry-after': retryAfter }, { error: 'slow_down' });
      }
    }
  }

  #send(response: ServerResponse, status: number, headers: Record<string, string>, body: object): void {
    response.writeHead(status, { ...headers, date: new Date(this.#now()).toUTCString() });
    response.end(JSON.stringify(body));
  }

  /** While its clock is wrong, the provider names the end of a token by that clock: a lifetime would hide it. */
  #dated(answer: Record<string, unknown>): Record<string, unknown> {
    const { expires_in: lifetime, ...rest } = answer;
    if (this.clockAheadMs === 0 || typeof lifetime !== 'number') return answer;
    return { ...rest, expires_at: Math.floor(this.#now() / 1000) + lifetime };
  }

  #now(): number {
    return Date.now() + this.clockAheadMs;
  }
}
