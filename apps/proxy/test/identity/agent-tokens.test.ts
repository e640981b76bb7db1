import { createPublicKey, type JsonWebKey } from 'node:crypto';
import { base64url } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { bearer, call, problemOf } from '../call.ts';
import { audience, newIssuerKey, startIssuer, type Issuer, type TokenParts } from '../start-issuer.ts';
import { startSystem, type System } from '../start-system.ts';

const claims = { tenants: 'tenants', integrations: undefined, grants: undefined };

let issuer: Issuer;
let system: System;
const clock = { offset: 0, now: () => Date.now() + clock.offset };

beforeAll(async () => {
  issuer = await startIssuer(() => clock.now());
  const tokens = { issuer: issuer.url, audience, jwksUrl: undefined, claims };
  system = await startSystem({ tokens });
});
beforeEach(() => {
  // Failures of other tests are forgiven, and keys may be fetched again.
  system.clock.offset += 60_000;
  clock.offset = system.clock.offset;
  issuer.isAway = false;
});
afterAll(async () => {
  await system.close();
  await issuer.close();
});

async function ask(token: string, path = '/proxy/demo/', headers = {}) {
  const answer = await call(system.url, path, { headers: { ...bearer(token), ...headers } });
  return { status: answer.status, problem: problemOf(answer), headers: answer.headers };
}

const askWith = async (parts: TokenParts) => ask(await issuer.sign(parts));

describe('a token of the issuer', () => {
  test('lets an agent in, for the tenants that it names', async () => {
    expect((await askWith({})).status).toBe(424);
    const token = await issuer.sign({ claims: { tenants: ['nobody', 'nobody-else'] } });
    expect((await ask(token)).status).toBe(400);
    expect((await ask(token, '/proxy/demo/', { 'x-tenant-id': 'nobody-else' })).status).toBe(424);
    expect((await ask(token, '/proxy/demo/', { 'x-tenant-id': 'acme' })).status).toBe(403);
  });

  test('may name its tenant as a text', async () => {
    expect((await askWith({ claims: { tenants: 'nobody' } })).status).toBe(424);
  });

  test.each(['JWT', 'at+jwt', 'AT+JWT', 'application/at+jwt', null])('may be of the type %s', async (typ) => {
    expect((await askWith({ header: { typ } })).status).toBe(424);
  });

  test('may be for several audiences', async () => {
    expect((await askWith({ claims: { aud: ['https://other.example', audience] } })).status).toBe(424);
  });

  test('may be from a clock that is a little ahead, or behind', async () => {
    const seconds = Math.floor(clock.now() / 1_000);
    expect((await askWith({ claims: { nbf: seconds + 20 } })).status).toBe(424);
    expect((await askWith({ claims: { exp: seconds - 20 } })).status).toBe(424);
  });

  test('is known again, without asking anybody, and not beyond its expiry', async () => {
    const token = await issuer.sign();
    await ask(token);
    issuer.asked.length = 0;
    expect((await ask(token)).status).toBe(424);
    expect(issuer.asked).toEqual([]);
    system.clock.offset += 3_640_000;
    const { status, problem } = await ask(token);
    expect([status, problem.detail]).toEqual([401, 'The token is not valid: it has expired']);
  });

  test('names the agent in the access log, and is not itself there', async () => {
    const token = await issuer.sign({ claims: { sub: 'agent-of-the-log' } });
    await ask(token);
    const lines = system.lines.join('\n');
    expect(lines).toContain('"agent":"jwt:agent-of-the-log"');
    expect(lines).not.toContain(token.split('.')[1]);
    expect(lines).not.toContain(token.split('.')[2]);
  });
});

