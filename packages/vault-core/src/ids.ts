import { randomBytes } from 'node:crypto';
import { ConnectorsError } from './errors.ts';

/** The rule for ids as a regular expression. */
export const idPattern = /^[A-Za-z0-9](?:[A-Za-z0-9_-]{0,62}[A-Za-z0-9])?$/;

/** The rule for tenant and integration ids, in the words of error messages. */
export const idRule =
  '1 to 64 characters from A-Z a-z 0-9 _ -, the first and the last of them a letter or a digit';

/**
 * Checks the id of a tenant or an integration before it becomes a Vault path, key name, queue or job id:
 * neither Vault's HTTP API nor node-vault encodes paths, so `..`, `?` or `/` in an id would reach another tenant.
 *
 * @throws {ConnectorsError} `invalid_request`, naming the field and the rule
 */
export function checkId(field: 'tenantId' | 'integration' | 'agentId', id: string): string {
  if (!isId(id)) throw new ConnectorsError('invalid_request', `${field} must be ${idRule}`);
  return id;
}

/** Whether `id` satisfies {@link idRule}. */
export function isId(id: string): boolean {
  return idPattern.test(id);
}

const base32 = 'abcdefghijklmnopqrstuvwxyz234567';

/** Mints the identity of one stored state of a credential: 96 random bits in base32 (20 characters). */
export function newRevision(): string {
  return encodeBase32(randomBytes(12));
}

/** Mints the id of an agent, a webhook endpoint or a connect session: 80 random bits in base32 (16 characters). */
export function newDocumentId(): string {
  return encodeBase32(randomBytes(10));
}

/** RFC 4648 base32 in lower case, without padding. */
export function encodeBase32(bytes: Uint8Array): string {
  let text = '';
  let bits = 0;
  let value = 0;
  for (const byte of bytes) {
    value = (value << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += base32[(value >>> bits) & 31];
    }
    value &= (1 << bits) - 1;
  }
  return bits === 0 ? text : text + base32[(value << (5 - bits)) & 31];
}
