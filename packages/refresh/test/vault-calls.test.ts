import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { refreshCredential } from '../src/index.ts';
import { setScene } from './hazards/scene.ts';

const scene = setScene();
let seen: () => string[];

/** Vault's own audit log tells what it was asked. */
beforeEach(async () => {
  const folder = mkdtempSync(join(tmpdir(), 'audit-'));
  const file = join(folder, 'audit.log');
  await audit('PUT', { type: 'file', options: { file_path: file } });
  seen = () => requestsIn(readFileSync(file, 'utf8'));
  onTestFinished(async () => {
    await audit('DELETE');
    rmSync(folder, { recursive: true });
  });
});

async function audit(method: string, body?: object): Promise<void> {
  const { url, rootToken } = scene.world.vaultServer;
  const response = await fetch(`${url}/v1/sys/audit/calls`, {
    method,
    headers: { 'X-Vault-Token': rootToken },
    body: JSON.stringify(body),
  });
  expect(response.status).toBe(204);
}

function requestsIn(log: string): string[] {
  return log
    .split('\n')
    .filter((line) => line.includes('"type":"request"'))
    .map((line) => JSON.parse(line) as { request: { operation: string; path: string } })
    .map(({ request }) => `${request.operation} ${request.path}`)
    .filter((request) => !request.endsWith('sys/audit/calls'));
}

const calls = (tenantId: string) => [
  `read secret/data/${tenantId}/demo`,
  `update transit-refresh/decrypt/${tenantId}`,
  `update secret/data/${tenantId}/demo`,
  `update transit/encrypt/${tenantId}`,
  `update transit-refresh/encrypt/${tenantId}`,
  `update secret/data/${tenantId}/demo`,
];

describe('a refresh costs six calls to Vault', () => {
  it('at most, from reading the credential to storing it', async () => {
    const job = await scene.connect();
    const engine = scene.world.newEngine();
    await engine.spool.prepare();
    const before = seen().length;
    expect(await refreshCredential(engine, job)).toMatchObject({ kind: 'refreshed' });
    expect(seen().slice(before).sort()).toEqual(calls(job.tenantId).sort());
  });

  it('and the first one of a worker another, for the data key of the spool', async () => {
    const [first, second] = [await scene.connect(), await scene.connect()];
    const engine = scene.world.newEngine();
    const before = seen().length;
    await refreshCredential(engine, first);
    await refreshCredential(engine, second);
    const dataKey = 'update transit-refresh/datakey/plaintext/_spool';
    const expected = [...calls(first.tenantId), ...calls(second.tenantId), dataKey];
    expect(seen().slice(before).sort()).toEqual(expected.sort());
  });
});