describe('a token is refused', () => {
  const seconds = () => Math.floor(clock.now() / 1_000);
  test.each<[string, () => TokenParts, string]>([
    ['of another issuer', () => ({ claims: { iss: 'https://evil.example' } }), 'its claim `iss`'],
    ['for another audience', () => ({ claims: { aud: 'https://other.example' } }), 'its claim `aud`'],
    ['without an audience', () => ({ claims: { aud: null } }), 'its claim `aud`'],
    ['that has expired', () => ({ claims: { exp: seconds() - 31 } }), 'it has expired'],
    ['that never expires', () => ({ claims: { exp: null } }), 'its claim `exp`'],
    ['that is not good yet', () => ({ claims: { nbf: seconds() + 40 } }), 'its claim `nbf`'],
    ['without a subject', () => ({ claims: { sub: null } }), 'its claim `sub`'],
    ['with an empty subject', () => ({ claims: { sub: '' } }), 'it has no subject'],
    ['of another kind', () => ({ header: { typ: 'logout+jwt' } }), 'its type is another'],
    ['with a critical header that nobody knows', () => ({ header: { crit: ['x'], x: 1 } }), 'malformed'],
  ])('%s', async (_what, parts, reason) => {
    // jose does not sign what it would not read.
    const token = await issuer.sign(parts()).catch(async () => tampered(await issuer.sign(), parts()));
    const { status, problem } = await ask(token);
    expect([status, problem.code]).toEqual([401, 'agent_unauthenticated']);
    expect(problem.detail).toContain(reason);
  });

  test('that anybody else signed under the name of a key', async () => {
    const { privateKey } = await newIssuerKey('key-1');
    expect((await askWith({ key: privateKey })).status).toBe(401);
  });

  test('that was changed', async () => {
    const token = tampered(await issuer.sign(), { claims: { tenants: ['acme'] } });
    expect((await ask(token)).status).toBe(401);
  });

  test('that is not signed', async () => {
    const [, payload] = (await issuer.sign()).split('.');
    const head = base64url.encode(JSON.stringify({ alg: 'none', typ: 'at+jwt' }));
    expect((await ask(`${head}.${payload}.`)).status).toBe(401);
  });

  test.each(['HS256', 'HS512'])('that takes a public key for a secret: %s', async (alg) => {
    const publicKey = createPublicKey({ format: 'jwk', key: issuer.keys[0]?.jwk as JsonWebKey });
    const key = Buffer.from(publicKey.export({ type: 'spki', format: 'pem' }));
    const { status, problem } = await askWith({ header: { alg }, key });
    expect([status, problem.detail]).toEqual([401, 'The token is not valid: its algorithm is not accepted']);
  });

  test.each(['jku', 'x5u'])('whose %s points to keys of its own, and nobody looks there', async (name) => {
    const other = await startIssuer(() => clock.now());
    const [forged] = other.keys;
    const header = { kid: 'forged', [name]: `${other.url}/jwks` };
    const token = await issuer.sign({ header, ...(forged && { key: forged.privateKey }) });
    expect((await ask(token)).status).toBe(401);
    expect(other.asked).toEqual([]);
    await other.close();
  });

  test('that brings its own key along', async () => {
    const { privateKey, jwk } = await newIssuerKey('key-1');
    expect((await askWith({ key: privateKey, header: { jwk } })).status).toBe(401);
  });

  test.each(['..', '../../etc/passwd', "' OR 1=1 --", 'key-1\u0000'])('whose key id is %j', async (kid) => {
    expect((await askWith({ header: { kid } })).status).toBe(401);
  });

  test.each(['a.b.c', '...', `${'e'.repeat(2_000)}.e30.e30`, 'eyJhbGciOiJFUzI1NiJ9..'])(
    'that is none: %s',
    async (token) => {
      expect((await ask(token)).status).toBe(401);
    },
  );
});

describe('a token that grants nothing is a 403 that says what is missing:', () => {
  test.each<[string, unknown, string]>([
    ['no claim', null, 'The token grants nothing: it has no claim `tenants`'],
    ['an empty list', [], 'The token grants nothing: it has no claim `tenants`'],
    ['no ids', ['../acme'], 'The token’s claim `tenants` must hold ids'.replace('’', "'")],
    ['no list', { acme: true }, "The token's claim `tenants` must hold ids"],
    ['everything', '*', "The token's claim `tenants` must hold ids"],
  ])('%s', async (_what, tenants, detail) => {
    const { status, problem } = await askWith({ claims: { tenants } });
    expect([status, problem.code]).toEqual([403, 'agent_forbidden']);
    expect(problem.detail).toContain(detail);
  });
});

