import { describe, expect, it } from 'vitest';
import { listed, neverExisted, noContent, refusal, type VaultHttp } from './vault-http.ts';
import { bound, hello, unbound, useTransitMount } from './transit-mount.ts';

/** Named keys, their life and their versions. */
export function transitKeyContract(vault: () => VaultHttp): void {
  const transit = useTransitMount(vault);
  const { newKey, encrypt, decrypt } = transit;

  async function rotatedKey(): Promise<string> {
    const name = await newKey();
    await vault().post(`${transit.mount}/keys/${name}/rotate`);
    return name;
  }

  describe('keys', () => {
    it('makes an aes256-gcm96 key', async () => {
      const name = await newKey();
      expect((await vault().get(`${transit.mount}/keys/${name}`)).body.data).toMatchObject({
        name,
        type: 'aes256-gcm96',
        latest_version: 1,
        min_decryption_version: 1,
        min_encryption_version: 0,
        deletion_allowed: false,
        exportable: false,
        keys: { 1: expect.any(Number) },
      });
    });

    it('leaves a key alone that is made again', async () => {
      const name = await newKey();
      const ciphertext = await encrypt(name);
      expect((await vault().post(`${transit.mount}/keys/${name}`)).status).toBeLessThan(300);
      expect((await decrypt(name, { ciphertext })).body.data.plaintext).toBe(hello);
    });

    it('refuses an unknown type', async () => {
      expect(await vault().post(`${transit.mount}/keys/x`, { type: 'zip' })).toEqual(
        refusal(400, 'unknown key type zip'),
      );
    });

    it('does not find a key that is not there', async () => {
      expect(await vault().get(`${transit.mount}/keys/nothing`)).toEqual(neverExisted);
    });

    it('lists keys in order', async () => {
      const name = await newKey();
      const { keys } = (await vault().list(`${transit.mount}/keys`)).body.data;
      expect(keys).toContain(name);
      expect(keys).toEqual(keys.toSorted());
    });

    it('lists no keys with 404', async () => {
      expect(await vault().list(`${await vault().mount('transit')}/keys`)).toEqual(neverExisted);
    });

    it('takes names that begin and end with a letter, a digit or _', async () => {
      expect((await vault().post(`${transit.mount}/keys/_a.b-c_`)).status).toBeLessThan(300);
      expect(await vault().post(`${transit.mount}/keys/-a`)).toEqual(listed(404, 'unsupported path'));
    });

    it('does not read keys without listing them', async () => {
      expect(await vault().get(`${transit.mount}/keys`)).toEqual(listed(405, 'unsupported operation'));
    });

    it('deletes a key only once that was allowed', async () => {
      const name = await newKey();
      expect(await vault().delete(`${transit.mount}/keys/${name}`)).toEqual(
        refusal(400, `error deleting policy ${name}: deletion is not allowed for this key`),
      );
      await vault().post(`${transit.mount}/keys/${name}/config`, { deletion_allowed: true });
      expect(await vault().delete(`${transit.mount}/keys/${name}`)).toEqual(noContent);
      expect(await vault().get(`${transit.mount}/keys/${name}`)).toEqual(neverExisted);
    });

    it('makes everything unreadable that was encrypted with a deleted key', async () => {
      const name = await newKey();
      const ciphertext = await encrypt(name);
      await vault().post(`${transit.mount}/keys/${name}/config`, { deletion_allowed: true });
      await vault().delete(`${transit.mount}/keys/${name}`);
      expect(await decrypt(name, { ciphertext })).toEqual(refusal(400, 'encryption key not found'));
      await vault().post(`${transit.mount}/keys/${name}`);
      expect(await decrypt(name, { ciphertext })).toEqual(unbound);
    });

    it('refuses to delete a key that is not there', async () => {
      const { status, body } = await vault().delete(`${transit.mount}/keys/nothing`);
      expect(status).toBe(400);
      expect(body.errors[0]).toContain('not found');
    });

    it('refuses to configure a key that is not there', async () => {
      expect(await vault().post(`${transit.mount}/keys/nothing/config`, { deletion_allowed: true })).toEqual(
        refusal(400, 'no existing key named nothing could be found'),
      );
    });
  });

  describe('versions', () => {
    it('encrypts with the new version after a rotation, and reads the old', async () => {
      const name = await newKey();
      const old = await encrypt(name);
      expect(old).toMatch(/^vault:v1:/);
      expect((await vault().post(`${transit.mount}/keys/${name}/rotate`)).status).toBeLessThan(300);
      expect(await encrypt(name)).toMatch(/^vault:v2:/);
      expect((await decrypt(name, { ciphertext: old })).body.data.plaintext).toBe(hello);
      const { data } = (await vault().get(`${transit.mount}/keys/${name}`)).body;
      expect([data.latest_version, Object.keys(data.keys)]).toEqual([2, ['1', '2']]);
    });

    it('refuses to rotate a key that is not there', async () => {
      const { status } = await vault().post(`${transit.mount}/keys/nothing/rotate`);
      expect(status).toBe(400);
    });

    it('encrypts with the version that is asked for', async () => {
      const name = await rotatedKey();
      const { body } = await vault().post(`${transit.mount}/encrypt/${name}`, {
        plaintext: hello,
        key_version: 1,
      });
      expect(body.data).toEqual({ ciphertext: expect.stringMatching(/^vault:v1:/), key_version: 1 });
    });

    it('refuses a version that is not there yet', async () => {
      const name = await rotatedKey();
      expect(
        await vault().post(`${transit.mount}/encrypt/${name}`, { plaintext: hello, key_version: 9 }),
      ).toEqual(refusal(400, 'requested version for encryption is higher than the latest key version'));
      expect(await decrypt(name, { ciphertext: 'vault:v9:AAAA' })).toEqual(
        refusal(400, 'invalid ciphertext: version is too new'),
      );
    });

    it('reads no version older than the minimum', async () => {
      const name = await newKey();
      const ciphertext = await encrypt(name);
      await vault().post(`${transit.mount}/keys/${name}/rotate`);
      await vault().post(`${transit.mount}/keys/${name}/config`, { min_decryption_version: 2 });
      expect(await decrypt(name, { ciphertext })).toEqual(
        refusal(400, 'ciphertext or signature version is disallowed by policy (too old)'),
      );
      expect(Object.keys((await vault().get(`${transit.mount}/keys/${name}`)).body.data.keys)).toEqual(['2']);
      await vault().post(`${transit.mount}/keys/${name}/config`, { min_decryption_version: 1 });
      expect((await decrypt(name, { ciphertext })).status).toBe(200);
    });

    it('encrypts with no version older than the minimum', async () => {
      const name = await rotatedKey();
      await vault().post(`${transit.mount}/keys/${name}/config`, { min_encryption_version: 2 });
      const { status } = await vault().post(`${transit.mount}/encrypt/${name}`, {
        plaintext: hello,
        key_version: 1,
      });
      expect(status).toBe(400);
    });

    it.each([
      [
        'a minimum beyond the latest',
        { min_decryption_version: 3 },
        'cannot set min decryption version of 3, latest key version is 2',
      ],
      [
        'a minimum beyond the latest, for encryption',
        { min_encryption_version: 3 },
        'cannot set min encryption version of 3, latest key version is 2',
      ],
      ['a negative minimum', { min_decryption_version: -1 }, 'min decryption version cannot be negative'],
    ])('refuses %s', async (_, fields, message) => {
      const name = await rotatedKey();
      expect(await vault().post(`${transit.mount}/keys/${name}/config`, fields)).toEqual(
        refusal(400, message),
      );
    });

    it('rewraps a ciphertext for the latest version', async () => {
      const name = await newKey();
      const old = await encrypt(name);
      await vault().post(`${transit.mount}/keys/${name}/rotate`);
      const { body } = await vault().post(`${transit.mount}/rewrap/${name}`, { ciphertext: old });
      expect(body.data).toEqual({ ciphertext: expect.stringMatching(/^vault:v2:/), key_version: 2 });
      expect((await decrypt(name, { ciphertext: body.data.ciphertext })).body.data.plaintext).toBe(hello);
    });

    it('rewraps nothing that is bound to associated data', async () => {
      const name = await newKey();
      const ciphertext = await encrypt(name, { associated_data: bound });
      expect(
        await vault().post(`${transit.mount}/rewrap/${name}`, { ciphertext, associated_data: bound }),
      ).toEqual(unbound);
    });

    it('rewraps a batch', async () => {
      const name = await newKey();
      const ciphertext = await encrypt(name);
      await vault().post(`${transit.mount}/keys/${name}/rotate`);
      const { body } = await vault().post(`${transit.mount}/rewrap/${name}`, {
        batch_input: [{ ciphertext }],
      });
      expect(body.data.batch_results[0]).toMatchObject({
        ciphertext: expect.stringMatching(/^vault:v2:/),
        key_version: 2,
      });
    });
  });
}
