import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { isTokenRefused } from '@connectors/oauth';
import { ConnectorsError } from '@connectors/vault-core';
import type { Dispatcher } from 'undici';
import type { Exchange } from '../exchange.ts';
import { signSessions } from '../mcp/check-session.ts';
import type { ProxyParts } from '../pipeline.ts';
import { toUpstreamError } from './failure.ts';
import { HeldAnswer } from './held-answer.ts';
import { has, responseHeaders } from './response-headers.ts';
import { openTunnel } from './tunnel.ts';

type Controller = Dispatcher.DispatchController;

/** `rejected`: the upstream refused the token, and nothing of that has reached the agent. */
export type RelayOutcome = 'relayed' | 'rejected';

/** Interim responses are not passed on, for their hints are for browsers; each of them sets the clock of the time-out back. */
const maxInterims = 16;

/** What a refusal has to say is thrown away up to this size; beyond it the connection is. */
const refusalBytes = 64 * 1024;

/** Answers up to this size are sent in one piece with their headers. */
const joinedBytes = 16 * 1024;

/** Node writes no other reason phrase, and nobody needs one. */
const printable = /^[\t\x20-\x7e]*$/;

const eventStream = /^text\/event-stream\b/i;

/** Writes an upstream's response to the agent as it arrives: both sides' pace, both sides' aborts. */
export class Relay implements Dispatcher.DispatchHandler {
  readonly outcome: Promise<RelayOutcome>;
  readonly #settle: PromiseWithResolvers<RelayOutcome>;
  readonly #exchange: Exchange;
  readonly #response: ServerResponse;
  readonly #parts: Pick<ProxyParts, 'occupancy' | 'keptBodies'>;
  readonly #sentAt = performance.now();
  #controller: Controller | undefined;
  #interims = 0;
  #refusalBytes: number | undefined;
  #held: HeldAnswer | undefined;
  /** The first piece of the body while the packet with the headers has not left. */
  #first: Buffer | undefined;
  #isUnderWay = false;

  constructor(exchange: Exchange, parts: Pick<ProxyParts, 'occupancy' | 'keptBodies'>) {
    this.#exchange = exchange;
    this.#parts = parts;
    this.#response = exchange.response;
    this.#settle = Promise.withResolvers();
    this.outcome = this.#settle.promise;
    // A refusal whose body does not end.
    exchange.relay?.abort();
    exchange.relay = this;
  }

