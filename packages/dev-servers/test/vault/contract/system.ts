import { expect, it } from 'vitest';
import { listed, noContent, refusal, type VaultHttp } from './vault-http.ts';

export function systemContract(vault: () => VaultHttp): void {
  it('says that it is healthy, to anyone', async () => {
    expect(await vault().as('').get('sys/health')).toMatchObject({
      status: 200,
      body: { initialized: true, sealed: false, standby: false, version: expect.any(String) },
    });
  });

  it('says it with the status that was asked for', async () => {
    expect((await vault().get('sys/health?activecode=299')).status).toBe(299);
  });

  it('answers HEAD of health without a body', async () => {
    const response = await fetch(`${vault().address}/v1/sys/health`, { method: 'HEAD' });
    expect([response.status, await response.text()]).toEqual([200, '']);
  });

  it('takes parameters for standby nodes though it is active', async () => {
    expect((await vault().get('sys/health?standbyok=true&perfstandbyok=true')).status).toBe(200);
  });

  it('shows the status of its seal, to anyone', async () => {
    expect(await vault().as('').get('sys/seal-status')).toMatchObject({
      status: 200,
      body: { initialized: true, sealed: false, t: 1, n: 1, progress: 0 },
    });
  });

  it('says that it was initialised', async () => {
    expect(await vault().as('').get('sys/init')).toEqual({ status: 200, body: { initialized: true } });
  });

  it('wants a key to unseal', async () => {
    const { status, body } = await vault().as('').call('PUT', 'sys/unseal', {});
    expect(status).toBe(400);
    expect(body.errors[0]).toContain("'key' must be specified");
  });

  it('lists mounts, in the envelope and at the top level', async () => {
    const path = await vault().mount('transit');
    const { status, body } = await vault().get('sys/mounts');
    expect(status).toBe(200);
    expect(body.data[`${path}/`]).toMatchObject({
      type: 'transit',
      accessor: expect.stringMatching(/^transit_/),
    });
    expect(body[`${path}/`]).toEqual(body.data[`${path}/`]);
  });

  it('shows one mount', async () => {
    const path = await vault().mount('kv-v2');
    expect(await vault().get(`sys/mounts/${path}`)).toMatchObject({
      status: 200,
      body: { type: 'kv', data: { type: 'kv', options: { version: '2' } } },
    });
  });

  it('refuses to show a mount that is not there', async () => {
    const path = vault().name('nothing');
    expect(await vault().get(`sys/mounts/${path}`)).toEqual(
      refusal(400, `No secret engine mount at ${path}/`),
    );
  });

  it('refuses a second mount on a path', async () => {
    const path = await vault().mount('transit');
    expect(await vault().post(`sys/mounts/${path}`, { type: 'transit' })).toEqual(
      refusal(400, `path is already in use at ${path}/`),
    );
  });

  it('refuses a mount of an unknown type', async () => {
    const { status, body } = await vault().post(`sys/mounts/${vault().name('x')}`, { type: 'nope' });
    expect(status).toBe(400);
    expect(body.errors[0]).toContain('plugin not found in the catalog');
  });

  it('mounts `kv` of version 2 like `kv-v2`', async () => {
    const path = vault().name('kv');
    expect(await vault().post(`sys/mounts/${path}`, { type: 'kv', options: { version: '2' } })).toEqual(
      noContent,
    );
    expect((await vault().get(`sys/mounts/${path}`)).body.data.options).toEqual({ version: '2' });
    await vault().delete(`sys/mounts/${path}`);
  });

  it('forgets everything under a mount that was removed', async () => {
    const path = await vault().mount('transit');
    await vault().post(`${path}/keys/k`);
    expect(await vault().delete(`sys/mounts/${path}`)).toEqual(noContent);
    expect((await vault().get(`${path}/keys/k`)).status).toBe(404);
    await vault().post(`sys/mounts/${path}`, { type: 'transit' });
    expect((await vault().list(`${path}/keys`)).status).toBe(404);
  });

  it('removes a mount that is not there without complaint', async () => {
    expect(await vault().delete(`sys/mounts/${vault().name('nothing')}`)).toEqual(noContent);
  });

  it('shows how a mount is tuned, and changes its description', async () => {
    const path = await vault().mount('transit');
    expect(await vault().post(`sys/mounts/${path}/tune`, { description: 'ours' })).toEqual(noContent);
    expect((await vault().get(`sys/mounts/${path}/tune`)).body.data).toMatchObject({
      description: 'ours',
      max_lease_ttl: 2764800,
    });
  });

  it('lists auth methods', async () => {
    const path = await vault().mountApprole();
    const { body } = await vault().get('sys/auth');
    expect(body.data['token/']).toMatchObject({ type: 'token' });
    expect(body.data[`${path}/`]).toMatchObject({ type: 'approle' });
  });

  it('refuses a second auth method on a path', async () => {
    const path = await vault().mountApprole();
    expect(await vault().post(`sys/auth/${path}`, { type: 'approle' })).toEqual(
      refusal(400, `path is already in use at ${path}/`),
    );
  });

  it('lists audit devices', async () => {
    expect((await vault().get('sys/audit')).status).toBe(200);
  });

  it('removes an audit device that is not there without complaint', async () => {
    expect(await vault().delete(`sys/audit/${vault().name('nothing')}`)).toEqual(noContent);
  });

  it('refuses an audit device of an unknown type', async () => {
    const { status } = await vault().call('PUT', `sys/audit/${vault().name('x')}`, { type: 'nope' });
    expect(status).toBe(400);
  });

  it('says what the caller may do on a path', async () => {
    const token = await vault().tokenWith(`
      path "sys/capabilities-self" { capabilities = ["update"] }
      path "secret/data/+" { capabilities = ["update", "read", "create"] }`);
    const { body } = await token.post('sys/capabilities-self', { paths: ['secret/data/a', 'secret/other'] });
    expect(body.data).toEqual({ 'secret/data/a': ['create', 'read', 'update'], 'secret/other': ['deny'] });
  });

  it('says that root may do everything', async () => {
    const { body } = await vault().post('sys/capabilities-self', { paths: ['sys/seal'] });
    expect(body.data).toEqual({ 'sys/seal': ['root'], capabilities: ['root'] });
  });

  it('keeps sealing from who has no sudo', async () => {
    const token = await vault().tokenWith('path "sys/seal" { capabilities = ["read"] }');
    expect(await token.call('PUT', 'sys/seal')).toEqual(listed(403, 'permission denied'));
  });
}
