import type { Quirks } from '@connectors/dev-servers';
import { readTokenResponse } from '../../src/index.ts';
import type { Provider, TokenSet } from '../../src/index.ts';
import { answer, plainProvider } from '../fixtures.ts';
import { startQuirky, tokensOf } from './start-quirky.ts';

export async function connected(
  response: Quirks['response'],
  definition: Partial<Provider> = {},
): Promise<TokenSet> {
  const { connect } = await startQuirky({ response: response ?? {} }, definition);
  return tokensOf(await connect());
}

/** Minutes until the token of a server that tells its lifetime of an hour in its own way expires. */
export async function minutes(
  expiry: NonNullable<NonNullable<Quirks['response']>['expiry']>,
  definition: Partial<Provider> = {},
): Promise<number> {
  return minutesLeft(await connected({ expiry }, definition));
}

/** Rounded: seconds pass on a slow machine, and clocks may tell whole ones. */
export function minutesLeft({ expiresAt }: TokenSet): number {
  return Math.round(((expiresAt?.getTime() ?? 0) - Date.now()) / 60_000);
}

export function read(body: object, definition: Partial<Provider> = {}, after?: 'consent'): TokenSet {
  const provider = plainProvider({
    ...definition,
    tokenUrl: 'https://as.example/token',
    clientAuthentication: 'post',
  });
  return tokensOf(readTokenResponse(provider, answer(200, { access_token: 'at-1', ...body }), after));
}
