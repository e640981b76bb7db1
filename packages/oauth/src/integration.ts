import type { Secret } from '@connectors/vault-core';
import type { Provider, ReadyProvider } from './provider.ts';

/** A provider with a client id, scopes and upstreams, under the id that stands in URLs and Vault paths. */
export interface Integration {
  id: string;
  provider: Provider;
  /** Absent where the grant needs none. */
  clientId?: string;
  /** Absent in processes that ask for no tokens, and for public clients. */
  clientSecret?: Secret;
  /** The client's private key in PEM, which signs its assertions. Absent as `clientSecret` is. */
  clientKey?: Secret;
  /** What the provider calls that key (`kid`). */
  clientKeyId?: string;
  scopes: readonly string[];
  /** Base URLs of what agents reach through `/proxy/{id}` and `/mcp/{id}`. */
  upstreams: { rest?: string | undefined; mcp?: string | undefined };
}

/** An integration whose provider's endpoints are known; see `Discovery`. */
export type ReadyIntegration = Integration & { provider: ReadyProvider };