describe('keys of the issuer', () => {
  test('that are new are found at once', async () => {
    issuer.keys.push(await newIssuerKey('key-2'));
    expect((await askWith({})).status).toBe(424);
  });

  test('that nobody knows are asked for no more than once in half a minute', async () => {
    await askWith({ header: { kid: 'made-up' } });
    issuer.asked.length = 0;
    for (let count = 0; count < 5; count += 1) await askWith({ header: { kid: `made-up-${count}` } });
    expect(issuer.asked).toEqual([]);
    issuer.keys.push(await newIssuerKey('key-3'));
    expect((await askWith({})).status).toBe(401);
    system.clock.offset += 30_000;
    expect((await askWith({})).status).toBe(424);
  });

  test('are asked for once by many who wait for them', async () => {
    issuer.keys.push(await newIssuerKey('key-4'));
    issuer.asked.length = 0;
    const tokens = await Promise.all(
      Array.from({ length: 10 }, (_, index) => issuer.sign({ claims: { sub: `agent-${index}` } })),
    );
    const answers = await Promise.all(tokens.map((token) => ask(token)));
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 424));
    expect(issuer.asked.filter((path) => path === '/jwks')).toHaveLength(1);
  });

  test('that were taken back are good for ten minutes, and until they were fetched anew', async () => {
    const old = issuer.keys.at(-1);
    issuer.keys.splice(0, issuer.keys.length, await newIssuerKey('key-5'));
    const signOld = (sub: string) =>
      issuer.sign({ header: { kid: old?.kid }, claims: { sub }, ...(old && { key: old.privateKey }) });
    expect((await ask(await signOld('a'))).status).toBe(424);
    system.clock.offset += 600_000;
    clock.offset = system.clock.offset;
    let count = 0;
    await expect.poll(async () => (await ask(await signOld(`b${(count += 1)}`))).status).toBe(401);
  });

  test('that were taken back end tokens that were let in with them', async () => {
    const token = await issuer.sign();
    expect((await ask(token)).status).toBe(424);
    issuer.keys.splice(0, issuer.keys.length, await newIssuerKey('key-6'));
    system.clock.offset += 600_000;
    clock.offset = system.clock.offset;
    expect((await askWith({})).status).toBe(424);
    expect((await ask(token)).status).toBe(401);
  });

  test('that are known are good while the issuer is away, for a day', async () => {
    await askWith({});
    issuer.isAway = true;
    system.clock.offset += 23 * 3_600_000;
    clock.offset = system.clock.offset;
    expect((await askWith({})).status).toBe(424);
    system.clock.offset += 3_600_000;
    clock.offset = system.clock.offset;
    const { status, problem, headers } = await askWith({});
    expect([status, problem.code, headers['retry-after']]).toEqual([503, 'issuer_unavailable', '5']);
    expect(system.lines.join('\n')).toContain('the keys of the issuer of agent tokens could not be fetched');
  });

  test('that are unknown while it is away are a 503: who knows whether they are good', async () => {
    await askWith({});
    issuer.isAway = true;
    system.clock.offset += 60_000;
    const { status, problem } = await askWith({ header: { kid: 'unheard-of' } });
    expect([status, problem.code]).toEqual([503, 'issuer_unavailable']);
    expect((await askWith({})).status).toBe(424);
  });
});

test('an agent key is one beside tokens, as before', async () => {
  const { key } = await system.createAgent({ tenants: ['nobody'] });
  expect((await ask(key)).status).toBe(424);
});

test('clients that were refused are told who issues tokens', async () => {
  const { text } = await call(system.url, '/.well-known/oauth-protected-resource/mcp/demo');
  expect(JSON.parse(text)).toMatchObject({ authorization_servers: [issuer.url] });
});

/** A token with parts exchanged, and the signature that it had. */
function tampered(token: string, { header = {}, claims = {} }: TokenParts): string {
  const [head = '', payload = '', signature = ''] = token.split('.');
  const change = (part: string, changes: object) =>
    base64url.encode(
      JSON.stringify({ ...JSON.parse(Buffer.from(part, 'base64url').toString()), ...changes }),
    );
  return `${change(head, header)}.${change(payload, claims)}.${signature}`;
}
