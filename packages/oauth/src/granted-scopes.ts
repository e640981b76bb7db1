import type { Provider } from './provider.ts';

/** Everything that users are asked for: these scopes, and those without which there is no refresh token. */
export function askedScopes(
  { offlineScopes }: Pick<Provider, 'offlineScopes'>,
  scopes: readonly string[],
): string[] {
  return [...new Set([...scopes, ...offlineScopes])];
}

/**
 * Which of the scopes that were asked for are not among those granted. Those that switch something on are no permissions:
 * many providers do not name them again.
 */
export function missingScopes(
  { offlineScopes }: Pick<Provider, 'offlineScopes'>,
  asked: readonly string[],
  granted: readonly string[],
): string[] {
  const switches = ['openid', 'offline_access', ...offlineScopes];
  return asked.filter((scope) => !switches.includes(scope) && !granted.some((each) => isSame(scope, each)));
}

/** Microsoft and Google answer short names with long ones: `https://graph.microsoft.com/User.Read`, `…/auth/userinfo.email`. */
function isSame(asked: string, granted: string): boolean {
  return ['', '/', '/userinfo.'].some((before) =>
    before === '' ? granted === asked : granted.endsWith(`${before}${asked}`),
  );
}
