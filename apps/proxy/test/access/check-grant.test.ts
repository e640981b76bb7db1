import { expect, test } from 'vitest';
import { resolveTenant } from '../../src/access/check-grant.ts';

const forbidden = expect.objectContaining({ code: 'agent_forbidden' }) as Error;

test('a key for one tenant needs no X-Tenant-Id', () => {
  expect(resolveTenant({ tenants: ['acme'] }, undefined)).toBe('acme');
});

test('a key for one tenant may name it', () => {
  expect(resolveTenant({ tenants: ['acme'] }, 'acme')).toBe('acme');
});

test('a key for several tenants names one of them', () => {
  expect(resolveTenant({ tenants: ['acme', 'umbrella'] }, 'umbrella')).toBe('umbrella');
});

test('a key for several tenants that names none is asked to', () => {
  expect(() => resolveTenant({ tenants: ['acme', 'umbrella'] }, undefined)).toThrow(
    'X-Tenant-Id must name one',
  );
});

test.each(['other', '', 'ACME', 'acme, umbrella', '../acme', 'acme '])(
  'a tenant outside the grant is refused: %j',
  (named) => {
    expect(() => resolveTenant({ tenants: ['acme', 'umbrella'] }, named)).toThrow(forbidden);
  },
);
