import { EgressGuard } from '@connectors/egress';
import { expect, onTestFinished, test } from 'vitest';
import { IssuerKeys } from '../../src/identity/issuer-keys.ts';
import { startUpstream } from '../start-upstream.ts';
import { newIssuerKey } from '../start-issuer.ts';

const { jwk } = await newIssuerKey('key-1');
const header = { alg: 'ES256', kid: 'key-1' };
const token = { payload: '', signature: '' };
const unavailable = { code: 'issuer_unavailable', retryAfterMs: 5_000 };

type Documents = Record<string, (url: string) => unknown>;

/** An issuer that serves these documents, and the keys that a proxy finds there. */
async function start(documents: Documents, { hasJwksUrl = false, path = '', allow = ['127.0.0.1'] } = {}) {
  const server = await startUpstream();
  onTestFinished(() => server.close());
  const issuer = { documents, asked: [] as string[] };
  server.handle = ({ url = '' }, response) => {
    issuer.asked.push(url);
    const document = issuer.documents[url]?.(server.url);
    if (typeof document === 'string') response.end(document);
    else response.writeHead(document === undefined ? 404 : 200).end(JSON.stringify(document));
  };
  const clock = { now: 0 };
  const failures: string[] = [];
  const keys = new IssuerKeys({
    issuer: server.url + path,
    jwksUrl: hasJwksUrl ? `${server.url}/jwks` : undefined,
    guard: new EgressGuard({ allow }),
    now: () => clock.now,
    onFailure: (reason) => failures.push(reason),
  });
  return { issuer, clock, failures, find: (kid = 'key-1') => keys.find({ ...header, kid }, token) };
}

const jwks = () => ({ keys: [jwk] });
const openid = '/.well-known/openid-configuration';

test('the keys are where the metadata say', async () => {
  const { find } = await start({
    [openid]: (url) => ({ issuer: url, jwks_uri: `${url}/elsewhere` }),
    '/elsewhere': jwks,
  });
  expect((await find()).type).toBe('public');
});

test('the metadata may be those of RFC 8414, whose path comes before that of the issuer', async () => {
  const { find } = await start(
    {
      '/.well-known/oauth-authorization-server/realm': (url) => ({
        issuer: `${url}/realm`,
        jwks_uri: `${url}/jwks`,
      }),
      '/jwks': jwks,
    },
    { path: '/realm' },
  );
  expect((await find()).type).toBe('public');
});

test('nobody looks for metadata where it is known where the keys are', async () => {
  const { find, issuer } = await start({ '/jwks': jwks }, { hasJwksUrl: true });
  await find();
  expect(issuer.asked).toEqual(['/jwks']);
});

test.each<[string, Documents, string]>([
  [
    'the metadata are of another issuer',
    { [openid]: (url) => ({ issuer: 'https://other.example', jwks_uri: `${url}/jwks` }), '/jwks': jwks },
    'keys_unreadable',
  ],
  ['the metadata are none', { [openid]: () => '<html>canary</html>' }, 'keys_unreadable'],
  ['there are no metadata', {}, 'keys_unreadable'],
  [
    'the keys are none',
    { [openid]: (url) => ({ issuer: url, jwks_uri: `${url}/jwks` }), '/jwks': () => ({ keys: 'canary' }) },
    'keys_unreadable',
  ],
])('the issuer is not available when %s', async (_what, documents, reason) => {
  const { find, failures } = await start(documents);
  await expect(find()).rejects.toMatchObject(unavailable);
  expect(failures).toEqual([reason]);
});

test('keys are fetched from nowhere that the egress guard refuses', async () => {
  const { find, failures, issuer } = await start({ '/jwks': jwks }, { hasJwksUrl: true, allow: [] });
  await expect(find()).rejects.toMatchObject(unavailable);
  expect([failures, issuer.asked]).toEqual([['egress_refused'], []]);
});

test('an issuer that is away is asked again after five seconds, not before', async () => {
  const { find, issuer, clock } = await start({}, { hasJwksUrl: true });
  await expect(find()).rejects.toMatchObject(unavailable);
  issuer.documents = { '/jwks': jwks };
  clock.now = 4_999;
  await expect(find()).rejects.toMatchObject(unavailable);
  clock.now = 5_000;
  expect((await find()).type).toBe('public');
  expect(issuer.asked).toEqual(['/jwks', '/jwks']);
});

test('while it is away nobody says that it has no such key', async () => {
  const { find, issuer, clock } = await start({ '/jwks': jwks }, { hasJwksUrl: true });
  await find();
  issuer.documents = {};
  clock.now = 30_000;
  await expect(find('key-2')).rejects.toMatchObject(unavailable);
  // Nor while it is not asked.
  await expect(find('key-2')).rejects.toMatchObject(unavailable);
  expect((await find()).type).toBe('public');
});
