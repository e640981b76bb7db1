import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { launchProgram, startMember } from '../fleet/member.ts';
import { startFleet } from '../fleet/start-fleet.ts';
import type { Keys } from './requests.ts';

const tenants = ['one', 'two'] as const;
const integrations = ['first', 'second'] as const;
const basePath = '/base';

export type World = Awaited<ReturnType<typeof startWorld>>;

/** A proxy as a process of its own, two upstreams that look at every request, and two tenants with a token for each. */
export async function startWorld(dir: string) {
  const fleet = await startFleet(dir, { workers: 0, proxies: 0 });
  const tokens = await storeTokens(fleet);
  const wrongs: string[] = [];
  const agent = (tenant: string) =>
    fleet.createAgent({ name: 'fuzz', grants: [{ tenants: [tenant], integrations: [...integrations] }] });
  const keys: Keys = { valid: await agent('one'), other: await agent('two') };
  const upstreams = await startUpstreams(tokens, keys, (wrong) => wrongs.push(wrong));
  const file = join(dir, 'fuzz.yaml');
  writeFileSync(file, JSON.stringify({ integrations: entries(upstreams) }));
  const env = { ...fleet.environment('proxy'), CONNECTORS_CONFIG: file };
  const proxy = await startProxy(env, join(dir, 'logs'), (line) => {
    if (line.includes('internal error')) wrongs.push('the proxy logged an internal error');
  });
  return {
    url: proxy.url,
    keys,
    secrets: [...tokens.values(), keys.valid, keys.other],
    /** What happened since the last time that must not happen. */
    takeWrongs: () => wrongs.splice(0),
    ended: proxy.ended,
    close: async () => {
      await proxy.stop();
      for (const server of upstreams.values()) {
        server.closeAllConnections();
        server.close();
      }
      await fleet.close();
    },
  };
}

/** By tenant and integration, with a space between them. */
type Tokens = ReadonlyMap<string, string>;

async function storeTokens({ admin }: Awaited<ReturnType<typeof startFleet>>): Promise<Tokens> {
  const tokens = new Map<string, string>();
  for (const tenant of tenants) {
    for (const integration of integrations) {
      const accessToken = `token-of-${tenant}-for-${integration}/+=`;
      tokens.set(`${tenant} ${integration}`, accessToken);
      const credential = { accessToken, scopes: [], tokenType: 'Bearer', integration };
      await admin.storeCredentials(tenant, integration, credential);
    }
  }
  return tokens;
}

async function startUpstreams(
  tokens: Tokens,
  keys: Keys,
  tell: (wrong: string) => void,
): Promise<ReadonlyMap<string, Server>> {
  const upstreams = new Map<string, Server>();
  for (const name of integrations) {
    const server = createServer((request, response) => {
      const wrong = judgeRequest(request, name, tokens, keys);
      if (wrong !== undefined) tell(`${name} was sent ${wrong}`);
      respond(request, response, tokens);
    });
    server.on('upgrade', (_request, socket) => socket.destroy());
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    upstreams.set(name, server);
  }
  return upstreams;
}

function startProxy(env: Record<string, string>, logDir: string, onLine: (line: string) => void) {
  return startMember('proxy', (port) =>
    launchProgram({
      name: 'proxy',
      module: 'apps/proxy/src/main.ts',
      logDir,
      env: {
        ...env,
        PORT: String(port),
        MCP_SESSION_KEY: 'a-key-for-the-sessions-of-a-fuzz-run-only',
        AGENT_IDLE_MS: '200',
        // Counted, but out of the way.
        TENANT_REQUESTS_PER_SECOND: '1000000',
        TENANT_BURST: '1000000',
        MAX_EVENT_LOOP_LAG_MS: '60000',
      },
      onLine,
    }),
  );
}

function entries(upstreams: ReadonlyMap<string, Server>): Record<string, object> {
  const [first, second] = integrations.map((name) => {
    const address = upstreams.get(name)?.address() as AddressInfo | undefined;
    return `http://127.0.0.1:${address?.port}${basePath}`;
  });
  return {
    first: { grant: 'api_key', upstream: { rest: first, mcp: first } },
    // The other way by which tokens travel.
    second: { grant: 'api_key', injection: { query: 'key' }, upstream: { rest: second } },
  };
}

/** What is wrong with a request that reached an upstream. */
function judgeRequest(
  { url = '', rawHeaders }: IncomingMessage,
  name: string,
  tokens: Tokens,
  keys: Keys,
): string | undefined {
  const text = `${url}\n${rawHeaders.join('\n')}`;
  const plain = decoded(text);
  const held = [...tokens].filter(([, token]) => plain.includes(token)).map(([whose]) => whose);
  if (held.some((whose) => !whose.endsWith(` ${name}`))) return `the token of ${held.join(' and ')}`;
  if (held.length !== 1) return `${held.length} tokens`;
  if (plain.includes(keys.valid) || plain.includes(keys.other)) return 'an agent key';
  if (!(url === basePath || url.startsWith(`${basePath}/`) || url.startsWith(`${basePath}?`)))
    return `a path outside its base path: ${url}`;
  const path = decoded(url.split('?', 1)[0] ?? '');
  if (/(?:^|[/\\])\.\.(?:[/\\;]|$)/.test(path)) return `a path that climbs: ${url}`;
  return undefined;
}

function decoded(text: string): string {
  return text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
}

let turn = 0;

/** Answers of many kinds, in turn. Some name the token where it has to be redacted. */
function respond(request: IncomingMessage, response: ServerResponse, tokens: Tokens): void {
  request.on('error', () => undefined).resume();
  const received = decoded(`${request.url ?? ''}\n${request.headers.authorization ?? ''}`);
  const token = Array.from(tokens.values()).find((each) => received.includes(each)) ?? '';
  turn = (turn + 1) % 8;
  switch (turn) {
    case 0:
      response.writeHead(302, { location: `https://b.example/?key=${token}` }).end();
      return;
    case 1:
      response.writeHead(204, { 'set-cookie': 'a=1' }).end();
      return;
    case 2:
      response.write('body');
      response.addTrailers({ 'X-Sum': '1' });
      response.end();
      return;
    case 3:
      response.writeHead(429, { 'retry-after': '1' }).end('slow down');
      return;
    case 4:
      request.socket.destroy();
      return;
    case 5:
      response.writeHead(200, { 'content-length': 20 });
      response.write('too short', () => request.socket.destroy());
      return;
    case 6:
      response
        .writeHead(200, { link: `<https://a.example/?t=${encodeURIComponent(token)}>` })
        .end('x'.repeat(20_000));
      return;
    default:
      response.end('ok');
  }
}
