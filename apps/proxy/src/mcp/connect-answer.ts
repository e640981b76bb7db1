import { randomUUID } from 'node:crypto';
import { isStatelessRevision } from './era.ts';
import { fieldsOf, requestIdOf, rpcError, type RpcAnswer } from './rpc.ts';

/** How a user comes to what a request lacks: a sentence for them to read, and the link that it is about. */
export interface ConnectPrompt {
  message: string;
  url: string;
}

const metaKey = (name: string) => `io.modelcontextprotocol/${name}`;
/** Our own in `inputRequests`, beside those that the upstream may know. */
const inputKey = 'connectors_connect';
/** Up to 2025-11-25 an error of its own: URLElicitationRequiredError. */
const urlElicitationRequired = -32_042;
/** From 2026-07-28 on. */
const missingClientCapability = -32_021;
/** Beyond what JSON-RPC and MCP keep for themselves: the HTTP status that says the same. */
const failedDependency = 424;
/** From 2026-07-28 on only these may be answered with a question. */
const askable = new Set(['tools/call', 'prompts/get', 'resources/read']);

/**
 * Tells an MCP client, in the words of its era, that its user has to open a link first. `undefined` for what is not one
 * request with an id, which has no answer of this kind.
 */
export function connectAnswer(
  message: unknown,
  isStateless: boolean,
  prompt: ConnectPrompt,
): RpcAnswer | undefined {
  const id = requestIdOf(message);
  if (id === undefined) return undefined;
  const { method, params } = fieldsOf(message);
  const meta = fieldsOf(fieldsOf(params)['_meta']);
  const error = (status: number, code: number, data: object): RpcAnswer =>
    rpcError(id, status, { code, message: `${prompt.message} Open ${prompt.url} to connect.`, data });
  const elicitation = { mode: 'url', ...prompt };
  if (!isStateless && !isStatelessRevision(meta[metaKey('protocolVersion')])) {
    const elicitations = [{ ...elicitation, elicitationId: randomUUID() }];
    return error(200, urlElicitationRequired, { elicitations });
  }
  const data = { connectUrl: prompt.url };
  const { requestState, inputResponses } = fieldsOf(params);
  const reply = fieldsOf(fieldsOf(inputResponses)[inputKey]);
  if (!askable.has(String(method)) || isRefused(reply)) return error(200, failedDependency, data);
  const capabilities = fieldsOf(meta[metaKey('clientCapabilities')]);
  if (fieldsOf(capabilities['elicitation'])['url'] === undefined) {
    const requiredCapabilities = { elicitation: { url: {} } };
    return error(400, missingClientCapability, { ...data, requiredCapabilities });
  }
  const result = {
    resultType: 'input_required',
    inputRequests: { [inputKey]: { method: 'elicitation/create', params: elicitation } },
    // The upstream's, which the client would forget if we did not name it.
    ...(typeof requestState === 'string' ? { requestState } : {}),
  };
  return { status: 200, body: { jsonrpc: '2.0', id, result } };
}

/** The user was asked before, and does not want to. */
function isRefused({ action }: Record<string, unknown>): boolean {
  return action === 'decline' || action === 'cancel';
}
