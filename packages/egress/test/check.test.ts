import { describe, expect, it } from 'vitest';
import { EgressGuard, EgressRefusedError } from '../src/index.ts';
import type { EgressReason } from '../src/index.ts';

function refusal(guard: EgressGuard, url: string): EgressRefusedError {
  try {
    guard.check(url);
  } catch (error) {
    if (error instanceof EgressRefusedError) return error;
    throw error;
  }
  throw new Error(`${url} was let through`);
}

describe('a URL is let through', () => {
  const guard = new EgressGuard({
    allow: ['vault.internal:8200', 'mcp.internal', '[fd00::1]:8080', '127.0.0.1:3000'],
  });

  it.each([
    ['https to a public name', 'https://api.github.com/user?x=1'],
    ['https on another port', 'https://example.com:8443/'],
    ['https to a public IPv4 literal', 'https://93.184.216.34/'],
    ['https to a public IPv6 literal', 'https://[2606:4700::1111]/'],
    ['plain http to a host allowed with its port', 'http://vault.internal:8200/v1'],
    ['plain http to a host allowed on all ports', 'http://mcp.internal:9999/'],
    ['another spelling of an allowed host', 'http://MCP.Internal./'],
    ['an allowed loopback address', 'http://127.0.0.1:3000/'],
    ['an allowed loopback address in another notation', 'http://0x7f.1:3000/'],
    ['an allowed IPv6 literal in another spelling', 'http://[FD00:0::1]:8080/'],
  ])('%s', (_, url) => {
    expect(guard.check(url)).toBeInstanceOf(URL);
  });

  it('and comes back without the trailing dot, which no certificate names', () => {
    expect(guard.check('https://example.com./a').href).toBe('https://example.com/a');
  });
});

describe('a URL is refused', () => {
  const guard = new EgressGuard({ allow: ['vault.internal:8200', 'mcp.internal'] });

  it.each<[string, string, EgressReason]>([
    ['that cannot be parsed', 'not a url', 'invalid_url'],
    ['in plain http', 'http://example.com/', 'not_https'],
    ['of another scheme', 'ftp://example.com/', 'not_https'],
    ['of a file', 'file:///etc/passwd', 'not_https'],
    ['of another scheme even to an allowed host', 'ftp://mcp.internal/', 'not_https'],
    ['with a user name', 'https://user@example.com/', 'credentials_in_url'],
    ['with a password even to an allowed host', 'https://:pw@mcp.internal/', 'credentials_in_url'],
    ['to a port that was not allowed', 'https://vault.internal/', 'port_not_allowed'],
    ['to loopback', 'https://127.0.0.1/', 'address_not_public'],
    ['to loopback in decimal', 'https://2130706433/', 'address_not_public'],
    ['to loopback in octal', 'https://0177.0.0.1/', 'address_not_public'],
    ['to loopback in hex', 'https://0x7f000001/', 'address_not_public'],
    ['to loopback in short form', 'https://127.1/', 'address_not_public'],
    ['to loopback with a trailing dot', 'https://127.0.0.1./', 'address_not_public'],
    ['to loopback in full-width digits', 'https://１２７.0.0.1/', 'address_not_public'],
    ['to loopback in percent-encoding', 'https://127%2e0.0.1/', 'address_not_public'],
    ['to cloud metadata', 'https://169.254.169.254/latest', 'address_not_public'],
    ['to IPv6 loopback', 'https://[::1]/', 'address_not_public'],
    ['to a mapped loopback', 'https://[::ffff:127.0.0.1]/', 'address_not_public'],
    ['to a host that only ends like an allowed one', 'http://evil-mcp.internal/', 'not_https'],
  ])('%s', (_, url, reason) => {
    expect(refusal(guard, url)).toMatchObject({ code: 'egress_refused', reason });
  });

  it('without repeating its credentials or its path', () => {
    const { message } = refusal(guard, 'https://user:hunter2@example.com/secret?token=canary');
    expect(message).toBe('Outgoing connection refused: credentials_in_url (example.com)');
  });
});

describe('the allow list', () => {
  it.each(['', 'http://a', 'a/b', 'a:b', 'a b', 'user@a', 'a:99999999', '[::1'])(
    'rejects the entry %j',
    (entry) => {
      expect(() => new EgressGuard({ allow: [entry] })).toThrow(TypeError);
    },
  );

  it('takes a bare IPv6 address', () => {
    expect(new EgressGuard({ allow: ['::1'] }).check('http://[::1]:80/').host).toBe('[::1]');
  });

  it('adds up the ports of one host', () => {
    const guard = new EgressGuard({ allow: ['a.internal:1000', 'a.internal:2000'] });
    expect(guard.check('http://a.internal:1000/').port).toBe('1000');
    expect(guard.check('http://a.internal:2000/').port).toBe('2000');
    expect(refusal(guard, 'http://a.internal:3000/').reason).toBe('port_not_allowed');
  });
});
