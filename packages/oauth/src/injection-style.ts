import { z } from 'zod';
import { placeholders } from './credential-fields.ts';

/** What frames a message, or belongs to the connection: whoever forwards a request writes these. */
const framing = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);
export const headerName = z
  .string()
  .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, 'must be a header name')
  .refine((name) => !framing.has(name.toLowerCase()), 'must not be a header that frames the message');
export const headerValue = z.string().regex(/^[\x20-\x7e]*$/, 'must be printable ASCII');

/** How the access token gets into a request to the provider's API. */
export const injectionSchema = z.strictObject({
  header: headerName,
  /** What stands before the token, for example `Bearer`; empty for a bare token. */
  scheme: headerValue,
  /** User and password of RFC 7617, for example `{token}:` or `{email}/token:{token}`: they take the place of the scheme. */
  basic: headerValue
    .refine((text) => /^[^:]*:/.test(text) && placeholders(text).includes('token'), {
      error: 'must be user:password, with {token} in one of them',
    })
    .optional(),
  /** The parameter that carries the token, in place of a header. */
  query: z
    .string()
    .regex(/^[A-Za-z0-9_.~-]+$/, 'must be a parameter name')
    .optional(),
  /** Sent with every request, whatever the agent says; `{clientId}` and the credential's fields may stand in them. */
  headers: z.record(headerName, headerValue),
  /** Sent when the agent's request has no header of that name, for APIs that insist on one. */
  defaultHeaders: z.record(headerName, headerValue),
});

export type InjectionStyle = z.infer<typeof injectionSchema>;

/** The fields of a credential that have to be known before a token can be injected this way. */
export function injectedFields({ basic = '', headers }: InjectionStyle): string[] {
  const names = [basic, ...Object.values(headers)].flatMap(placeholders);
  return names.filter((name) => name !== 'token' && name !== 'clientId');
}

/** Whether requests name the integration's client. */
export function showsClient({ basic = '', headers }: Pick<InjectionStyle, 'basic' | 'headers'>): boolean {
  return [basic, ...Object.values(headers)].flatMap(placeholders).includes('clientId');
}

/** The rules that a style breaks as a whole. */
export function styleProblem({ header, basic, query, headers }: InjectionStyle): string | undefined {
  if (basic !== undefined && query !== undefined) return 'basic and query exclude each other';
  const names = Object.keys(headers).map((name) => name.toLowerCase());
  if (query === undefined) names.push(header.toLowerCase());
  if (new Set(names).size < names.length) return 'each header may be named once';
  if (Object.values(headers).flatMap(placeholders).includes('token')) return '{token} stands in basic only';
  return undefined;
}
