import type { KeyObject } from 'node:crypto';
import { errors, jwtVerify } from 'jose';
import { sendJson, startEndpoint } from './start-endpoint.ts';

/** One app with one installation at an API that answers as GitHub's does. */
export async function startGithub(app: { clientId: string; publicKey: KeyObject; installationId: string }) {
  const endpoint = await startEndpoint((response, { method, path, headers }) => {
    void judge(app, headers.authorization).then((refusal) => {
      if (refusal !== undefined) return sendJson(response, { message: refusal }, 401);
      if (method !== 'POST' || path !== `/app/installations/${app.installationId}/access_tokens`)
        return sendJson(response, { message: 'Not Found' }, 404);
      const body = { token: 'ghs_canary', expires_at: new Date(Date.now() + 3_600_000).toISOString() };
      return sendJson(response, { ...body, permissions: { contents: 'read' } }, 201);
    });
  });
  return { ...endpoint, tokenUrl: `${endpoint.url}/app/installations/{installationId}/access_tokens` };
}

async function judge(
  { clientId, publicKey }: { clientId: string; publicKey: KeyObject },
  authorization = '',
): Promise<string | undefined> {
  try {
    const jwt = authorization.replace(/^Bearer /, '');
    // Its own rules: RS256 alone, issued in the past, and not valid for more than ten minutes.
    const { payload } = await jwtVerify(jwt, publicKey, {
      algorithms: ['RS256'],
      issuer: clientId,
      maxTokenAge: 600,
    });
    const lifetime = (payload.exp ?? Infinity) - (payload.iat ?? 0);
    return lifetime > 600 ? "'Expiration time' claim ('exp') is too far in the future" : undefined;
  } catch (error) {
    if (error instanceof errors.JOSEError) return 'A JSON web token could not be decoded';
    throw error;
  }
}
