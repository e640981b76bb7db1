import { fingerprint } from '@connectors/dev-servers';

/** One request of a worker to the token endpoint. Times in milliseconds since the epoch. */
export interface TokenCall {
  at: number;
  /** The process that asks: `worker-1.2` is the second one of the first worker. */
  worker: string;
  /** Fingerprint of the refresh token that it presented. */
  token: string;
  /** What was done to it instead of, or after, a proper answer. */
  fault?: string;
  /** What the authorization server decided; absent if it never saw the request. */
  status?: number;
  /** Fingerprint of the refresh token that it got in exchange. */
  issued?: string;
  /** When the whole answer was handed over; absent if it never was. */
  answeredAt?: number;
  /** When the connection ended without one. */
  closedAt?: number;
}

/** What a user once consented to, and the refresh tokens that came of it. */
export interface Grant {
  tenantId: string;
  /** Fingerprint of the refresh token that is valid now. */
  newest: string;
  /** When its refresh is due. */
  dueAt: number;
  loss?: Loss;
}

/** The authorization server refused a refresh token: the grant is gone. */
export interface Loss {
  tenantId: string;
  /** Which request was refused. */
  refused: TokenCall;
}

/** What truly happened at the authorization server: which refresh token was spent when, by whom, and what came of it. */
export class Ledger {
  readonly calls: TokenCall[] = [];
  /** Told of every loss, at once. */
  onLoss: (loss: Loss) => void = () => undefined;
  /** Requests with a refresh token that had been spent before. */
  readonly respends: TokenCall[] = [];
  readonly #grants = new Map<string, Grant>();
  readonly #grantOf = new Map<string, Grant>();
  readonly #spends = new Map<string, TokenCall>();
  readonly #dueAfterMs: number;

  /** @param dueAfterMs how long after a rotation the next one is due */
  constructor(dueAfterMs: number) {
    this.#dueAfterMs = dueAfterMs;
  }

  /** A user has consented, for the first time or again. */
  enroll(tenantId: string, refreshToken: string, dueAt: number): void {
    const newest = fingerprint(refreshToken);
    const grant = { tenantId, newest, dueAt };
    this.#grants.set(tenantId, grant);
    this.#grantOf.set(newest, grant);
  }

  /** The authorization server has decided on a request. */
  decide(call: TokenCall, status: number, answer: { refresh_token?: unknown; error?: unknown }): void {
    call.status = status;
    if (status === 200 && typeof answer.refresh_token === 'string') this.#rotate(call, answer.refresh_token);
    else if (answer.error === 'invalid_grant') this.#refuse(call);
  }

  /** The grants that stand now, one for each tenant. */
  get grants(): Iterable<Grant> {
    return this.#grants.values();
  }

  /** The request that spent a refresh token. */
  spendOf(token: string): TokenCall | undefined {
    return this.#spends.get(token);
  }

  get refreshes(): number {
    return this.#spends.size;
  }

  #rotate(call: TokenCall, refreshToken: string): void {
    call.issued = fingerprint(refreshToken);
    this.#spends.set(call.token, call);
    const grant = this.#grantOf.get(call.token);
    if (grant === undefined) return;
    grant.newest = call.issued;
    grant.dueAt = call.at + this.#dueAfterMs;
    this.#grantOf.set(call.issued, grant);
  }

  #refuse(call: TokenCall): void {
    // The authorization server never lets a token pass twice, so whoever spent it was first.
    const grant = this.#grantOf.get(call.token);
    if (grant === undefined || grant.newest !== call.token) this.respends.push(call);
    // What is refused after that is the same loss.
    if (grant?.loss !== undefined) return;
    const loss = { tenantId: grant?.tenantId ?? 'unknown', refused: call };
    if (grant !== undefined) grant.loss = loss;
    this.onLoss(loss);
  }
}
