import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { integration } from '../../fleet/start-fleet.ts';
import { visitLink } from '../visit-link.ts';
import { startCli, type Cli } from './start-cli.ts';

let cli: Cli;

beforeAll(async () => {
  cli = await startCli();
});

afterAll(() => cli.close());

/** The command while it waits: the link that it printed, and how it ends. */
async function startConnect(...args: string[]) {
  const child = cli.spawn(['connect', ...args]);
  const [stderr, exited] = [text(child.stderr), once(child, 'exit')];
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (stdout += chunk));
  await expect.poll(() => stdout).toContain('\n');
  return {
    firstLine: stdout.split('\n')[0] ?? '',
    child,
    end: async () => ({ code: ((await exited) as [number])[0], stdout, stderr: await stderr }),
  };
}

describe('connect', () => {
  it('prints the link, and waits until a user has connected with it', async () => {
    const { firstLine, end } = await startConnect('acme', integration, '--user', 'Ada');
    expect(firstLine).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/connect\/session\/[\w-]+$/);
    await visitLink(firstLine, { login: 'ada' });
    expect(await end()).toEqual({
      code: 0,
      stdout: `${firstLine}\n`,
      stderr: expect.stringMatching(/^Waiting until[^]*acme has connected demo\.\n$/) as string,
    });
    const { accessToken } = await cli.fleet.admin.getCredentials('acme', integration);
    expect(accessToken).not.toBe('');
  });

  it('goes on waiting when the user declines, and says so', async () => {
    const { firstLine, child, end } = await startConnect('decliner', integration);
    await visitLink(firstLine, { login: 'ada', denies: true });
    let said = '';
    child.stderr.on('data', (chunk) => (said += String(chunk)));
    await expect.poll(() => said).toContain('It did not work (consent_denied)');
    child.kill('SIGTERM');
    expect((await end()).code).toBeNull();
  });

  it('says with --json what it made and how it ended, a line each', async () => {
    const { firstLine, end } = await startConnect('jsonic', integration, '--json');
    const session = JSON.parse(firstLine) as { id: string; url: string };
    await visitLink(session.url, { login: 'ada' });
    const { code, stdout } = await end();
    expect([code, JSON.parse(stdout.split('\n')[1] ?? '')]).toMatchObject([
      0,
      { type: 'connected', tenantId: 'jsonic', connectSession: session.id },
    ]);
  });

  it('only prints the link, of the tenant’s page if no integration is named', async () => {
    const { code, stdout, stderr } = await cli.run(['connect', 'acme', '--no-wait', '--expires', '1h']);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/connect\/session\/[\w-]+\n$/);
  });

  it.each([
    ['an integration that there is not', ['connect', 'acme', 'nothing'], 1, 'There is no such integration'],
    ['no tenant', ['connect'], 2, 'usage: npx pnpm@12 connectors connect'],
    ['a time that is none', ['connect', 'acme', '--expires', 'soon'], 2, '--expires must be a time'],
    [
      'a return URL of nobody',
      ['connect', 'acme', '--return-url', 'https://evil.example'],
      1,
      'CONNECT_RETURN_ORIGINS',
    ],
  ])('refuses %s', async (_what, args, exitCode, message) => {
    const { code, stdout, stderr } = await cli.run(args);
    expect([code, stdout, stderr]).toEqual([exitCode, '', expect.stringContaining(message)]);
  });
});

it('a command that is stopped leaves its link good', async () => {
  const { firstLine, child, end } = await startConnect('stopped', integration);
  child.kill('SIGINT');
  await end();
  await visitLink(firstLine, { login: 'ada' });
  expect(await cli.fleet.admin.listCredentials('stopped')).toEqual([integration]);
});
