import type { Grant } from '@connectors/vault-core';
import { describe, expect, test } from 'vitest';
import { Permissions } from '../../src/access/permissions.ts';

const now = Date.parse('2025-11-08T12:00:00Z');
const id = { tenantId: 'acme', integration: 'github' };
const tenants = ['acme'];

/** Whether these grants allow a call like `GET /user`. */
function allows(grants: Grant[], call: string, credentialId = id): boolean {
  const [method = '', path = ''] = call.split(' ');
  return new Permissions(grants).allowsRest(credentialId, method, path, now);
}

describe('a grant without rest or mcp allows all of its integrations:', () => {
  test.each(['GET /user', 'DELETE /repos/a/b', 'POST '])('%s', (call) => {
    expect(allows([{ tenants }], call)).toBe(true);
  });

  test.each(['initialize', 'tools/call', 'resources/read'])('%s', (method) => {
    expect(new Permissions([{ tenants }]).allowsMcp(id, method, 'any', now)).toBe(true);
  });
});

describe('a grant is for', () => {
  test.each<[string, Grant, boolean]>([
    ['its tenant', { tenants: ['acme'] }, true],
    ['each of its tenants', { tenants: ['umbrella', 'acme'] }, true],
    ['no other tenant', { tenants: ['umbrella'] }, false],
    ['no tenant that is spelled another way', { tenants: ['Acme'] }, false],
    ['its integration', { tenants, integrations: ['slack', 'github'] }, true],
    ['no other integration', { tenants, integrations: ['slack'] }, false],
    ['the time before it expires', { tenants, expiresAt: '2025-11-08T12:00:00.001Z' }, true],
    ['no time after', { tenants, expiresAt: '2025-11-08T12:00:00Z' }, false],
  ])('%s', (_what, grant, allowed) => {
    expect(allows([grant], 'GET /user')).toBe(allowed);
  });
});

describe('with methods and paths', () => {
  const read: Grant = { tenants, rest: { methods: ['GET'], paths: ['/repos/*/issues', '/user'] } };
  const write: Grant = { tenants, rest: { methods: ['POST'], paths: ['/repos/acme/**'] } };

  test.each([
    ['a call that one grant allows is allowed', 'GET /user', true],
    ['by the second grant as well', 'POST /repos/acme/issues', true],
    ['HEAD is allowed with GET', 'HEAD /user', true],
    ['HEAD is not allowed with POST', 'HEAD /repos/acme/x', false],
    ['a method alone is not enough', 'GET /repos/acme/x', false],
    ['a path alone is not enough', 'DELETE /user', false],
    ['a method of one grant does not go with a path of another', 'POST /user', false],
    ['methods are told apart by case', 'get /user', false],
    ['a path is compared in its normal form', 'GET /%75ser', true],
    ['an empty path is none of these', 'GET ', false],
  ])('%s: %s', (_what, call, allowed) => {
    expect(allows([read, write], call)).toBe(allowed);
  });

  test('an empty path is the root', () => {
    expect(allows([{ tenants, rest: { paths: ['/'] } }], 'GET ')).toBe(true);
  });

  test('methods without paths are for all paths, and the other way round', () => {
    expect(allows([{ tenants, rest: { methods: ['GET'] } }], 'GET /a/b')).toBe(true);
    expect(allows([{ tenants, rest: { paths: ['/a/**'] } }], 'DELETE /a/b')).toBe(true);
  });

  test('neither is for all of REST', () => {
    expect(allows([{ tenants, rest: {} }], 'DELETE /a/b')).toBe(true);
  });

  test('a restriction for one tenant is none for another', () => {
    const grants = [read, { tenants: ['umbrella'] }];
    expect(allows(grants, 'DELETE /user', { ...id, tenantId: 'umbrella' })).toBe(true);
    expect(allows(grants, 'DELETE /user')).toBe(false);
  });
});

