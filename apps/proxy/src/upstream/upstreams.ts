import { EgressRefusedError, type EgressGuard } from '@connectors/egress';
import type { Integration, Provider } from '@connectors/oauth';
import type { Surface } from '../routes/target.ts';

/** Where an integration's requests go, and how its credential gets into them. */
export interface Upstream {
  origin: string;
  /** Without a slash at its end. */
  basePath: string;
  /** A query that the configured URL has, without the question mark. */
  baseQuery: string;
  injection: Provider['injection'];
  tokenRefusedStatuses: Provider['tokenRefusedStatuses'];
}

/** The upstreams of all integrations; the inner map lacks what an integration does not have. */
export type Upstreams = ReadonlyMap<string, Partial<Record<Surface, Upstream>>>;

/** Checks every address once, at start: what the guard refuses is a problem of the configuration. */
export function prepareUpstreams(
  integrations: ReadonlyMap<string, Integration>,
  guard: EgressGuard,
): { upstreams: Upstreams; problems: string[] } {
  const problems: string[] = [];
  const prepare = ({ id, provider, upstreams }: Integration, surface: Surface) => {
    const address = upstreams[surface];
    if (address === undefined) return {};
    try {
      return { [surface]: toUpstream(guard.check(address), provider) };
    } catch (error) {
      if (!(error instanceof EgressRefusedError)) throw error;
      problems.push(`integrations.${id}.upstream.${surface}: ${error.message}`);
      return {};
    }
  };
  const upstreams = new Map(
    [...integrations].map(([id, integration]) => [
      id,
      { ...prepare(integration, 'rest'), ...prepare(integration, 'mcp') },
    ]),
  );
  return { upstreams, problems };
}

function toUpstream(url: URL, provider: Provider): Upstream {
  return {
    origin: url.origin,
    basePath: url.pathname.replace(/\/+$/, ''),
    baseQuery: url.search.slice(1),
    injection: provider.injection,
    tokenRefusedStatuses: provider.tokenRefusedStatuses,
  };
}

/** The request target at the upstream. What the agent sent is appended as it is. */
export function upstreamPath({ basePath, baseQuery }: Upstream, path: string, query: string): string {
  const search = baseQuery === '' ? query : `?${baseQuery}${query.replace(/^\?/, '&')}`;
  return `${`${basePath}${path}` || '/'}${search}`;
}
