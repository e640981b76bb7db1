import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { startReady } from '../../start/children.ts';

const logDir = mkdtempSync(join(tmpdir(), 'connectors-'));

afterAll(() => rmSync(logDir, { recursive: true }));

it('says why a program ended at its start, in the words of this run alone', async () => {
  writeFileSync(join(logDir, 'proxy.log'), 'words of an earlier run\n');
  const withoutConfiguration = { name: 'proxy', module: 'apps/proxy/src/main.ts', logDir };
  const starting = startReady(withoutConfiguration, 'http://127.0.0.1:1', new AbortController().signal);
  const { message } = (await starting.catch((error: unknown) => error as Error)) as Error;
  expect(message).toMatch(/^proxy ended at start \(exit code 1\):\n.*VAULT_ADDR/s);
  expect(message).not.toContain('earlier');
});
