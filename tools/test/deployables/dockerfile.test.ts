import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { read, repository } from './deployables.ts';

const instructions = read('Dockerfile')
  .replaceAll(/\\\n/g, ' ')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'))
  .map((line) => line.split(/\s+/) as [string, ...string[]]);
const stages = new Map<string, string[][]>();
for (const words of instructions) {
  if (words[0] === 'FROM') stages.set(words[3]!, []);
  [...stages.values()].at(-1)!.push(words);
}
const catalog = (parse(read('pnpm-workspace.yaml')) as { catalog: Record<string, string> }).catalog;

describe('the Dockerfile', () => {
  it('has a target per app', () => {
    expect([...stages.keys()]).toEqual(expect.arrayContaining(readdirSync(join(repository, 'apps'))));
  });

  it('builds on the Node of the workspace', () => {
    const images = instructions.filter(([word]) => word === 'FROM').map(([, image]) => image!);
    const foreign = new Set(images.filter((image) => !stages.has(image)));
    expect([...foreign]).toEqual([`node:${catalog['node']}-bookworm-slim`]);
  });

  it('takes no secret: no argument, no secret mount, no secret in its environment', () => {
    expect(instructions.filter(([word]) => word === 'ARG')).toEqual([]);
    expect(read('Dockerfile')).not.toMatch(/type=secret|TOKEN|PASSWORD|SECRET/);
  });

  it.each(['proxy', 'worker'])('runs the %s as a user without privileges, and checks its health', (app) => {
    const words = (stage: string) => stages.get(stage)!.map(([word]) => word);
    expect(stages.get('runtime')).toContainEqual(['USER', 'node']);
    expect(words(app)).not.toContain('USER');
    expect(words(app)).toEqual(expect.arrayContaining(['HEALTHCHECK', 'CMD']));
  });

  it('copies nothing from the machine that builds but manifests, packages and the one app', () => {
    const copied = instructions
      .filter(([word, option]) => word === 'COPY' && !option!.startsWith('--from='))
      .flatMap(([, ...paths]) => paths.slice(0, -1));
    const manifests = ['package.json', 'pnpm-lock.yaml', 'pnpm-workspace.yaml'];
    expect(copied.sort()).toEqual(['apps/proxy', 'apps/worker', 'packages', ...manifests].sort());
  });

  it.each(['proxy', 'worker'])('leaves out no package that the %s needs', (app) => {
    const ignored = read('.dockerignore')
      .match(/^packages\/\S+$/gm)!
      .map((path) => path.slice('packages/'.length));
    const { dependencies } = JSON.parse(read(`apps/${app}/package.json`)) as {
      dependencies: Record<string, string>;
    };
    const own = Object.keys(dependencies).filter((name) => name.startsWith('@connectors/'));
    for (const name of ignored) expect(own).not.toContain(`@connectors/${name}`);
  });
});

describe('the context of a docker build', () => {
  const lines = read('.dockerignore')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));

  it('is empty but for what is named', () => {
    expect(lines[0]).toBe('*');
    expect(lines.filter((line) => line.startsWith('!'))).toEqual([
      '!apps',
      '!packages',
      '!package.json',
      '!pnpm-lock.yaml',
      '!pnpm-workspace.yaml',
    ]);
  });

  it('holds no environment file, log or test from below these', () => {
    expect(lines).toEqual(expect.arrayContaining(['**/.env*', '**/*.log', '**/test', '**/node_modules']));
  });
});
