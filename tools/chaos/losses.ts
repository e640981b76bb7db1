import { setTimeout as delay } from 'node:timers/promises';
import { storeGranted } from '@connectors/refresh';
import { integration, type Fleet } from '../fleet/start-fleet.ts';
import { explainLoss, type Explanation, type FaultRecord, type StoredVersion } from './explain.ts';
import { readHistory } from './history.ts';
import type { Ledger, Loss, TokenCall } from './ledger.ts';
import { settings } from './settings.ts';

/** A loss with all that is known about it. */
export interface ExplainedLoss {
  tenantId: string;
  /** Absent until all that could explain it is collected. */
  explanation?: Explanation;
  /** From when to when the tenant had no grant that works: until its user was back. */
  from: number;
  until?: number;
  spend: TokenCall | undefined;
  refused: TokenCall;
  history: StoredVersion[];
  /** Why the product says that the credential needs its user. */
  productSays?: string;
}

const pollMs = 250;
/** The product has to notice that a grant is gone. */
const patienceMs = 60_000;

/** Follows up on every loss: collects what explains it, and lets the user connect again as users do. */
export class LossFollowUp {
  readonly losses: ExplainedLoss[] = [];
  readonly #fleet: Fleet;
  readonly #ledger: Ledger;
  readonly #faults: FaultRecord[];
  readonly #signal: AbortSignal;
  readonly #underWay: Promise<void>[] = [];

  constructor(fleet: Fleet, ledger: Ledger, faults: FaultRecord[], signal: AbortSignal) {
    this.#fleet = fleet;
    this.#ledger = ledger;
    this.#faults = faults;
    this.#signal = signal;
    ledger.onLoss = (loss) => {
      const following = this.#follow(loss);
      // Whoever waits for it hears of it.
      following.catch(() => undefined);
      this.#underWay.push(following);
    };
  }

  /** Ends when every user is back. */
  async settled(): Promise<void> {
    // More may come while the first ones are waited for.
    for (const following of this.#underWay) await following;
  }

  async #follow({ tenantId, refused }: Loss): Promise<void> {
    const from = this.#ledger.spendOf(refused.token)?.at ?? refused.at;
    const loss: ExplainedLoss = {
      tenantId,
      from,
      spend: undefined,
      refused,
      history: [],
    };
    this.losses.push(loss);
    loss.history = await this.#retried(() => readHistory(this.#fleet, tenantId));
    loss.spend = this.#ledger.spendOf(refused.token);
    loss.explanation = explainLoss({ ...loss, faults: this.#faults });
    const productSays = await this.#noticed(tenantId);
    if (productSays !== undefined) loss.productSays = productSays;
    await this.#retried(() => connect(this.#fleet, this.#ledger, tenantId));
    loss.until = Date.now();
  }

  /** Waits until the product asks for the user, and answers the reason that it gives. */
  async #noticed(tenantId: string): Promise<string | undefined> {
    for (const start = Date.now(); Date.now() - start < patienceMs;) {
      const { credential } = await this.#retried(() =>
        this.#fleet.admin.credentials.get({ tenantId, integration }),
      );
      if (credential.metadata.status === 'needs_reauth') return credential.metadata.statusReason;
      await delay(pollMs, undefined, { signal: this.#signal });
    }
    return undefined;
  }

  /** Vault may be away. */
  async #retried<T>(act: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await act();
      } catch {
        await delay(pollMs, undefined, { signal: this.#signal });
      }
    }
  }
}

/**
 * A user consents, and what was granted is stored and scheduled.
 *
 * @param lifeMs how long the token lives as far as the product knows; as long as it does unless told
 */
export async function connect(
  fleet: Fleet,
  ledger: Ledger,
  tenantId: string,
  lifeMs = settings.tokenLife * 1000,
): Promise<void> {
  const granted = await fleet.grant(tenantId);
  const expiresAt = new Date(Date.now() + lifeMs);
  ledger.enroll(tenantId, granted.refreshToken ?? '', Date.now() + lifeMs / 2);
  await storeGranted(fleet.admin, fleet.scheduling, { tenantId, integration }, { ...granted, expiresAt });
}
