import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { integration, startFleet } from '../fleet/start-fleet.ts';
import { compare, type Comparison } from './compare.ts';
import { startHeaderHop, type Target } from './header-hop.ts';
import { runSuite } from './run-suite.ts';
import { createConformanceServer } from './server/create-server.ts';

export const revisions = ['2025-11-25', '2026-07-28'];

export interface ConformanceOptions {
  revisions: readonly string[];
  scenario?: string | undefined;
  /** Called with what is under way. */
  onProgress?: (what: string) => void;
}

/**
 * Runs the suite against a server twice for each revision: as it is, and through a proxy that injects the credential it
 * demands. The suite cannot send one of its own, so that both runs go through the same hop.
 */
export async function runConformance(options: ConformanceOptions): Promise<Map<string, Comparison[]>> {
  const dir = mkdtempSync(join(tmpdir(), 'conformance-'));
  let target: Target = { url: '', token: '' };
  const hop = await startHeaderHop(() => target);
  const fleet = await startFleet(dir, {
    workers: 0,
    proxies: 1,
    proxyEnv: { MCP_ALLOWED_ORIGINS: hop.origin },
    createMcpServer: createConformanceServer,
  });
  try {
    const { granted } = await fleet.connect('acme');
    const key = await fleet.createAgent({ name: 'the suite', grants: [{ tenants: ['acme'] }] });
    const direct = { url: `${fleet.mcp.url}/mcp`, token: granted.accessToken };
    const proxied = { url: `${fleet.proxies[0]?.url}/mcp/${integration}`, token: key };
    const run = (revision: string, name: string) => {
      const outputDir = join(dir, 'results', revision, name);
      mkdirSync(outputDir, { recursive: true });
      const onScenario = (scenario: string) => options.onProgress?.(`${revision}, ${name}: ${scenario}`);
      return runSuite({ url: hop.url, revision, scenario: options.scenario, outputDir, onScenario });
    };
    const comparisons = new Map<string, Comparison[]>();
    for (const revision of options.revisions) {
      target = direct;
      const byItself = await run(revision, 'direct');
      target = proxied;
      comparisons.set(revision, compare(byItself, await run(revision, 'proxied')));
    }
    return comparisons;
  } finally {
    await fleet.close();
    hop.close();
    rmSync(dir, { recursive: true, force: true });
  }
}
