import { createHmac } from 'node:crypto';
import { Secret } from '@connectors/vault-core';
import { describe, expect, it } from 'vitest';
import { consoleKey } from '../../src/console/console-key.ts';
import { AdminSessions } from '../../src/console/session.ts';

const hour = 3_600_000;
const start = Date.parse('2025-11-08T12:00:00Z');

function sessionsAt(now: number, adminToken = 'the-admin-token-of-this-test') {
  return new AdminSessions(new Secret(adminToken), () => now);
}

describe('a session', () => {
  it('lasts 12 hours', () => {
    const cookie = sessionsAt(start).open();
    expect(sessionsAt(start + 12 * hour - 1).isOpen(cookie)).toBe(true);
    expect(sessionsAt(start + 12 * hour).isOpen(cookie)).toBe(false);
  });

  it('is open on every replica that has the same admin token', () => {
    expect(sessionsAt(start).isOpen(sessionsAt(start).open())).toBe(true);
  });

  it('ends when the admin token changes', () => {
    const cookie = sessionsAt(start, 'the-admin-token-from-before').open();
    expect(sessionsAt(start).isOpen(cookie)).toBe(false);
  });

  it('is no way to try out admin tokens fast: its key takes its time to make', () => {
    const token = 'the-admin-token-of-this-test';
    const [end = '', mac = ''] = sessionsAt(start).open().split('.');
    const key = consoleKey(new Secret(token), 'operator session');
    expect(mac).toBe(createHmac('sha256', key).update(end).digest('base64url'));
  });

  it('cannot be made longer by who holds its cookie', () => {
    const [end = '', mac = ''] = sessionsAt(start).open().split('.');
    expect(sessionsAt(start).isOpen(`${Number(end) + hour}.${mac}`)).toBe(false);
  });

  it.each([undefined, '', '.', 'a', '9999999999999.', `${start + hour}.AAAA`])('is not %j', (cookie) => {
    expect(sessionsAt(start).isOpen(cookie)).toBe(false);
  });

  it('does not tell the admin token', () => {
    expect(sessionsAt(start).open()).not.toContain('admin-token');
  });
});

describe('the admin token', () => {
  it.each([
    '',
    'the-admin-token-of-this-tes',
    'the-admin-token-of-this-test ',
    'THE-ADMIN-TOKEN-OF-THIS-TEST',
  ])('is not %j', (presented) => {
    expect(sessionsAt(start).isAdminToken(presented)).toBe(false);
  });
});
