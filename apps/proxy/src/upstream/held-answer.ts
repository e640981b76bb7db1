import type { IncomingHttpHeaders } from 'node:http';
import { brotliDecompressSync, gunzipSync, inflateSync } from 'node:zlib';
import { isRefusalBody, maxRefusalBytes } from '@connectors/oauth';

const limits = { maxOutputLength: maxRefusalBytes };

const decoders: Readonly<Record<string, (bytes: Buffer) => Buffer>> = {
  identity: (bytes) => bytes,
  gzip: (bytes) => gunzipSync(bytes, limits),
  deflate: (bytes) => inflateSync(bytes, limits),
  br: (bytes) => brotliDecompressSync(bytes, limits),
};

interface Head {
  status: number;
  statusMessage: string;
  headers: string[];
}

/** A success that is kept back until it is whole, for it may say that the token is dead. It goes out as it came. */
export class HeldAnswer {
  readonly head: Head;
  readonly #errors: readonly string[];
  readonly #decode: (bytes: Buffer) => Buffer;
  readonly #pieces: Buffer[] = [];
  #size = 0;

  private constructor(head: Head, errors: readonly string[], decode: (bytes: Buffer) => Buffer) {
    this.head = head;
    this.#errors = errors;
    this.#decode = decode;
  }

  /** Only small JSON is worth it, and only where the provider refuses tokens in it: all else streams. */
  static of(head: Head, parsed: IncomingHttpHeaders, errors: readonly string[]): HeldAnswer | undefined {
    if (errors.length === 0 || head.status >= 300) return undefined;
    const decode = decoders[parsed['content-encoding'] ?? 'identity'];
    const isSmall = Number(parsed['content-length'] ?? 0) <= maxRefusalBytes;
    const isJson = /^application\/json\b/i.test(parsed['content-type'] ?? '');
    return decode !== undefined && isSmall && isJson ? new HeldAnswer(head, errors, decode) : undefined;
  }

  /** Takes a piece, and says whether more may come before it has to go out. */
  take(piece: Buffer): boolean {
    this.#pieces.push(piece);
    this.#size += piece.length;
    return this.#size <= maxRefusalBytes;
  }

  get body(): Buffer | undefined {
    return this.#size === 0 ? undefined : Buffer.concat(this.#pieces);
  }

  /** Once it is whole. */
  isRefusal(): boolean {
    try {
      return isRefusalBody(this.#decode(Buffer.concat(this.#pieces)).toString(), this.#errors);
    } catch {
      // Not encoded as it says, or much more than a refusal.
      return false;
    }
  }
}
