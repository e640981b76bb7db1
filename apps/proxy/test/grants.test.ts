import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bearer, call, problemOf } from './call.ts';
import { startSystem, type System } from './start-system.ts';

let system: System;
beforeAll(async () => {
  system = await startSystem();
});
afterAll(() => system.close());

type AgentGrant = Parameters<System['createAgent']>[0];

interface AskOptions {
  method?: string;
  headers?: Record<string, string>;
}

/** What an agent with this grant is answered. Nothing is stored for its tenants: 424 is what lies within its grant. */
async function ask(grant: AgentGrant, path: string, { headers, method = 'GET' }: AskOptions = {}) {
  const { key } = await system.createAgent(grant);
  const answer = await call(system.url, path, { method, headers: { ...bearer(key), ...headers } });
  return { status: answer.status, problem: problemOf(answer) };
}

const readIssues = { tenants: ['nobody'], rest: { methods: ['GET'], paths: ['/repos/*/issues'] } };

test('a call within its grant goes on', async () => {
  expect((await ask(readIssues, '/proxy/demo/repos/acme/issues?page=2')).status).toBe(424);
});

describe('a denied call is told which grant is missing:', () => {
  test('by method', async () => {
    const { status, problem } = await ask(readIssues, '/proxy/demo/repos/acme/issues', { method: 'DELETE' });
    expect(status).toBe(403);
    expect(problem).toMatchObject({
      code: 'agent_forbidden',
      detail: 'The agent has no grant for DELETE /repos/acme/issues of demo for nobody',
      missingGrant: {
        tenant: 'nobody',
        integration: 'demo',
        method: 'DELETE',
        path: '/repos/acme/issues',
      },
    });
  });

  test('by path, without its query', async () => {
    const { status, problem } = await ask(readIssues, '/proxy/demo/user?token=canary');
    expect(status).toBe(403);
    expect(problem.missingGrant).toEqual({
      tenant: 'nobody',
      integration: 'demo',
      method: 'GET',
      path: '/user',
    });
    expect(JSON.stringify(problem)).not.toContain('canary');
  });

  test('by integration', async () => {
    const grant = { tenants: ['nobody'], integrations: ['rest-only'] };
    const { status, problem } = await ask(grant, '/proxy/demo');
    expect(status).toBe(403);
    expect(problem.missingGrant).toMatchObject({ tenant: 'nobody', integration: 'demo', path: '/' });
  });

  test('by tenant', async () => {
    const { status, problem } = await ask(readIssues, '/proxy/demo/', { headers: { 'x-tenant-id': 'acme' } });
    expect(status).toBe(403);
    expect(problem.missingGrant).toEqual({ tenant: 'acme', integration: 'demo' });
  });

  test('by surface', async () => {
    const { status, problem } = await ask(readIssues, '/mcp/demo', { method: 'POST' });
    expect(status).toBe(403);
    expect(problem).toMatchObject({
      detail: 'The agent has no grant for MCP with demo for nobody',
      missingGrant: { tenant: 'nobody', integration: 'demo' },
    });
  });

  test('but not with what is no id', async () => {
    const { status, problem } = await ask(readIssues, '/proxy/demo/', { headers: { 'x-tenant-id': '<b>' } });
    expect(status).toBe(403);
    expect(JSON.stringify(problem)).not.toContain('<b>');
  });
});

test('a grant of MCP is none of REST', async () => {
  expect((await ask({ tenants: ['nobody'], mcp: {} }, '/proxy/demo/')).status).toBe(403);
});

test('a grant ends when it expires', async () => {
  const expiresAt = new Date(system.clock.now() + 10_000).toISOString();
  const { agent, key } = await system.admin.agents.create({
    name: 'an agent',
    grants: [{ tenants: ['nobody'], expiresAt }],
  });
  const ask = async () => (await call(system.url, '/proxy/demo/', { headers: bearer(key.reveal()) })).status;
  expect(await ask()).toBe(424);
  system.clock.offset += 10_000;
  expect(await ask()).toBe(403);
  expect(agent.expiresAt).toBeUndefined();
});

describe('a grant is not got around by', () => {
  test.each([
    ['an encoded slash', '/proxy/demo/repos/acme%2Fissues'],
    ['a slash that is encoded twice', '/proxy/demo/repos/a%252Fb/issues'],
    ['an empty segment', '/proxy/demo/repos//issues'],
    ['a parameter', '/proxy/demo/repos/acme/issues;/../../user'],
    ['a NUL', '/proxy/demo/repos/a%00b/issues'],
  ])('%s', async (_what, path) => {
    expect([400, 403]).toContain((await ask(readIssues, path)).status);
  });

  test.each([
    'X-HTTP-Method-Override',
    'X-HTTP-Method',
    'X-Method-Override',
    'X-Original-URL',
    'X-Rewrite-URL',
  ])('%s, which some servers believe', async (name) => {
    const options = { headers: { [name]: 'DELETE' } };
    expect((await ask(readIssues, '/proxy/demo/repos/acme/issues', options)).status).toBe(403);
    expect((await ask({ tenants: ['nobody'] }, '/proxy/demo/', options)).status).toBe(424);
  });
});
