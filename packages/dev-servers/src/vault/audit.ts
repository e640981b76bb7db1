import { createHmac, randomBytes } from 'node:crypto';
import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Barrier } from './barrier.ts';
import { isObject, type Fields } from './fields.ts';
import { VaultError, type VaultAnswer, type VaultRequest } from './request.ts';
import type { TokenEntry } from './tokens.ts';

export interface AuditDevice {
  /** With a trailing slash. */
  path: string;
  type: string;
  description: string;
  options: { file_path: string };
}

interface OpenDevice {
  device: AuditDevice;
  file: number;
}

const tablePath = 'core/audit';

/**
 * The audit log: a line before and a line after every request, on every device. Each string in a request or answer is
 * replaced by its HMAC, so that the log shows that a value is the same as another and nothing else.
 */
export class Audit {
  readonly #barrier: Barrier;
  readonly #now: () => number;
  readonly #salt: string;
  readonly #devices = new Map<string, OpenDevice>();

  constructor(barrier: Barrier, now: () => number) {
    this.#barrier = barrier;
    this.#now = now;
    this.#salt = (barrier.get('core/audit-salt') as string | undefined) ?? randomBytes(32).toString('base64');
    barrier.put('core/audit-salt', this.#salt);
    for (const device of (barrier.get(tablePath) as AuditDevice[] | undefined) ?? []) this.#open(device);
  }

  devices(): AuditDevice[] {
    return [...this.#devices.values()].map(({ device }) => device);
  }

  enable(device: AuditDevice): void {
    if (this.#devices.has(device.path)) throw new VaultError(400, `path already in use: ${device.path}`);
    this.#open(device);
    this.#barrier.put(tablePath, this.devices());
  }

  disable(path: string): void {
    const found = this.#devices.get(path);
    if (!found) return;
    closeSync(found.file);
    this.#devices.delete(path);
    this.#barrier.put(tablePath, this.devices());
  }

  close(): void {
    for (const { file } of this.#devices.values()) closeSync(file);
    this.#devices.clear();
  }

  request(request: VaultRequest, token: TokenEntry | undefined, error?: string): void {
    if (this.#devices.size === 0) return;
    this.#write({ ...this.#common('request', request, token), ...(error === undefined ? {} : { error }) });
  }

  response(request: VaultRequest, token: TokenEntry | undefined, answer: VaultAnswer, error?: string): void {
    if (this.#devices.size === 0) return;
    const response = {
      ...(answer.auth ? { auth: this.#hashed(answer.auth) } : {}),
      ...(answer.data ? { data: this.#hashed(answer.data) } : {}),
    };
    this.#write({
      ...this.#common('response', request, token),
      response,
      ...(error === undefined ? {} : { error }),
    });
  }

  #common(type: string, request: VaultRequest, token: TokenEntry | undefined): Fields {
    const accessor = token && this.#hash(token.accessor);
    const auth = token && {
      client_token: this.#hash(request.clientToken),
      accessor,
      display_name: token.displayName,
      policies: token.policies,
      token_policies: token.policies,
      token_type: 'service',
    };
    return {
      time: new Date(this.#now()).toISOString(),
      type,
      auth: auth ?? { token_type: 'default' },
      request: {
        id: request.id,
        operation: request.operation,
        ...(request.clientToken === '' ? {} : { client_token: this.#hash(request.clientToken) }),
        ...(accessor === undefined ? {} : { client_token_accessor: accessor }),
        path: request.path,
        ...(Object.keys(request.fields).length === 0 ? {} : { data: this.#hashed(request.fields) }),
        remote_address: request.remoteAddress,
      },
    };
  }

  /** A request that cannot be logged must not be answered; one device that takes the line is enough, as in Vault. */
  #write(entry: Fields): void {
    const line = `${JSON.stringify(entry)}\n`;
    let written = 0;
    for (const { file } of this.#devices.values()) {
      try {
        writeSync(file, line);
        written += 1;
      } catch {
        continue;
      }
    }
    if (written === 0) throw new VaultError(500, 'internal error');
  }

  #open(device: AuditDevice): void {
    const path = device.options.file_path;
    try {
      mkdirSync(dirname(path), { recursive: true });
      this.#devices.set(device.path, { device, file: openSync(path, 'a', 0o600) });
    } catch {
      throw new VaultError(400, `sanity check failed; unable to open "${path}" for writing`);
    }
  }

  #hashed(value: unknown): unknown {
    if (typeof value === 'string') return this.#hash(value);
    if (Array.isArray(value)) return value.map((item) => this.#hashed(item));
    if (!isObject(value)) return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, this.#hashed(item)]));
  }

  #hash(value: string): string {
    return `hmac-sha256:${createHmac('sha256', this.#salt).update(value).digest('hex')}`;
  }
}
