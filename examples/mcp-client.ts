/*
 * The MCP SDK's client, connected to an MCP server through the proxy.
 *
 *     AGENT_KEY=cak_… node examples/mcp-client.ts demo whoami
 */
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';

const { PROXY_URL = 'http://127.0.0.1:8080', AGENT_KEY = '' } = process.env;
const [integration = 'demo', tool = 'whoami', json = '{}'] = process.argv.slice(2);

const client = new Client({ name: 'example', version: '1.0.0' });
await client.connect(
  new StreamableHTTPClientTransport(new URL(`${PROXY_URL}/mcp/${integration}`), {
    requestInit: { headers: { Authorization: `Bearer ${AGENT_KEY}` } },
  }),
);

const { tools } = await client.listTools();
console.log(`Tools: ${tools.map(({ name }) => name).join(', ')}`);

const result = await client.callTool({
  name: tool,
  arguments: JSON.parse(json) as Record<string, unknown>,
});
console.log(JSON.stringify(result.structuredContent ?? result.content));
await client.close();
