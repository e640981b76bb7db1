import { beforeAll, expect, it } from 'vitest';
import { denied, type VaultHttp } from './vault-http.ts';

export function aclContract(vault: () => VaultHttp): void {
  let kv: string;

  beforeAll(async () => {
    kv = await vault().mount('kv-v2');
    await vault().post(`${kv}/data/a/b`, { data: {} });
    await vault().post(`${kv}/data/x/y/z`, { data: {} });
  });

  /** What a token with this policy may do on a path below the mount. */
  async function may(policy: string, path: string): Promise<string[]> {
    const token = await vault().tokenWith(
      `path "sys/capabilities-self" { capabilities = ["update"] } ${policy.replaceAll('KV', kv)}`,
    );
    const { body } = await token.post('sys/capabilities-self', { paths: [`${kv}/${path}`] });
    return body.data[`${kv}/${path}`];
  }

  it('denies what no rule names', async () => {
    const token = await vault().tokenWith(`path "${kv}/data/other" { capabilities = ["read"] }`);
    expect(await token.get(`${kv}/data/a/b`)).toEqual(denied);
  });

  it('denies an unmounted path in the same words', async () => {
    const token = await vault().tokenWith('path "x" { capabilities = ["read"] }');
    expect(await token.get(`${vault().name('nothing')}/x`)).toEqual(denied);
  });

  it('allows an exact path and nothing below it', async () => {
    const policy = 'path "KV/data/a/b" { capabilities = ["read"] }';
    expect(await may(policy, 'data/a/b')).toEqual(['read']);
    expect(await may(policy, 'data/a/b/c')).toEqual(['deny']);
  });

  it('allows a prefix that ends in *', async () => {
    const policy = 'path "KV/data/a*" { capabilities = ["read"] }';
    expect(await may(policy, 'data/a')).toEqual(['read']);
    expect(await may(policy, 'data/ab/c')).toEqual(['read']);
    expect(await may(policy, 'data/b')).toEqual(['deny']);
  });

  it('lets + stand for one whole segment', async () => {
    const policy = 'path "KV/data/+/b" { capabilities = ["read"] }';
    expect(await may(policy, 'data/a/b')).toEqual(['read']);
    expect(await may(policy, 'data/a/a/b')).toEqual(['deny']);
    expect(await may(policy, 'data/a')).toEqual(['deny']);
  });

  it('lets + and a prefix work together', async () => {
    const policy = 'path "KV/data/+/pre*" { capabilities = ["read"] }';
    expect(await may(policy, 'data/a/prefix/deep')).toEqual(['read']);
    expect(await may(policy, 'data/a/other')).toEqual(['deny']);
  });

  it('counts only the most specific rule: exact over prefix', async () => {
    const policy = 'path "KV/*" { capabilities = ["update"] } path "KV/data/a" { capabilities = ["read"] }';
    expect(await may(policy, 'data/a')).toEqual(['read']);
  });

  it('… the longer prefix over the shorter', async () => {
    const policy = 'path "KV/*" { capabilities = ["update"] } path "KV/data/*" { capabilities = ["read"] }';
    expect(await may(policy, 'data/a')).toEqual(['read']);
  });

  it('… the later wildcard over the earlier', async () => {
    const policy =
      'path "KV/data/+/b" { capabilities = ["update"] } path "KV/data/a/+" { capabilities = ["read"] }';
    expect(await may(policy, 'data/a/b')).toEqual(['read']);
  });

  it('… a prefix with a letter more over a + in its place', async () => {
    const policy =
      'path "KV/data/+/+" { capabilities = ["read"] } path "KV/data/_*" { capabilities = ["deny"] }';
    expect(await may(policy, 'data/_a/b')).toEqual(['deny']);
    expect(await may(policy, 'data/a/b')).toEqual(['read']);
  });

  it('… a full pattern over a prefix with its wildcard in the same place', async () => {
    const policy =
      'path "KV/data/+/*" { capabilities = ["update"] } path "KV/data/+/b" { capabilities = ["read"] }';
    expect(await may(policy, 'data/a/b')).toEqual(['read']);
  });

  it('… fewer wildcards over more', async () => {
    const policy =
      'path "KV/data/+/+/c" { capabilities = ["update"] } path "KV/data/+/b/c" { capabilities = ["read"] }';
    expect(await may(policy, 'data/a/b/c')).toEqual(['read']);
  });

  it('lets a rule that is more specific reopen what a prefix denies', async () => {
    const policy =
      'path "KV/data/_*" { capabilities = ["deny"] } path "KV/data/_agents/+" { capabilities = ["read"] }';
    expect(await may(policy, 'data/_agents/x')).toEqual(['read']);
    expect(await may(policy, 'data/_clients/x')).toEqual(['deny']);
  });

  it('adds up the rules of several policies for the same path', async () => {
    const other = await vault().policy(`path "${kv}/data/a" { capabilities = ["list"] }`);
    const policy = await vault().policy(`path "${kv}/data/a" { capabilities = ["read"] }
      path "sys/capabilities-self" { capabilities = ["update"] }`);
    const { body } = await vault().post('auth/token/create', { policies: [policy, other] });
    const token = vault().as(body.auth.client_token);
    const answer = await token.post('sys/capabilities-self', { paths: [`${kv}/data/a`] });
    expect(answer.body.data[`${kv}/data/a`]).toEqual(['list', 'read']);
  });

  it('lets deny win over anything for the same path', async () => {
    const policy =
      'path "KV/data/a" { capabilities = ["read"] } path "KV/data/a" { capabilities = ["deny", "read"] }';
    expect(await may(policy, 'data/a')).toEqual(['deny']);
  });

  it('tells create from update', async () => {
    const token = await vault().tokenWith(`path "${kv}/data/+" { capabilities = ["create"] }`);
    const path = `${kv}/data/${vault().name('n')}`;
    expect((await token.post(path, { data: {} })).status).toBe(200);
    expect(await token.post(path, { data: {} })).toEqual(denied);
  });

  it('still takes a write for an update after the latest version was deleted', async () => {
    const token = await vault().tokenWith(`path "${kv}/data/+" { capabilities = ["update"] }`);
    const path = `${kv}/data/${vault().name('n')}`;
    expect(await token.post(path, { data: {} })).toEqual(denied);
    await vault().post(path, { data: {} });
    await vault().delete(path);
    expect((await token.post(path, { data: {} })).status).toBe(200);
  });

  it('lists a folder by its path with the slash', async () => {
    const token = await vault().tokenWith(`path "${kv}/metadata/x/" { capabilities = ["list"] }`);
    expect((await token.list(`${kv}/metadata/x`)).body.data.keys).toEqual(['y/']);
    expect((await token.list(`${kv}/metadata/x/`)).body.data.keys).toEqual(['y/']);
    expect(await token.list(`${kv}/metadata/a`)).toEqual(denied);
  });

  it('lists a folder by its exact path without the slash', async () => {
    const token = await vault().tokenWith(`path "${kv}/metadata/x" { capabilities = ["list"] }`);
    expect((await token.list(`${kv}/metadata/x`)).status).toBe(200);
  });

  it('lets + stand for the nothing after the slash', async () => {
    const token = await vault().tokenWith(`path "${kv}/metadata/+/+" { capabilities = ["list"] }`);
    expect((await token.list(`${kv}/metadata/x`)).status).toBe(200);
  });

  it('does not take read for list', async () => {
    const token = await vault().tokenWith(`path "${kv}/metadata/*" { capabilities = ["read"] }`);
    expect(await token.list(`${kv}/metadata/x`)).toEqual(denied);
  });

  it('wants sudo besides read for the audit devices', async () => {
    const reader = await vault().tokenWith('path "sys/audit" { capabilities = ["read"] }');
    const chief = await vault().tokenWith('path "sys/audit" { capabilities = ["read", "sudo"] }');
    expect(await reader.get('sys/audit')).toEqual(denied);
    expect((await chief.get('sys/audit')).status).toBe(200);
  });

  it('applies a changed policy to tokens that have it', async () => {
    const policy = await vault().policy(`path "${kv}/data/a/b" { capabilities = ["deny"] }`);
    const { body } = await vault().post('auth/token/create', { policies: [policy] });
    const token = vault().as(body.auth.client_token);
    expect(await token.get(`${kv}/data/a/b`)).toEqual(denied);
    await vault().post(`sys/policies/acl/${policy}`, {
      policy: `path "${kv}/data/a/b" { capabilities = ["read"] }`,
    });
    expect((await token.get(`${kv}/data/a/b`)).status).toBe(200);
  });
}
