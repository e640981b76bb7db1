import type { EgressGuard } from '@connectors/egress';
import type { Discovery, Integration } from '@connectors/oauth';
import type { Spool } from './spool.ts';
import type { ConnectorsEvent, CredentialId, CredentialStore, RefreshQueues } from '@connectors/vault-core';

/** What every step of a refresh works with. */
export interface RefreshEngine {
  credentials: CredentialStore;
  queues: RefreshQueues;
  integrations: ReadonlyMap<string, Integration>;
  discovery: Discovery;
  guard: EgressGuard;
  /** Tells the other processes. Must not throw: an event is a hint. */
  announce: (event: ConnectorsEvent) => Promise<void>;
  /** Keeps tokens that Vault cannot take. */
  spool: Spool;
  /** Aborted when the process is asked to end: then what lies in the spool is left to other workers. */
  stopping: AbortSignal;
  /** New tokens could not be saved: they are in this process's memory alone, and tried again. */
  onUnsaved: (id: CredentialId, error: unknown) => void;
  /** Tokens that nobody will use could not be ended at their provider; `reason` is a code. */
  onUnrevoked: (id: CredentialId, reason: string) => void;
  /** The wall clock, in milliseconds since the epoch. */
  now: () => number;
  /** A clock that nobody sets, in milliseconds: deadlines are checked on it. */
  monotonic: () => number;
  limits: RefreshLimits;
}

/** All in milliseconds. */
export interface RefreshLimits {
  /** From the claim until the result is saved. Another worker waits at least that long. */
  attemptMs: number;
  /** How much of an attempt must be left when the token request is sent; shorter than `attemptMs`. */
  requestMs: number;
  /** How far the clocks of two workers may be apart. */
  clockSkewMs: number;
  /** A token younger than this is not refreshed on demand. */
  cooldownMs: number;
}
