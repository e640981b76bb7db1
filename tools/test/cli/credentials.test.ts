import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { integration } from '../../fleet/start-fleet.ts';
import { startCli, type Cli } from './start-cli.ts';

let cli: Cli;
let tenants = 0;

beforeAll(async () => {
  cli = await startCli({ workerEnv: { REFRESH_COOLDOWN_SECONDS: '0' } });
});

afterAll(() => cli.close());

/** A tenant that has connected. */
async function connected(): Promise<string> {
  const tenantId = `tenant-${(tenants += 1)}`;
  await cli.fleet.connect(tenantId);
  return tenantId;
}

const tokens = {
  accessToken: 'canary-access',
  refreshToken: 'canary-refresh',
  expiresAt: '2100-01-01T00:00:00Z',
};

function importing(tenantId: string, text = JSON.stringify(tokens), ...options: string[]) {
  return cli.run(['import', tenantId, integration, ...options], cli.access, text);
}

describe('list', () => {
  it('prints all tenants, page after page', async () => {
    const connecting = Array.from({ length: 205 }, (_, index) =>
      cli.fleet.admin.storeCredentials(`many-${index}`, integration, {
        accessToken: 'a',
        scopes: [],
        tokenType: 'Bearer',
        integration,
      }),
    );
    await Promise.all(connecting);
    const { stdout } = await cli.run(['list']);
    const ids = stdout.trim().split('\n');
    expect(ids.filter((id) => id.startsWith('many-'))).toHaveLength(205);
    const { items } = JSON.parse((await cli.run(['list', '--json'])).stdout) as { items: object[] };
    expect(items).toHaveLength(ids.length);
  });

  it('prints the credentials of a tenant, and what state they are in', async () => {
    const tenantId = await connected();
    const { code, stdout } = await cli.run(['list', tenantId]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^INTEGRATION +STATE +ACCOUNT +TOKEN EXPIRES +NEXT REFRESH\n/);
    expect(stdout).toMatch(/^demo +active +– +\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ +\d{4}-/m);
  });

  it('says with --all what was never connected, and how to begin without it', async () => {
    expect((await cli.run(['list', 'nobody', '--all'])).stdout).toMatch(/^demo +never_connected/m);
    expect((await cli.run(['list', 'nobody'])).stderr).toContain('connectors connect nobody makes a link');
  });
});

describe('show', () => {
  it('tells everything of a credential but its tokens', async () => {
    const tenantId = await connected();
    const { accessToken } = await cli.fleet.admin.getCredentials(tenantId, integration);
    const { stdout } = await cli.run(['show', tenantId, integration]);
    expect(stdout).toMatch(/^state +active$/m);
    expect(stdout).toMatch(/^scopes +openid api:read$/m);
    expect(stdout).not.toContain('missing');
    expect(stdout).toMatch(/^next refresh +\d{4}-/m);
    expect(stdout).not.toContain(accessToken);
    const view = JSON.parse((await cli.run(['show', tenantId, integration, '--json'])).stdout) as object;
    expect(view).toMatchObject({ integration, state: 'active', canRefresh: true });
  });

  it('exits with 1 for one that there is not', async () => {
    expect(await cli.run(['show', 'nobody', integration])).toEqual({
      code: 1,
      stdout: '',
      stderr: 'This tenant has not connected this integration.\n',
    });
  });
});

describe('refresh', () => {
  it('waits until there is a new token', async () => {
    const tenantId = await connected();
    const before = await cli.fleet.admin.getCredentials(tenantId, integration);
    const { code, stderr } = await cli.run(['refresh', tenantId, integration, '--wait']);
    expect([code, stderr]).toEqual([
      0,
      expect.stringMatching(/^It has a new token, good until \d{4}-.*Z\.\n$/),
    ]);
    const after = await cli.fleet.admin.getCredentials(tenantId, integration);
    expect(after.accessToken).not.toBe(before.accessToken);
  });

  it('exits with 1 and says why when it failed', async () => {
    const tenantId = await connected();
    cli.fleet.authorizationServer.faults.next({
      kind: 'status',
      status: 400,
      body: { error: 'invalid_grant' },
    });
    const { code, stdout, stderr } = await cli.run(['refresh', tenantId, integration, '--wait', '--json']);
    expect([code, JSON.parse(stdout)]).toMatchObject([1, { outcome: 'failed' }]);
    expect(stderr).toBe('The refresh failed (invalid_grant).\n');
  });
});

