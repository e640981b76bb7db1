import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

const globalUnicast = ipaddr.IPv6.parseCIDR('2000::/3');

/**
 * Whether an IP address lies on the public internet. Everything else is refused: private, loopback, link-local
 * (cloud metadata), multicast, carrier-grade NAT, documentation and reserved ranges, and the IPv6 forms that carry
 * an IPv4 address inside (mapped, compatible, 6to4, Teredo, NAT64), which could name a private one.
 */
export function isPublicAddress(address: string): boolean {
  if (isIP(address) === 0) return false;
  const parsed = ipaddr.parse(address);
  if (parsed.range() !== 'unicast') return false;
  // The library calls unassigned space and `::a.b.c.d` unicast; IANA assigns public addresses from 2000::/3 only.
  return parsed instanceof ipaddr.IPv4 || parsed.match(globalUnicast);
}