describe('of MCP,', () => {
  const mcp = (rule: NonNullable<Grant['mcp']>) => new Permissions([{ tenants, mcp: rule }]);
  const lifecycle = ['initialize', 'ping', 'notifications/initialized', 'server/discover'];

  test.each([...lifecycle, 'tools/list'])('a grant of tools allows %s', (method) => {
    expect(mcp({ tools: ['get_issue'] }).allowsMcp(id, method, undefined, now)).toBe(true);
  });

  test.each(['resources/list', 'resources/read', 'prompts/get', 'sampling/createMessage', 'Tools/List', ''])(
    'a grant of tools does not allow %j',
    (method) => {
      expect(mcp({ tools: ['*'] }).allowsMcp(id, method, undefined, now)).toBe(false);
    },
  );

  test.each([
    ['get_issue', 'get_issue', true],
    ['get_issue', 'get_issues', false],
    ['get_issue', 'Get_issue', false],
    ['get_*', 'get_issue', true],
    ['get_*', 'get_', true],
    ['get_*', 'delete_get_', false],
    ['*_issue', 'get_issue', true],
    ['*_issue', 'get_issue_', false],
    ['github.*.read', 'github.issues.read', true],
    ['github.*.read', 'github.read', false],
    ['a*a', 'a', false],
    ['a*b*b', 'ab', false],
    ['a*b*b', 'abb', true],
    ['*', 'anything at all', true],
    ['.*', 'get_issue', false],
    ['get_issue', undefined, false],
    ['*', undefined, false],
  ])('a grant of the tool %j to call %j: %s', (pattern, tool, allowed) => {
    expect(mcp({ tools: [pattern] }).allowsMcp(id, 'tools/call', tool, now)).toBe(allowed);
  });

  test('a grant of methods allows these and what every session takes', () => {
    const permissions = mcp({ methods: ['resources/read'] });
    const granted = [...lifecycle, 'resources/read', 'tools/call', 'tools/list'].filter((method) =>
      permissions.allowsMcp(id, method, 'any', now),
    );
    expect(granted).toEqual([...lifecycle, 'resources/read']);
  });

  test('a grant of tools and methods allows both at once only', () => {
    const permissions = mcp({ methods: ['tools/call', 'prompts/get'], tools: ['get_*'] });
    const allowed = (method: string, tool?: string) => permissions.allowsMcp(id, method, tool, now);
    expect(allowed('tools/call', 'get_issue')).toBe(true);
    expect(allowed('tools/call', 'delete_issue')).toBe(false);
    expect(allowed('prompts/get')).toBe(true);
    expect(allowed('tools/list')).toBe(false);
  });

  test('a grant that names REST only allows nothing, and the other way round', () => {
    const rest = new Permissions([{ tenants, rest: {} }]);
    expect(rest.allowsSurface(id, 'mcp', now)).toBe(false);
    expect(rest.allowsMcp(id, 'ping', undefined, now)).toBe(false);
    expect(mcp({}).allowsSurface(id, 'rest', now)).toBe(false);
    expect(mcp({}).allowsRest(id, 'GET', '/', now)).toBe(false);
  });
});

describe('whether a message has to be read:', () => {
  test.each<[string, Grant[], boolean]>([
    ['no, where everything is granted', [{ tenants }], false],
    ['no, where all of MCP is granted', [{ tenants, mcp: {} }], false],
    ['yes, where tools are named', [{ tenants, mcp: { tools: ['a'] } }], true],
    ['yes, where methods are named', [{ tenants, mcp: { methods: ['ping'] } }], true],
    ['no, where another grant names none', [{ tenants, mcp: { tools: ['a'] } }, { tenants }], false],
    [
      'yes, where that one is for another tenant',
      [{ tenants, mcp: { tools: ['a'] } }, { tenants: ['x'] }],
      true,
    ],
    [
      'yes, where that one has expired',
      [
        { tenants, mcp: { tools: ['a'] } },
        { tenants, expiresAt: '2025-01-01T00:00:00Z' },
      ],
      true,
    ],
  ])('%s', (_what, grants, limited) => {
    expect(new Permissions(grants).limitsMcp(id, now)).toBe(limited);
  });
});

test('the tenants of an agent are those of all its grants, also of expired ones', () => {
  const grants = [{ tenants: ['a', 'b'], expiresAt: '2025-01-01T00:00:00Z' }, { tenants: ['b', 'c'] }];
  expect(new Permissions(grants).tenants).toEqual(['a', 'b', 'c']);
});
