import { beforeAll, expect, it } from 'vitest';
import { neverExisted, noContent, refusal, type Answer, type VaultHttp } from './vault-http.ts';

const badLogin = refusal(400, 'invalid role or secret ID');

export function approleContract(vault: () => VaultHttp): void {
  let mount: string;

  beforeAll(async () => {
    mount = `auth/${await vault().mountApprole()}`;
  });

  async function newRole(fields: object = {}): Promise<{ path: string; roleId: string; secretId: string }> {
    const path = `${mount}/role/${vault().name('role')}`;
    await vault().post(path, fields);
    const roleId = (await vault().get(`${path}/role-id`)).body.data.role_id;
    const secretId = (await vault().post(`${path}/secret-id`)).body.data.secret_id;
    return { path, roleId, secretId };
  }

  function login(roleId: string, secretId: string): Promise<Answer> {
    return vault().as('').post(`${mount}/login`, { role_id: roleId, secret_id: secretId });
  }

  it('shows a role as it was written', async () => {
    const { path } = await newRole({
      token_policies: 'b,a',
      token_ttl: '1h',
      token_max_ttl: '4h',
      secret_id_ttl: '24h',
      secret_id_num_uses: 2,
    });
    expect((await vault().get(path)).body.data).toMatchObject({
      bind_secret_id: true,
      token_policies: ['b', 'a'],
      token_ttl: 3600,
      token_max_ttl: 14400,
      secret_id_ttl: 86400,
      secret_id_num_uses: 2,
    });
  });

  it('answers the writing of a role with 204', async () => {
    expect(await vault().post(`${mount}/role/${vault().name('r')}`, {})).toEqual(noContent);
  });

  it('changes of a role only what is given', async () => {
    const { path, roleId } = await newRole({ token_ttl: '1h', token_policies: ['a'] });
    await vault().post(path, { token_ttl: '2h' });
    expect((await vault().get(path)).body.data).toMatchObject({ token_ttl: 7200, token_policies: ['a'] });
    expect((await vault().get(`${path}/role-id`)).body.data.role_id).toBe(roleId);
  });

  it('refuses a ttl beyond the maximum', async () => {
    expect(await vault().post(`${mount}/role/x`, { token_ttl: '2h', token_max_ttl: '1h' })).toEqual(
      refusal(400, "'token_ttl' cannot be greater than 'token_max_ttl'"),
    );
  });

  it('lists roles', async () => {
    const { path } = await newRole();
    expect((await vault().list(`${mount}/role`)).body.data.keys).toContain(path.split('/').pop());
  });

  it('does not find a role that is not there', async () => {
    expect(await vault().get(`${mount}/role/nothing`)).toEqual(neverExisted);
    expect(await vault().get(`${mount}/role/nothing/role-id`)).toEqual(neverExisted);
  });

  it('gives no secret id for such a role', async () => {
    const { status } = await vault().post(`${mount}/role/nothing/secret-id`, {});
    expect(status).toBe(404);
  });

  it('logs in with both ids, without a token', async () => {
    const { roleId, secretId } = await newRole({ token_policies: 'a', token_ttl: '1h', token_max_ttl: '4h' });
    const { status, body } = await login(roleId, secretId);
    expect(status).toBe(200);
    expect(body.auth).toMatchObject({
      policies: ['a', 'default'],
      lease_duration: 3600,
      renewable: true,
      orphan: true,
      token_type: 'service',
      metadata: { role_name: expect.any(String) },
    });
  });

  it('logs in as often as one likes when uses are unlimited', async () => {
    const { roleId, secretId } = await newRole();
    const answers = [
      await login(roleId, secretId),
      await login(roleId, secretId),
      await login(roleId, secretId),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
  });

  it('refuses an unknown role id, an unknown secret id and the secret id of another role alike', async () => {
    const { roleId, secretId } = await newRole();
    const other = await newRole();
    expect(await login('nothing', secretId)).toEqual(badLogin);
    expect(await login(roleId, 'nothing')).toEqual(badLogin);
    expect(await login(roleId, other.secretId)).toEqual(badLogin);
  });

  it('wants a secret id', async () => {
    const { roleId } = await newRole();
    expect(await vault().as('').post(`${mount}/login`, { role_id: roleId })).toEqual(
      refusal(400, 'missing secret_id'),
    );
  });

  it('takes a secret id with limited uses that many times', async () => {
    const { roleId, secretId } = await newRole({ secret_id_num_uses: 2 });
    expect((await login(roleId, secretId)).status).toBe(200);
    expect((await login(roleId, secretId)).status).toBe(200);
    expect(await login(roleId, secretId)).toEqual(badLogin);
  });

  it('describes a secret id that it hands out', async () => {
    const { path } = await newRole({ secret_id_ttl: '24h', secret_id_num_uses: 3 });
    expect((await vault().post(`${path}/secret-id`)).body.data).toMatchObject({
      secret_id: expect.any(String),
      secret_id_accessor: expect.any(String),
      secret_id_ttl: 86400,
      secret_id_num_uses: 3,
    });
  });

  it('looks up a secret id, and answers nothing for one it does not know', async () => {
    const { path, secretId } = await newRole({ secret_id_num_uses: 3 });
    const known = await vault().post(`${path}/secret-id/lookup`, { secret_id: secretId });
    expect(known.body.data).toMatchObject({ secret_id_num_uses: 3, secret_id_accessor: expect.any(String) });
    expect(await vault().post(`${path}/secret-id/lookup`, { secret_id: 'nothing' })).toEqual(noContent);
  });

  it('lists the accessors of secret ids', async () => {
    const { path } = await newRole();
    const { secret_id_accessor: accessor } = (await vault().post(`${path}/secret-id`)).body.data;
    expect((await vault().list(`${path}/secret-id`)).body.data.keys).toContain(accessor);
  });

  it('destroys a secret id', async () => {
    const { path, roleId, secretId } = await newRole();
    expect(await vault().post(`${path}/secret-id/destroy`, { secret_id: secretId })).toEqual(noContent);
    expect(await login(roleId, secretId)).toEqual(badLogin);
  });

  it('lets the role id be chosen', async () => {
    const { path, roleId, secretId } = await newRole();
    const chosen = vault().name('role-id');
    expect(await vault().post(`${path}/role-id`, { role_id: chosen })).toEqual(noContent);
    expect((await login(chosen, secretId)).status).toBe(200);
    expect(await login(roleId, secretId)).toEqual(badLogin);
  });

  it('refuses logins to a role that was deleted', async () => {
    const { path, roleId, secretId } = await newRole();
    expect(await vault().delete(path)).toEqual(noContent);
    expect(await login(roleId, secretId)).toEqual(badLogin);
  });

  it('forgets the secret ids of a role that was deleted', async () => {
    const { path, roleId, secretId } = await newRole();
    await vault().delete(path);
    await vault().post(path, {});
    await vault().post(`${path}/role-id`, { role_id: roleId });
    expect(await login(roleId, secretId)).toEqual(badLogin);
  });

  it('renews a token no further than the maximum of its role', async () => {
    const { roleId, secretId } = await newRole({ token_ttl: '1h', token_max_ttl: '2h' });
    const { body } = await login(roleId, secretId);
    const renewed = await vault()
      .as(body.auth.client_token)
      .post('auth/token/renew-self', { increment: '9h' });
    expect(renewed.body.auth.lease_duration).toBeLessThanOrEqual(7200);
    expect(renewed.body.auth.lease_duration).toBeGreaterThan(7190);
  });

  it('gives tokens limited uses and a period when the role says so', async () => {
    const uses = await newRole({ token_num_uses: 5 });
    expect((await login(uses.roleId, uses.secretId)).body.auth.num_uses).toBe(5);
    const periodic = await newRole({ token_period: '30m' });
    expect((await login(periodic.roleId, periodic.secretId)).body.auth.lease_duration).toBe(1800);
  });
}
