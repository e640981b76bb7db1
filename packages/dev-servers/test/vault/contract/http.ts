import { connect } from 'node:net';
import { expect, it } from 'vitest';
import { listed, neverExisted, refusal, type VaultHttp } from './vault-http.ts';

export function httpContract(vault: () => VaultHttp): void {
  it('refuses a request without a token', async () => {
    expect(await vault().as('').get('secret/data/x')).toEqual(refusal(403, 'permission denied'));
  });

  it('refuses a token it does not know', async () => {
    expect(await vault().as('unknown').get('secret/data/x')).toEqual(refusal(403, 'permission denied'));
  });

  it('takes the token as a Bearer token too', async () => {
    const anonymous = vault().as('');
    const answer = await anonymous.call('GET', 'auth/token/lookup-self', undefined, {
      Authorization: `Bearer ${vault().token}`,
    });
    expect(answer.status).toBe(200);
  });

  it('answers an unmounted path with 404 and the route', async () => {
    const path = vault().name('nothing');
    expect(await vault().get(`${path}/x`)).toEqual(
      refusal(404, `no handler for route "${path}/x". route entry not found.`),
    );
  });

  it('answers a path that its mount does not have with 404', async () => {
    expect(await vault().get('sys/no-such-thing')).toEqual(listed(404, 'unsupported path'));
  });

  it('answers a verb that a path does not have with 405', async () => {
    expect(await vault().delete('sys/mounts')).toEqual(listed(405, 'unsupported operation'));
  });

  it('puts the answer into an envelope', async () => {
    const { body } = await vault().get('auth/token/lookup-self');
    expect(body).toEqual({
      request_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      lease_id: '',
      renewable: false,
      lease_duration: 0,
      data: expect.any(Object),
      wrap_info: null,
      warnings: null,
      auth: null,
      // HashiCorp Vault adds this one.
      ...(body.mount_type === undefined ? {} : { mount_type: 'token' }),
    });
  });

  it('refuses a body that is not JSON', async () => {
    const { status, body } = await vault().post('auth/token/create', '{bad');
    expect(status).toBe(400);
    expect(body.errors).toHaveLength(1);
  });

  it('answers JSON that must not be stored', async () => {
    const { headers } = await fetch(`${vault().address}/v1/sys/health`);
    expect(headers.get('content-type')).toBe('application/json');
    expect(headers.get('cache-control')).toBe('no-store');
  });

  it('keeps a connection open for the next request', async () => {
    const { hostname, port } = new URL(vault().address);
    const socket = connect(Number(port), hostname);
    let received = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => (received += chunk));
    for (const expected of [1, 2, 3]) {
      socket.write('GET /v1/sys/seal-status HTTP/1.1\r\nHost: vault\r\n\r\n');
      await expect.poll(() => received.split('HTTP/1.1 200').length - 1).toBe(expected);
    }
    socket.destroy();
  });

  it('redirects a path that climbs instead of answering it', async () => {
    const { hostname, port } = new URL(vault().address);
    const socket = connect(Number(port), hostname);
    let received = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => (received += chunk));
    socket.write(
      `GET /v1/secret/data/a/../b HTTP/1.1\r\nHost: vault\r\nX-Vault-Token: ${vault().token}\r\n\r\n`,
    );
    await expect.poll(() => received).toContain('Location: /v1/secret/data/b\r\n');
    expect(received).toMatch(/^HTTP\/1\.1 30[17] /);
    socket.destroy();
  });

  it('decodes an escaped slash into a path', async () => {
    const kv = await vault().mount('kv-v2');
    await vault().post(`${kv}/data/a/b`, { data: {} });
    expect((await vault().get(`${kv}/data/a%2Fb`)).status).toBe(200);
    expect(await vault().get(`${kv}/data/a%2Fc`)).toEqual(neverExisted);
  });
}
