import type { IncomingMessage } from 'node:http';
import { isId } from '@connectors/vault-core';
import type { FastifyInstance } from 'fastify';

export interface ProtectedResourceOptions {
  /** How agents reach the proxy; derived from each request's `Host` if left out. */
  proxyUrl: string | undefined;
  /** Who issues the JWTs that agents may present, if anybody does. */
  issuer: string | undefined;
}

const metadataPath = '/.well-known/oauth-protected-resource';

/**
 * Serves what RFC 9728 has clients look up when they were refused. It is the same for every id, for whoever asks has not
 * said yet who he is.
 */
export function registerProtectedResource(
  app: FastifyInstance,
  { proxyUrl, issuer }: ProtectedResourceOptions,
): void {
  app.get<{ Params: { integration: string } }>(`${metadataPath}/mcp/:integration`, (request, reply) => {
    const base = baseOf(request.raw, proxyUrl);
    const { integration } = request.params;
    if (base === undefined || !isId(integration)) return reply.code(404).send();
    return reply.header('Cache-Control', 'no-store').send({
      resource: `${base}/mcp/${integration}`,
      ...(issuer === undefined ? {} : { authorization_servers: [issuer] }),
      bearer_methods_supported: ['header'],
    });
  });
}

/** The challenge of a 401 (RFC 9110 11.6.1); for MCP it says where the metadata is (RFC 9728 5.1). */
export function challenge(request: IncomingMessage, proxyUrl: string | undefined): string {
  const realm = 'Bearer realm="connectors"';
  const integration = /^\/mcp\/([^/?#]+)/.exec(request.url ?? '')?.[1];
  const base = baseOf(request, proxyUrl);
  if (integration === undefined || !isId(integration) || base === undefined) return realm;
  return `${realm}, resource_metadata="${base}${metadataPath}/mcp/${integration}"`;
}

/**
 * Whoever asks is told the name that it used itself, if that can be a name. Behind TLS that somebody else ends it is not
 * the right scheme: hence `PROXY_URL`.
 */
function baseOf({ headers }: IncomingMessage, proxyUrl: string | undefined): string | undefined {
  if (proxyUrl !== undefined) return proxyUrl;
  const { host = '' } = headers;
  return /^(?:[A-Za-z0-9.-]{1,255}|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?$/.test(host)
    ? `http://${host}`
    : undefined;
}
