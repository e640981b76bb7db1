import { beforeAll } from 'vitest';
import { refusal, type Answer, type VaultHttp } from './vault-http.ts';

export const hello = Buffer.from('hello').toString('base64');
export const bound = Buffer.from('tenant/github/accessToken').toString('base64');
export const unbound = refusal(400, 'cipher: message authentication failed');

export interface TransitMount {
  readonly mount: string;
  /** Makes a key under a new name. */
  newKey: () => Promise<string>;
  /** Encrypts `hello`, unless `fields` say otherwise. Returns the ciphertext. */
  encrypt: (key: string, fields?: object) => Promise<string>;
  decrypt: (key: string, fields: object) => Promise<Answer>;
}

/** A transit mount of the describing block's own. */
export function useTransitMount(vault: () => VaultHttp): TransitMount {
  let mount = '';

  beforeAll(async () => {
    mount = await vault().mount('transit');
  });

  return {
    get mount() {
      return mount;
    },
    async newKey() {
      const name = vault().name('key');
      await vault().post(`${mount}/keys/${name}`);
      return name;
    },
    async encrypt(key, fields = {}) {
      const { body } = await vault().post(`${mount}/encrypt/${key}`, { plaintext: hello, ...fields });
      return body.data.ciphertext;
    },
    decrypt: (key, fields) => vault().post(`${mount}/decrypt/${key}`, fields),
  };
}
