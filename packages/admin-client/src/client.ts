import { operations, type Operations, type Problem } from './operations.ts';

export interface AdminClientOptions {
  /** Where the console is reached, for example `https://console.example.com`. */
  consoleUrl: string;
  adminToken: string;
  /** Milliseconds for one call. Default 40,000: a refresh may be waited for for half a minute. */
  timeoutMs?: number;
}

type Body<Id extends keyof Operations> = undefined extends Operations[Id]['body']
  ? [body?: Operations[Id]['body'], options?: CallOptions]
  : [body: Operations[Id]['body'], options?: CallOptions];

interface CallOptions {
  /** Yours: a request that is repeated with it makes nothing twice. */
  idempotencyKey?: string;
}

/** The console refused a call; `code` says why, and stays the same when sentences change. */
export class AdminApiError extends Error {
  readonly status: number;
  readonly code: Problem['code'] | 'unknown';
  readonly problem: Problem | undefined;
  /** How long to wait before another try, in milliseconds. */
  readonly retryAfterMs: number | undefined;

  constructor(status: number, problem: Problem | undefined, retryAfterMs: number | undefined) {
    super(problem?.detail ?? `The console answered ${status}`);
    this.name = new.target.name;
    this.status = status;
    this.code = problem?.code ?? 'unknown';
    this.problem = problem;
    this.retryAfterMs = retryAfterMs;
  }
}

/**
 * Calls the admin API, each operation by its name in the OpenAPI document.
 *
 * ```ts
 * const admin = new AdminClient({ consoleUrl: 'https://console.example.com', adminToken });
 * const { outcome } = await admin.call('refreshCredential', { tenantId: 'acme', integration: 'github', wait: 10 });
 * ```
 */
export class AdminClient {
  readonly #consoleUrl: string;
  readonly #adminToken: string;
  readonly #timeoutMs: number;

  constructor({ consoleUrl, adminToken, timeoutMs = 40_000 }: AdminClientOptions) {
    this.#consoleUrl = consoleUrl.replace(/\/+$/, '');
    this.#adminToken = adminToken;
    this.#timeoutMs = timeoutMs;
  }

  /**
   * @param params of its path and query
   * @throws {AdminApiError} and whatever `fetch` throws when there is no answer
   */
  async call<Id extends keyof Operations>(
    id: Id,
    params: Operations[Id]['params'],
    ...[body, { idempotencyKey } = {}]: Body<Id>
  ): Promise<Operations[Id]['answer']> {
    const { method, path } = operations[id];
    const response = await fetch(`${this.#consoleUrl}/admin${fill(path, params)}`, {
      method,
      // The token is for nobody else.
      redirect: 'manual',
      signal: AbortSignal.timeout(this.#timeoutMs),
      headers: {
        authorization: `Bearer ${this.#adminToken}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw await refusal(response);
    const text = await response.text();
    return (text === '' ? undefined : JSON.parse(text)) as Operations[Id]['answer'];
  }

  /** All tenants, read page by page. */
  tenants(): AsyncGenerator<{ id: string }> {
    return readTenants(this);
  }
}

/** The same for what wraps a client. */
export async function* readTenants(client: Pick<AdminClient, 'call'>): AsyncGenerator<{ id: string }> {
  let after: string | undefined;
  do {
    const page = await client.call('listTenants', { limit: 200, ...(after === undefined ? {} : { after }) });
    yield* page.items;
    after = page.next;
  } while (after !== undefined);
}

/** Puts parameters into their places in a path, and the rest behind it. */
function fill(path: string, params: object): string {
  const rest = new Map(Object.entries(params as Record<string, string | number | boolean | undefined>));
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const value = String(rest.get(name));
    rest.delete(name);
    // Encoded or not, these climb: what was meant for a credential would be done to its tenant.
    if (value === '.' || value === '..') throw climbs(name);
    return encodeURIComponent(value);
  });
  const query = new URLSearchParams();
  for (const [name, value] of rest) if (value !== undefined) query.set(name, String(value));
  return query.size === 0 ? filled : `${filled}?${query.toString()}`;
}

async function refusal(response: Response): Promise<AdminApiError> {
  const isProblem = response.headers.get('content-type')?.startsWith('application/problem+json') === true;
  const problem = isProblem ? ((await response.json()) as Problem) : undefined;
  const wait = response.headers.get('retry-after');
  return new AdminApiError(response.status, problem, wait === null ? undefined : Number(wait) * 1000);
}

function climbs(name: string): AdminApiError {
  const detail = `${name}: must not be dots alone`;
  const problem = {
    type: 'about:blank',
    title: 'Bad Request',
    status: 400,
    code: 'invalid_request',
    detail,
  } as const;
  return new AdminApiError(400, problem, undefined);
}
