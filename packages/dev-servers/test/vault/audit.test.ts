import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { startEmbeddedVault, type EmbeddedVault } from '../../src/vault/server.ts';
import { denied, noContent, refusal, VaultHttp } from './contract/vault-http.ts';

let folder: string;
let file: string;
let vault: EmbeddedVault;
let root: VaultHttp;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vault-'));
  file = join(folder, 'audit.log');
  vault = await startEmbeddedVault({ auditLog: file });
  root = new VaultHttp(vault.url, vault.rootToken);
});

afterEach(async () => {
  await vault.close();
  await rm(folder, { recursive: true });
});

// eslint-disable-next-line typescript/no-explicit-any -- asserted on, not computed with
async function entries(): Promise<any[]> {
  const lines = (await readFile(file, 'utf8')).trim().split('\n');
  return lines.map((line) => JSON.parse(line));
}

const hash = expect.stringMatching(/^hmac-sha256:[0-9a-f]{64}$/);

it('logs a request before and after it was handled, with hashes for every string', async () => {
  await root.post('sys/mounts/kv', { type: 'kv-v2' });
  await root.post('kv/data/x', { data: { a: 'secret', n: 1, list: ['secret'] } });
  const [request, response] = (await entries()).slice(-2);
  expect(request).toMatchObject({
    type: 'request',
    time: expect.stringMatching(/Z$/),
    auth: { client_token: hash, accessor: hash, policies: ['root'], display_name: 'root' },
    request: {
      id: expect.any(String),
      operation: 'create',
      remote_address: '127.0.0.1',
      path: 'kv/data/x',
      client_token: hash,
      data: { data: { a: hash, n: 1, list: [hash] } },
    },
  });
  expect(response).toMatchObject({
    type: 'response',
    request: request.request,
    response: { data: { version: 1 } },
  });
});

it('gives equal values equal hashes', async () => {
  await root.post('sys/mounts/kv', { type: 'kv-v2' });
  await root.post('kv/data/x', { data: { a: 'same', b: 'same', c: 'other' } });
  const { a, b, c } = (await entries()).at(-1).request.data.data;
  expect(a).toBe(b);
  expect(a).not.toBe(c);
});

it('logs who was refused', async () => {
  const token = await root.tokenWith('path "x" { capabilities = ["read"] }');
  expect(await token.get('sys/mounts')).toEqual(denied);
  expect((await entries()).at(-1)).toMatchObject({
    type: 'request',
    request: { path: 'sys/mounts', operation: 'read' },
    error: expect.stringContaining('permission denied'),
  });
});

it('logs what failed', async () => {
  await root.get('sys/no-such-thing');
  expect((await entries()).at(-1)).toMatchObject({
    type: 'response',
    error: expect.stringContaining('unsupported path'),
  });
});

it('hashes the token that a login hands out', async () => {
  await root.post('auth/token/create', { policies: ['default'] });
  expect((await entries()).at(-1).response.auth).toMatchObject({ client_token: hash, accessor: hash });
});

it('lists its devices', async () => {
  expect((await root.get('sys/audit')).body.data).toEqual({
    'file/': { type: 'file', path: 'file/', description: '', local: false, options: { file_path: file } },
  });
});

it('logs to a device that was enabled over the API, and stops when it is disabled', async () => {
  const second = join(folder, 'second.log');
  const options = { file_path: second };
  expect(await root.call('PUT', 'sys/audit/second', { type: 'file', options })).toEqual(noContent);
  await root.get('sys/mounts');
  expect(await readFile(second, 'utf8')).toContain('"path":"sys/mounts"');
  expect(await root.delete('sys/audit/second')).toEqual(noContent);
  const before = await readFile(second, 'utf8');
  await root.get('sys/mounts');
  expect(await readFile(second, 'utf8')).toBe(before);
});

it('makes the folder of its file', async () => {
  const options = { file_path: join(folder, 'new', 'deep', 'audit.log') };
  expect(await root.call('PUT', 'sys/audit/deep', { type: 'file', options })).toEqual(noContent);
});

it('refuses a device that it cannot write to', async () => {
  const options = { file_path: join(file, 'below-a-file.log') };
  expect((await root.call('PUT', 'sys/audit/bad', { type: 'file', options })).status).toBe(400);
});

// Writes to /dev/full fail as those to a full disk do. Linux has it.
it.skipIf(process.platform !== 'linux')(
  'answers no request that it cannot log, and does not do it',
  async () => {
    await root.post('sys/mounts/kv', { type: 'kv-v2' });
    await root.call('PUT', 'sys/audit/full', { type: 'file', options: { file_path: '/dev/full' } });
    await root.delete('sys/audit/file');
    expect(await root.post('kv/data/x', { data: {} })).toEqual(refusal(500, 'internal error'));
    expect(await root.get('sys/mounts')).toEqual(refusal(500, 'internal error'));
    expect((await root.get('sys/health')).status).toBe(200);
  },
);
