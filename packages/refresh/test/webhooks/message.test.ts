import type { ConnectorsEvent } from '@connectors/vault-core';
import { describe, expect, it } from 'vitest';
import { webhookMessages } from '../../src/webhooks/message.ts';

const about = { tenantId: 'acme', integration: 'github', revision: 'r1' };
const now = Date.parse('2025-11-08T12:00:00Z');
const timestamp = '2025-11-08T12:00:00.000Z';
const failed: ConnectorsEvent = { type: 'refresh-failed', ...about, error: 'invalid_grant' };
const of = (event: ConnectorsEvent, at = now) => webhookMessages(event, at, 'https://console.example.com');

describe('what tenants are told', () => {
  it('of a refresh that succeeded: when the new token expires', () => {
    const expiresAt = '2025-11-08T13:00:00.000Z';
    expect(of({ type: 'refresh-success', ...about, expiresAt })).toEqual([
      { id: expect.any(String) as string, type: 'refresh-success', timestamp, data: { ...about, expiresAt } },
    ]);
  });

  it('of one that is tried again: why, and how often it failed', () => {
    expect(of({ type: 'refresh-retry', ...about, error: 'http_503', retryCount: 2 })).toMatchObject([
      { type: 'refresh-retry', timestamp, data: { ...about, error: 'http_503', retryCount: 2 } },
    ]);
  });

  it('of one that failed for good: that, and that the user has to connect again, why and where', () => {
    const connectUrl = 'https://console.example.com/connect/acme/github';
    expect(of(failed)).toMatchObject([
      { type: 'refresh-failed', timestamp, data: { ...about, error: 'invalid_grant' } },
      { type: 'needs_reauth', timestamp, data: { ...about, reason: 'invalid_grant', connectUrl } },
    ]);
  });

  it('names no link where there is no console', () => {
    const [, needsReauth] = webhookMessages(failed, now, undefined);
    expect(needsReauth?.data).toEqual({ ...about, reason: 'invalid_grant' });
  });

  it('of a user who connected: the revision, what is other than expected, and which session it was', () => {
    const flow = { flow: 'f1', connectSession: 's1' };
    expect(of({ type: 'connected', ...about, ...flow, warnings: ['fewer_scopes'] })).toMatchObject([
      { type: 'connected', timestamp, data: { ...about, warnings: ['fewer_scopes'], connectSession: 's1' } },
    ]);
  });

  it('of one who did not: why; each time is a message of its own', () => {
    const [first, second] = ['f1', 'f2'].flatMap((flow) =>
      of({ type: 'connect-failed', tenantId: 'acme', integration: 'github', flow, error: 'consent_denied' }),
    );
    expect(first).toMatchObject({
      type: 'connect-failed',
      data: { tenantId: 'acme', integration: 'github', error: 'consent_denied' },
    });
    expect(first?.id).not.toBe(second?.id);
  });

  it.each<ConnectorsEvent>([
    { type: 'credential-stored', ...about },
    { type: 'credential-deleted', ...about },
    { type: 'refresh-declined', ...about, error: 'cooling_down' },
    { type: 'agent-changed', agentId: 'a' },
    { type: 'webhooks-changed', tenantId: 'acme' },
  ])('of $type: nothing', (event) => {
    expect(of(event)).toEqual([]);
  });
});

describe('the id of a message', () => {
  it('is told apart by type, tenant, integration and revision', () => {
    const others: ConnectorsEvent[] = [
      failed,
      { ...failed, tenantId: 'other' },
      { ...failed, integration: 'slack' },
      { ...failed, revision: 'r2' },
      { type: 'refresh-success', ...about },
    ];
    const ids = others.flatMap((event) => of(event)).map(({ id }) => id);
    expect(ids).toHaveLength(9);
    expect(new Set(ids).size).toBe(9);
    for (const id of ids) expect(id).toMatch(/^msg_[a-z2-7]{32}$/);
  });

  it('is the same when the same is announced again, later', () => {
    const ids = (at: number) => of(failed, at).map(({ id }) => id);
    expect(ids(now + 60_000)).toEqual(ids(now));
  });

  it('is another for each retry of one revision', () => {
    const retry: ConnectorsEvent = { type: 'refresh-retry', ...about, error: 'http_503', retryCount: 1 };
    expect(of(retry, now + 1)[0]?.id).not.toBe(of(retry)[0]?.id);
  });
});
