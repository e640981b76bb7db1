/** One JSON-RPC message of a client, as far as grants are about it. */
export type McpMessage =
  /** It asks nothing of the server, but answers what the server asked. */
  { kind: 'response' } | McpCall;

/** A request or a notification. */
export interface McpCall {
  kind: 'call';
  method: string;
  /** What it names: a tool, a prompt or the URI of a resource, in the methods that name one. */
  name: string | undefined;
  /** The revision of the protocol that it says it is of; only from 2026-07-28 on. */
  revision: unknown;
}

/** Where the methods that name something have the name: what `Mcp-Name` repeats. */
const nameKeys: Partial<Record<string, 'name' | 'uri'>> = {
  'tools/call': 'name',
  'prompts/get': 'name',
  'resources/read': 'uri',
};

const messageKeys = ['jsonrpc', 'id', 'method', 'params', 'result', 'error'];
const paramKeys = ['name', 'uri', '_meta'];
const maxBatch = 100;

/** The messages in a body, one of them or a batch. Throws an Error that says what is wrong, and quotes nothing. */
export function readMessages(value: unknown): { messages: McpMessage[]; isBatch: boolean } {
  if (!Array.isArray(value)) return { messages: [readMessage(value)], isBatch: false };
  if (value.length === 0 || value.length > maxBatch) throw new Error('the batch is empty or too large');
  return { messages: value.map(readMessage), isBatch: true };
}

function readMessage(value: unknown): McpMessage {
  const message = fieldsOf(value, messageKeys);
  if (message['jsonrpc'] !== '2.0') throw new Error('`jsonrpc` must be "2.0"');
  const { method, params = {} } = message;
  const isResponse = 'result' in message || 'error' in message;
  if (isResponse === 'method' in message) throw new Error('a message has `method`, or `result`, or `error`');
  if (isResponse) return { kind: 'response' };
  if (typeof method !== 'string') throw new Error('`method` must be a string');
  const fields = fieldsOf(params, paramKeys);
  const meta = fieldsOf(fields['_meta'] ?? {}, []);
  return {
    kind: 'call',
    method,
    name: readName(nameKeys[method], fields),
    revision: meta['io.modelcontextprotocol/protocolVersion'],
  };
}

function readName(key: 'name' | 'uri' | undefined, params: Record<string, unknown>): string | undefined {
  if (key === undefined) return undefined;
  const name = params[key];
  // Some servers stop reading at NUL, others trim: to them it would be another name.
  if (typeof name !== 'string' || !/^[^\p{Cc}\p{Cs}]*$/u.test(name) || name.trim() !== name) {
    throw new Error(`\`params.${key}\` must be a string without control characters and spaces around it`);
  }
  return name;
}

/** An object that has each of these keys as it is written here or not at all: some servers take `Method` for `method`. */
function fieldsOf(value: unknown, keys: readonly string[]): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Error('a message, its `params` and `_meta` must be objects');
  }
  for (const key of Object.keys(value)) {
    if (!keys.includes(key) && keys.includes(fold(key)))
      throw new Error(`\`${fold(key)}\` must be lower case`);
  }
  return value as Record<string, unknown>;
}

/** Through upper case, so that the letters which Unicode counts as S and K are among them. */
function fold(key: string): string {
  return key.toUpperCase().toLowerCase();
}
