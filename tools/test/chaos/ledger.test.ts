import { fingerprint } from '@connectors/dev-servers';
import { beforeEach, describe, expect, it } from 'vitest';
import { Ledger, type Loss, type TokenCall } from '../../chaos/ledger.ts';

let ledger: Ledger;
let losses: Loss[];

beforeEach(() => {
  losses = [];
  ledger = new Ledger(15_000);
  ledger.onLoss = (loss) => losses.push(loss);
  ledger.enroll('tenant-1', 'first', 10_000);
});

function call(token: string, at = 0): TokenCall {
  return { at, worker: 'worker-1', token: fingerprint(token) };
}

/** Spends a refresh token for the next one. */
function rotate(from: string, to: string, at = 0): TokenCall {
  const spend = call(from, at);
  ledger.decide(spend, 200, { refresh_token: to });
  return spend;
}

function refuse(token: string, at = 0): TokenCall {
  const refused = call(token, at);
  ledger.decide(refused, 400, { error: 'invalid_grant' });
  return refused;
}

describe('the ledger', () => {
  it('knows the newest refresh token of every grant, and when it is due', () => {
    rotate('first', 'second', 5_000);
    rotate('second', 'third', 20_000);
    expect([...ledger.grants]).toEqual([
      { tenantId: 'tenant-1', newest: fingerprint('third'), dueAt: 35_000 },
    ]);
    expect(ledger.refreshes).toBe(2);
  });

  it('knows who has spent a token that is refused', () => {
    const spend = rotate('first', 'second');
    const refused = refuse('first');
    expect(losses).toEqual([{ tenantId: 'tenant-1', refused }]);
    expect(ledger.spendOf(refused.token)).toBe(spend);
    expect(ledger.respends).toEqual([refused]);
  });

  it('counts one loss for a grant, however often it is refused', () => {
    rotate('first', 'second');
    refuse('first');
    refuse('second');
    refuse('first');
    expect(losses).toHaveLength(1);
  });

  it('counts another loss once the user was back', () => {
    rotate('first', 'second');
    refuse('first');
    ledger.enroll('tenant-1', 'again', 0);
    rotate('again', 'once more');
    refuse('again');
    expect(losses).toHaveLength(2);
  });

  it('calls the refusal of a token that nobody has spent a loss, but no double spend', () => {
    refuse('first');
    expect(losses).toHaveLength(1);
    expect(ledger.respends).toEqual([]);
  });

  it('takes other failures for what they are', () => {
    ledger.decide(call('first'), 401, { error: 'invalid_client' });
    expect(losses).toEqual([]);
    expect(ledger.refreshes).toBe(0);
  });
});
