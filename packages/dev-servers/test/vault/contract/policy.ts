import { expect, it } from 'vitest';
import { neverExisted, noContent, refusal, type VaultHttp } from './vault-http.ts';

const readAll = 'path "secret/*" { capabilities = ["read"] }';

export function policyContract(vault: () => VaultHttp): void {
  it('stores a policy as it was written', async () => {
    const name = await vault().policy(`# why\n${readAll}\n`);
    expect((await vault().get(`sys/policies/acl/${name}`)).body.data).toMatchObject({
      name,
      policy: `# why\n${readAll}\n`,
    });
  });

  it('shows it under the older path, as `rules`', async () => {
    const name = await vault().policy(readAll);
    const { body } = await vault().get(`sys/policy/${name}`);
    expect(body.data).toMatchObject({ name, rules: readAll });
    expect(body.rules).toBe(readAll);
  });

  it('does not find a policy that is not there', async () => {
    expect(await vault().get(`sys/policies/acl/${vault().name('nothing')}`)).toEqual(neverExisted);
  });

  it('lists policies in order, root and default among them', async () => {
    const name = await vault().policy(readAll);
    const { body } = await vault().list('sys/policies/acl');
    expect(body.data.keys).toEqual(expect.arrayContaining(['default', name, 'root']));
    expect((await vault().get('sys/policy')).body.data.policies).toContain(name);
  });

  it('replaces a policy', async () => {
    const name = await vault().policy(readAll);
    const next = 'path "x" { capabilities = ["list"] }';
    expect(await vault().post(`sys/policies/acl/${name}`, { policy: next })).toEqual(noContent);
    expect((await vault().get(`sys/policies/acl/${name}`)).body.data.policy).toBe(next);
  });

  it('deletes a policy, twice without complaint', async () => {
    const name = await vault().policy(readAll);
    expect(await vault().delete(`sys/policies/acl/${name}`)).toEqual(noContent);
    expect(await vault().delete(`sys/policies/acl/${name}`)).toEqual(noContent);
    expect(await vault().get(`sys/policies/acl/${name}`)).toEqual(neverExisted);
  });

  it('keeps names in lower case', async () => {
    const name = vault().name('policy');
    expect(
      (await vault().call('PUT', `sys/policies/acl/${name.toUpperCase()}`, { policy: readAll })).status,
    ).toBe(200);
    expect((await vault().get(`sys/policies/acl/${name}`)).status).toBe(200);
    await vault().delete(`sys/policies/acl/${name}`);
  });

  it('wants a text', async () => {
    expect(await vault().call('PUT', 'sys/policies/acl/x', {})).toEqual(
      refusal(400, "'policy' parameter not supplied or empty"),
    );
  });

  it.each([
    ['that is cut off', 'path "secret/*" { capab'],
    ['with an unknown capability', 'path "a" { capabilities = ["fly"] }'],
    ['with `+*`', 'path "a/+*" { capabilities = ["read"] }'],
  ])('refuses a policy %s', async (_, policy) => {
    const { status, body } = await vault().call('PUT', 'sys/policies/acl/x', { policy });
    expect(status).toBe(400);
    expect(body.errors[0]).toMatch(/^failed to parse policy: /);
  });

  it('takes a policy in JSON', async () => {
    const token = await vault().tokenWith('{"path": {"sys/policy": {"capabilities": ["read"]}}}');
    expect((await token.get('sys/policy')).status).toBe(200);
  });

  it('keeps `default` and `root`', async () => {
    expect(await vault().delete('sys/policies/acl/default')).toEqual(
      refusal(400, 'cannot delete default policy'),
    );
    expect(await vault().delete('sys/policies/acl/root')).toEqual(
      refusal(400, 'cannot delete "root" policy'),
    );
  });
}
