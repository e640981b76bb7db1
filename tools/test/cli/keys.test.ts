import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { integration, type Fleet } from '../../fleet/start-fleet.ts';
import { openAdminApi } from '../../cli/admin-api.ts';
import { startCli, type Cli } from './start-cli.ts';

let cli: Cli;
let fleet: Fleet;
let access: Record<string, string>;
let dir: string;

beforeAll(async () => {
  cli = await startCli({ proxies: 1 });
  ({ fleet, access, dir } = cli);
  await fleet.connect('acme');
});

afterAll(() => cli.close());

const run = (args: string[], env = access, input = '') => cli.run(args, env, input);

/** A new agent's id and key. */
async function create(...options: string[]): Promise<{ id: string; key: string }> {
  const { code, stdout } = await run(['keys', 'create', 'a bot', '--tenant', 'acme', ...options]);
  expect(code).toBe(0);
  const key = stdout.trim();
  return { id: key.split('_')[1] ?? '', key };
}

const shown = async (id: string) =>
  JSON.parse((await run(['keys', 'show', id, '--json'])).stdout) as Record<string, unknown>;

async function statusOf(key: string, method = 'GET'): Promise<number> {
  const url = `${fleet.proxies[0]?.url}/proxy/${integration}/account`;
  return (await fetch(url, { method, headers: { authorization: `Bearer ${key}` } })).status;
}

describe('keys create', () => {
  it('prints the key alone to stdout, and it lets the agent in', async () => {
    const { stdout, stderr } = await run(['keys', 'create', 'a bot', '--tenant', 'acme']);
    expect(stdout).toMatch(/^cak_[a-z2-7]{16}_[a-z2-7]{52}\n$/);
    expect(stderr).toMatch(/^Agent [a-z2-7]{16} was created\. Its key is shown this once:\n$/);
    expect(await statusOf(stdout.trim())).toBe(200);
  });

  it('grants what its options say', async () => {
    const { id, key } = await create('--integration', integration, '--method', 'get', '--path', '/account');
    expect((await shown(id))['grants']).toEqual([
      { tenants: ['acme'], integrations: [integration], rest: { methods: ['GET'], paths: ['/account'] } },
    ]);
    expect([await statusOf(key), await statusOf(key, 'DELETE')]).toEqual([200, 403]);
  });

  it('grants tools, or a surface as a whole', async () => {
    const { id } = await create('--tool', 'get_*', '--rest');
    expect((await shown(id))['grants']).toEqual([{ tenants: ['acme'], rest: {}, mcp: { tools: ['get_*'] } }]);
  });

  it('takes grants from a file, or from stdin', async () => {
    const grants = [{ tenants: ['acme'], expiresAt: '2100-01-01T00:00:00Z' }, { tenants: ['umbrella'] }];
    const file = join(dir, 'grants.json');
    writeFileSync(file, JSON.stringify(grants));
    const fromFile = await run(['keys', 'create', 'x', '--json', '--grants', file]);
    const fromStdin = await run(
      ['keys', 'create', 'x', '--json', '--grants', '-'],
      access,
      JSON.stringify(grants),
    );
    for (const { stdout } of [fromFile, fromStdin]) expect(JSON.parse(stdout)).toMatchObject({ grants });
  });

  it('takes an end', async () => {
    const { id } = await create('--expires', '2h');
    const left = Date.parse(String((await shown(id))['expiresAt'])) - Date.now();
    expect(Math.abs(left - 2 * 3_600_000)).toBeLessThan(60_000);
    const dated = await create('--expires', '2100-01-01');
    expect((await shown(dated.id))['expiresAt']).toBe('2100-01-01T00:00:00.000Z');
  });

  it('says which rule a grant breaks', async () => {
    const { code, stdout, stderr } = await run(['keys', 'create', 'x', '--tenant', '../acme']);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain('grants.0.tenants.0: must be 1 to 64 characters');
  });

  it.each([
    ['no name', ['--tenant', 'acme'], 'The name is missing.'],
    ['no tenant', ['x'], 'Name a --tenant.'],
    ['two names', ['x', 'y', '--tenant', 'acme'], 'What is y for?'],
    ['an option that there is not', ['x', '--tenants', 'acme'], '--tenants'],
    ['no time', ['x', '--tenant', 'acme', '--expires', 'soon'], '--expires must be a time such as 90d'],
    ['a file and options', ['x', '--tenant', 'acme', '--grants', '-'], 'leave out --tenant'],
    ['a file that is not there', ['x', '--grants', '/none'], '--grants /none cannot be read'],
  ])('exits with 2 for %s', async (_what, args, message) => {
    const { code, stdout, stderr } = await run(['keys', 'create', ...args]);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(message);
    expect(stderr).toContain('usage: ');
  });
});

