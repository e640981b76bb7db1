import { createLogger, type ConnectorsEvent } from '@connectors/vault-core';
import { Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { WebhookAnnouncer } from '../../src/webhooks/announcer.ts';
import { createWebhookMetrics } from '../../src/webhooks/metrics.ts';

/** An announcer between a list of tenants and a queue, both of which can be away. */
function setUp({ tenants = ['acme'] }: { tenants?: string[] } = {}) {
  const vault = { tenants, isAway: false, reads: 0 };
  const redis = { isAway: false };
  const clock = { now: Date.parse('2025-11-08T12:00:00Z') };
  const queued: string[] = [];
  const lines: string[] = [];
  const registry = new Registry();
  const announcer = new WebhookAnnouncer({
    store: {
      listTenants: async () => {
        vault.reads += 1;
        if (vault.isAway) throw new Error('Vault is away');
        return vault.tenants;
      },
    },
    queue: {
      addMessages: async (tenantId, messages) => {
        if (redis.isAway) throw new Error('Redis is away');
        queued.push(...messages.map(({ type }) => `${tenantId} ${type}`));
      },
    },
    consoleUrl: undefined,
    metrics: createWebhookMetrics([registry]),
    log: createLogger('test', 'info', { write: (line) => void lines.push(line) }),
    now: () => clock.now,
  });
  const lost = async () => /connectors_webhooks_lost_total (\d+)/.exec(await registry.metrics())?.[1];
  return { vault, redis, clock, queued, lines, announcer, lost };
}

const failed = (tenantId: string): ConnectorsEvent => ({
  type: 'refresh-failed',
  tenantId,
  integration: 'github',
  revision: 'r1',
  error: 'invalid_grant',
});

describe('announcing to tenants', () => {
  it('queues what is meant for a tenant with endpoints, and nothing for one without', async () => {
    const { announcer, queued } = setUp();
    await announcer.announce(failed('acme'));
    await announcer.announce(failed('umbrella'));
    expect(queued).toEqual(['acme refresh-failed', 'acme needs_reauth']);
  });

  it('asks Vault once a minute for all of them, whether they have endpoints or not', async () => {
    const { announcer, vault, clock } = setUp();
    await Promise.all(['acme', 'umbrella', 'initech'].map((tenant) => announcer.announce(failed(tenant))));
    clock.now += 59_999;
    await announcer.announce(failed('hooli'));
    expect(vault.reads).toBe(1);
    clock.now += 1;
    await announcer.announce(failed('hooli'));
    expect(vault.reads).toBe(2);
  });

  it('asks Vault nothing for events that no tenant is told of', async () => {
    const { announcer, vault } = setUp();
    const about = { tenantId: 'acme', integration: 'github', revision: 'r1' };
    await announcer.announce({ type: 'credential-stored', ...about });
    expect(vault.reads).toBe(0);
  });

  it('knows of an endpoint that another process made as soon as it hears of it', async () => {
    const { announcer, queued } = setUp({ tenants: [] });
    await announcer.announce(failed('umbrella'));
    announcer.hear({ type: 'webhooks-changed', tenantId: 'umbrella' });
    await announcer.announce(failed('umbrella'));
    expect(queued).toHaveLength(2);
  });

  it('knows of it also when it hears of it while the list is read', async () => {
    const { announcer, queued } = setUp({ tenants: [] });
    const first = announcer.announce(failed('acme'));
    announcer.hear({ type: 'webhooks-changed', tenantId: 'umbrella' });
    await first;
    await announcer.announce(failed('umbrella'));
    expect(queued).toHaveLength(2);
  });

  it('reads the list again after events may have been missed', async () => {
    const { announcer, vault, queued } = setUp({ tenants: [] });
    await announcer.announce(failed('umbrella'));
    vault.tenants = ['umbrella'];
    announcer.refresh();
    await expect.poll(() => vault.reads).toBe(2);
    await announcer.announce(failed('umbrella'));
    expect(queued).toHaveLength(2);
  });

  it('goes on with the last list while Vault is away', async () => {
    const { announcer, vault, clock, queued } = setUp();
    await announcer.announce(failed('acme'));
    vault.isAway = true;
    clock.now += 3_600_000;
    await announcer.announce(failed('acme'));
    expect(queued).toHaveLength(4);
  });

  it('never fails: what nobody can look up is logged and counted, and Vault is left in peace for a while', async () => {
    const { announcer, vault, clock, lines, lost, queued } = setUp();
    vault.isAway = true;
    for (let count = 0; count < 10; count += 1) await announcer.announce(failed('acme'));
    expect(vault.reads).toBe(1);
    expect(await lost()).toBe('20');
    expect(lines.join('')).toContain('webhooks could not be queued');
    vault.isAway = false;
    clock.now += 5_000;
    await announcer.announce(failed('acme'));
    expect(queued).toHaveLength(2);
  });

  it('never fails: what cannot be queued is logged and counted', async () => {
    const { announcer, redis, lines, lost } = setUp();
    redis.isAway = true;
    await announcer.announce(failed('acme'));
    expect(await lost()).toBe('2');
    expect(JSON.parse(lines.join(''))).toMatchObject({ tenantId: 'acme', type: 'refresh-failed', level: 50 });
  });
});
