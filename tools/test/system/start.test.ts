import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import {
  callRest,
  interruptAt,
  killPart,
  newEnvironment,
  processesOn,
  removeData,
  runToEnd,
  startSystem,
  type Environment,
  type System,
} from './start-system.ts';
import { visitLink } from '../visit-link.ts';

const sh = promisify(execFile);
const hasCurl = (() => {
  try {
    execFileSync('curl', ['--version']);
    return true;
  } catch {
    return false;
  }
})();

let env: Environment;
let system: System;

beforeAll(async () => {
  env = await newEnvironment({ GITHUB_CLIENT_ID: 'gh', GITHUB_CLIENT_SECRET: 'canary-github-secret' });
  system = await startSystem(env);
});

afterAll(async () => {
  await system.interrupt();
  removeData(env);
});

async function callMcp(): Promise<{ account: string; tokenFingerprint: string }> {
  const client = new Client({ name: 'test', version: '1' });
  const { Authorization = '' } = system.run.mcp.headers;
  await client.connect(
    new StreamableHTTPClientTransport(new URL(system.run.mcp.url), {
      requestInit: { headers: { Authorization } },
    }),
  );
  const { structuredContent } = await client.callTool({ name: 'whoami', arguments: {} });
  await client.close();
  return structuredContent as { account: string; tokenFingerprint: string };
}

/** The commands of the README, for this system. */
function readmeFences({ dataDir, run }: System): string[] {
  const readme = readFileSync(join(import.meta.dirname, '../../../README.md'), 'utf8');
  return [...readme.matchAll(/```sh\n(.*?)```/gs)].map(([, fence = '']) =>
    fence.replace('./.data', dataDir).replace('http://127.0.0.1:8080', run.proxyUrl),
  );
}

/** The environment of somebody whose `npx pnpm@12 connectors` is the command of this clone. */
function withNpx({ dataDir }: System, { PATH }: Environment): Environment {
  const bin = join(dataDir, 'bin');
  const main = join(import.meta.dirname, '../../cli/main.ts');
  mkdirSync(bin, { recursive: true });
  writeFileSync(join(bin, 'npx'), `#!/bin/sh\nshift 2\nexec "${process.execPath}" "${main}" "$@"\n`, {
    mode: 0o755,
  });
  return { PATH: `${bin}:${PATH}`, CONNECTORS_DATA_DIR: dataDir };
}

