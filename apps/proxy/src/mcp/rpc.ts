/** A JSON-RPC answer and the status it goes with. */
export interface RpcAnswer {
  status: number;
  body: object;
}

export type RpcId = string | number;

/** The id of a request that can be answered; `undefined` for everything else, batches and ids that we would not repeat exactly among them. */
export function requestIdOf(message: unknown): RpcId | undefined {
  const { id, method } = fieldsOf(message);
  return typeof method === 'string' && (typeof id === 'string' || isExact(id)) ? id : undefined;
}

function isExact(id: unknown): id is number {
  return Number.isSafeInteger(id);
}

export function rpcError(
  id: RpcId,
  status: number,
  error: { code: number; message: string; data?: object },
): RpcAnswer {
  return { status, body: { jsonrpc: '2.0', id, error } };
}

/** An object's fields; none of anything else. */
export function fieldsOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
