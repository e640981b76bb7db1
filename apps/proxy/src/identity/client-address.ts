import type { IncomingMessage } from 'node:http';
import { BlockList, isIP } from 'node:net';
import { z } from 'zod';

/** The load balancers whose word counts for where a request comes from. */
export const trustedProxiesField = {
  TRUSTED_PROXIES: z
    .string()
    .transform((text, context) => {
      const ranges = readRanges(text);
      if (ranges !== undefined) return ranges;
      context.addIssue('must be IP addresses and ranges such as 10.0.0.0/8, separated by commas');
      return z.NEVER;
    })
    .optional()
    .describe(
      'The load balancers in front of the proxy, as IP addresses and ranges with commas between. What they say in `X-Forwarded-For` is the address whose wrong keys are counted. Left out: that of the connection, which all who come through a load balancer share.',
    ),
};

function readRanges(text: string): BlockList | undefined {
  const ranges = new BlockList();
  try {
    for (const entry of text.split(',').map((each) => each.trim())) {
      const [address = '', bits, ...rest] = entry.split('/');
      if (rest.length > 0 || !/^\d{1,3}$/.test(bits ?? '0')) return undefined;
      if (bits === undefined) ranges.addAddress(address, familyOf(address));
      else ranges.addSubnet(address, Number(bits), familyOf(address));
    }
  } catch {
    return undefined;
  }
  return ranges;
}

/**
 * Where a request comes from, as far as anybody can be believed: its connection's other end, or, if that is a trusted
 * proxy, the one that it names. What stands further left in `X-Forwarded-For` the caller may have made up.
 */
export function clientAddress(
  { socket, headers }: Pick<IncomingMessage, 'headers'> & { socket: { remoteAddress?: string | undefined } },
  trusted: BlockList | undefined,
): string {
  let address = plain(socket.remoteAddress ?? '');
  if (trusted === undefined) return address;
  const hops = String(headers['x-forwarded-for'] ?? '').split(',');
  while (isIP(address) !== 0 && trusted.check(address, familyOf(address))) {
    const hop = plain(hops.pop()?.trim() ?? '');
    if (isIP(hop) === 0) break;
    address = hop;
  }
  return address;
}

/** Whoever has one IPv6 address has 2^64 of them: these are one. */
export function addressBlock(address: string): string {
  if (isIP(address) !== 6) return address;
  const [head = '', tail] = address.split('::');
  const [before, after] = [head, tail ?? ''].map((part) => part.split(':').filter((group) => group !== ''));
  const zeros = Array<string>(8 - (before?.length ?? 0) - (after?.length ?? 0)).fill('0');
  const groups = tail === undefined ? (before ?? []) : [...(before ?? []), ...zeros, ...(after ?? [])];
  return groups.slice(0, 4).join(':');
}

/** A socket that listens for both families calls IPv4 addresses by their IPv6 names. */
function plain(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, '');
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4';
}
