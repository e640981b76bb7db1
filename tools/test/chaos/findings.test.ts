import { describe, expect, it } from 'vitest';
import type { AgentRequest } from '../../chaos/agents.ts';
import { offencesOf, whenFailed, type Findings } from '../../chaos/findings.ts';
import type { ExplainedLoss } from '../../chaos/losses.ts';
import { report } from '../../chaos/report.ts';

const args = { seconds: 60, seed: 1, tenants: 2 };
const refused = { at: 6_000, worker: 'worker-2', token: 'a', status: 400 };
const spend = { at: 1_000, worker: 'worker-1', token: 'a', status: 200, issued: 'b' };

function request(from: number, result = 'ok', tenantId = 'tenant-1'): AgentRequest {
  return { tenantId, from, until: from + 10, result };
}

function loss(label: 'response_lost' | 'unexplained'): ExplainedLoss {
  const explanation = { label, because: 'of this' };
  return { tenantId: 'tenant-1', explanation, from: 1_000, until: 8_000, spend, refused, history: [] };
}

function findings(change: Partial<Findings> = {}): Findings {
  return {
    arguments: args,
    requests: [request(0), request(100)],
    faults: [{ kind: 'vault-seal', from: 20_000, until: 22_000 }],
    samples: [],
    refreshes: 2,
    respends: [],
    losses: [],
    crashes: [],
    stored: [],
    ...change,
  };
}

function offencesWith(change: Partial<Findings>): string[] {
  return offencesOf(findings(change));
}

const served = findings().requests;

describe('a run breaks no promise', () => {
  it('when all requests are served and nothing is lost', () => {
    expect(offencesWith({})).toEqual([]);
  });

  it('by a request that fails around a fault', () => {
    expect(offencesWith({ requests: [...served, request(25_000, 'vault_unavailable')] })).toEqual([]);
  });

  it('by a grant whose loss is explained, and its requests until the user is back', () => {
    const requests = [...served, request(7_000, 'token_expired')];
    expect(offencesWith({ losses: [loss('response_lost')], requests })).toEqual([]);
  });
});

describe('a run breaks a promise', () => {
  it.each([
    ['by a request that fails outside', { requests: [...served, request(50_000, 'http_500')] }, 'http_500'],
    [
      'by a request that fails while another tenant’s grant is lost',
      { losses: [loss('response_lost')], requests: [...served, request(7_000, 'token_expired', 'tenant-2')] },
      'tenant-2, token_expired',
    ],
    [
      'by a request that fails when its user is back',
      { losses: [loss('response_lost')], requests: [...served, request(9_000, 'token_expired')] },
      'token_expired',
    ],
    ['by a loss without an explanation', { losses: [loss('unexplained')] }, 'tenant-1: of this'],
    ['by a stored token that does not work', { stored: ['tenant-2: does not work'] }, 'does not work'],
    ['by a process that ends by itself', { crashes: ['worker-1 ended by itself'] }, 'ended by itself'],
    ['by serving nothing', { requests: [] }, 'only 0 requests were served'],
    ['by refreshing nothing', { refreshes: 0 }, 'only 0 tokens were refreshed'],
  ] satisfies [string, Partial<Findings>, string][])('%s', (_how, change, told) => {
    expect(offencesWith(change)).toEqual([expect.stringContaining(told)]);
  });

  it('and tells of a loss when which worker did what', () => {
    const attempt = {
      id: 'attempt-1',
      sentAt: new Date(900).toISOString(),
      deadline: new Date(3_900).toISOString(),
    };
    const history = [{ version: 4, at: 900, revision: 'first', status: 'active', attempt }];
    const [told] = offencesWith({ losses: [{ ...loss('unexplained'), history }] });
    expect(told).toContain('spent: token a by worker-1 at 00:00:01.000Z');
    expect(told).toContain('refused: token a by worker-2 at 00:00:06.000Z');
    expect(told).toContain('version 4 at 00:00:00.900Z: revision first');
    expect(told).toContain('attempt-1');
  });
});

describe('the report', () => {
  it('counts failures by code, and by when they happened', () => {
    const requests = [
      ...served,
      request(21_000, 'vault_unavailable'),
      request(21_500, 'vault_unavailable'),
      request(7_000, 'token_expired'),
      request(50_000, 'no_answer'),
    ];
    const text = report(findings({ requests, losses: [loss('response_lost')] }));
    expect(cells(text, 'vault_unavailable')).toEqual(['2', '2', '0', '0']);
    expect(cells(text, 'token_expired')).toEqual(['1', '0', '1', '0']);
    expect(cells(text, 'no_answer')).toEqual(['1', '0', '0', '1']);
    expect(cells(text, 'in all')).toEqual(['6', '2', '1', '1']);
    expect(cells(text, 'grants lost: response_lost')).toEqual(['1']);
  });

  it('names median and maximum of the recovery from each kind of fault', () => {
    const seal = (from: number) => ({ kind: 'vault-seal' as const, from, until: from + 1_000 });
    const faults = [seal(10_000), seal(30_000), seal(50_000)];
    const samples = [11_500, 33_000, 51_200].map((at) => ({ at, overdue: 1 }));
    expect(cells(report(findings({ faults, samples })), 'vault-seal')).toEqual(['3', '3', '0.5 s', '2.0 s']);
  });

  it('names stalls of the machine if there were any', () => {
    const stall = { kind: 'machine-stall' as const, from: 40_000, until: 42_000 };
    expect(report(findings())).not.toContain('machine-stall');
    const faults = [...findings().faults, stall];
    expect(cells(report(findings({ faults })), 'machine-stall')).toEqual(['1', '1', '0.0 s', '0.0 s']);
  });

  it('judges a request by its tenant and its time', () => {
    const all = findings({ losses: [loss('response_lost')] });
    expect([500, 7_000, 21_000, 50_000].map((at) => whenFailed(request(at), all))).toEqual([
      'outside',
      'lost',
      'inside',
      'outside',
    ]);
  });
});

/** What stands behind the name of a row. */
function cells(text: string, name: string): string[] {
  const line = text.split('\n').find((row) => row.startsWith(`| ${name} `)) ?? '';
  return line
    .split('|')
    .slice(2, -1)
    .map((cell) => cell.trim());
}
