import { describe, expect, it } from 'vitest';
import {
  ConnectorsError,
  CredentialNotFoundError,
  errorTable,
  RateLimitError,
  TokenExpiredError,
} from '../src/index.ts';

describe('an error', () => {
  it('has a code, and the title of that code unless it says more', () => {
    expect(new ConnectorsError('agent_forbidden')).toMatchObject({
      name: 'ConnectorsError',
      code: 'agent_forbidden',
      message: 'The agent has no grant for this',
    });
  });

  it('of a missing credential names tenant and integration', () => {
    expect(new CredentialNotFoundError('tenant-123', 'github')).toMatchObject({
      name: 'CredentialNotFoundError',
      code: 'credential_not_found',
      message: 'Tenant tenant-123 has not connected github',
    });
  });

  it('of an expired token tells since when', () => {
    const expiredAt = new Date('2025-11-08T13:00:00Z');
    const error = new TokenExpiredError('tenant-123', 'github', expiredAt);
    expect(error.expiredAt).toBe(expiredAt);
    expect(error.message).toBe('The credential of tenant-123 for github expired at 2025-11-08T13:00:00.000Z');
  });

  it('of too many requests tells how long to wait', () => {
    expect(new RateLimitError('Slow down', 1_500).getWaitTimeMs()).toBe(1_500);
  });
});

describe('the table of errors', () => {
  it.each(Object.entries(errorTable))('says of %s what it means over HTTP and what to do', (_code, entry) => {
    expect(entry.status).toBeGreaterThanOrEqual(400);
    expect(entry.title).not.toBe('');
    expect(entry.action).toMatch(/\.$/);
  });
});
