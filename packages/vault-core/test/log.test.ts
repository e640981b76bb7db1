import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Writable } from 'node:stream';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ConnectorsError, createLogger, lineWriter, warnOfRedis } from '../src/index.ts';

/** What a log makes of it: the one line, parsed. */
function lineOf(write: (log: ReturnType<typeof createLogger>) => void) {
  const [line = '{}'] = linesOf(write);
  return JSON.parse(line) as Record<string, unknown>;
}

function linesOf(write: (log: ReturnType<typeof createLogger>) => void): string[] {
  const lines: string[] = [];
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(chunk.toString());
      done();
    },
  });
  write(createLogger('worker', 'info', sink));
  return lines;
}

describe('a log line', () => {
  it('names its app and its time in ISO 8601', () => {
    expect(lineOf((log) => log.info({ a: 1 }, 'hello'))).toEqual({
      level: 30,
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as string,
      app: 'worker',
      a: 1,
      msg: 'hello',
    });
  });

  it('tells code and message of our own errors', () => {
    const error = new ConnectorsError('vault_unavailable', 'Vault read x: sealed (503)');
    expect(lineOf((log) => log.error({ err: error }, 'oh'))['err']).toEqual({
      name: 'ConnectorsError',
      code: 'vault_unavailable',
      message: 'Vault read x: sealed (503)',
    });
  });

  it('tells of any other error where it comes from, but neither its message nor its properties', () => {
    const error = Object.assign(new TypeError('canary in\na message'), { config: { headers: 'canary' } });
    const line = lineOf((log) => log.error({ err: error }, 'oh'));
    expect(line['err']).toMatchObject({ name: 'TypeError' });
    expect(JSON.stringify(line)).toContain('log.test.ts');
    expect(JSON.stringify(line)).not.toContain('canary');
  });

  it('tells of what is no error only what kind of thing it is', () => {
    expect(lineOf((log) => log.error({ err: 'canary' }, 'oh'))['err']).toEqual({ name: 'string' });
  });
});

describe('errors of Redis', () => {
  it('are told as the word that Redis has for them', () => {
    const error = Object.assign(new Error('WRONGPASS invalid username-password pair'), {
      name: 'ReplyError',
    });
    expect(lineOf((log) => warnOfRedis(log)(error))['error']).toBe('WRONGPASS');
  });

  it('are told once in half a minute', () => {
    let now = 0;
    const lines = linesOf((log) => {
      const warn = warnOfRedis(log, () => now);
      for (now = 0; now < 60_000; now += 1_000) warn(Object.assign(new Error('x'), { code: 'ECONNREFUSED' }));
    });
    expect(lines.map((line) => (JSON.parse(line) as { error: string }).error)).toEqual([
      'ECONNREFUSED',
      'ECONNREFUSED',
    ]);
  });
});

it('whose reader is gone keeps no process from ending', async () => {
  const script = `
    import { createLogger } from ${JSON.stringify(new URL('../src/log.ts', import.meta.url).href)};
    const log = createLogger('worker', 'info');
    process.on('SIGTERM', () => {
      log.info('stopping');
      log.info('stopped');
      process.exit(0);
    });
    process.stdin.resume();
    log.info('ready');`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script]);
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  child.stdout.destroy();
  await once(child.stdout, 'close');
  child.kill('SIGTERM');
  expect(await once(child, 'exit')).toEqual([0, null]);
});

describe('lines that each request has', () => {
  const line = { path: '/a"b\n', status: 200, error: undefined };

  it('are what the log itself would write', () => {
    const [written, logged] = linesOf((log) => {
      const child = log.child({ audit: true });
      lineWriter(child, 'request')?.(line);
      child.info(line, 'request');
    }).map((text) => ({ ...(JSON.parse(text) as object), time: 'then' }));
    expect(written).toEqual(logged);
  });

  it('are left out where the level leaves out such lines', () => {
    expect(lineWriter(createLogger('proxy', 'warn'), 'request')).toBeUndefined();
  });
});