  onRequestStart(controller: Controller): void {
    this.#controller = controller;
    if (this.#response.destroyed) this.abort();
  }

  onResponseStart(
    controller: Controller,
    status: number,
    parsed: IncomingHttpHeaders,
    statusMessage = '',
  ): void {
    if (status < 200) {
      this.#interims += 1;
      if (this.#interims > maxInterims) controller.abort(new Error('too many interim responses'));
      return;
    }
    this.#exchange.upstreamMs = performance.now() - this.#sentAt;
    if (status >= 400 && this.#isRefusal(status, parsed)) {
      this.#refusalBytes = 0;
      this.#settle.resolve('rejected');
      // The rest of a body that cannot be sent again need not be sent now.
      if (this.#exchange.body.kind === 'streamed') controller.abort(new Error('refused'));
      return;
    }
    if (eventStream.test(parsed['content-type'] ?? '') && !this.#becomeStream()) return;
    const headers = responseHeaders(latin1(controller.rawHeaders), this.#exchange.use.injection);
    if (this.#exchange.signSession !== undefined) signSessions(headers, this.#exchange.signSession);
    if (!has(headers, 'x-request-id')) headers.push('X-Request-Id', this.#exchange.requestId);
    const head = { status, statusMessage: printable.test(statusMessage) ? statusMessage : '', headers };
    this.#held = HeldAnswer.of(head, parsed, this.#exchange.upstream.provider.tokenRefusedErrors);
    if (this.#held !== undefined) return;
    this.#writeHead(head);
    // Headers wait for what came with them, but not for a body that takes its time, such as a stream of events.
    queueMicrotask(this.#begin);
  }

  onRequestUpgrade(controller: Controller, _status: number, _headers: unknown, socket: Duplex): void {
    this.#leave();
    const { upgrade, requestId, use } = this.#exchange;
    if (upgrade === undefined) throw new TypeError('nobody has asked for this');
    this.#exchange.upstreamMs = performance.now() - this.#sentAt;
    this.#controller = controller;
    if (!this.#becomeStream()) {
      socket.destroy();
      return;
    }
    const headers = responseHeaders(latin1(controller.rawHeaders), use.injection);
    openTunnel(this.#exchange, upgrade, socket, [...headers, 'X-Request-Id', requestId]);
    this.#settle.resolve('relayed');
  }

  onResponseData(controller: Controller, chunk: Buffer): void {
    if (this.#refusalBytes !== undefined) {
      this.#refusalBytes += chunk.length;
      if (this.#refusalBytes > refusalBytes) controller.abort(new Error('refused at length'));
      return;
    }
    if (this.#held !== undefined) {
      if (this.#held.take(chunk)) return;
      this.#release(this.#held);
      this.#begin();
      return;
    }
    if (!this.#isUnderWay && this.#first === undefined) {
      this.#first = chunk;
      return;
    }
    this.#begin();
    this.#pass(chunk);
  }

  onResponseEnd(controller: Controller): void {
    this.#leave();
    if (this.#refusalBytes !== undefined) return;
    if (this.#held?.isRefusal() === true) {
      this.#settle.resolve('rejected');
      return;
    }
    if (this.#held !== undefined) this.#release(this.#held);
    const trailers = latin1(controller.rawTrailers);
    if (trailers.length > 0) {
      this.#response.addTrailers(pairs(responseHeaders(trailers, this.#exchange.use.injection)));
    }
    this.#finish();
    this.#settle.resolve('relayed');
  }

  onResponseError(_controller: Controller, error: Error): void {
    this.#leave();
    if (!this.#response.headersSent) {
      // The body was refused on its way: what is left of it would be taken for the next request.
      if (error instanceof ConnectorsError) this.#response.shouldKeepAlive = false;
      this.#settle.reject(toUpstreamError(error));
      return;
    }
    // The agent must see that something is missing.
    if (this.#refusalBytes === undefined) this.#exchange.breakOff();
    this.#settle.resolve('relayed');
  }

  /** There is nothing left to abort; but a second attempt may be at work by now. */
  #leave(): void {
    if (this.#exchange.relay === this) this.#exchange.relay = undefined;
  }

  #isRefusal(status: number, headers: IncomingHttpHeaders): boolean {
    const challenge = headers['www-authenticate'];
    return isTokenRefused({ status, challenge }, this.#exchange.upstream.provider.tokenRefusedStatuses);
  }

  /** It is no refusal: it goes out as if it had not been held. */
  #release({ head, body }: HeldAnswer): void {
    this.#held = undefined;
    this.#writeHead(head);
    this.#first = body;
  }

  #writeHead({ status, statusMessage, headers }: HeldAnswer['head']): void {
    // The request will not be sent again, and the answer may last for days.
    this.#parts.keptBodies.release(this.#exchange);
    this.#response.writeHead(status, statusMessage, headers);
  }

  /** Says whether the tenant may have one more. */
  #becomeStream(): boolean {
    try {
      this.#parts.occupancy.becomeStream(this.#exchange);
      return true;
    } catch (error) {
      this.#settle.reject(error);
      this.#controller?.abort(new Error('one stream too many'));
      return false;
    }
  }

  #pass(chunk: Buffer): void {
    if (this.#response.write(chunk)) return;
    this.#controller?.pause();
    this.#response.once('drain', () => this.#controller?.resume());
  }

  readonly #begin = (): void => {
    if (this.#isUnderWay) return;
    this.#isUnderWay = true;
    if (this.#first === undefined) this.#response.flushHeaders();
    else this.#pass(this.#first);
  };

  #finish(): void {
    const whole = this.#isUnderWay ? undefined : this.#first;
    this.#isUnderWay = true;
    // As text Node joins it to the headers: one write instead of two.
    if (whole !== undefined && whole.length <= joinedBytes)
      this.#response.end(whole.toString('latin1'), 'latin1');
    else this.#response.end(whole);
  }

  /** The agent went away: nobody waits for the answer any more. */
  abort(): void {
    this.#controller?.abort(new Error('the agent went away'));
  }
}

/** Header values are bytes: read and written as latin1 they stay what they were. */
function latin1(raw: Controller['rawHeaders']): string[] {
  if (!Array.isArray(raw)) return Object.entries(raw ?? {}).flatMap(named);
  return raw.map((part: Buffer | string) => (typeof part === 'string' ? part : part.toString('latin1')));
}

/** From HTTP/2 they come as a map. */
function named([name, values = []]: [string, string | string[] | undefined]): string[] {
  return [values].flat().flatMap((value) => [name, value]);
}

function pairs(headers: readonly string[]): [string, string][] {
  return headers.flatMap((name, index) => (index % 2 === 0 ? [[name, headers[index + 1] ?? '']] : []));
}
