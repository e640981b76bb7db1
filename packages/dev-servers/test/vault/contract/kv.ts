import { beforeAll, describe, expect, it } from 'vitest';
import { listed, neverExisted, noContent, refusal, type Answer, type VaultHttp } from './vault-http.ts';

const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/);
const conflict = refusal(400, 'check-and-set parameter did not match the current version');

export function kvContract(vault: () => VaultHttp): void {
  let mount: string;

  beforeAll(async () => {
    mount = await vault().mount('kv-v2');
  });

  /** A secret with one version per value. */
  async function secret(...values: unknown[]): Promise<string> {
    const name = vault().name('s');
    for (const value of values) await vault().post(`${mount}/data/${name}`, { data: { value } });
    return name;
  }

  function write(name: string, cas: unknown): Promise<Answer> {
    return vault().post(`${mount}/data/${name}`, { data: {}, options: { cas } });
  }

  function patch(name: string, body: object, type = 'application/merge-patch+json'): Promise<Answer> {
    return vault().call('PATCH', `${mount}/data/${name}`, body, { 'Content-Type': type });
  }

  describe('data', () => {
    it('has not what was never written', async () => {
      expect(await vault().get(`${mount}/data/nothing`)).toEqual(neverExisted);
    });

    it('answers a write with its version', async () => {
      const { status, body } = await vault().post(`${mount}/data/${vault().name('s')}`, { data: { a: 1 } });
      expect(status).toBe(200);
      expect(body.data).toEqual({
        created_time: time,
        custom_metadata: null,
        deletion_time: '',
        destroyed: false,
        version: 1,
      });
    });

    it('reads what was written, of any JSON', async () => {
      const data = { text: 'é', number: 1.5, list: [1, 'a', null], nested: { yes: true } };
      const name = vault().name('s');
      await vault().post(`${mount}/data/${name}`, { data });
      const { body } = await vault().get(`${mount}/data/${name}`);
      expect(body.data).toEqual({
        data,
        metadata: {
          created_time: time,
          custom_metadata: null,
          deletion_time: '',
          destroyed: false,
          version: 1,
        },
      });
    });

    it('reads the latest version, or the one that is asked for', async () => {
      const name = await secret('old', 'new');
      expect((await vault().get(`${mount}/data/${name}`)).body.data.data).toEqual({ value: 'new' });
      expect((await vault().get(`${mount}/data/${name}?version=1`)).body.data.data).toEqual({ value: 'old' });
      expect((await vault().get(`${mount}/data/${name}?version=0`)).body.data.metadata.version).toBe(2);
      expect(await vault().get(`${mount}/data/${name}?version=9`)).toEqual(neverExisted);
    });

    it('refuses a version that is no number', async () => {
      const { status } = await vault().get(`${mount}/data/${await secret(1)}?version=x`);
      expect(status).toBe(400);
    });

    it('wants data', async () => {
      expect(await vault().post(`${mount}/data/x`, {})).toEqual(refusal(400, 'no data provided'));
      expect(await vault().post(`${mount}/data/x`, { options: { cas: 0 } })).toEqual(
        refusal(400, 'no data provided'),
      );
    });

    it('wants an object', async () => {
      const { status, body } = await vault().post(`${mount}/data/x`, { data: 'text' });
      expect(status).toBe(400);
      expect(body.errors[0]).toContain('converting input');
    });

    it('takes PUT like POST', async () => {
      const { status } = await vault().call('PUT', `${mount}/data/${vault().name('s')}`, { data: {} });
      expect(status).toBe(200);
    });

    it('writes nothing to a path that ends in a slash', async () => {
      expect(await vault().post(`${mount}/data/x/`, { data: {} })).toEqual(
        refusal(400, "cannot write to a path ending in '/'"),
      );
    });

    it('has secrets and folders of the same name', async () => {
      const name = await secret('outer');
      await vault().post(`${mount}/data/${name}/inner`, { data: { value: 'inner' } });
      expect((await vault().get(`${mount}/data/${name}`)).body.data.data).toEqual({ value: 'outer' });
      expect((await vault().get(`${mount}/data/${name}/inner`)).body.data.data).toEqual({ value: 'inner' });
    });

    it('answers a path outside data, metadata and the like with 404 and a warning', async () => {
      const { status, body } = await vault().get(`${mount}/${vault().name('x')}`);
      expect(status).toBe(404);
      expect(body.warnings).toHaveLength(1);
    });

    it('does not list data', async () => {
      expect(await vault().list(`${mount}/data/x`)).toEqual(listed(405, 'unsupported operation'));
    });
  });

  describe('check and set', () => {
    it('writes when the version is the current one', async () => {
      const name = await secret(1, 2);
      expect((await write(name, 2)).body.data.version).toBe(3);
      expect((await write(name, '3')).body.data.version).toBe(4);
    });

    it('refuses an older and a later version', async () => {
      const name = await secret(1, 2);
      expect(await write(name, 1)).toEqual(conflict);
      expect(await write(name, 3)).toEqual(conflict);
      expect((await vault().get(`${mount}/data/${name}`)).body.data.metadata.version).toBe(2);
    });

    it('writes with 0 only what does not exist', async () => {
      const name = vault().name('s');
      expect((await write(name, 0)).status).toBe(200);
      expect(await write(name, 0)).toEqual(conflict);
    });

    it('refuses 0 also when the only version was deleted or destroyed', async () => {
      const deleted = await secret(1);
      await vault().delete(`${mount}/data/${deleted}`);
      expect(await write(deleted, 0)).toEqual(conflict);
      expect((await write(deleted, 1)).body.data.version).toBe(2);
      const destroyed = await secret(1);
      await vault().post(`${mount}/destroy/${destroyed}`, { versions: [1] });
      expect(await write(destroyed, 0)).toEqual(conflict);
    });

    it('begins again at 0 when the metadata were deleted', async () => {
      const name = await secret(1, 2);
      await vault().delete(`${mount}/metadata/${name}`);
      expect((await write(name, 0)).body.data.version).toBe(1);
    });

    it('refuses what is no number', async () => {
      expect(await write(await secret(1), 'x')).toEqual(
        refusal(400, 'error parsing check-and-set parameter'),
      );
    });

    it('lets exactly one of many writers win', async () => {
      const name = await secret(1);
      const answers = await Promise.all(Array.from({ length: 8 }, () => write(name, 1)));
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
      expect(answers.filter(({ status }) => status === 400)).toHaveLength(7);
    });

    it('is demanded where the secret says so', async () => {
      const name = vault().name('s');
      await vault().post(`${mount}/metadata/${name}`, { cas_required: true });
      expect(await vault().post(`${mount}/data/${name}`, { data: {} })).toEqual(
        refusal(400, 'check-and-set parameter required for this call'),
      );
      expect((await write(name, 0)).status).toBe(200);
    });

    it('is demanded everywhere where the mount says so', async () => {
      const strict = await vault().mount('kv-v2');
      await vault().post(`${strict}/config`, { cas_required: true });
      expect((await vault().post(`${strict}/data/x`, { data: {} })).status).toBe(400);
      expect((await vault().post(`${strict}/data/x`, { data: {}, options: { cas: 0 } })).status).toBe(200);
    });
  });

  describe('deletion', () => {
    it('hides the latest version, and shows its metadata', async () => {
      const name = await secret('old', 'new');
      expect(await vault().delete(`${mount}/data/${name}`)).toEqual(noContent);
      const { status, body } = await vault().get(`${mount}/data/${name}`);
      expect(status).toBe(404);
      expect(body.errors).toBeUndefined();
      expect(body.data).toMatchObject({
        data: null,
        metadata: { version: 2, deletion_time: time, destroyed: false },
      });
      expect((await vault().get(`${mount}/data/${name}?version=1`)).status).toBe(200);
    });

    it('is without complaint for what was never written', async () => {
      expect(await vault().delete(`${mount}/data/nothing`)).toEqual(noContent);
      expect(await vault().post(`${mount}/destroy/nothing`, { versions: [1] })).toEqual(noContent);
      expect(await vault().post(`${mount}/undelete/nothing`, { versions: [1] })).toEqual(noContent);
    });

    it('of named versions hides those', async () => {
      const name = await secret(1, 2, 3);
      expect(await vault().post(`${mount}/delete/${name}`, { versions: [1, '2'] })).toEqual(noContent);
      const statuses = await Promise.all(
        [1, 2, 3].map(
          async (version) => (await vault().get(`${mount}/data/${name}?version=${version}`)).status,
        ),
      );
      expect(statuses).toEqual([404, 404, 200]);
    });

    it('can be undone', async () => {
      const name = await secret('back');
      await vault().delete(`${mount}/data/${name}`);
      expect(await vault().post(`${mount}/undelete/${name}`, { versions: [1] })).toEqual(noContent);
      expect((await vault().get(`${mount}/data/${name}`)).body.data.data).toEqual({ value: 'back' });
    });

    it('by destroying cannot', async () => {
      const name = await secret('gone');
      expect(await vault().call('PUT', `${mount}/destroy/${name}`, { versions: [1] })).toEqual(noContent);
      await vault().post(`${mount}/undelete/${name}`, { versions: [1] });
      const { status, body } = await vault().get(`${mount}/data/${name}`);
      expect(status).toBe(404);
      expect(body.data).toMatchObject({ data: null, metadata: { destroyed: true, version: 1 } });
    });

    it('wants version numbers', async () => {
      for (const verb of ['delete', 'undelete', 'destroy']) {
        const { status, body } = await vault().post(`${mount}/${verb}/x`, {});
        expect([status, body.errors[0].toLowerCase()]).toEqual([400, 'no version number provided']);
      }
    });

    it('of metadata forgets all versions', async () => {
      const name = await secret(1, 2);
      expect(await vault().delete(`${mount}/metadata/${name}`)).toEqual(noContent);
      expect(await vault().get(`${mount}/data/${name}`)).toEqual(neverExisted);
      expect(await vault().get(`${mount}/metadata/${name}`)).toEqual(neverExisted);
      expect(await vault().delete(`${mount}/metadata/${name}`)).toEqual(noContent);
    });
  });

  describe('metadata', () => {
    it('shows every version', async () => {
      const name = await secret(1, 2);
      await vault().delete(`${mount}/data/${name}`);
      await vault().post(`${mount}/destroy/${name}`, { versions: [1] });
      expect((await vault().get(`${mount}/metadata/${name}`)).body.data).toMatchObject({
        cas_required: false,
        created_time: time,
        current_version: 2,
        custom_metadata: null,
        delete_version_after: '0s',
        max_versions: 0,
        oldest_version: 0,
        updated_time: time,
        versions: {
          1: { created_time: time, deletion_time: '', destroyed: true },
          2: { created_time: time, deletion_time: time, destroyed: false },
        },
      });
    });

    it('does not exist for what was never written', async () => {
      expect(await vault().get(`${mount}/metadata/nothing`)).toEqual(neverExisted);
    });

    it('can be written before there is a version', async () => {
      const name = vault().name('s');
      const fields = { custom_metadata: { owner: 'x' }, max_versions: 2, delete_version_after: '1h30m' };
      expect(await vault().post(`${mount}/metadata/${name}`, fields)).toEqual(noContent);
      expect((await vault().get(`${mount}/metadata/${name}`)).body.data).toMatchObject({
        current_version: 0,
        custom_metadata: { owner: 'x' },
        max_versions: 2,
        delete_version_after: '1h30m0s',
        versions: {},
      });
      expect(await vault().get(`${mount}/data/${name}`)).toEqual(neverExisted);
    });

    it('goes with every answer about a version', async () => {
      const name = await secret(1);
      await vault().post(`${mount}/metadata/${name}`, { custom_metadata: { owner: 'x' } });
      const { body } = await vault().get(`${mount}/data/${name}`);
      expect(body.data.metadata.custom_metadata).toEqual({ owner: 'x' });
    });

    it('says when a version will be deleted by itself', async () => {
      const name = vault().name('s');
      await vault().post(`${mount}/metadata/${name}`, { delete_version_after: '1h' });
      const { created_time: created, deletion_time: deleted } = (
        await vault().post(`${mount}/data/${name}`, { data: {} })
      ).body.data;
      expect(Date.parse(deleted) - Date.parse(created)).toBe(3_600_000);
      expect((await vault().get(`${mount}/data/${name}`)).status).toBe(200);
    });

    it('keeps ten versions, and knows the oldest', async () => {
      const name = await secret(...Array.from({ length: 12 }, (_, index) => index));
      const { data } = (await vault().get(`${mount}/metadata/${name}`)).body;
      expect([data.current_version, data.oldest_version, Object.keys(data.versions).length]).toEqual([
        12, 3, 10,
      ]);
      expect(await vault().get(`${mount}/data/${name}?version=2`)).toEqual(neverExisted);
    });

    it('keeps as many versions as the secret says', async () => {
      const name = vault().name('s');
      await vault().post(`${mount}/metadata/${name}`, { max_versions: 2 });
      for (const value of [1, 2, 3]) await vault().post(`${mount}/data/${name}`, { data: { value } });
      const { data } = (await vault().get(`${mount}/metadata/${name}`)).body;
      expect(Object.keys(data.versions)).toEqual(['2', '3']);
    });

    it('shows and keeps the settings of the mount', async () => {
      const own = await vault().mount('kv-v2');
      expect((await vault().get(`${own}/config`)).body.data).toMatchObject({
        cas_required: false,
        delete_version_after: '0s',
        max_versions: 0,
      });
      expect(await vault().post(`${own}/config`, { max_versions: 3 })).toEqual(noContent);
      expect((await vault().get(`${own}/config`)).body.data.max_versions).toBe(3);
    });
  });

  describe('listing', () => {
    it('shows names and folders in order, with or without the slash', async () => {
      const own = await vault().mount('kv-v2');
      for (const path of ['b', 'a/x', 'a/y/z', 'a']) await vault().post(`${own}/data/${path}`, { data: {} });
      expect((await vault().list(`${own}/metadata`)).body.data.keys).toEqual(['a', 'a/', 'b']);
      expect((await vault().list(`${own}/metadata/`)).body.data.keys).toEqual(['a', 'a/', 'b']);
      expect((await vault().list(`${own}/metadata/a`)).body.data.keys).toEqual(['x', 'y/']);
    });

    it('shows a page of names; a Vault that knows no pages shows all', async () => {
      const own = await vault().mount('kv-v2');
      const all = ['a', 'a/', 'b', 'c/'];
      for (const path of ['b', 'a/x', 'c/z', 'a']) await vault().post(`${own}/data/${path}`, { data: {} });
      const page = async (query: string) =>
        (await vault().get(`${own}/metadata/?list=true&${query}`)).body.data.keys;
      expect([['a', 'a/'], all]).toContainEqual(await page('limit=2'));
      expect([['a/', 'b', 'c/'], all]).toContainEqual(await page('after=a'));
      expect([['b'], all]).toContainEqual(await page('after=a%2F&limit=1'));
      expect([['b', 'c/'], all]).toContainEqual(await page('after=aa&limit=9'));
      const { status } = await vault().get(`${own}/metadata/?list=true&after=z`);
      expect([200, 404]).toContain(status);
    });

    it('is 404 for an empty or unknown folder', async () => {
      const own = await vault().mount('kv-v2');
      expect(await vault().list(`${own}/metadata`)).toEqual(neverExisted);
      expect(await vault().list(`${own}/metadata/nothing`)).toEqual(neverExisted);
    });

    it('shows what was deleted or destroyed until its metadata are', async () => {
      const own = await vault().mount('kv-v2');
      await vault().post(`${own}/data/f/x`, { data: {} });
      await vault().post(`${own}/destroy/f/x`, { versions: [1] });
      expect((await vault().list(`${own}/metadata/f`)).body.data.keys).toEqual(['x']);
      await vault().delete(`${own}/metadata/f/x`);
      expect(await vault().list(`${own}/metadata`)).toEqual(neverExisted);
    });
  });

  describe('patching', () => {
    it('merges into the latest version', async () => {
      const name = vault().name('s');
      await vault().post(`${mount}/data/${name}`, { data: { keep: 1, drop: 1, nested: { a: 1 } } });
      const answer = await patch(name, { data: { drop: null, nested: { b: 2 } }, options: { cas: 1 } });
      expect(answer.body.data.version).toBe(2);
      expect((await vault().get(`${mount}/data/${name}`)).body.data.data).toEqual({
        keep: 1,
        nested: { a: 1, b: 2 },
      });
    });

    it('wants the content type of a merge patch', async () => {
      expect((await patch(await secret(1), { data: {} }, 'application/json')).status).toBe(415);
    });

    it('does not make a secret', async () => {
      expect((await patch('nothing', { data: {} })).status).toBe(404);
    });
  });
}
