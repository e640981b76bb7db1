import { describe, expect, it } from 'vitest';
import { readCallback } from '../../src/index.ts';
import { definitionOf, startQuirky, tokensOf } from './start-quirky.ts';

describe('quirk: code without state', () => {
  it('as an installation from Zoom’s marketplace brings it, is not redeemed: nobody has asked for it', async () => {
    const { consent } = await startQuirky({ callback: { withoutState: true } }, definitionOf('zoom'));
    expect((await consent()).callback).toEqual({ kind: 'refused', error: 'invalid_request' });
  });
});

describe('quirk: needed values in the query', () => {
  it.each([
    ['quickbooks', { realmId: '9130' }, { realmId: '9130' }],
    ['zoho', { 'accounts-server': 'https://accounts.zoho.eu' }, { accounts: 'accounts.zoho.eu' }],
    ['zoho', { 'accounts-server': 'https://evil.example:8443/' }, {}],
  ])('of the callback of %s are kept, as far as they fit: %j', async (id, parameters, fields) => {
    const { consent } = await startQuirky({ callback: { parameters } }, definitionOf(id));
    const { callback } = await consent();
    expect(callback.kind === 'code' && callback.fields).toEqual(fields);
  });
});

describe('quirk: code is double URL-encoded', () => {
  it('as Square does it: it is decoded once more', async () => {
    const { clientAuthentication, codeEncodedTwice } = definitionOf('square');
    const { connect } = await startQuirky(
      { callback: { codeEncodedTwice: true } },
      { clientAuthentication, codeEncodedTwice },
    );
    expect(tokensOf(await connect()).tokenType).toBe('Bearer');
  });

  it('and where nobody said so it is taken as it is', async () => {
    const { connect } = await startQuirky({ callback: { codeEncodedTwice: true } });
    expect(await connect()).toMatchObject({ kind: 'failure', failure: { reason: 'invalid_grant' } });
  });

  it('one with a stray percent sign is taken as it is', async () => {
    const { integration } = await startQuirky({}, { codeEncodedTwice: true });
    const callback = readCallback(integration, new URLSearchParams({ state: 's', code: '100%' }));
    expect(callback.kind === 'code' && callback.code.reveal()).toBe('100%');
  });
});

describe('quirk: very short code lifetime', () => {
  it('as Box has it, is long enough: nothing comes between the callback and the exchange', async () => {
    const { connect } = await startQuirky({ callback: { codeLifetime: 2 } }, definitionOf('box'));
    expect(tokensOf(await connect()).tokenType).toBe('Bearer');
  });
});
