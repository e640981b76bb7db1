import { EgressGuard } from '@connectors/egress';
import { describe, expect, it } from 'vitest';
import { catalog } from '../src/index.ts';
import { providerSchema } from '../src/provider.ts';

describe.each([...catalog.values()].filter(({ issuer, authorizeUrl }) => issuer ?? authorizeUrl))(
  '$id',
  (provider) => {
    it('satisfies the schema that connectors.yaml is held to', () => {
      expect(providerSchema.safeParse(provider).error).toBeUndefined();
    });

    it('has public https addresses only', () => {
      const { authorizeUrl, tokenUrl, refreshUrl, revokeUrl, apiBaseUrl, mcpUrl } = provider;
      const guard = new EgressGuard();
      for (const url of [authorizeUrl, tokenUrl, refreshUrl, revokeUrl, apiBaseUrl, mcpUrl]) {
        if (url !== undefined) expect(guard.check(url).protocol).toBe('https:');
      }
    });
  },
);
