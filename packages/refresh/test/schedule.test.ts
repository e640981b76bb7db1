import { newMetadata, type StoredCredential } from '@connectors/vault-core';
import { describe, expect, it } from 'vitest';
import { jitterMs, leadMs, refreshDueAt } from '../src/index.ts';

const id = { tenantId: 'tenant-123', integration: 'github' };
const minute = 60_000;
const issuedAt = Date.parse('2025-11-08T12:00:00Z');

function credential(
  lifetimeMs: number,
  change: Partial<StoredCredential['metadata']> = {},
): StoredCredential {
  return {
    accessToken: 'vault:v1:a',
    refreshToken: 'vault:v1:r',
    expiresAt: new Date(issuedAt + lifetimeMs).toISOString(),
    scopes: [],
    tokenType: 'Bearer',
    metadata: { ...newMetadata('github', 'oauth-proxy', new Date(issuedAt)), ...change },
  };
}

describe('lead', () => {
  it('is 5 minutes for a token that lives an hour', () => {
    expect(leadMs(60 * minute)).toBe(5 * minute);
  });

  it('is half the lifetime for a token that lives under 10 minutes', () => {
    expect(leadMs(8 * minute)).toBe(4 * minute);
  });
});

describe('jitter', () => {
  it('is the same every time it is computed for one state of a credential', () => {
    expect(jitterMs(id, 'rev', 60 * minute)).toBe(jitterMs(id, 'rev', 60 * minute));
  });

  it('spreads credentials of one tenant', () => {
    const other = { ...id, integration: 'slack' };
    expect(jitterMs(id, 'rev', 60 * minute)).not.toBe(jitterMs(other, 'rev', 60 * minute));
  });

  it('stays below 30 s, and below 5 % of a short lifetime', () => {
    for (let index = 0; index < 500; index += 1) {
      expect(jitterMs(id, `rev${index}`, 60 * minute)).toBeLessThan(30_000);
      expect(jitterMs(id, `rev${index}`, minute)).toBeLessThan(3_000);
    }
  });
});

describe('a hundred thousand credentials that were stored in the same instant', () => {
  it('fall due evenly over half a minute', () => {
    const perSecond = Array.from({ length: 30 }, () => 0);
    const stored = credential(60 * minute);
    for (let index = 0; index < 100_000; index += 1) {
      const metadata = { ...stored.metadata, revision: `rev${index}` };
      const due = refreshDueAt({ ...id, tenantId: `tenant-${index}` }, { ...stored, metadata }) ?? 0;
      const second = Math.floor((issuedAt + 55 * minute - due) / 1_000);
      perSecond[second] = (perSecond[second] ?? 0) + 1;
    }
    expect(perSecond).toHaveLength(30);
    // A thirtieth each, and no more than chance has it.
    expect(Math.min(...perSecond)).toBeGreaterThan(3_333 - 250);
    expect(Math.max(...perSecond)).toBeLessThan(3_333 + 250);
  });
});

describe('refresh due', () => {
  it('is the lead and the jitter before expiry', () => {
    const stored = credential(60 * minute);
    const jitter = jitterMs(id, stored.metadata.revision, 60 * minute);
    expect(refreshDueAt(id, stored)).toBe(issuedAt + 55 * minute - jitter);
  });

  it('is a whole number of milliseconds, also for an odd lifetime', () => {
    expect(refreshDueAt(id, credential(4_001))).toSatisfy(Number.isInteger);
  });

  it('is never for a credential without refresh token', () => {
    const { refreshToken: _none, ...stored } = credential(60 * minute);
    expect(refreshDueAt(id, stored)).toBeUndefined();
  });

  it('is never for a token without end', () => {
    const { expiresAt: _none, ...stored } = credential(60 * minute);
    expect(refreshDueAt(id, stored)).toBeUndefined();
  });

  it('is never for a credential that needs its user', () => {
    expect(refreshDueAt(id, credential(60 * minute, { status: 'needs_reauth' }))).toBeUndefined();
  });

  it('is never where automatic refresh is switched off', () => {
    expect(refreshDueAt(id, credential(60 * minute, { autoRefresh: false }))).toBeUndefined();
  });

  it('is in the past, not undefined, for a token stored after its expiry', () => {
    expect(refreshDueAt(id, credential(-minute))).toBe(issuedAt - minute);
  });

  describe('where the refresh token dies when it lies idle', () => {
    const idle = (days: number) => ({
      refreshTokenExpiresAt: new Date(issuedAt + days * 24 * 60 * minute).toISOString(),
    });

    it('is at half of its time, although the access token has no end', () => {
      const { expiresAt: _none, ...stored } = credential(60 * minute, idle(60));
      const due = refreshDueAt(id, stored) ?? 0;
      const half = issuedAt + 30 * 24 * 60 * minute;
      expect(due).toBeGreaterThan(half - 30_000);
      expect(due).toBeLessThanOrEqual(half);
    });

    it('is before the access token expires, where that is sooner', () => {
      const stored = credential(60 * minute, idle(60));
      const jitter = jitterMs(id, stored.metadata.revision, 60 * minute);
      expect(refreshDueAt(id, stored)).toBe(issuedAt + 55 * minute - jitter);
    });

    it('is before the refresh token dies, where the access token lives longer', () => {
      const stored = credential(90 * 24 * 60 * minute, idle(30));
      expect(refreshDueAt(id, stored)).toBeLessThanOrEqual(issuedAt + 15 * 24 * 60 * minute);
    });

    it('is never for a refresh token in its last minute: using it prolongs nothing', () => {
      const { expiresAt: _none, ...stored } = credential(60 * minute, idle(0.0005));
      expect(refreshDueAt(id, stored)).toBeUndefined();
    });
  });

  it('is known for a token that is minted, although there is no refresh token', () => {
    const { refreshToken: _none, ...stored } = credential(60 * minute, { grant: 'github_app' });
    expect(refreshDueAt(id, stored)).toBeLessThanOrEqual(issuedAt + 55 * minute);
  });
});
