import { expect, it } from 'vitest';
import { denied, listed, noContent, refusal, type VaultHttp } from './vault-http.ts';

const invalid = refusal(403, 'permission denied');

export function tokenContract(vault: () => VaultHttp): void {
  async function create(
    fields: object,
    as = vault(),
  ): Promise<{ auth: Record<string, unknown>; client: VaultHttp }> {
    const { body } = await as.post('auth/token/create', { policies: ['default'], ...fields });
    return { auth: body.auth, client: vault().as(body.auth.client_token) };
  }

  it('creates a token', async () => {
    const { auth } = await create({ ttl: '1h', meta: { a: 'b' } });
    expect(auth).toMatchObject({
      client_token: expect.any(String),
      accessor: expect.any(String),
      policies: ['default'],
      token_policies: ['default'],
      metadata: { a: 'b' },
      lease_duration: 3600,
      renewable: true,
      token_type: 'service',
      orphan: false,
      num_uses: 0,
    });
  });

  it('adds the default policy unless told not to', async () => {
    expect((await create({ policies: ['b', 'a'] })).auth['policies']).toEqual(['a', 'b', 'default']);
    expect((await create({ policies: ['a'], no_default_policy: true })).auth['policies']).toEqual(['a']);
  });

  it('warns about a policy that does not exist', async () => {
    const name = vault().name('nothing');
    const { body } = await vault().post('auth/token/create', { policies: [name] });
    expect(body.warnings).toEqual([`Policy "${name}" does not exist`]);
  });

  it('takes a ttl as a number, in seconds, or with units', async () => {
    expect((await create({ ttl: 90 })).auth['lease_duration']).toBe(90);
    expect((await create({ ttl: '90' })).auth['lease_duration']).toBe(90);
    expect((await create({ ttl: '1h30m' })).auth['lease_duration']).toBe(5400);
  });

  it('refuses a ttl that is none', async () => {
    const { status } = await vault().post('auth/token/create', { ttl: 'soon' });
    expect(status).toBe(400);
  });

  it('gives a token without a ttl the maximum of 32 days', async () => {
    expect((await create({})).auth['lease_duration']).toBe(2764800);
  });

  it('lets a root token live for ever', async () => {
    const { body } = await vault().post('auth/token/create', { policies: ['root'] });
    const root = vault().as(body.auth.client_token);
    expect((await root.get('auth/token/lookup-self')).body.data).toMatchObject({ ttl: 0, expire_time: null });
    await root.post('auth/token/revoke-self');
  });

  it('shows a token to itself', async () => {
    const { auth, client } = await create({ ttl: '1h', display_name: 'job' });
    expect((await client.get('auth/token/lookup-self')).body.data).toMatchObject({
      id: auth['client_token'],
      accessor: auth['accessor'],
      policies: ['default'],
      creation_ttl: 3600,
      display_name: 'token-job',
      explicit_max_ttl: 0,
      expire_time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      issue_time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      num_uses: 0,
      orphan: false,
      path: 'auth/token/create',
      renewable: true,
      type: 'service',
    });
  });

  it('counts its ttl down', async () => {
    const { client } = await create({ ttl: '1h' });
    const { ttl } = (await client.get('auth/token/lookup-self')).body.data;
    expect(ttl).toBeGreaterThan(3540);
    expect(ttl).toBeLessThanOrEqual(3600);
  });

  it('shows a token to who may look up', async () => {
    const { auth } = await create({});
    const { body } = await vault().post('auth/token/lookup', { token: auth['client_token'] });
    expect(body.data.accessor).toBe(auth['accessor']);
  });

  it('does not look up a token it does not know', async () => {
    expect(await vault().post('auth/token/lookup', { token: 'nothing' })).toEqual(refusal(403, 'bad token'));
  });

  it('looks up by accessor without telling the token', async () => {
    const { auth } = await create({});
    const { body } = await vault().post('auth/token/lookup-accessor', { accessor: auth['accessor'] });
    expect(body.data).toMatchObject({ id: '', policies: ['default'] });
  });

  it('renews a token by what is asked', async () => {
    const { client } = await create({ ttl: '10m' });
    const { body } = await client.post('auth/token/renew-self', { increment: '30m' });
    expect(body.auth).toMatchObject({ client_token: client.token, lease_duration: 1800, renewable: true });
    expect((await client.get('auth/token/lookup-self')).body.data.last_renewal_time).toEqual(
      expect.any(Number),
    );
  });

  it('renews a token by its ttl when nothing is asked', async () => {
    const { client } = await create({ ttl: '10m' });
    expect((await client.post('auth/token/renew-self')).body.auth.lease_duration).toBe(600);
  });

  it('renews no further than the explicit maximum', async () => {
    const { client } = await create({ ttl: '10m', explicit_max_ttl: '20m' });
    const { body } = await client.post('auth/token/renew-self', { increment: '2h' });
    expect(body.auth.lease_duration).toBeLessThanOrEqual(1200);
    expect(body.auth.lease_duration).toBeGreaterThan(1190);
    expect(body.warnings).toHaveLength(1);
  });

  it('renews a periodic token by its period', async () => {
    const { client } = await create({ period: '1h' });
    expect((await client.post('auth/token/renew-self', { increment: '5h' })).body.auth.lease_duration).toBe(
      3600,
    );
  });

  it('refuses to renew what is not renewable', async () => {
    const { client } = await create({ renewable: false, ttl: '1h' });
    expect(await client.post('auth/token/renew-self')).toEqual(refusal(400, 'lease is not renewable'));
  });

  it('renews another token for who may', async () => {
    const { auth } = await create({ ttl: '10m' });
    const { body } = await vault().post('auth/token/renew', { token: auth['client_token'] });
    expect(body.auth.lease_duration).toBe(600);
    expect(await vault().post('auth/token/renew', { token: 'nothing' })).toEqual(
      refusal(400, 'token not found'),
    );
  });

  it('forgets a token that revokes itself', async () => {
    const { client } = await create({});
    expect(await client.post('auth/token/revoke-self')).toEqual(noContent);
    expect(await client.get('auth/token/lookup-self')).toEqual(invalid);
  });

  it('revokes a token, twice without complaint', async () => {
    const { auth, client } = await create({});
    expect(await vault().post('auth/token/revoke', { token: auth['client_token'] })).toEqual(noContent);
    expect(await vault().post('auth/token/revoke', { token: auth['client_token'] })).toEqual(noContent);
    expect(await client.get('auth/token/lookup-self')).toEqual(invalid);
  });

  it('revokes by accessor', async () => {
    const { auth, client } = await create({});
    expect(await vault().post('auth/token/revoke-accessor', { accessor: auth['accessor'] })).toEqual(
      noContent,
    );
    expect(await client.get('auth/token/lookup-self')).toEqual(invalid);
  });

  it('wants an accessor for that', async () => {
    expect(await vault().post('auth/token/revoke-accessor', {})).toEqual(listed(400, 'missing accessor'));
  });

  it('revokes the children of a token with it', async () => {
    const parent = await vault().tokenWith('path "auth/token/create" { capabilities = ["update"] }');
    const child = await parent.post('auth/token/create', {});
    const client = vault().as(child.body.auth.client_token);
    expect((await client.post('auth/token/create', {})).status).toBe(200);
    await parent.as(vault().token).post('auth/token/revoke', { token: parent.token });
    expect(await client.post('auth/token/create', {})).toEqual(invalid);
  });

  it('keeps an orphan when its creator goes', async () => {
    const { body } = await vault().post('auth/token/create', { policies: ['root'], ttl: '1h' });
    const parent = vault().as(body.auth.client_token);
    const { auth, client } = await create({ no_parent: true }, parent);
    expect(auth['orphan']).toBe(true);
    await parent.post('auth/token/revoke-self');
    expect((await client.get('auth/token/lookup-self')).status).toBe(200);
    await client.post('auth/token/revoke-self');
  });

  it('takes a token with limited uses that many times', async () => {
    const { client } = await create({ num_uses: 2 });
    expect((await client.get('auth/token/lookup-self')).body.data.num_uses).toBe(1);
    expect((await client.get('auth/token/lookup-self')).status).toBe(200);
    expect(await client.get('auth/token/lookup-self')).toEqual(invalid);
  });

  it('counts a refused request as a use', async () => {
    const { client } = await create({ num_uses: 1 });
    expect(await client.get('sys/mounts')).toEqual(denied);
    expect(await client.get('auth/token/lookup-self')).toEqual(invalid);
  });

  it('lets root choose the token', async () => {
    const id = vault().name('chosen');
    const { client } = await create({ id });
    expect(client.token).toBe(id);
    expect(await vault().post('auth/token/create', { id })).toEqual(
      refusal(400, 'cannot create a token with a duplicate ID'),
    );
    await client.post('auth/token/revoke-self');
  });

  it.each([
    ['choose the token', { id: 'mine' }, 'root or sudo privileges required to specify token id'],
    ['make an orphan', { no_parent: true }, 'root or sudo privileges required to create orphan token'],
    ['make a periodic token', { period: '1h' }, 'root or sudo privileges required to create periodic token'],
    ['give more than it has', { policies: ['root'] }, 'child policies must be subset of parent'],
  ])('does not let another %s', async (_, fields, message) => {
    const token = await vault().tokenWith('path "auth/token/create" { capabilities = ["update"] }');
    expect(await token.post('auth/token/create', fields)).toEqual(refusal(400, message));
  });
}