describe('disconnect', () => {
  it('ends the connection, at the provider and here', async () => {
    const tenantId = await connected();
    const { code, stderr } = await cli.run(['disconnect', tenantId, integration, '--yes']);
    expect([code, stderr]).toEqual([
      0,
      `${tenantId} is disconnected from demo. Its tokens were ended at the provider.\n`,
    ]);
    expect(await cli.fleet.admin.listCredentials(tenantId)).toEqual([]);
    expect((await cli.run(['disconnect', tenantId, integration, '--yes'])).code).toBe(1);
  });

  it('does nothing without --yes', async () => {
    const tenantId = await connected();
    const { code, stderr } = await cli.run(['disconnect', tenantId, integration]);
    expect([code, stderr]).toEqual([2, expect.stringContaining('Say --yes.')]);
    expect(await cli.fleet.admin.listCredentials(tenantId)).toEqual([integration]);
  });
});

describe('import', () => {
  it('stores the tokens of stdin, and prints none', async () => {
    const { code, stdout, stderr } = await importing('imported');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^token expires +2100-01-01 00:00:00Z$/m);
    expect(stdout + stderr).not.toContain('canary');
    const { accessToken } = await cli.fleet.admin.getCredentials('imported', integration);
    expect(accessToken).toBe('canary-access');
  });

  it('stores those of a file', async () => {
    const file = join(cli.dir, 'tokens.json');
    writeFileSync(file, JSON.stringify({ ...tokens, accessToken: 'of a file' }));
    const { stdout } = await importing('from-file', '', '--file', file, '--json');
    expect(JSON.parse(stdout)).toMatchObject({ integration, canRefresh: true });
    expect((await cli.fleet.admin.getCredentials('from-file', integration)).accessToken).toBe('of a file');
  });

  it.each([
    ['no JSON', '{"accessToken": canary', 'What stdin says is no object of JSON.\n'],
    ['a field that there is not', '{"accessToken": "canary", "token": "canary"}', 'token: there is no such'],
    ['no token', '{}', 'accessToken: '],
  ])('refuses %s, and quotes nothing of it', async (_what, text, message) => {
    const { code, stdout, stderr } = await importing('refused', text);
    expect([code, stdout, stderr]).toEqual([1, '', expect.stringContaining(message)]);
    expect(stderr).not.toContain('canary');
  });
});

describe('offboard', () => {
  it('ends everything of a tenant', async () => {
    const tenantId = await connected();
    const { code, stderr } = await cli.run(['offboard', tenantId, '--yes']);
    expect([code, stderr]).toEqual([
      0,
      `${tenantId} is gone: 1 credential(s), 1 of them ended at their provider.\n`,
    ]);
    expect(await cli.fleet.admin.listCredentials(tenantId)).toEqual([]);
  });

  it('does nothing without --yes', async () => {
    const tenantId = await connected();
    expect((await cli.run(['offboard', tenantId])).code).toBe(2);
    expect(await cli.fleet.admin.listCredentials(tenantId)).toEqual([integration]);
  });
});

describe('events', () => {
  it('tells what happened to a tenant, the newest last', async () => {
    await importing('eventful');
    await cli.run(['disconnect', 'eventful', integration, '--yes']);
    const { stdout } = await cli.run(['events', 'eventful']);
    expect(stdout).toMatch(
      /^[\d-]+ [\d:]+Z +credential-stored +eventful\/demo[^]*\n.*credential-deleted +eventful\/demo/,
    );
    const lines = (await cli.run(['events', 'eventful', '--json'])).stdout.trim().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { type: string }).type)).toEqual([
      'credential-stored',
      'credential-deleted',
    ]);
    expect((await cli.run(['events', 'eventful', '--limit', '1'])).stdout).toMatch(
      /^[^\n]*credential-deleted[^\n]*\n$/,
    );
  });

  it('goes on with what happens with --follow', async () => {
    const child = cli.spawn(['events', 'followed', '--follow']);
    let seen = '';
    child.stdout.on('data', (chunk) => (seen += String(chunk)));
    await importing('followed');
    await expect.poll(() => seen).toContain('credential-stored');
    await cli.run(['disconnect', 'followed', integration, '--yes']);
    await expect.poll(() => seen).toContain('credential-deleted');
    expect(seen.trim().split('\n')).toHaveLength(2);
    child.kill('SIGTERM');
  });

  it('refuses a number that is none', async () => {
    expect(await cli.run(['events', '--limit', 'many'])).toMatchObject({ code: 2 });
  });
});
