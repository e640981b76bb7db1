import { hasOwnHost, isHost } from './api-address.ts';
import { brokenFields, fillUrl, placeholders, type CredentialFields } from './credential-fields.ts';
import type { Provider } from './provider.ts';
import { TokenRequestError } from './provider-call.ts';

/**
 * An address of the authorization server for one credential. Its fields were written by a tenant, and the client's secret follows
 * them: never to another host than the provider's.
 *
 * @throws {TokenRequestError} `fields_invalid`
 */
export function endpointUrl(
  provider: Pick<Provider, 'fields' | 'authorizationHost'>,
  template: string,
  fields: CredentialFields,
): string {
  const names = placeholders(template);
  if (names.length === 0) return template;
  const url = URL.parse(fillUrl(template, fields));
  const isAtHome = !hasOwnHost(template) || (url !== null && isHost(url, provider.authorizationHost ?? ''));
  if (url === null || !isAtHome || brokenFields(provider, names, fields).length > 0)
    throw new TokenRequestError('fields_invalid', 'no');
  return url.href;
}
