import { EgressRefusedError, type EgressGuard } from '@connectors/egress';
import { Upstream, type Integration } from '@connectors/oauth';

/** The upstreams of each integration. */
export type Upstreams = ReadonlyMap<string, Upstream>;

/** Checks every address once, at start: what the guard refuses is a problem of the configuration. */
export function prepareUpstreams(
  integrations: ReadonlyMap<string, Integration>,
  guard: EgressGuard,
): { upstreams: Upstreams; problems: string[] } {
  const problems: string[] = [];
  const upstreams = new Map(
    [...integrations].map(([id, integration]) => {
      const upstream = new Upstream(integration, guard);
      upstream.check((surface, error) => {
        if (!(error instanceof EgressRefusedError)) throw error;
        problems.push(`integrations.${id}.upstream.${surface}: ${error.message}`);
      });
      return [id, upstream] as const;
    }),
  );
  return { upstreams, problems };
}
