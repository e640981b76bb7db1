import { inspect } from 'node:util';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { DecryptedCredentials, newMetadata, Secret } from '../src/index.ts';

const now = new Date('2025-11-08T12:00:00Z');
const credentials = new DecryptedCredentials(
  {
    expiresAt: '2025-11-08T13:00:00.000Z',
    scopes: ['repo'],
    tokenType: 'Bearer',
    metadata: newMetadata('github', 'oauth-proxy', now),
  },
  new Secret('gho_canary'),
  new Secret('ghr_canary'),
);

describe('decrypted credentials', () => {
  it('give their tokens as properties', () => {
    expect([credentials.accessToken, credentials.refreshToken]).toEqual(['gho_canary', 'ghr_canary']);
  });

  it.each([
    ['JSON', () => JSON.stringify({ nested: [credentials] })],
    [
      'inspect with hidden properties',
      () => inspect(credentials, { showHidden: true, depth: 9, getters: true }),
    ],
    ['inspect of what holds them', () => inspect({ nested: { credentials } }, { depth: 9 })],
    // eslint-disable-next-line typescript/no-misused-spread -- what a careless caller does
    ['a spread copy', () => inspect({ ...credentials }, { showHidden: true, depth: 9 })],
    ['the entries', () => JSON.stringify(Object.entries(credentials))],
    ['a structured clone', () => inspect(structuredClone(credentials), { showHidden: true, depth: 9 })],
  ])('do not show them in %s', (_where, print) => {
    expect(print()).not.toContain('canary');
  });

  it('do not show them in a pino line', () => {
    const lines: string[] = [];
    pino({}, { write: (line: string) => lines.push(line) }).info({ credentials }, 'stored');
    expect(lines.join('')).toContain('github');
    expect(lines.join('')).not.toContain('canary');
  });

  it('show what is no secret', () => {
    expect(inspect(credentials)).toMatch(/integration: 'github'/);
  });
});

describe('the metadata of new tokens', () => {
  it('start a lineage of their own', () => {
    const [first, second] = [newMetadata('github', 'me', now), newMetadata('github', 'me', now)];
    expect(first).toMatchObject({ createdBy: 'me', refreshCount: 0, status: 'active', autoRefresh: true });
    expect(first.revision).not.toBe(second.revision);
  });
});
