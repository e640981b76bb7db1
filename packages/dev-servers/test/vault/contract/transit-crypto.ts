import { describe, expect, it } from 'vitest';
import { denied, neverExisted, refusal, type VaultHttp } from './vault-http.ts';
import { bound, hello, unbound, useTransitMount } from './transit-mount.ts';

/** What is done with keys: encryption, associated data, batches, data keys. */
export function transitCryptoContract(vault: () => VaultHttp): void {
  const transit = useTransitMount(vault);
  const { newKey, encrypt, decrypt } = transit;

  describe('encryption', () => {
    it('brings back what it encrypted', async () => {
      const name = await newKey();
      const { body } = await vault().post(`${transit.mount}/encrypt/${name}`, { plaintext: hello });
      expect(body.data).toEqual({ ciphertext: expect.stringMatching(/^vault:v1:/), key_version: 1 });
      expect(await decrypt(name, { ciphertext: body.data.ciphertext })).toMatchObject({
        status: 200,
        body: { data: { plaintext: hello } },
      });
    });

    it('takes PUT like POST', async () => {
      const { status } = await vault().call('PUT', `${transit.mount}/encrypt/${await newKey()}`, {
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
      expect(await vault().post(`${transit.mount}/encrypt/${name}`, {})).toEqual(
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
      expect(await vault().post(`${transit.mount}/encrypt/${await newKey()}`, { plaintext })).toEqual(
        refusal(400, message),
      );
    });

    it('makes a missing key for who may create', async () => {
      const name = vault().name('key');
      expect((await vault().post(`${transit.mount}/encrypt/${name}`, { plaintext: hello })).status).toBe(200);
      expect((await vault().get(`${transit.mount}/keys/${name}`)).status).toBe(200);
    });

    it('makes none for who may only update', async () => {
      const token = await vault().tokenWith(
        `path "${transit.mount}/encrypt/+" { capabilities = ["update"] }`,
      );
      const name = vault().name('key');
      expect(await token.post(`${transit.mount}/encrypt/${name}`, { plaintext: hello })).toEqual(denied);
      expect(await vault().get(`${transit.mount}/keys/${name}`)).toEqual(neverExisted);
      await vault().post(`${transit.mount}/keys/${name}`);
      expect((await token.post(`${transit.mount}/encrypt/${name}`, { plaintext: hello })).status).toBe(200);
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
      const encrypted = await vault().post(`${transit.mount}/encrypt/${name}`, {
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
      const { status } = await vault().post(`${transit.mount}/encrypt/${await newKey()}`, {
        plaintext: hello,
        associated_data: '###',
      });
      expect(status).toBeGreaterThanOrEqual(400);
    });
  });

  describe('batches', () => {
    it('answers items in order, with their references', async () => {
      const name = await newKey();
      const { status, body } = await vault().post(`${transit.mount}/encrypt/${name}`, {
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
      const { status, body } = await vault().post(`${transit.mount}/encrypt/${name}`, {
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
      const { status } = await vault().post(`${transit.mount}/encrypt/${await newKey()}`, {
        partial_failure_response_code: 200,
        batch_input: [{ plaintext: hello }, { plaintext: '???' }],
      });
      expect(status).toBe(200);
    });

    it('refuses an empty batch', async () => {
      expect(await vault().post(`${transit.mount}/encrypt/${await newKey()}`, { batch_input: [] })).toEqual(
        refusal(400, 'missing batch input to process'),
      );
    });

    it('refuses a malformed batch as a whole', async () => {
      const key = await newKey();
      for (const batch of ['x', ['x'], [{}]]) {
        const { status, body } = await vault().post(`${transit.mount}/encrypt/${key}`, {
          batch_input: batch,
        });
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
      const { body } = await vault().post(`${transit.mount}/datakey/plaintext/${name}`);
      expect(Buffer.from(body.data.plaintext, 'base64')).toHaveLength(32);
      const back = await decrypt(name, { ciphertext: body.data.ciphertext });
      expect(back.body.data.plaintext).toBe(body.data.plaintext);
    });

    it('hands it out encrypted only', async () => {
      const { body } = await vault().post(`${transit.mount}/datakey/wrapped/${await newKey()}`);
      expect(body.data).toEqual({ ciphertext: expect.stringMatching(/^vault:v1:/), key_version: 1 });
    });

    it('hands out 128 and 512 bits too, and no other length', async () => {
      const path = `${transit.mount}/datakey/plaintext/${await newKey()}`;
      expect(
        Buffer.from((await vault().post(path, { bits: 128 })).body.data.plaintext, 'base64'),
      ).toHaveLength(16);
      expect(
        Buffer.from((await vault().post(path, { bits: 512 })).body.data.plaintext, 'base64'),
      ).toHaveLength(64);
      expect(await vault().post(path, { bits: 100 })).toEqual(refusal(400, 'invalid bit length'));
    });

    it('knows no other kind', async () => {
      expect(await vault().post(`${transit.mount}/datakey/other/${await newKey()}`)).toEqual(
        refusal(400, "Invalid path, must be 'plaintext' or 'wrapped'"),
      );
    });
  });
}
