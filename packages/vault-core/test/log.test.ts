import { describe, expect, it } from 'vitest';
import { ConnectorsError, createLogger, warnOfRedis } from '../src/index.ts';

/** A log, and the lines that it has written. */
function newLog(level = 'info') {
  const lines: string[] = [];
  const log = createLogger('proxy', level, { write: (line: string) => void lines.push(line) });
  return { log, lines, last: (): unknown => JSON.parse(lines.at(-1) ?? '') };
}

describe('a log', () => {
  it('names the app in each line', () => {
    const { log, last } = newLog();
    log.info('started');
    expect(last()).toMatchObject({ app: 'proxy', msg: 'started' });
  });

  it('leaves out what is less severe than its level', () => {
    const { log, lines } = newLog('warn');
    log.info('started');
    expect(lines).toEqual([]);
  });

  it('tells code and message of an error of ours', () => {
    const { log, last } = newLog();
    log.error({ err: new ConnectorsError('vault_unavailable', 'Vault is away') }, 'failed');
    expect(last()).toMatchObject({
      err: { name: 'ConnectorsError', code: 'vault_unavailable', message: 'Vault is away' },
    });
  });

  it.each([
    ['the message of any other error', new SyntaxError('Unexpected token: gho_canary')],
    ['a message of several lines', new Error('gho_canary\n    at gho_canary (file.ts:1:1)\ngho_canary')],
    ['the properties of an error', Object.assign(new Error('x'), { config: { token: 'gho_canary' } })],
    ['the cause of an error', new Error('x', { cause: new Error('gho_canary') })],
    ['the cause of an error of ours', new ConnectorsError('internal_error', 'x', { cause: 'gho_canary' })],
    ['what was thrown and is no error', 'gho_canary'],
  ])('leaves out %s', (_what, err) => {
    const { log, lines } = newLog();
    log.error({ err }, 'failed');
    expect(lines).toHaveLength(1);
    expect(lines[0]).not.toContain('canary');
  });

  it('tells where an error comes from', () => {
    const { log, last } = newLog();
    log.error({ err: new TypeError('x') }, 'failed');
    const { err } = last() as { err: { name: string; stack: string[] } };
    expect(err.name).toBe('TypeError');
    expect(err.stack[0]).toMatch(/^at .*log\.test\.ts/);
  });
});

describe('trouble with Redis', () => {
  it('is one line in half a minute', () => {
    const { log, lines, last } = newLog();
    let now = 0;
    const warn = warnOfRedis(log, () => now);
    const refused = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
    warn(refused);
    warn(refused);
    now = 29_999;
    warn(refused);
    expect(lines).toHaveLength(1);
    expect(last()).toMatchObject({ error: 'ECONNREFUSED', msg: 'Redis does not answer' });
    now = 30_000;
    warn(refused);
    expect(lines).toHaveLength(2);
  });
});
