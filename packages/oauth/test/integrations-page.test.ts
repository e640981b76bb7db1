import { readFileSync } from 'node:fs';
import { generateKeyPairSync } from 'node:crypto';
import { loadIntegrations } from '../src/index.ts';
import { expect, it } from 'vitest';

const page = readFileSync(new URL('../../../docs/integrations.md', import.meta.url), 'utf8');
const fences = [...page.matchAll(/```yaml\n(.*?)```/gs)].map(([, yaml = '']) => yaml);
const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const env = {
  GITHUB_APP_CLIENT_KEY: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
};

it.each(fences)('the page on integrations shows a file that loads: %#', (yaml) => {
  const { integrations, problems } = loadIntegrations({
    yaml,
    // A key for an integration that is not there would be a problem.
    env: yaml.includes('GITHUB_APP_CLIENT_KEY') ? env : {},
    needsKeys: true,
  });
  expect(problems).toEqual([]);
  expect(integrations.size).toBe(yaml.match(/^ {2}\S+:$/gm)?.length);
});
