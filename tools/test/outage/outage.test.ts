import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { outages } from '../../outage/outages.ts';
import { offencesOf, report, type Phase } from '../../outage/report.ts';
import { runOutages } from '../../outage/run.ts';

describe('a run', () => {
  let dir: string;
  let phases: Phase[];

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'connectors-outage-'));
    const { signal } = new AbortController();
    const options = { seconds: 3, tenants: 8, cacheSeconds: 1, say: () => undefined, signal };
    phases = await runOutages(dir, options);
  }, 240_000);
  afterAll(() => rmSync(dir, { recursive: true }));

  const phase = (name: string) => phases.find((each) => each.name === name);
  const results = (name: string) => new Set(phase(name)?.requests.map(({ result }) => result));

  it('has no request that failed and need not', () => {
    expect([...offencesOf(phases), report(phases)]).toEqual([report(phases)]);
  });

  it.each(['Vault killed', 'Vault sealed', 'Vault hangs', 'Redis killed', 'Vault and Redis killed'])(
    '%s: whatever was in use serves on, and the proxy says that it is degraded',
    (name) => {
      expect(results(name)).toEqual(new Set(['ok']));
      const readiness = phase(name)?.readiness ?? [];
      // It is a second behind.
      expect(readiness.at(-1)).toBe('200 degraded');
      expect(readiness.filter((status) => status !== '200 ok' && status !== '200 degraded')).toEqual([]);
    },
  );

  it('without Redis, a request that needs a refresh is told when to come again', () => {
    expect(phase('Redis killed')?.refused).toMatch(/^503 queue_unavailable, Retry-After \d+$/);
  });

  it('without one upstream, the other serves', () => {
    // A request that was under way may have been answered.
    expect(results('REST upstream gone')).toContain('upstream_unreachable');
    expect(new Set(phase('REST upstream gone')?.mcpResults)).toEqual(new Set(['ok']));
  });

  it('goes through all of them', () => {
    const names = phases.map(({ name }) => name).filter((name) => !name.startsWith(' '));
    expect(names).toEqual(outages.map(({ name }) => name));
  });
});

describe('is an offence:', () => {
  const good: Phase = {
    name: 'Vault killed',
    requests: [{ tenantId: 'a', from: 0, until: 10, result: 'ok' }],
    mcpResults: ['ok'],
    readiness: [],
  };
  const failed = { tenantId: 'a', from: 0, until: 10, result: 'vault_unavailable' };

  it.each<[string, Partial<Phase>, string]>([
    ['a request that failed', { requests: [...good.requests, failed] }, '1 vault_unavailable'],
    ['no request at all', { requests: [] }, 'there was no request'],
    ['an MCP server that cannot be reached', { mcpResults: ['ok', 'no_answer'] }, 'MCP: 1 ok, 1 no_answer'],
    [
      'an answer that takes too long',
      { requests: [{ ...failed, result: 'ok', until: 6_000 }] },
      'an answer took 6000 ms',
    ],
    [
      'a refusal that does not say when to come again',
      { refused: '503 x, Retry-After null' },
      '503 x, Retry-After null',
    ],
  ])('%s', (_what, change, offence) => {
    expect(offencesOf([good])).toEqual([]);
    expect(offencesOf([{ ...good, ...change }])).toEqual([`Vault killed: ${offence}`]);
  });
});
