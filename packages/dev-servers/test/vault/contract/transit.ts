import { beforeAll, describe, expect, it } from 'vitest';
import {
  denied,
  listed,
  neverExisted,
  noContent,
  refusal,
  type Answer,
  type VaultHttp,
} from './vault-http.ts';

const hello = Buffer.from('hello').toString('base64');
const bound = Buffer.from('tenant/github/accessToken').toString('base64');
const unbound = refusal(400, 'cipher: message authentication failed');

export function transitContract(vault: () => VaultHttp): void {
  let mount: string;

  beforeAll(async () => {
    mount = await vault().mount('transit');
  });

  async function newKey(): Promise<string> {
    const name = vault().name('key');
    await vault().post(`${mount}/keys/${name}`);
    return name;
  }

  async function encrypt(key: string, fields: object = {}): Promise<string> {
    const { body } = await vault().post(`${mount}/encrypt/${key}`, { plaintext: hello, ...fields });
    return body.data.ciphertext;
  }

  function decrypt(key: string, fields: object): Promise<Answer> {
    return vault().post(`${mount}/decrypt/${key}`, fields);
  }

  describe('keys', () => {
    it('makes an aes256-gcm96 key', async () => {
      const name = await newKey();
      expect((await vault().get(`${mount}/keys/${name}`)).body.data).toMatchObject({
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
      expect((await vault().post(`${mount}/keys/${name}`)).status).toBeLessThan(300);
      expect((await decrypt(name, { ciphertext })).body.data.plaintext).toBe(hello);
    });

    it('refuses an unknown type', async () => {
      expect(await vault().post(`${mount}/keys/x`, { type: 'zip' })).toEqual(
        refusal(400, 'unknown key type zip'),
      );
    });

    it('does not find a key that is not there', async () => {
      expect(await vault().get(`${mount}/keys/nothing`)).toEqual(neverExisted);
    });

    it('lists keys in order', async () => {
      const name = await newKey();
      const { keys } = (await vault().list(`${mount}/keys`)).body.data;
      expect(keys).toContain(name);
      expect(keys).toEqual(keys.toSorted());
    });

    it('lists no keys with 404', async () => {
      expect(await vault().list(`${await vault().mount('transit')}/keys`)).toEqual(neverExisted);
    });

    it('takes names that begin and end with a letter, a digit or _', async () => {
      expect((await vault().post(`${mount}/keys/_a.b-c_`)).status).toBeLessThan(300);
      expect(await vault().post(`${mount}/keys/-a`)).toEqual(listed(404, 'unsupported path'));
    });

    it('does not read keys without listing them', async () => {
      expect(await vault().get(`${mount}/keys`)).toEqual(listed(405, 'unsupported operation'));
    });

    it('deletes a key only once that was allowed', async () => {
      const name = await newKey();
      expect(await vault().delete(`${mount}/keys/${name}`)).toEqual(
        refusal(400, `error deleting policy ${name}: deletion is not allowed for this key`),
      );
      await vault().post(`${mount}/keys/${name}/config`, { deletion_allowed: true });
      expect(await vault().delete(`${mount}/keys/${name}`)).toEqual(noContent);
      expect(await vault().get(`${mount}/keys/${name}`)).toEqual(neverExisted);
    });

    it('makes everything unreadable that was encrypted with a deleted key', async () => {
      const name = await newKey();
      const ciphertext = await encrypt(name);
      await vault().post(`${mount}/keys/${name}/config`, { deletion_allowed: true });
      await vault().delete(`${mount}/keys/${name}`);
      expect(await decrypt(name, { ciphertext })).toEqual(refusal(400, 'encryption key not found'));
      await vault().post(`${mount}/keys/${name}`);
      expect(await decrypt(name, { ciphertext })).toEqual(unbound);
    });

    it('refuses to delete a key that is not there', async () => {
      const { status, body } = await vault().delete(`${mount}/keys/nothing`);
      expect(status).toBe(400);
      expect(body.errors[0]).toContain('not found');
    });

    it('refuses to configure a key that is not there', async () => {
      expect(await vault().post(`${mount}/keys/nothing/config`, { deletion_allowed: true })).toEqual(
        refusal(400, 'no existing key named nothing could be found'),
      );
    });
  });

  describe('versions', () => {
    async function rotatedKey(): Promise<string> {
      const name = await newKey();
      await vault().post(`${mount}/keys/${name}/rotate`);
      return name;
    }

    it('encrypts with the new version after a rotation, and reads the old', async () => {
      const name = await newKey();
      const old = await encrypt(name);
      expect(old).toMatch(/^vault:v1:/);
      expect((await vault().post(`${mount}/keys/${name}/rotate`)).status).toBeLessThan(300);
      expect(await encrypt(name)).toMatch(/^vault:v2:/);
      expect((await decrypt(name, { ciphertext: old })).body.data.plaintext).toBe(hello);
      const { data } = (await vault().get(`${mount}/keys/${name}`)).body;
      expect([data.latest_version, Object.keys(data.keys)]).toEqual([2, ['1', '2']]);
    });

    it('refuses to rotate a key that is not there', async () => {
      const { status } = await vault().post(`${mount}/keys/nothing/rotate`);
      expect(status).toBe(400);
    });

    it('encrypts with the version that is asked for', async () => {
      const name = await rotatedKey();
      const { body } = await vault().post(`${mount}/encrypt/${name}`, { plaintext: hello, key_version: 1 });
      expect(body.data).toEqual({ ciphertext: expect.stringMatching(/^vault:v1:/), key_version: 1 });
    });

    it('refuses a version that is not there yet', async () => {
      const name = await rotatedKey();
      expect(await vault().post(`${mount}/encrypt/${name}`, { plaintext: hello, key_version: 9 })).toEqual(
        refusal(400, 'requested version for encryption is higher than the latest key version'),
      );
      expect(await decrypt(name, { ciphertext: 'vault:v9:AAAA' })).toEqual(
        refusal(400, 'invalid ciphertext: version is too new'),
      );
    });

    it('reads no version older than the minimum', async () => {
      const name = await newKey();
      const ciphertext = await encrypt(name);
      await vault().post(`${mount}/keys/${name}/rotate`);
      await vault().post(`${mount}/keys/${name}/config`, { min_decryption_version: 2 });
      expect(await decrypt(name, { ciphertext })).toEqual(
        refusal(400, 'ciphertext or signature version is disallowed by policy (too old)'),
      );
      expect(Object.keys((await vault().get(`${mount}/keys/${name}`)).body.data.keys)).toEqual(['2']);
      await vault().post(`${mount}/keys/${name}/config`, { min_decryption_version: 1 });
      expect((await decrypt(name, { ciphertext })).status).toBe(200);
    });

    it('encrypts with no version older than the minimum', async () => {
      const name = await rotatedKey();
      await vault().post(`${mount}/keys/${name}/config`, { min_encryption_version: 2 });
      const { status } = await vault().post(`${mount}/encrypt/${name}`, { plaintext: hello, key_version: 1 });
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
      expect(await vault().post(`${mount}/keys/${name}/config`, fields)).toEqual(refusal(400, message));
    });

    it('rewraps a ciphertext for the latest version', async () => {
      const name = await newKey();
      const old = await encrypt(name);
      await vault().post(`${mount}/keys/${name}/rotate`);
      const { body } = await vault().post(`${mount}/rewrap/${name}`, { ciphertext: old });
      expect(body.data).toEqual({ ciphertext: expect.stringMatching(/^vault:v2:/), key_version: 2 });
      expect((await decrypt(name, { ciphertext: body.data.ciphertext })).body.data.plaintext).toBe(hello);
    });

    it('rewraps nothing that is bound to associated data', async () => {
      const name = await newKey();
      const ciphertext = await encrypt(name, { associated_data: bound });
      expect(await vault().post(`${mount}/rewrap/${name}`, { ciphertext, associated_data: bound })).toEqual(
        unbound,
      );
    });

    it('rewraps a batch', async () => {
      const name = await newKey();
      const ciphertext = await encrypt(name);
      await vault().post(`${mount}/keys/${name}/rotate`);
      const { body } = await vault().post(`${mount}/rewrap/${name}`, { batch_input: [{ ciphertext }] });
      expect(body.data.batch_results[0]).toMatchObject({
        ciphertext: expect.stringMatching(/^vault:v2:/),
        key_version: 2,
      });
    });
  });

  describe('encryption', () => {
    it('brings back what it encrypted', async () => {
      const name = await newKey();
      const { body } = await vault().post(`${mount}/encrypt/${name}`, { plaintext: hello });
      expect(body.data).toEqual({ ciphertext: expect.stringMatching(/^vault:v1:/), key_version: 1 });
      expect(await decrypt(name, { ciphertext: body.data.ciphertext })).toMatchObject({
        status: 200,
        body: { data: { plaintext: hello } },
      });
    });

    it('takes PUT like POST', async () => {
      const { status } = await vault().call('PUT', `${mount}/encrypt/${await newKey()}`, {
        plaintext: hello,
      });
      expect(status).toBe(200);
    });

    it('lays out a ciphertext as nonce, text and tag', async () => {
      const ciphertext = await encrypt(await newKey());
      expect(Buffer.from(ciphertext.slice('vault:v1:'.length), 'base64')).toHaveLength(
        12 + 'hello'.length + 16,
      );
    });

    it('never encrypts alike twice', async () => {
      const name = await newKey();
      expect(await encrypt(name)).not.toBe(await encrypt(name));
    });

    it('encrypts nothing, but wants it said', async () => {
      const name = await newKey();
      const ciphertext = await encrypt(name, { plaintext: '' });
      expect((await decrypt(name, { ciphertext })).body.data.plaintext).toBe('');
      expect(await vault().post(`${mount}/encrypt/${name}`, {})).toEqual(
        refusal(400, 'missing plaintext to encrypt'),
      );
    });

    it.each([
      ['not base64', 'illegal base64 data at input byte 3'],
      ['???', 'illegal base64 data at input byte 0'],
      ['YQ', 'illegal base64 data at input byte 0'],
      ['YQ=', 'illegal base64 data at input byte 3'],
      ['YWJjYQ==x', 'illegal base64 data at input byte 8'],
    ])('refuses the plaintext %j', async (plaintext, message) => {
      expect(await vault().post(`${mount}/encrypt/${await newKey()}`, { plaintext })).toEqual(
        refusal(400, message),
      );
    });

    it('makes a missing key for who may create', async () => {
      const name = vault().name('key');
      expect((await vault().post(`${mount}/encrypt/${name}`, { plaintext: hello })).status).toBe(200);
      expect((await vault().get(`${mount}/keys/${name}`)).status).toBe(200);
    });

    it('makes none for who may only update', async () => {
      const token = await vault().tokenWith(`path "${mount}/encrypt/+" { capabilities = ["update"] }`);
      const name = vault().name('key');
      expect(await token.post(`${mount}/encrypt/${name}`, { plaintext: hello })).toEqual(denied);
      expect(await vault().get(`${mount}/keys/${name}`)).toEqual(neverExisted);
      await vault().post(`${mount}/keys/${name}`);
      expect((await token.post(`${mount}/encrypt/${name}`, { plaintext: hello })).status).toBe(200);
    });

    it.each([
      ['without its prefix', 'foo', 'invalid ciphertext: no prefix'],
      ['without a version', 'vault:vx:AAAA', 'invalid ciphertext: version number could not be decoded'],
      ['that is not base64', 'vault:v1:%%%', 'invalid ciphertext: could not decode base64'],
      ['that is too short', 'vault:v1:AAAA', 'invalid ciphertext length'],
      ['that is empty', '', 'missing ciphertext to decrypt'],
    ])('refuses a ciphertext %s', async (_, ciphertext, message) => {
      expect(await decrypt(await newKey(), { ciphertext })).toEqual(refusal(400, message));
    });

    it('refuses a ciphertext with a bit changed', async () => {
      const name = await newKey();
      const bytes = Buffer.from((await encrypt(name)).slice('vault:v1:'.length), 'base64');
      bytes.writeUInt8(bytes.readUInt8(14) ^ 1, 14);
      expect(await decrypt(name, { ciphertext: `vault:v1:${bytes.toString('base64')}` })).toEqual(unbound);
    });

    it('refuses a ciphertext of another key', async () => {
      const ciphertext = await encrypt(await newKey());
      expect(await decrypt(await newKey(), { ciphertext })).toEqual(unbound);
    });

    it('refuses to decrypt with a key that is not there', async () => {
      const ciphertext = await encrypt(await newKey());
      expect(await decrypt('nothing', { ciphertext })).toEqual(refusal(400, 'encryption key not found'));
    });
  });

  describe('associated data', () => {
    it('is needed again to decrypt', async () => {
      const name = await newKey();
      const ciphertext = await encrypt(name, { associated_data: bound });
      expect((await decrypt(name, { ciphertext, associated_data: bound })).body.data.plaintext).toBe(hello);
      expect(await decrypt(name, { ciphertext })).toEqual(unbound);
      expect(await decrypt(name, { ciphertext, associated_data: hello })).toEqual(unbound);
    });

    it('must not be given where there was none', async () => {
      const name = await newKey();
      expect(await decrypt(name, { ciphertext: await encrypt(name), associated_data: bound })).toEqual(
        unbound,
      );
    });

    it('goes with each item of a batch', async () => {
      const name = await newKey();
      const encrypted = await vault().post(`${mount}/encrypt/${name}`, {
        batch_input: [{ plaintext: hello, associated_data: bound }, { plaintext: hello }],
      });
      const [first, second] = encrypted.body.data.batch_results;
      const { body } = await decrypt(name, {
        batch_input: [
          { ciphertext: first.ciphertext, associated_data: bound },
          { ciphertext: second.ciphertext, associated_data: bound },
        ],
      });
      expect(body.data.batch_results[0].plaintext).toBe(hello);
      expect(body.data.batch_results[1].error).toBe('cipher: message authentication failed');
    });

    it('must be base64', async () => {
      const { status } = await vault().post(`${mount}/encrypt/${await newKey()}`, {
        plaintext: hello,
        associated_data: '###',
      });
      expect(status).toBeGreaterThanOrEqual(400);
    });
  });

  describe('batches', () => {
    it('answers items in order, with their references', async () => {
      const name = await newKey();
      const { status, body } = await vault().post(`${mount}/encrypt/${name}`, {
        batch_input: [
          { plaintext: hello, reference: 'a' },
          { plaintext: '', reference: 'b' },
        ],
      });
      expect(status).toBe(200);
      expect(body.data.batch_results).toMatchObject([{ reference: 'a' }, { reference: 'b' }]);
      const back = await decrypt(name, { batch_input: body.data.batch_results });
      expect(back.body.data.batch_results).toMatchObject([
        { plaintext: hello, reference: 'a' },
        { plaintext: '', reference: 'b' },
      ]);
    });

    it('answers 400 with a full body when an item is bad', async () => {
      const name = await newKey();
      const { status, body } = await vault().post(`${mount}/encrypt/${name}`, {
        batch_input: [{ plaintext: hello }, { plaintext: '???' }],
      });
      expect(status).toBe(400);
      expect(body.errors).toBeUndefined();
      expect(body.data.batch_results).toMatchObject([
        { ciphertext: expect.stringMatching(/^vault:v1:/) },
        { error: 'illegal base64 data at input byte 0' },
      ]);
    });

    it('answers the same way when decrypting', async () => {
      const name = await newKey();
      const ciphertext = await encrypt(name);
      const { status, body } = await decrypt(name, { batch_input: [{ ciphertext: 'foo' }, { ciphertext }] });
      expect(status).toBe(400);
      expect(body.data.batch_results).toMatchObject([
        { error: 'invalid ciphertext: no prefix' },
        { plaintext: hello },
      ]);
    });

    it('answers the status that is asked for instead', async () => {
      const { status } = await vault().post(`${mount}/encrypt/${await newKey()}`, {
        partial_failure_response_code: 200,
        batch_input: [{ plaintext: hello }, { plaintext: '???' }],
      });
      expect(status).toBe(200);
    });

    it('refuses an empty batch', async () => {
      expect(await vault().post(`${mount}/encrypt/${await newKey()}`, { batch_input: [] })).toEqual(
        refusal(400, 'missing batch input to process'),
      );
    });

    it('refuses a malformed batch as a whole', async () => {
      const key = await newKey();
      for (const batch of ['x', ['x'], [{}]]) {
        const { status, body } = await vault().post(`${mount}/encrypt/${key}`, { batch_input: batch });
        expect(status).toBeGreaterThanOrEqual(400);
        expect(body.errors).toHaveLength(1);
      }
    });

    it('refuses a batch for a key that is not there', async () => {
      expect(await decrypt('nothing', { batch_input: [{ ciphertext: 'vault:v1:AAAA' }] })).toEqual(
        refusal(400, 'encryption key not found'),
      );
    });
  });

  describe('data keys', () => {
    it('hands out a key, in the clear and encrypted', async () => {
      const name = await newKey();
      const { body } = await vault().post(`${mount}/datakey/plaintext/${name}`);
      expect(Buffer.from(body.data.plaintext, 'base64')).toHaveLength(32);
      const back = await decrypt(name, { ciphertext: body.data.ciphertext });
      expect(back.body.data.plaintext).toBe(body.data.plaintext);
    });

    it('hands it out encrypted only', async () => {
      const { body } = await vault().post(`${mount}/datakey/wrapped/${await newKey()}`);
      expect(body.data).toEqual({ ciphertext: expect.stringMatching(/^vault:v1:/), key_version: 1 });
    });

    it('hands out 128 and 512 bits too, and no other length', async () => {
      const path = `${mount}/datakey/plaintext/${await newKey()}`;
      expect(
        Buffer.from((await vault().post(path, { bits: 128 })).body.data.plaintext, 'base64'),
      ).toHaveLength(16);
      expect(
        Buffer.from((await vault().post(path, { bits: 512 })).body.data.plaintext, 'base64'),
      ).toHaveLength(64);
      expect(await vault().post(path, { bits: 100 })).toEqual(refusal(400, 'invalid bit length'));
    });

    it('knows no other kind', async () => {
      expect(await vault().post(`${mount}/datakey/other/${await newKey()}`)).toEqual(
        refusal(400, "Invalid path, must be 'plaintext' or 'wrapped'"),
      );
    });
  });
}
