import { createHash, randomBytes } from 'node:crypto';
import type { OAuthClient } from './configuration.ts';
import type { AuthorizationServerEndpoints } from './start-authorization-server.ts';

/** Who asks whom for what. */
export interface GrantRequest {
  clientId: string;
  clientSecret: string;
  redirectUri: string;
  scopes: string[];
  /** The name to log in with; any will do. */
  login: string;
  authMethod?: OAuthClient['authMethod'];
}

export interface TokenResponse {
  access_token: string;
  refresh_token: string;
  token_type: string;
  /** Seconds. */
  expires_in: number;
  scope: string;
  id_token?: string;
}

/**
 * Goes through the real authorization-code flow with PKCE as a person with a browser would, and exchanges the code.
 *
 * @throws {Error} when a step is refused
 */
export async function grantAs(
  server: Pick<AuthorizationServerEndpoints, 'authorizationEndpoint' | 'tokenEndpoint'>,
  request: GrantRequest,
): Promise<TokenResponse> {
  const { code, codeVerifier } = await authorizeAs(server, request);
  const { clientId, clientSecret, redirectUri } = request;
  const post = request.authMethod === 'client_secret_post';
  const response = await fetch(server.tokenEndpoint, {
    method: 'POST',
    headers: post ? {} : { authorization: basicCredentials(clientId, clientSecret) },
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      code,
      code_verifier: codeVerifier,
      redirect_uri: redirectUri,
      ...(post ? { client_id: clientId, client_secret: clientSecret } : {}),
    }),
  });
  if (!response.ok) throw new Error(`The code was not exchanged: status ${response.status}`);
  return (await response.json()) as TokenResponse;
}

/** The same up to the callback: the code, and the verifier that belongs to it. */
export async function authorizeAs(
  server: Pick<AuthorizationServerEndpoints, 'authorizationEndpoint'>,
  request: Omit<GrantRequest, 'clientSecret'>,
): Promise<{ code: string; codeVerifier: string; callbackUrl: URL }> {
  const codeVerifier = randomBytes(32).toString('base64url');
  const start = new URL(server.authorizationEndpoint);
  start.search = new URLSearchParams({
    client_id: request.clientId,
    response_type: 'code',
    redirect_uri: request.redirectUri,
    scope: request.scopes.join(' '),
    state: randomBytes(8).toString('hex'),
    code_challenge: createHash('sha256').update(codeVerifier).digest('base64url'),
    code_challenge_method: 'S256',
  }).toString();
  const callbackUrl = await browseAs(start, { login: request.login, until: request.redirectUri });
  const code = callbackUrl.searchParams.get('code');
  if (!code) throw new Error(`The authorization was refused: ${callbackUrl.searchParams.get('error')}`);
  return { code, codeVerifier, callbackUrl };
}

/** Who sits at a scripted browser. */
export interface Person {
  login: string;
  until: string;
  /** Says no where others say yes. */
  denies?: boolean;
}

/**
 * A scripted browser of its own: follows redirects with cookies, logs in, says yes, and stops before it opens a URL
 * that starts with `until`.
 *
 * @returns that URL
 */
export async function browseAs(start: URL | string, person: Person): Promise<URL> {
  const cookies = new Map<string, string>();
  let url = new URL(start);
  let form: URLSearchParams | undefined;
  for (let step = 0; step < 20; step++) {
    const response: Response = await fetch(url, {
      redirect: 'manual',
      headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
      ...(form ? { method: 'POST', body: form } : {}),
    });
    for (const cookie of response.headers.getSetCookie()) keepCookie(cookies, cookie);
    const page = await response.text();
    const location = response.headers.get('location');
    form = undefined;
    if (location !== null) {
      url = new URL(location, url);
      if (url.href.startsWith(person.until)) return url;
    } else if (response.ok && page.includes('<form')) {
      form = new URLSearchParams(
        page.includes('name="login"')
          ? { login: person.login }
          : { [person.denies === true ? 'deny' : 'allow']: '' },
      );
    } else {
      throw new Error(`The flow ended at ${url.origin}${url.pathname} with status ${response.status}`);
    }
  }
  throw new Error('The flow does not end');
}

function keepCookie(cookies: Map<string, string>, header: string): void {
  const [pair = ''] = header.split(';');
  const [name = '', ...value] = pair.split('=');
  if (value.join('=') === '' || /expires=Thu, 01 Jan 1970/i.test(header)) cookies.delete(name);
  else cookies.set(name, value.join('='));
}

/** RFC 6749 2.3.1: both halves are form-encoded first. */
function basicCredentials(user: string, password: string): string {
  return `Basic ${Buffer.from(`${formEncode(user)}:${formEncode(password)}`).toString('base64')}`;
}

function formEncode(value: string): string {
  return new URLSearchParams([['', value]]).toString().slice(1);
}
