import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startFleet, type Fleet } from '../../fleet/start-fleet.ts';

const root = join(import.meta.dirname, '../../..');
const dir = mkdtempSync(join(tmpdir(), 'documented-'));
const adminToken = randomBytes(24).toString('base64url');
let fleet: Fleet;

beforeAll(async () => {
  const workerEnv = { CONSOLE: 'on', ADMIN_TOKEN: adminToken };
  fleet = await startFleet(dir, { workers: 1, proxies: 0, workerEnv });
  // What `npx pnpm@12 connectors` comes down to.
  mkdirSync(join(dir, 'bin'));
  const npx = join(dir, 'bin/npx');
  writeFileSync(npx, `#!/bin/sh\nshift 2\nexec "${process.execPath}" "${root}/tools/cli/main.ts" "$@"\n`);
  chmodSync(npx, 0o755);
});

afterAll(async () => {
  await fleet.close();
  rmSync(dir, { recursive: true });
});

/** Runs the commands of a page one after the other, in a folder of its own. */
function run(page: string, more = '') {
  const text = readFileSync(join(root, 'docs', page), 'utf8');
  const commands = [...text.matchAll(/```sh\n(.*?)```/gs)].map(([, fence]) => fence).join('');
  const env = {
    PATH: `${dir}/bin:${process.env['PATH']}`,
    CONSOLE_URL: fleet.workers[0]?.url,
    ADMIN_TOKEN: adminToken,
  };
  return promisify(execFile)('sh', ['-euc', `${commands}${more}`], { env, cwd: dir });
}

it('the commands of docs/agents.md do as it says', async () => {
  const { stdout, stderr } = await run('agents.md', 'echo "$AGENT_KEY"');
  expect(stdout).toMatch(/^grant +acme · github · REST GET$/m);
  expect(stdout).toMatch(/^cak_[a-z2-7]{16}_[a-z2-7]{52}\n$/m);
  expect(stderr).toMatch(/is revoked\.\n$/);
});

it('the commands of docs/integrations.md do as it says', async () => {
  writeFileSync(join(dir, 'secret.txt'), 'canary\n');
  const { stdout, stderr } = await run('integrations.md');
  expect(stdout).toMatch(/^github +Iv1\.example +secret +/m);
  expect(stderr).toMatch(/is forgotten/);
  expect(stdout + stderr).not.toContain('canary');
});
