import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCli, type Cli } from './start-cli.ts';

let cli: Cli;

beforeAll(async () => {
  cli = await startCli();
});

afterAll(() => cli.close());

const set = (...options: string[]) => ['clients', 'set', 'github', '--client-id', 'gh', ...options];

describe('clients set', () => {
  it('keeps what stdin says, prints nothing of it, and says what to do next', async () => {
    expect(await cli.run(set(), cli.access, 'canary-secret\n')).toEqual({
      code: 0,
      stdout: '',
      stderr:
        'The client of github is kept in Vault. Restart the workers: they read clients when they start.\n',
    });
    const kept = await cli.fleet.admin.clients.readAll();
    expect(kept.clients.get('github')?.clientSecret?.reveal()).toBe('canary-secret');
  });

  it('takes the secret from a file', async () => {
    const file = join(cli.dir, 'secret');
    writeFileSync(file, 'from-file\n');
    const { code, stdout } = await cli.run(set('--secret-file', file, '--json'));
    expect([code, JSON.parse(stdout)]).toMatchObject([0, { integration: 'github', hasSecret: true }]);
    const kept = await cli.fleet.admin.clients.readAll();
    expect(kept.clients.get('github')?.clientSecret?.reveal()).toBe('from-file');
  });

  it('keeps a public client', async () => {
    const { stdout } = await cli.run(set('--public', '--json'));
    expect(JSON.parse(stdout)).toMatchObject({ hasSecret: false, hasKey: false });
  });

  it.each([
    ['no client id', ['clients', 'set', 'github'], 2, 'Which client? Name its --client-id.'],
    ['no integration', ['clients', 'set'], 2, 'The integration is missing.'],
    ['the secret as an argument', set('canary'), 2, 'What is canary for?'],
    ['no secret', set(), 1, 'The secret is empty. A client that has none is --public.'],
    ['a file that is not there', set('--key-file', '/nowhere/key'), 2, 'cannot be read: ENOENT'],
  ])('refuses %s', async (_what, args, exitCode, message) => {
    const { code, stdout, stderr } = await cli.run(args);
    expect([code, stdout, stderr]).toEqual([exitCode, '', expect.stringContaining(message)]);
  });
});

it('clients list says which are in use', async () => {
  await cli.run(set(), cli.access, 'canary-secret');
  const { stdout } = await cli.run(['clients', 'list']);
  expect(stdout).toMatch(/^INTEGRATION +CLIENT ID +PROVED BY +SET +IN USE\n/);
  expect(stdout).toMatch(/^github +gh +secret +\d{4}-.*Z +after a restart$/m);
  expect(stdout).not.toContain('canary');
});

it('clients remove forgets one', async () => {
  await cli.run(set('--public'));
  expect((await cli.run(['clients', 'remove', 'github'])).stderr).toContain('is forgotten');
  expect((await cli.run(['clients', 'list'])).stderr).toBe(
    'Vault keeps no clients. connectors clients set keeps one.\n',
  );
  expect(await cli.run(['clients', 'remove', 'github'])).toMatchObject({ code: 1 });
});