describe('the start command', () => {
  it('prints what runs where', () => {
    expect(system.output()).toContain(system.run.proxyUrl);
    expect(system.output()).toContain(system.run.consoleUrl);
  });

  it('connects a demo tenant whose account the REST upstream names', async () => {
    expect(await callRest(system)).toMatchObject({ status: 200, account: 'demo-user' });
  });

  it('serves the MCP upstream to the SDK’s client, with the same account', async () => {
    expect(await callMcp()).toMatchObject({ account: 'demo-user' });
  });

  it('serves three tokens in a row without an error in between', async () => {
    const answers: { status: number; tokenFingerprint: string }[] = [];
    await vi.waitFor(
      async () => {
        answers.push(await callRest(system));
        expect(new Set(answers.map(({ tokenFingerprint }) => tokenFingerprint)).size).toBe(3);
      },
      { timeout: 20_000, interval: 100 },
    );
    expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
  }, 30_000);

  it('shows a line for each request, each refresh and the next one', async () => {
    await callRest(system);
    await callMcp();
    await vi.waitFor(() =>
      expect(system.output()).toMatch(/request served +GET \/proxy\/demo\/account → 200/),
    );
    await vi.waitFor(() => expect(system.output()).toMatch(/request served +POST \/mcp\/demo → 200/));
    await vi.waitFor(() => expect(system.output()).toMatch(/token refreshed +demo-tenant\/demo/), 10_000);
    expect(system.output()).toMatch(/next refresh +demo-tenant\/demo at \d/);
  });

  it.skipIf(!hasCurl)('prints curl commands that work as they are (skipped without curl)', async () => {
    const commands = system.output().match(/^ {2}curl (?:.+\\\n)*.+$/gm) ?? [];
    expect(commands).toHaveLength(2);
    for (const command of commands) {
      const { stdout } = await sh('sh', ['-c', `${command} --silent --fail`]);
      expect(stdout).toContain('demo-user');
    }
  });

  it.skipIf(!hasCurl)('makes the call in the README work (skipped without curl)', async () => {
    const script = readmeFences(system).find((fence) => fence.includes('run.json')) ?? '';
    const { stdout } = await sh('sh', ['-c', script], { env: { PATH: env['PATH'] } });
    expect(JSON.parse(stdout)).toMatchObject({
      account: 'demo-user',
      tokenFingerprint: expect.any(String) as string,
    });
  });

  it('prints a link with which a second tenant connects', async () => {
    const link = /http:\S+\/connect\/session\/\S+/.exec(system.output())?.[0] ?? '';
    expect(await visitLink(link, { login: 'somebody-else' })).toContain('is connected');
    await vi.waitFor(() => expect(system.output()).toMatch(/connected +acme\/demo/));
  });

  it.skipIf(!hasCurl)('connects a tenant as the README says (skipped without curl)', async () => {
    const fences = readmeFences(system);
    const connect = fences.find((fence) => fence.includes('connectors connect umbrella')) ?? '';
    const call = fences.find((fence) => fence.includes('--tenant umbrella')) ?? '';
    const shell = { env: withNpx(system, env) };
    const waiting = spawn('sh', ['-euc', connect], shell);
    const [link] = (await once(waiting.stdout, 'data')) as [Buffer];
    await visitLink(link.toString().trim(), { login: 'a-user' });
    await once(waiting, 'exit');
    const { stdout } = await sh('sh', ['-euc', call], shell);
    expect(JSON.parse(stdout)).toMatchObject({ account: 'a-user' });
  });

  it('switches on what this shell names a client for, and gives the proxy no secret', () => {
    const { worker, proxy } = system.run.environments;
    expect([worker['GITHUB_CLIENT_SECRET'], proxy['GITHUB_CLIENT_ID']]).toEqual([
      'canary-github-secret',
      'gh',
    ]);
    expect(Object.keys(proxy).filter((name) => name.endsWith('_CLIENT_SECRET'))).toEqual([]);
    const log = readFileSync(join(system.dataDir, 'logs/worker.log'), 'utf8');
    expect(log).toContain('"integrations":["github","demo"]');
    expect(log + system.output()).not.toContain('canary-github-secret');
  });

  it('refuses to run twice on the same data, and says which process has it', async () => {
    const { code, output } = await runToEnd(env);
    expect(code).toBe(1);
    expect(output).toContain(`process ${system.process.pid}`);
  });

  it('starts its Redis again after kill -9, and serves on', async () => {
    killPart(system, 'redis-server');
    await vi.waitFor(() => expect(system.output()).toContain('Redis ended'));
    const { tokenFingerprint } = await callRest(system);
    await vi.waitFor(
      async () => {
        const answer = await callRest(system);
        expect(answer.status).toBe(200);
        expect(answer.tokenFingerprint).not.toBe(tokenFingerprint);
      },
      { timeout: 30_000, interval: 200 },
    );
  }, 40_000);

  it('leaves no process after Ctrl-C, and finds its data on the next start', async () => {
    const { agentKey } = system.run;
    expect(await system.interrupt()).toBe(0);
    expect(processesOn(system.dataDir)).toEqual([]);

    system = await startSystem(env);
    expect(system.run.agentKey).toBe(agentKey);
    expect(system.output()).toContain('found the demo tenant of an earlier start');
    expect(await callRest(system)).toMatchObject({ status: 200, account: 'demo-user' });
  }, 40_000);

  it('leaves no process when it is killed', async () => {
    system.process.kill('SIGKILL');
    await vi.waitFor(() => expect(processesOn(system.dataDir)).toEqual([]), {
      timeout: 15_000,
      interval: 200,
    });
    system = await startSystem(env);
    expect(await callRest(system)).toMatchObject({ status: 200 });
  }, 90_000);
});

