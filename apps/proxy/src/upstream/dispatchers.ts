import type { EgressGuard } from '@connectors/egress';
import { Agent, type Dispatcher } from 'undici';
import type { RequestBody } from './body.ts';

/** The pools of connections to the upstreams. */
export class Dispatchers {
  readonly #common: Agent;
  readonly #streaming: Agent;

  /** @param http2 whether HTTP/2 is spoken where it is offered */
  constructor({ lookup }: Pick<EgressGuard, 'lookup'>, { http2 }: { http2: boolean }) {
    const open = (allowH2: boolean) => new Agent({ allowH2, connect: { lookup } });
    this.#common = open(http2);
    // undici ends the stream of a body that breaks off without an error: the upstream would take it for whole.
    this.#streaming = http2 ? open(false) : this.#common;
  }

  for({ kind }: RequestBody): Dispatcher {
    return kind === 'streamed' ? this.#streaming : this.#common;
  }

  /** For what HTTP/2 cannot do. */
  get http1(): Dispatcher {
    return this.#streaming;
  }

  async destroy(): Promise<void> {
    await Promise.all([this.#common.destroy(), this.#streaming.destroy()]);
  }
}
