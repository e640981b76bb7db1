import { EgressGuard } from '@connectors/egress';
import { describe, expect, it } from 'vitest';
import { checkEndpointUrl } from '../../src/index.ts';

const url = 'https://hooks.example.com/connectors';

function resolving(...addresses: string[]): EgressGuard {
  const found = addresses.map((address) => ({ address, family: 4 }));
  return new EgressGuard({ resolve: (_host, _options, callback) => callback(null, found) });
}

describe('the address of a new endpoint', () => {
  it('passes when its name leads to the public internet', async () => {
    await expect(checkEndpointUrl(resolving('93.184.215.14'), url)).resolves.toBeUndefined();
  });

  it('is refused when its name leads to a private address, or to one beside others', async () => {
    for (const guard of [resolving('10.0.0.1'), resolving('93.184.215.14', '169.254.169.254')])
      await expect(checkEndpointUrl(guard, url)).rejects.toMatchObject({ reason: 'address_not_public' });
  });

  it('is refused for what it says, before its name is looked up', async () => {
    await expect(
      checkEndpointUrl(resolving('93.184.215.14'), 'http://hooks.example.com'),
    ).rejects.toMatchObject({
      reason: 'not_https',
    });
  });

  it('passes when its name cannot be resolved yet: each delivery looks again', async () => {
    const error = Object.assign(new Error('no such name'), { code: 'ENOTFOUND' });
    const guard = new EgressGuard({ resolve: (_host, _options, callback) => callback(error, []) });
    await expect(checkEndpointUrl(guard, url)).resolves.toBeUndefined();
  });
});