describe('keys rotate', () => {
  it('prints the new key alone, and tells until when the old one is good', async () => {
    const { id, key } = await create();
    const { stdout, stderr } = await run(['keys', 'rotate', id, '--overlap', '1h']);
    expect(stdout).toMatch(new RegExp(`^cak_${id}_[a-z2-7]{52}\n$`));
    expect(stderr).toMatch(/The old one is good until \d{4}-/);
    expect([await statusOf(key), await statusOf(stdout.trim())]).toEqual([200, 200]);
  });

  it('ends the old one at once if told to', async () => {
    const { id, key } = await create();
    expect(await statusOf(key)).toBe(200);
    const { stderr } = await run(['keys', 'rotate', id, '--overlap', '0']);
    expect(stderr).toContain('The old one is good no more.');
    await expect.poll(() => statusOf(key), { timeout: 1_000 }).toBe(401);
  });
});

it('keys revoke keeps an agent out', async () => {
  const { id, key } = await create();
  expect(await statusOf(key)).toBe(200);
  expect(await run(['keys', 'revoke', id])).toEqual({
    code: 0,
    stdout: '',
    stderr: `Agent ${id} is revoked.\n`,
  });
  await expect.poll(() => statusOf(key), { timeout: 1_000 }).toBe(401);
  expect(await run(['keys', 'revoke', id])).toMatchObject({ code: 1, stderr: 'There is no such agent.\n' });
});

describe('keys list and show', () => {
  it('list agents in columns, or as JSON', async () => {
    const { id } = await create();
    const { stdout } = await run(['keys', 'list']);
    expect(stdout).toMatch(/^ID +NAME +TENANTS +KEYS +EXPIRES\n/);
    expect(stdout).toMatch(new RegExp(`^${id} +a bot +acme +1 key +never$`, 'm'));
    const { items } = JSON.parse((await run(['keys', 'list', '--json'])).stdout) as { items: object[] };
    expect(items).toContainEqual(await shown(id));
  });

  it('show what an agent may do', async () => {
    const { id } = await create('--integration', 'demo', '--method', 'GET', '--tool', 'a_*');
    const { stdout } = await run(['keys', 'show', id]);
    expect(stdout).toMatch(/^grant +acme · demo · REST GET and MCP tools a_\*$/m);
    expect(stdout).toMatch(/^key +since \d{4}-/m);
  });

  it('do not let a name drive the terminal', async () => {
    await run(['keys', 'create', 'bad\u001b[31mbot', '--tenant', 'acme']);
    const { stdout } = await run(['keys', 'list']);
    expect(stdout).toContain('bad?[31mbot');
  });
});

