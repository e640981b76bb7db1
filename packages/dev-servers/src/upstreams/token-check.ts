import { z } from 'zod';
import { fingerprint } from '../fingerprint.ts';
import type { RunningAuthorizationServer } from '../authorization-server/start-authorization-server.ts';

/** What an upstream needs of the authorization server that issued its callers' tokens. */
export type Introspector = Pick<RunningAuthorizationServer, 'introspectionEndpoint' | 'introspectionClient'>;

/** Who calls, as the authorization server says. */
export interface Caller {
  account: string;
  clientId: string;
  scopes: string[];
  tokenFingerprint: string;
}

/** Says who an access token stands for, or nothing when it is not valid (any more). */
export type TokenCheck = (accessToken: string) => Promise<Caller | undefined>;

const rememberMs = 1000;

/** Asks the introspection endpoint (RFC 7662) and remembers the answer for a second, so that a revocation shows soon. */
export function createTokenCheck(server: Introspector, now: () => number = Date.now): TokenCheck {
  const answers = new Map<string, { until: number; caller: Promise<Caller | undefined> }>();
  return (accessToken) => {
    for (const [token, { until }] of answers) if (until <= now()) answers.delete(token);
    const known = answers.get(accessToken);
    if (known) return known.caller;
    const caller = introspect(server, accessToken);
    answers.set(accessToken, { until: now() + rememberMs, caller });
    caller.catch(() => answers.delete(accessToken));
    return caller;
  };
}

async function introspect(server: Introspector, accessToken: string): Promise<Caller | undefined> {
  const { clientId, clientSecret } = server.introspectionClient;
  const response = await fetch(server.introspectionEndpoint, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}` },
    body: new URLSearchParams({ token: accessToken, token_type_hint: 'access_token' }),
  });
  if (!response.ok) throw new Error(`introspection answered ${response.status}`);
  const answer = activeAccessToken.safeParse(await response.json());
  if (!answer.success) return undefined;
  return {
    account: answer.data.sub,
    clientId: answer.data.client_id,
    scopes: answer.data.scope.split(' '),
    tokenFingerprint: fingerprint(accessToken),
  };
}

/** RFC 7662 2.2. A refresh token is active too, but has no token_type, and opens nothing. */
const activeAccessToken = z.object({
  active: z.literal(true),
  token_type: z.literal('Bearer'),
  sub: z.string(),
  client_id: z.string(),
  scope: z.string().default(''),
});
