import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { grantsSchema } from '@connectors/vault-core';
import { describe, expect, test } from 'vitest';
import { Permissions } from '../../src/access/permissions.ts';

const text = readFileSync(join(import.meta.dirname, '../../../../docs/agents.md'), 'utf8');

/** Each example of grants in docs/agents.md, with the table of calls below it. */
const examples = [...text.matchAll(/```json\n(.*?)```\n\n((?:\|[^\n]*\n)+)/gs)].map(
  ([, json = '', table = '']) => ({
    json,
    rows: table
      .split('\n')
      .slice(2)
      .filter((row) => row !== '')
      .map((row) => row.split('|').map((cell) => cell.trim())),
  }),
);

test('docs/agents.md has examples', () => {
  expect(examples.length).toBeGreaterThan(3);
});

describe.each(examples)('the example of docs/agents.md $json', ({ json, rows }) => {
  const permissions = new Permissions(grantsSchema.parse(JSON.parse(json)));

  test.each(rows)('%s%s: %s', (_edge, call = '', allowed = '') => {
    const [tenantId = '', integration = '', method = '', ...target] = call.split(' ');
    const id = { tenantId, integration };
    const [first = '', second] = target;
    const isAllowed =
      method === 'mcp'
        ? permissions.allowsMcp(id, first, second, 0)
        : permissions.allowsRest(id, method, first, 0);
    expect(isAllowed ? 'yes' : 'no').toBe(allowed);
  });
});
