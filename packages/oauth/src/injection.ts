import type { Secret } from '@connectors/vault-core';
import { fillText, type CredentialFields } from './credential-fields.ts';
import type { InjectionStyle } from './injection-style.ts';
import { withoutParameter } from './query-parameter.ts';

/**
 * A header's name as upstreams compare it. To those that read headers as CGI does (RFC 3875 4.1.18) `_` is `-`, so that one
 * could stand beside the other and be taken for it.
 */
export function headerKey(name: string): string {
  const key = name.toLowerCase();
  return key.includes('_') ? key.replaceAll('_', '-') : key;
}

/** What a credential brings into requests, and the integration's client id, for APIs that want to see it. */
export interface Injected {
  accessToken: Secret;
  fields?: CredentialFields;
  clientId?: string | undefined;
}

/**
 * A credential as requests carry it, computed once. What it brings along wins over whatever the request has under the
 * same names. Printing it shows no token.
 */
export class Injection {
  /** The {@link headerKey}s of the headers that it sets. */
  readonly names: ReadonlySet<string>;
  /** For requests that lack them, by their {@link headerKey}. */
  readonly defaults: readonly { key: string; name: string; value: string }[];
  readonly #headers: readonly string[];
  readonly #parameter: { name: string; text: string } | undefined;
  readonly #secrets: readonly string[];
  #trace: RegExp | undefined;

  constructor(style: InjectionStyle, { accessToken, fields = {}, clientId }: Injected) {
    const token = accessToken.reveal();
    const values = { ...(clientId === undefined ? {} : { clientId }), ...fields };
    const basic =
      style.basic === undefined
        ? undefined
        : Buffer.from(fillText(style.basic, { ...values, token })).toString('base64');
    const scheme = style.scheme === '' ? '' : `${style.scheme} `;
    const headers = Object.entries(style.headers).map(([name, text]) => [name, fillText(text, values)]);
    if (style.query === undefined) {
      headers.push([style.header, basic === undefined ? `${scheme}${token}` : `Basic ${basic}`]);
    } else {
      this.#parameter = {
        name: style.query,
        text: `${encodeURIComponent(style.query)}=${encodeURIComponent(token)}`,
      };
    }
    this.names = new Set(headers.map(([name = '']) => headerKey(name)));
    this.defaults = Object.entries(style.defaultHeaders)
      .map(([name, value]) => ({ key: headerKey(name), name, value }))
      .filter(({ key }) => !this.names.has(key));
    this.#headers = headers.flat();
    this.#secrets = [token, ...(basic === undefined ? [] : [basic])].filter((secret) => secret !== '');
  }

  /** Names and values, one after the other. They hold the token. */
  headers(): readonly string[] {
    return this.#headers;
  }

  /** A query, empty or with its question mark, as it goes to the upstream. */
  intoQuery(query: string): string {
    if (this.#parameter === undefined) return query;
    const { name, text } = this.#parameter;
    const rest = withoutParameter(query, name);
    return rest.length < 2 ? `?${text}` : `${rest}&${text}`;
  }

  /** Takes the token out of a text, however its characters are percent-encoded. */
  redact(text: string): string {
    this.#trace ??= new RegExp(this.#secrets.map(anyEncoding).join('|'), 'gu');
    return this.#secrets.length === 0 ? text : text.replace(this.#trace, '[redacted]');
  }
}

/** A pattern for a secret each byte of which may be percent-encoded, also more than once. */
function anyEncoding(secret: string): string {
  return Array.from(secret)
    .map((character) => {
      const bytes = [...Buffer.from(character)].map((byte) => `%(?:25)*${anyCase(byte)}`);
      return `(?:\\u{${character.codePointAt(0)?.toString(16)}}|${bytes.join('')})`;
    })
    .join('');
}

function anyCase(byte: number): string {
  return byte
    .toString(16)
    .padStart(2, '0')
    .replace(/[a-f]/g, (digit) => `[${digit}${digit.toUpperCase()}]`);
}
