import { EgressGuard } from '@connectors/egress';
import { describe, expect, it } from 'vitest';
import { catalog } from '../src/index.ts';
import { providerSchema } from '../src/provider.ts';

describe.each([...catalog.values()].filter(({ tokenUrl }) => tokenUrl))('$id', (provider) => {
  it('satisfies the schema that connectors.yaml is held to', () => {
    expect(providerSchema.safeParse(provider).error).toBeUndefined();
  });

  it('has public https addresses only', () => {
    const { authorizeUrl, tokenUrl, refreshUrl, revokeUrl, apiBaseUrl, mcpUrl } = provider;
    const urls = [authorizeUrl, tokenUrl, refreshUrl, revokeUrl, apiBaseUrl, mcpUrl];
    const guard = new EgressGuard();
    const schemes = urls.filter((url) => url !== undefined).map((url) => guard.check(url).protocol);
    expect(new Set(schemes)).toEqual(new Set(['https:']));
  });
});