describe('Ctrl-C during the start', () => {
  it.each([
    'starting Redis',
    'starting the embedded Vault',
    'provisioning Vault',
    'starting the authorization',
  ])('ends it at “%s”, and leaves no process', async (words) => {
    const other = await newEnvironment();
    const { code, output } = await interruptAt(words, other);
    expect(code).toBe(130);
    expect(output).toContain('stopping');
    expect(output).not.toContain('Connectors is running');
    expect(processesOn(other['CONNECTORS_DATA_DIR'] ?? '')).toEqual([]);
    removeData(other);
  });
});

describe('what cannot work is refused before anything is started:', () => {
  let other: Environment;

  afterEach(() => removeData(other));

  async function refusal(environment: (taken: string) => Environment): Promise<string> {
    const squatter = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
    await once(squatter, 'listening');
    const taken = String((squatter.address() as AddressInfo).port);
    other = await newEnvironment(environment(taken));
    const { code, output } = await runToEnd(other);
    squatter.close();
    expect(code).toBe(1);
    expect(output).not.toContain('…');
    return output;
  }

  it('a port that is taken, with the variable that moves it', async () => {
    const output = await refusal((taken) => ({ CONSOLE_PORT: taken }));
    expect(output).toMatch(/Port \d+ \(console\) is taken.+ CONSOLE_PORT=\d+/);
  });

  it('what is no port, and a port that two variables name, all at once', async () => {
    const output = await refusal(() => ({ PORT: 'abc', VAULT_PORT: '99999', REST_PORT: '1', MCP_PORT: '1' }));
    expect(output).toContain('PORT: a port is a whole number from 1 to 65535');
    expect(output).toContain('VAULT_PORT: a port is a whole number from 1 to 65535');
    expect(output).toContain('REST_PORT and MCP_PORT are both 1');
    expect(output).not.toContain('    at ');
  });

  it('a REDIS_URL and a VAULT_ADDR that do not answer, without the password', async () => {
    const output = await refusal((taken) => ({
      REDIS_URL: `redis://user:hidden@127.0.0.1:${taken}`,
      VAULT_ADDR: `http://127.0.0.1:${taken}`,
      VAULT_TOKEN: 'hidden',
    }));
    expect(output).toMatch(/REDIS_URL redis:\/\/127\.0\.0\.1:\d+ does not answer/);
    expect(output).toMatch(/VAULT_ADDR http:\/\/127\.0\.0\.1:\d+ does not answer/);
    expect(output).not.toContain('hidden');
  });
});

describe('a run.json that a crash left behind', () => {
  it('does not keep the next start from its data, whoever has that process id now', async () => {
    const other = await newEnvironment();
    writeFileSync(
      join(other['CONNECTORS_DATA_DIR'] ?? '', 'run.json'),
      JSON.stringify({ pid: process.pid, agentKey: '' }),
    );
    const { output } = await interruptAt('starting Redis', other);
    removeData(other);
    expect(output).toContain('starting Redis');
  });
});

describe('a first start that is still under way', () => {
  it('has its data directory for itself', async () => {
    const other = await newEnvironment();
    const twin = { ...(await newEnvironment()), CONNECTORS_DATA_DIR: other['CONNECTORS_DATA_DIR'] ?? '' };
    await interruptAt('starting Redis', other, async () => {
      const { code, output } = await runToEnd(twin);
      expect(code).toBe(1);
      expect(output).toContain('already runs');
    });
    removeData(other);
  });
});
