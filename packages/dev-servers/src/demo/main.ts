import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startAuthorizationServer } from '../authorization-server/start-authorization-server.ts';
import { startMcpUpstream } from '../upstreams/mcp-upstream.ts';
import { startRestUpstream } from '../upstreams/rest-upstream.ts';

// The authorization server and both upstreams as one process. Prints one JSON line when all of them listen.

const { values: flags } = parseArgs({
  options: {
    'data-dir': { type: 'string' },
    'authorization-port': { type: 'string', default: '0' },
    'rest-port': { type: 'string', default: '0' },
    'mcp-port': { type: 'string', default: '0' },
    'access-token-ttl': { type: 'string', default: '60' },
    'client-id': { type: 'string', default: 'connectors' },
    'redirect-uri': { type: 'string', multiple: true, default: ['http://127.0.0.1/callback'] },
  },
});

type Closable = { close(): Promise<void> };
const running: Closable[] = [];

function keep<Server extends Closable>(server: Server): Server {
  running.unshift(server);
  return server;
}

async function start(clientSecret: string): Promise<void> {
  const dataDir = flags['data-dir'];
  if (dataDir !== undefined) await mkdir(dataDir, { recursive: true });
  const authorizationServer = keep(
    await startAuthorizationServer({
      port: Number(flags['authorization-port']),
      accessTokenTtl: Number(flags['access-token-ttl']),
      clients: [{ clientId: flags['client-id'], clientSecret, redirectUris: flags['redirect-uri'] }],
      ...(dataDir === undefined ? {} : { dataFile: join(dataDir, 'authorization-server.sqlite') }),
    }),
  );
  const rest = keep(await startRestUpstream({ authorizationServer, port: Number(flags['rest-port']) }));
  const mcp = keep(await startMcpUpstream({ authorizationServer, port: Number(flags['mcp-port']) }));
  const { issuer, authorizationEndpoint, tokenEndpoint, revocationEndpoint, introspectionEndpoint } =
    authorizationServer;
  const endpoints = {
    issuer,
    authorizationEndpoint,
    tokenEndpoint,
    revocationEndpoint,
    introspectionEndpoint,
  };
  console.log(JSON.stringify({ ready: true, ...endpoints, restUrl: rest.url, mcpUrl: `${mcp.url}/mcp` }));
}

async function stop(): Promise<void> {
  for (const server of running.splice(0)) await server.close();
  process.exit();
}

process.once('SIGTERM', () => void stop());
process.once('SIGINT', () => void stop());
// Sent when a parent that forked us is gone, however it went.
process.once('disconnect', () => void stop());

const clientSecret = process.env['CLIENT_SECRET'];
try {
  if (!clientSecret) throw new Error('Set CLIENT_SECRET, the secret of the OAuth client.');
  await start(clientSecret);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
  await stop();
}
