/**
 * The address that a user may be sent back to, as it will be sent; `undefined` if it is none, or leads to an origin that is not
 * among these.
 */
export function returnAddress(text: string, origins: readonly string[]): string | undefined {
  // What is no part of a URL is read in many ways; browsers take `\` for `/`.
  if (!/^https?:\/\/[^\s\\\p{Cc}]+$/iu.test(text)) return undefined;
  const url = URL.parse(text);
  if (url === null || !origins.includes(url.origin)) return undefined;
  return url.username === '' && url.password === '' ? url.href : undefined;
}

/** What an application is told of a connect. */
export type Result = 'connected' | 'denied' | 'failed';

/**
 * The address with what became of the connect.
 *
 * @param codes why it failed, or what is other than expected of it
 */
export function withResult(
  returnUrl: string,
  result: Result,
  integration: string,
  codes: readonly string[] = [],
): string {
  const url = new URL(returnUrl);
  url.searchParams.set('connectors_result', result);
  url.searchParams.set('integration', integration);
  if (codes.length > 0) url.searchParams.set('connectors_codes', codes.join());
  return url.href;
}
