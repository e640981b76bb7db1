import { describe, expect, it } from 'vitest';
import { parseAgentKey } from '../src/index.ts';

describe('agent key', () => {
  it('names its agent and holds a secret', () => {
    const key = parseAgentKey('cak_abc123_s3cret');
    expect(key?.id).toBe('abc123');
    expect(key?.secret.reveal()).toBe('s3cret');
  });

  it.each([
    '',
    'cak',
    'cak_',
    'cak_abc',
    'cak_abc_',
    'cak_a/b_secret',
    'cak_.._secret',
    'cak_abc_se_cret',
    'pat_abc_secret',
  ])('is not %j', (text) => {
    expect(parseAgentKey(text)).toBeUndefined();
  });
});
