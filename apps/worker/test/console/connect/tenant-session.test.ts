import { Secret } from '@connectors/vault-core';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { describe, expect, it } from 'vitest';
import { AdminSessions } from '../../../src/console/session.ts';
import { TenantSessions, type Visit } from '../../../src/console/connect/tenant-session.ts';

const hour = 3_600_000;
const start = Date.parse('2025-11-08T12:00:00Z');

function at(now: number, token = 'the-admin-token-of-this-test') {
  const adminToken = new Secret(token);
  const adminSessions = new AdminSessions(adminToken, () => now);
  const sessions = new TenantSessions({ adminToken, adminSessions, secure: true, now: () => now });
  return {
    sessions,
    adminSessions,
    /** The value of the cookie that a browser gets. */
    cookieOf: (visit: Visit): string => {
      let cookie = '';
      const setCookie = (_name: string, value: string) => (cookie = value);
      sessions.open({ setCookie } as unknown as FastifyReply, visit);
      return cookie;
    },
    visitor: (cookie: string, tenantId: string, integration?: string) =>
      sessions.requireTenant(requestWith({ '__Host-connectors_tenant': cookie }), tenantId, integration),
  };
}

function requestWith(cookies: Record<string, string>): FastifyRequest {
  return { cookies } as unknown as FastifyRequest;
}

describe('a session of a tenant’s user', () => {
  it('lasts 8 hours', () => {
    const cookie = at(start).cookieOf({ tenantId: 'acme' });
    expect(at(start + 8 * hour - 1).visitor(cookie, 'acme')).toMatchObject({ kind: 'user' });
    expect(at(start + 8 * hour).visitor(cookie, 'acme')).toBeUndefined();
  });

  it('ends when the admin token changes', () => {
    const cookie = at(start, 'the-admin-token-from-before').cookieOf({ tenantId: 'acme' });
    expect(at(start).visitor(cookie, 'acme')).toBeUndefined();
  });

  it('opens the pages of its tenant alone', () => {
    const cookie = at(start).cookieOf({ tenantId: 'acme' });
    expect(at(start).visitor(cookie, 'acme', 'github')).toMatchObject({ kind: 'user' });
    expect(at(start).visitor(cookie, 'umbrella')).toBeUndefined();
  });

  it('for one integration opens nothing of another, nor the page of the tenant', () => {
    const cookie = at(start).cookieOf({ tenantId: 'acme', integration: 'github' });
    expect(at(start).visitor(cookie, 'acme', 'github')).toMatchObject({ kind: 'user' });
    expect(at(start).visitor(cookie, 'acme', 'slack')).toBeUndefined();
    expect(at(start).visitor(cookie, 'acme')).toBeUndefined();
  });

  it('knows what the backend said of the user', () => {
    const visit = { tenantId: 'acme', user: 'ada', scopes: ['repo'], returnUrl: 'https://app.example.com/' };
    const cookie = at(start).cookieOf(visit);
    expect(at(start).visitor(cookie, 'acme')).toMatchObject({ session: visit });
  });

  it('cannot be changed by who holds its cookie', () => {
    const [text = '', mac = ''] = at(start).cookieOf({ tenantId: 'acme' }).split('.');
    const session = JSON.parse(Buffer.from(text, 'base64url').toString()) as object;
    const changed = Buffer.from(JSON.stringify({ ...session, tenantId: 'umbrella' })).toString('base64url');
    expect(at(start).visitor(`${changed}.${mac}`, 'umbrella')).toBeUndefined();
  });

  it.each(['', '.', 'a.b', 'e30.e30'])('is not %j', (cookie) => {
    expect(at(start).visitor(cookie, 'acme')).toBeUndefined();
  });

  it('is another thing than the operator’s, which opens the pages of every tenant', () => {
    const { sessions, adminSessions, cookieOf, visitor } = at(start);
    const request = requestWith({ connectors_console: adminSessions.open() });
    expect(sessions.requireTenant(request, 'acme')).toMatchObject({ kind: 'operator' });
    expect(sessions.requireTenant(request, 'umbrella', 'github')).toMatchObject({ kind: 'operator' });
    expect(adminSessions.isOpen(cookieOf({ tenantId: 'acme' }))).toBe(false);
    expect(visitor(adminSessions.open(), 'acme')).toBeUndefined();
  });
});