describe('the console is', () => {
  it('that of the system on this machine, if none is named', async () => {
    const dataDir = join(dir, 'data');
    mkdirSync(dataDir);
    const { CONSOLE_URL: consoleUrl, ADMIN_TOKEN: adminToken } = access;
    writeFileSync(join(dataDir, 'run.json'), JSON.stringify({ consoleUrl, adminToken }));
    const { code } = await run(['keys', 'list'], { CONNECTORS_DATA_DIR: dataDir });
    expect(code).toBe(0);
  });

  it.each<[string, () => Record<string, string>, string]>([
    ['known to nobody', () => ({}), 'No console is known. Set CONSOLE_URL and ADMIN_TOKEN'],
    ['named without a token', () => ({ CONSOLE_URL: 'http://127.0.0.1:1' }), 'ADMIN_TOKEN is missing'],
    ['not named with a token', () => ({ ADMIN_TOKEN: 'x' }), 'CONSOLE_URL is missing'],
    ['away', () => ({ ...access, CONSOLE_URL: 'http://127.0.0.1:1' }), 'does not answer. Check CONSOLE_URL'],
    ['not that of this token', () => ({ ...access, ADMIN_TOKEN: 'wrong' }), 'refuses the admin token'],
    [
      'named with a path',
      () => ({ ...access, CONSOLE_URL: `${access.CONSOLE_URL}/admin` }),
      'CONSOLE_URL has to be an http or https address, without path',
    ],
    [
      'asked with a token that no header takes',
      () => ({ ...access, ADMIN_TOKEN: 'a\nb' }),
      'ADMIN_TOKEN holds a space, a line break',
    ],
    [
      'something else that wants a token of its own',
      () => ({ ...access, CONSOLE_URL: fleet.rest.url }),
      'answered 401: is it the console?',
    ],
    [
      'something else',
      () => ({ ...access, CONSOLE_URL: fleet.authorizationServer.url }),
      'is it the console?',
    ],
  ])('%s: the command says what to do next, and exits with 1', async (_what, env, message) => {
    const { code, stdout, stderr } = await run(['keys', 'list'], env());
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain(message);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });

  it.each([
    'http://canary-user:canary-password@127.0.0.1:1',
    'http://canary-user:canary-password?@127.0.0.1:1/',
    'canary-user:canary-password@127.0.0.1:1',
  ])('named with a user and a password, which errors printed: %s', async (url) => {
    const { code, stdout, stderr } = await run(['keys', 'list'], { ...access, CONSOLE_URL: url });
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toBe('CONSOLE_URL has to be an http or https address, without path, user and password.\n');
  });

  it('away in the middle of its answer, which was a stack trace', async () => {
    const server = createServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' });
      response.write('{', () => response.destroy());
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const { code, stderr } = await run(['keys', 'list'], { ...access, CONSOLE_URL: url });
    server.close();
    expect([code, stderr]).toEqual([
      1,
      `The console at ${url} does not answer. Check CONSOLE_URL, and whether the worker runs.\n`,
    ]);
  });

  it('slow, which was said to be away: what it was asked for may still be done', async () => {
    const server = createServer(() => undefined).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const api = openAdminApi({ ...access, CONSOLE_URL: url }, { timeoutMs: 20 });
    await expect(api.call('offboardTenant', { tenantId: 'acme' })).rejects.toThrow(
      'It may still do what it was asked for: look before you repeat it.',
    );
    server.closeAllConnections();
    server.close();
  });

  it('not followed to where it redirects', async () => {
    const asked: (string | undefined)[] = [];
    const server = createServer(({ url }, response) => {
      asked.push(url);
      response.writeHead(307, { location: '/elsewhere' }).end();
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const { code } = await run(['keys', 'list'], { ...access, CONSOLE_URL: url });
    server.close();
    expect([code, asked]).toEqual([1, ['/admin/agents?limit=200']]);
  });
});

describe('help', () => {
  it.each([[['--help']], [['keys', '--help']], [['keys', 'create', '-h']]])(
    'is printed by %j',
    async (args) => {
      const { code, stdout } = await run(args, {});
      expect(code).toBe(0);
      expect(stdout).toContain('usage: npx pnpm@12 connectors');
    },
  );

  it.each([[[]], [['keys']], [['nothing']], [['keys', 'nothing']], [['__proto__']]])(
    'goes to stderr with exit code 2 for %j',
    async (args) => {
      const { code, stdout, stderr } = await run(args, {});
      expect([code, stdout]).toEqual([2, '']);
      expect(stderr).toContain('usage: npx pnpm@12 connectors');
    },
  );
});
