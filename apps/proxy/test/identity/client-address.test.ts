import { expect, test } from 'vitest';
import { z } from 'zod';
import { addressBlock, clientAddress, trustedProxiesField } from '../../src/identity/client-address.ts';

const schema = z.object(trustedProxiesField);
const trusted = schema.parse({ TRUSTED_PROXIES: '10.0.0.0/8, fd00::/8,192.0.2.1' }).TRUSTED_PROXIES;
const from = (remoteAddress: string, forwarded?: string) =>
  clientAddress({ socket: { remoteAddress }, headers: { 'x-forwarded-for': forwarded } }, trusted);

test.each([
  ['nobody is between', '203.0.113.7', undefined, '203.0.113.7'],
  ['a stranger claims to be another', '203.0.113.7', '198.51.100.1', '203.0.113.7'],
  ['a load balancer names its client', '10.1.2.3', '203.0.113.7', '203.0.113.7'],
  ['the client made up what it is said to stand for', '10.1.2.3', '198.51.100.1, 203.0.113.7', '203.0.113.7'],
  ['one load balancer stands behind another', '10.1.2.3', '203.0.113.7, 192.0.2.1', '203.0.113.7'],
  ['a load balancer names nobody', '10.1.2.3', undefined, '10.1.2.3'],
  ['a load balancer names what is no address', '10.1.2.3', 'unknown', '10.1.2.3'],
  ['the socket is of both families', '::ffff:10.1.2.3', '::ffff:203.0.113.7', '203.0.113.7'],
  ['the load balancer is reached by IPv6', 'fd00::1', '2001:db8::7', '2001:db8::7'],
])('when %s', (_what, remoteAddress, forwarded, address) => {
  expect(from(remoteAddress, forwarded)).toBe(address);
});

test('without a trusted proxy nobody is believed', () => {
  const request = { socket: { remoteAddress: '10.1.2.3' }, headers: { 'x-forwarded-for': '203.0.113.7' } };
  expect(clientAddress(request, undefined)).toBe('10.1.2.3');
});

test.each([
  ['203.0.113.7', '203.0.113.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
  ['2001:db8:1:2::9', '2001:db8:1:2'],
  ['2001:db8::9', '2001:db8:0:0'],
  ['::1', '0:0:0:0'],
  ['', ''],
])('%s counts as %s', (address, block) => {
  expect(addressBlock(address)).toBe(block);
});

test.each(['x', '10.0.0.0/33', '10.0.0.0/', '10.0.0.1/8/9', '::/129', '10.0.0.1,'])(
  '%s is no list',
  (text) => {
    expect(schema.safeParse({ TRUSTED_PROXIES: text }).error?.issues[0]?.message).toMatch(
      /^must be IP addresses/,
    );
  },
);
