import type { Secret } from '@connectors/vault-core';
import type { Provider, ReadyProvider } from './provider.ts';

/** A provider with a client id, scopes and upstreams, under the id that stands in URLs and Vault paths. */
export interface Integration {
  id: string;
  provider: Provider;
  clientId: string;
  /** Absent in processes that redeem no tokens, and for public clients. */
  clientSecret?: Secret;
  scopes: readonly string[];
  /** Base URLs of what agents reach through `/proxy/{id}` and `/mcp/{id}`. */
  upstreams: { rest?: string | undefined; mcp?: string | undefined };
}

/** An integration whose provider's endpoints are known; see `Discovery`. */
export type ReadyIntegration = Integration & { provider: ReadyProvider };
