import { expect, test } from 'vitest';
import { resolveTenant } from '../../src/access/check-grant.ts';
import { Permissions } from '../../src/access/permissions.ts';

const resolve = (tenants: string[], named: string | undefined) =>
  resolveTenant({ permissions: new Permissions([{ tenants }]) }, named, 'demo');

const forbidden = expect.objectContaining({ code: 'agent_forbidden' }) as Error;

test('a key for one tenant needs no X-Tenant-Id', () => {
  expect(resolve(['acme'], undefined)).toBe('acme');
});

test('a key for one tenant may name it', () => {
  expect(resolve(['acme'], 'acme')).toBe('acme');
});

test('a key for several tenants names one of them', () => {
  expect(resolve(['acme', 'umbrella'], 'umbrella')).toBe('umbrella');
});

test('a key for several tenants that names none is asked to', () => {
  expect(() => resolve(['acme', 'umbrella'], undefined)).toThrow('X-Tenant-Id must name one');
});

test.each(['other', '', 'ACME', 'acme, umbrella', '../acme', 'acme '])(
  'a tenant outside the grant is refused: %j',
  (named) => {
    expect(() => resolve(['acme', 'umbrella'], named)).toThrow(forbidden);
  },
);
