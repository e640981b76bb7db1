import { ConnectorsError } from '@connectors/vault-core';
import type { Exchange } from '../exchange.ts';
import type { ProxyParts } from '../pipeline.ts';

/** The integration exists, and has an upstream of the kind that the route is for. */
export function findIntegration(exchange: Exchange, { upstreams }: ProxyParts): void {
  const { integration, surface } = exchange.target;
  const upstream = upstreams.get(integration);
  if (upstream?.has(surface) !== true) {
    const what = upstream !== undefined ? `${integration} has no ${surface} upstream` : undefined;
    throw new ConnectorsError('integration_unknown', what ?? `There is no integration ${integration}`);
  }
  exchange.upstream = upstream;
}
