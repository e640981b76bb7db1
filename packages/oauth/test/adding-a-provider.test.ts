import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { EgressGuard } from '@connectors/egress';
import { Secret } from '@connectors/vault-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  authorizeUrl,
  Injection,
  loadIntegrations,
  readTokenResponse,
  refreshAccessToken,
} from '../src/index.ts';
import { providerSchema } from '../src/provider.ts';
import type { Provider, ReadyProvider } from '../src/provider.ts';
import { plainIntegration } from './fixtures.ts';
import { sendJson, startEndpoint } from './start-endpoint.ts';

const page = readFileSync(new URL('../../../docs/adding-a-provider.md', import.meta.url), 'utf8');
const fence = (language: string) => new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, 's').exec(page)?.[1] ?? '';
const guard = new EgressGuard({ allow: ['127.0.0.1'] });
const directory = mkdtempSync(join(tmpdir(), 'adding-a-provider-'));
let acme: ReadyProvider;

beforeAll(async () => {
  const here = new URL('../src/provider.ts', import.meta.url).href;
  const file = join(directory, 'acme.ts');
  writeFileSync(file, fence('ts').replaceAll('../provider.ts', here));
  const module = (await import(/* @vite-ignore */ pathToFileURL(file).href)) as { acme: Provider };
  acme = { tokenUrl: '', clientAuthentication: 'basic', ...module.acme } as ReadyProvider;
});

afterAll(() => rmSync(directory, { recursive: true }));

describe('the page on adding a provider', () => {
  it('shows an entry that loads', () => {
    const { integrations, problems } = loadIntegrations({ yaml: fence('yaml'), env: {} });
    expect(problems).toEqual([]);
    expect(integrations.get('acme')?.provider.scopeSeparator).toBe(',');
  });

  it('adds one in under 40 lines that satisfies the schema', () => {
    expect(fence('ts').trim().split('\n').length).toBeLessThan(40);
    expect(providerSchema.safeParse(acme).error).toBeUndefined();
  });

  it('has its users sent to their own site, with all the scopes', () => {
    const request = { redirectUri: 'https://console.example/callback', state: 's', codeChallenge: 'c' };
    const url = authorizeUrl(plainIntegration({}, acme), { ...request, fields: { site: 'blue' } });
    expect(url.host).toBe('blue.acme.example');
    expect(url.searchParams.get('scope')).toBe('read,write,offline');
  });

  it('sends the client’s secret to no other host', async () => {
    const refresh = { integration: plainIntegration({}, acme), refreshToken: new Secret('rt'), guard };
    for (const site of ['evil.example/', 'a.b', '', '.']) {
      const refused = refreshAccessToken({ ...refresh, fields: { site } });
      await expect(refused).rejects.toMatchObject({ code: 'fields_invalid', sent: 'no' });
    }
  });

  it('is refreshed, judged and used as it says', async () => {
    const endpoint = await startEndpoint((response) => sendJson(response, { error: 'refresh_token_spent' }));
    const integration = plainIntegration({}, { ...acme, tokenUrl: endpoint.url });
    const answer = await refreshAccessToken({ integration, refreshToken: new Secret('rt-1'), guard });
    expect(endpoint.requests[0]?.body).toContain('client_secret=client-secret-canary');
    expect(readTokenResponse(acme, answer)).toMatchObject({ failure: { class: 'permanent' } });
    const injection = new Injection(acme.injection, { accessToken: new Secret('at-1') });
    expect(injection.headers()).toEqual(['X-Acme-Token', 'at-1']);
  });
});
