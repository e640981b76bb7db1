import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';

it('npx asks nothing in a clone: the question of whether to fetch pnpm would become part of KEY=$(npx pnpm@12 …)', () => {
  const given = Object.entries(process.env).filter(([name]) => !/^npm_config_/i.test(name));
  const answer = execFileSync('npm', ['config', 'get', 'yes'], {
    cwd: join(import.meta.dirname, '../../..'),
    env: { ...Object.fromEntries(given), NPM_CONFIG_USERCONFIG: '/dev/null' },
    encoding: 'utf8',
  });
  expect(answer.trim()).toBe('true');
});
