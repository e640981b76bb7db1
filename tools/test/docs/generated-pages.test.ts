import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { generatePages } from '../../docs/pages.ts';

describe.each(Object.entries(await generatePages()))('docs/%s', (name, text) => {
  it('says what the code says (npx pnpm@12 run docs makes it anew)', () => {
    expect(readFileSync(join(import.meta.dirname, '../../../docs', name), 'utf8')).toBe(text);
  });
});
