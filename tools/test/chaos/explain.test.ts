import { describe, expect, it } from 'vitest';
import { explainLoss, type FaultRecord, type LossCase, type StoredVersion } from '../../chaos/explain.ts';
import type { TokenCall } from '../../chaos/ledger.ts';

// Times are milliseconds from an arbitrary start.
const iso = (at: number) => new Date(at).toISOString();

function version(number: number, at: number, change: Partial<StoredVersion> = {}): StoredVersion {
  const attempt = { id: `attempt-${number}`, sentAt: iso(at), deadline: iso(at + 3_000) };
  return { version: number, at, revision: 'first', status: 'active', attempt, ...change };
}

/** Worker 1 has spent a token at 1000 and answered at 1200; at 6000 worker 2 was refused with it. */
function lossWith(faults: FaultRecord[], spend: Partial<TokenCall> = {}, refusedAt = 6_000): LossCase {
  return {
    spend: {
      at: 1_000,
      worker: 'worker-1.1',
      token: 'a',
      status: 200,
      issued: 'b',
      answeredAt: 1_200,
      ...spend,
    },
    refused: { at: refusedAt, worker: 'worker-2.1', token: 'a', status: 400 },
    history: [version(1, 900), version(2, refusedAt - 100)],
    faults,
  };
}

function killed(from: number, victim = 'worker-1.1'): FaultRecord {
  return { kind: 'worker-kill', victim, from, until: from + 3_000 };
}

describe('a lost grant is explained', () => {
  it('by a response that was cut', () => {
    const { answeredAt: _none, ...cut } = { ...lossWith([]).spend, fault: 'response-cut' } as TokenCall;
    expect(explainLoss({ ...lossWith([]), spend: cut }).label).toBe('response_lost');
  });

  it('by the death of the worker before it could save', () => {
    expect(explainLoss(lossWith([killed(1_250)])).label).toBe('response_lost');
  });

  it('by the death of the worker while its request was on the way', () => {
    expect(explainLoss(lossWith([killed(950)])).label).toBe('response_lost');
  });

  it('by a worker that was stopped beyond its deadline', () => {
    const frozen: FaultRecord = { kind: 'worker-freeze', victim: 'worker-1.1', from: 1_100, until: 7_000 };
    expect(explainLoss(lossWith([frozen])).label).toBe('response_lost');
  });

  it('by a provider that answered after the deadline', () => {
    expect(explainLoss(lossWith([], { answeredAt: 4_000 })).label).toBe('response_lost');
  });

  it('by a provider for whose answer the worker had waited beyond the deadline', () => {
    const { answeredAt: _none, ...spend } = { ...lossWith([]).spend, closedAt: 4_900 } as TokenCall;
    expect(explainLoss({ ...lossWith([]), spend }).label).toBe('response_lost');
  });

  it('by a spool that Redis lost while Vault was down, when the worker died later', () => {
    const faults: FaultRecord[] = [
      { kind: 'vault-seal', from: 1_100, until: 5_500 },
      { kind: 'redis-flush', from: 4_000, until: 4_000 },
      killed(5_000),
    ];
    expect(explainLoss(lossWith(faults)).label).toBe('spool_lost');
  });
});

describe('a lost grant is not excused', () => {
  const unexplained = (because: string) => ({
    label: 'unexplained',
    because: expect.stringContaining(because) as string,
  });

  it('without a fault', () => {
    expect(explainLoss(lossWith([]))).toEqual(unexplained('alive and within its deadline'));
  });

  it('by the death of another worker', () => {
    expect(explainLoss(lossWith([killed(1_250, 'worker-2.1')]))).toEqual(unexplained('alive'));
  });

  it('by the death of the process that the worker was before', () => {
    const loss = lossWith([killed(400)], { worker: 'worker-1.2' });
    expect(explainLoss(loss)).toEqual(unexplained('alive'));
  });

  it('by a worker that was stopped, but not beyond its deadline', () => {
    const paused: FaultRecord = { kind: 'worker-pause', victim: 'worker-1.1', from: 1_100, until: 2_100 };
    expect(explainLoss(lossWith([paused]))).toEqual(unexplained('alive'));
  });

  it('by the death of a worker that had long had the answer', () => {
    expect(explainLoss(lossWith([killed(4_500)]))).toEqual(unexplained('had the time to save'));
  });

  it('by a worker that went away before its deadline', () => {
    const { answeredAt: _none, ...spend } = { ...lossWith([]).spend, closedAt: 3_800 } as TokenCall;
    expect(explainLoss({ ...lossWith([]), spend })).toEqual(unexplained('alive'));
  });

  it('by Vault being down and Redis losing the spool, when the worker lives', () => {
    const faults: FaultRecord[] = [
      { kind: 'vault-seal', from: 1_100, until: 5_500 },
      { kind: 'redis-flush', from: 4_000, until: 4_000 },
    ];
    expect(explainLoss(lossWith(faults))).toEqual(unexplained('alive'));
  });

  it('when the first attempt still held its claim, whatever became of its worker', () => {
    expect(explainLoss(lossWith([killed(1_250)], {}, 3_000))).toEqual(unexplained('still held its claim'));
  });

  it('when the new tokens had been stored, and an old one was used all the same', () => {
    const loss = lossWith([killed(1_250)]);
    const history = [version(1, 900), version(2, 1_240, { revision: 'second' }), version(3, 5_900)];
    history[2] = version(3, 5_900, { revision: 'second' });
    expect(explainLoss({ ...loss, history })).toEqual(unexplained('no longer the stored one'));
  });

  it('when nobody knows who had spent the token', () => {
    expect(explainLoss({ ...lossWith([]), spend: undefined })).toEqual(unexplained('nobody is known'));
  });

  it('when the history of the document does not tell', () => {
    expect(explainLoss({ ...lossWith([killed(1_250)]), history: [] })).toEqual(unexplained('history'));
  });
});
