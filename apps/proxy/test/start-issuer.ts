import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose';
import { startUpstream } from './start-upstream.ts';

export type Issuer = Awaited<ReturnType<typeof startIssuer>>;

interface IssuerKey {
  kid: string;
  privateKey: CryptoKey;
  jwk: JWK;
}

/** What a token says, beside what every good one of these tests does. `null` leaves a claim or header out. */
export interface TokenParts {
  claims?: Record<string, unknown>;
  header?: Record<string, unknown>;
  key?: CryptoKey | Uint8Array;
}

export const audience = 'https://proxy.example.com';

export async function newIssuerKey(kid: string, alg = 'ES256'): Promise<IssuerKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return { kid, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg } };
}

/** An issuer of JWTs with its metadata and keys on loopback, which can be rotated and counted. */
export async function startIssuer(now: () => number) {
  const server = await startUpstream();
  const first = await newIssuerKey('key-1');
  const issuer = {
    url: server.url,
    /** The keys that are published; tokens are signed with the last. */
    keys: [first],
    /** What was asked for, by path. */
    asked: [] as string[],
    isAway: false,
    sign,
    close: server.close,
  };
  server.handle = ({ url = '' }, response) => {
    issuer.asked.push(url);
    if (issuer.isAway) return void response.writeHead(500).end('out of order');
    const documents: Record<string, object> = {
      '/.well-known/openid-configuration': { issuer: server.url, jwks_uri: `${server.url}/jwks` },
      '/jwks': { keys: issuer.keys.map(({ jwk }) => jwk) },
    };
    const document = documents[url];
    response.writeHead(document === undefined ? 404 : 200).end(JSON.stringify(document ?? {}));
  };

  function sign({ claims = {}, header = {}, key }: TokenParts = {}): Promise<string> {
    const last = issuer.keys.at(-1) ?? first;
    const seconds = Math.floor(now() / 1_000);
    const times = { iat: seconds, exp: seconds + 3_600 };
    const usual = { iss: server.url, aud: audience, sub: 'agent-7', tenants: ['nobody'], ...times };
    const head = { alg: 'ES256', kid: last.kid, typ: 'at+jwt', ...header };
    return new SignJWT(present({ ...usual, ...claims }))
      .setProtectedHeader(present(head) as { alg: string })
      .sign(key ?? last.privateKey);
  }

  return issuer;
}

function present(parts: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(parts).filter(([, value]) => value !== null));
}
