import { describe, expect, it } from 'vitest';
import type { AgentRequest } from '../../chaos/agents.ts';
import type { FaultRecord } from '../../chaos/explain.ts';
import { countOverdue, isInWindow, recoveryMs } from '../../chaos/recovery.ts';
import { aftermathMs } from '../../chaos/settings.ts';

const seal: FaultRecord = { kind: 'vault-seal', from: 10_000, until: 12_000 };
const quiet = 60_000;

function failureAt(from: number, until = from): AgentRequest {
  return { tenantId: 'tenant-1', from, until, result: 'vault_unavailable' };
}

/** One a second; so many are overdue from 11 s on until then. */
function overdueUntil(end: number) {
  return Array.from({ length: 60 }, (_, second) => second * 1000).map((at) => ({
    at,
    overdue: at >= 11_000 && at <= end ? 3 : 0,
  }));
}

describe('the time around a fault', () => {
  it('begins with it, and ends a job lock, a stalled interval and an attempt after it', () => {
    expect(aftermathMs).toBe(7_000);
    expect(isInWindow(failureAt(9_999), [seal])).toBe(false);
    expect(isInWindow(failureAt(10_000), [seal])).toBe(true);
    expect(isInWindow(failureAt(19_000), [seal])).toBe(true);
    expect(isInWindow(failureAt(19_001), [seal])).toBe(false);
  });

  it('has to do with requests that began before it and ended in it', () => {
    expect(isInWindow(failureAt(8_000, 10_500), [seal])).toBe(true);
  });

  it('lasts as long as the fault does', () => {
    const { until: _end, ...goingOn } = seal;
    expect(isInWindow(failureAt(1e9), [goingOn])).toBe(true);
  });
});

describe('recovery', () => {
  it('takes no time when nothing was felt', () => {
    expect(recoveryMs(seal, [seal], overdueUntil(0), [])).toBe(0);
  });

  it('takes until no credential is overdue any more', () => {
    expect(recoveryMs(seal, [seal], overdueUntil(15_000), [])).toBe(3_000);
  });

  it('takes until no request fails any more', () => {
    expect(recoveryMs(seal, [seal], overdueUntil(13_000), [failureAt(16_000)])).toBe(4_000);
  });

  it('cannot be told while another fault goes on', () => {
    const kill: FaultRecord = { kind: 'worker-kill', from: 11_000, until: 13_000 };
    expect(recoveryMs(seal, [seal, kill], overdueUntil(0), [])).toBeUndefined();
    expect(recoveryMs(kill, [seal, kill], overdueUntil(0), [])).toBe(0);
  });

  it('cannot be told when the next fault came first', () => {
    const next: FaultRecord = { kind: 'vault-kill', from: 16_000, until: quiet };
    expect(recoveryMs(seal, [seal, next], overdueUntil(20_000), [])).toBeUndefined();
    expect(recoveryMs(seal, [seal, next], overdueUntil(13_000), [])).toBe(1_000);
  });
});

describe('a credential', () => {
  it('is overdue when its refresh should have happened a while ago', () => {
    const grant = { tenantId: 'tenant-1', newest: 'a', dueAt: 1_000 };
    expect(countOverdue([grant], 2_500)).toBe(0);
    expect(countOverdue([grant], 3_500)).toBe(1);
  });

  it('is not overdue when its grant is lost', () => {
    const refused = { at: 0, worker: 'worker-1', token: 'a' };
    const lost = { tenantId: 'tenant-1', newest: 'a', dueAt: 0, loss: { tenantId: 'tenant-1', refused } };
    expect(countOverdue([lost], 1e9)).toBe(0);
  });
});
