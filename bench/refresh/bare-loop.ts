import { readFileSync } from 'node:fs';
import { Agent, request } from 'undici';

// What the refresh of a credential cannot do without, and nothing else: six calls to Vault and one token request, in the
// order in which a worker makes them. No queue, no schedule, no spool, no checks. It answers the message of its parent.

/** What the loop is to do. */
export interface BareLoopOrder {
  tenants: string[];
  integration: string;
  concurrency: number;
  vault: string;
  /** Where role-id and secret-id lie. */
  approleDir: string;
  tokenEndpoint: string;
  clientId: string;
  clientSecret: string;
}

interface StoredDocument {
  accessToken: string;
  refreshToken: string;
  metadata: { revision: string; refreshCount: number };
}

const vaultPool = new Agent();
// A connection per token request, as the worker has it: on a kept one nobody can tell whether a token was spent.
const providerPool = new Agent({ pipelining: 0 });

process.on('message', (order: BareLoopOrder) => {
  void run(order).then(
    (seconds) => process.send?.({ seconds }),
    (error: unknown) => process.send?.({ error: String(error) }),
  );
});
process.once('disconnect', () => process.exit());

async function run(order: BareLoopOrder): Promise<number> {
  const secrets = (name: string) => readFileSync(`${order.approleDir}/${name}`, 'utf8').trim();
  const login = { role_id: secrets('role-id'), secret_id: secrets('secret-id') };
  const { auth } = await callVault<{ auth: { client_token: string } }>(
    order,
    '',
    'auth/approle/login',
    login,
  );
  const left = order.tenants.values();
  const takeTurns = async (): Promise<void> => {
    for (const tenant of left) await refresh(order, auth.client_token, tenant);
  };
  const startedAt = performance.now();
  await Promise.all(Array.from({ length: order.concurrency }, takeTurns));
  return (performance.now() - startedAt) / 1000;
}

async function refresh(order: BareLoopOrder, token: string, tenant: string): Promise<void> {
  const vault = <T>(path: string, body?: object) => callVault<T>(order, token, path, body);
  const path = `secret/data/${tenant}/${order.integration}`;
  const read = await vault<{ data: { data: StoredDocument; metadata: { version: number } } }>(path);
  const { data: stored, metadata } = read.data;
  const context = (field: string) => toBase64(`${tenant}/${order.integration}/${field}`);
  const decrypted = await vault<Batch<{ plaintext: string }>>(
    `transit-refresh/decrypt/${tenant}`,
    batch({ ciphertext: stored.refreshToken, associated_data: context('refreshToken') }),
  );
  const [{ plaintext }] = decrypted.data.batch_results;
  const claim = await vault<{ data: { version: number } }>(path, {
    options: { cas: metadata.version },
    data: stored,
  });
  const tokens = await requestTokens(order, Buffer.from(plaintext, 'base64').toString());
  const encrypt = async (mount: string, field: string, secret: string): Promise<string> => {
    const item = { plaintext: toBase64(secret), associated_data: context(field) };
    const answer = await vault<Batch<{ ciphertext: string }>>(`${mount}/encrypt/${tenant}`, batch(item));
    return answer.data.batch_results[0].ciphertext;
  };
  const [accessToken, refreshToken] = await Promise.all([
    encrypt('transit', 'accessToken', tokens.access_token),
    encrypt('transit-refresh', 'refreshToken', tokens.refresh_token),
  ]);
  await vault(path, { options: { cas: claim.data.version }, data: { ...stored, accessToken, refreshToken } });
}

interface Batch<T> {
  data: { batch_results: [T] };
}

function batch(item: object): object {
  return { batch_input: [item] };
}

function toBase64(text: string): string {
  return Buffer.from(text).toString('base64');
}

async function callVault<T>(
  { vault }: BareLoopOrder,
  token: string,
  path: string,
  body?: object,
): Promise<T> {
  const response = await request(`${vault}/v1/${path}`, {
    dispatcher: vaultPool,
    method: body === undefined ? 'GET' : 'POST',
    headers: { 'x-vault-token': token, 'content-type': 'application/json' },
    body: body === undefined ? null : JSON.stringify(body),
  });
  if (response.statusCode >= 300) throw new Error(`Vault answered ${response.statusCode} to ${path}`);
  return (await response.body.json()) as T;
}

async function requestTokens(
  { tokenEndpoint, clientId, clientSecret }: BareLoopOrder,
  refreshToken: string,
): Promise<{ access_token: string; refresh_token: string }> {
  const response = await request(tokenEndpoint, {
    dispatcher: providerPool,
    reset: true,
    method: 'POST',
    headers: {
      authorization: `Basic ${toBase64(`${clientId}:${clientSecret}`)}`,
      'content-type': 'application/x-www-form-urlencoded',
    },
    body: new URLSearchParams({ grant_type: 'refresh_token', refresh_token: refreshToken }).toString(),
  });
  if (response.statusCode !== 200) throw new Error(`the token endpoint answered ${response.statusCode}`);
  return (await response.body.json()) as { access_token: string; refresh_token: string };
}
