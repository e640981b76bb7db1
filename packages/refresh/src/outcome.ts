/** What became of one attempt to refresh a credential. */
export type RefreshOutcome =
  | {
      kind: 'refreshed';
      revision: string;
      expiresAt: string | undefined;
      /** How long the old token would have lived, in milliseconds. */
      remainingLifeMs: number | undefined;
    }
  /** The stored state is another one, is gone, or cannot be refreshed any more: this job has nothing left to do. */
  | { kind: 'superseded' }
  /** Another attempt may still be under way; look again at `until` (milliseconds since the epoch). */
  | { kind: 'held'; until: number }
  | { kind: 'needs_reauth'; reason: string }
  /**
   * Failed for now. `notBefore` (milliseconds since the epoch) when the provider asked to wait; `isThrottled` when it
   * meant more than this credential.
   */
  | { kind: 'retry'; reason: string; notBefore?: number; isThrottled?: true };
