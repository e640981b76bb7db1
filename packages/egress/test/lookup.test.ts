import type { LookupAddress, LookupOptions } from 'node:dns';
import { once } from 'node:events';
import { createServer, request } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { EgressGuard } from '../src/index.ts';

const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one[Symbol.asyncDispose]();
});

/** A guard whose resolver gives the next answer on each question and counts the questions. */
function guardWith(answers: string[][], allow: string[] = []) {
  const asked: { hostname: string; family: unknown }[] = [];
  const guard = new EgressGuard({
    allow,
    resolve: (hostname, options, callback) => {
      const answer = answers[Math.min(asked.length, answers.length - 1)] ?? [];
      asked.push({ hostname, family: options.family });
      callback(
        null,
        answer.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
      );
    },
  });
  return { guard, asked };
}

function lookup(guard: EgressGuard, hostname: string, options: LookupOptions = {}) {
  return new Promise<{ address: string | LookupAddress[]; family: number | undefined }>((resolve, reject) => {
    guard.lookup(hostname, options, (error, address, family) => {
      if (error === null) resolve({ address, family });
      else reject(error);
    });
  });
}

describe('a name is refused when it resolves to', () => {
  it.each([
    ['this host', '0.0.0.0'],
    ['a private network (10/8)', '10.1.2.3'],
    ['a private network (172.16/12)', '172.31.255.255'],
    ['a private network (192.168/16)', '192.168.0.1'],
    ['carrier-grade NAT', '100.64.0.1'],
    ['loopback', '127.8.9.1'],
    ['cloud metadata', '169.254.169.254'],
    ['protocol assignments', '192.0.0.8'],
    ['documentation', '192.0.2.1'],
    ['benchmarking', '198.18.0.1'],
    ['multicast', '224.0.0.1'],
    ['reserved space', '240.0.0.1'],
    ['broadcast', '255.255.255.255'],
    ['the unspecified IPv6 address', '::'],
    ['IPv6 loopback', '::1'],
    ['IPv6 link-local with a zone', 'fe80::1%lo'],
    ['IPv6 site-local', 'fec0::1'],
    ['IPv6 unique local', 'fd00::1'],
    ['IPv6 multicast', 'ff02::1'],
    ['IPv6 documentation', '2001:db8::1'],
    ['an IPv4-mapped address', '::ffff:10.0.0.1'],
    ['an IPv4-mapped address in hex', '::ffff:a00:1'],
    ['an IPv4-mapped public address', '::ffff:8.8.8.8'],
    ['an IPv4-compatible address', '::127.0.0.1'],
    ['6to4', '2002:7f00:1::'],
    ['Teredo', '2001::1'],
    ['NAT64', '64:ff9b::7f00:1'],
    ['local NAT64', '64:ff9b:1::7f00:1'],
    ['the discard prefix', '100::1'],
    ['unassigned IPv6 space', '4000::1'],
    ['something that is not an address', 'localhost'],
  ])('%s', async (_, address) => {
    const { guard } = guardWith([[address]]);
    await expect(lookup(guard, 'name.example')).rejects.toMatchObject({
      code: 'egress_refused',
      reason: 'address_not_public',
      host: 'name.example',
    });
  });

  it('a public and a private address at once', async () => {
    const { guard } = guardWith([['93.184.216.34', '10.0.0.1']]);
    await expect(lookup(guard, 'name.example', { all: true })).rejects.toMatchObject({
      code: 'egress_refused',
    });
  });
});

describe('a name that resolves to public addresses', () => {
  const addresses = ['93.184.216.34', '2606:4700::1111'];

  it('yields the first of them', async () => {
    const { guard } = guardWith([addresses]);
    expect(await lookup(guard, 'name.example')).toEqual({ address: '93.184.216.34', family: 4 });
  });

  it('yields all of them when asked for all', async () => {
    const { guard } = guardWith([addresses]);
    expect((await lookup(guard, 'name.example', { all: true })).address).toEqual([
      { address: '93.184.216.34', family: 4 },
      { address: '2606:4700::1111', family: 6 },
    ]);
  });

  it('is asked for with the family that the caller wants', async () => {
    const { guard, asked } = guardWith([['2606:4700::1111']]);
    expect(await lookup(guard, 'name.example', { family: 6 })).toEqual({
      address: '2606:4700::1111',
      family: 6,
    });
    expect(asked).toEqual([{ hostname: 'name.example', family: 6 }]);
  });
});

describe('a host allowed by name', () => {
  it('may resolve to a private address', async () => {
    const { guard } = guardWith([['10.0.0.1']], ['vault.internal:8200']);
    expect(await lookup(guard, 'Vault.Internal.')).toEqual({ address: '10.0.0.1', family: 4 });
  });

  it('does not open other names with the same address', async () => {
    const { guard } = guardWith([['10.0.0.1']], ['vault.internal']);
    await expect(lookup(guard, 'other.internal')).rejects.toMatchObject({ code: 'egress_refused' });
  });
});

describe('a name that does not resolve', () => {
  it('fails with the error of the resolver', async () => {
    const failure = Object.assign(new Error('no'), { code: 'EAI_AGAIN' });
    const guard = new EgressGuard({ resolve: (_hostname, _options, callback) => callback(failure, []) });
    await expect(lookup(guard, 'name.example')).rejects.toBe(failure);
  });

  it('fails as not found when the answer is empty', async () => {
    const { guard } = guardWith([[]]);
    await expect(lookup(guard, 'name.example')).rejects.toMatchObject({ code: 'ENOTFOUND' });
  });
});

async function startServer(): Promise<number> {
  const server = createServer((_, response) => response.end('hello')).listen(0, '127.0.0.1');
  open.push(server);
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

describe('a connection', () => {
  it('refuses localhost, as the system resolves it', async () => {
    const port = await startServer();
    const socket = connect({ host: 'localhost', port, lookup: new EgressGuard().lookup });
    const [error] = await once(socket, 'error');
    expect(error).toMatchObject({ code: 'egress_refused', host: 'localhost' });
  });

  it('asks once and goes to the address that was judged, whatever the resolver would answer next', async () => {
    const port = await startServer();
    const { guard, asked } = guardWith([['127.0.0.1'], ['127.0.0.2']], ['rebind.example']);
    const socket = connect({ host: 'rebind.example', port, lookup: guard.lookup });
    await once(socket, 'connect');
    expect(socket.remoteAddress).toBe('127.0.0.1');
    expect(asked).toHaveLength(1);
    socket.destroy();
  });

  it('is refused when a name that was public has turned private', async () => {
    const { guard, asked } = guardWith([['93.184.216.34'], ['127.0.0.1']]);
    await lookup(guard, 'rebind.example');
    const socket = connect({ host: 'rebind.example', port: await startServer(), lookup: guard.lookup });
    const [error] = await once(socket, 'error');
    expect(error).toMatchObject({ code: 'egress_refused' });
    expect(asked).toHaveLength(2);
  });

  it('works through http.request, which asks for all addresses', async () => {
    const port = await startServer();
    const { guard } = guardWith([['127.0.0.1']], ['service.internal']);
    const call = request({ host: 'service.internal', port, lookup: guard.lookup, agent: false }).end();
    const [response] = await once(call, 'response');
    expect(response).toMatchObject({ statusCode: 200 });
    response.resume();
  });
});
