import { Secret } from '@connectors/vault-core';
import { expect, test } from 'vitest';
import { SessionIds, type SessionOwner } from '../../src/mcp/session-ids.ts';

const key = 'a-session-key-of-the-tests-0123456789';
const owner: SessionOwner = { agentId: 'agent', tenantId: 'acme', integration: 'demo' };
const ids = new SessionIds(new Secret(key));

test('every proxy with the same key knows a session, before and after a restart', () => {
  const another = new SessionIds(new Secret(key));
  expect(another.verify(ids.sign('one', owner), owner)).toBe('one');
});

test('a proxy with another key does not', () => {
  const another = new SessionIds(new Secret(`${key}x`));
  expect(another.verify(ids.sign('one', owner), owner)).toBeUndefined();
});

test('an upstream’s id may hold dots, and whatever else can be seen', () => {
  const upstreamId = 'eyJ.eyJ.c2ln~!"{}';
  expect(ids.verify(ids.sign(upstreamId, owner), owner)).toBe(upstreamId);
});

test.each<Partial<SessionOwner>>([{ agentId: 'agent2' }, { tenantId: 'other' }, { integration: 'other' }])(
  'a session is not that of %o',
  (other) => {
    expect(ids.verify(ids.sign('one', owner), { ...owner, ...other })).toBeUndefined();
  },
);

test('an agent cannot be named so that its sessions become those of others', () => {
  const sly = { agentId: 'agent","acme', tenantId: 'demo', integration: 'one' };
  expect(ids.verify(ids.sign('two', sly), { ...owner, integration: 'one' })).toBeUndefined();
});
