import { EgressRefusedError, type EgressGuard } from '@connectors/egress';

/**
 * Whether the address of a new endpoint may be delivered to, as far as one can tell now; each delivery tells again. A name
 * that cannot be resolved yet passes.
 *
 * @throws EgressRefusedError
 */
export async function checkEndpointUrl(guard: EgressGuard, url: string): Promise<void> {
  const { hostname } = guard.check(url);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  guard.lookup(hostname, { all: true }, (error) => {
    if (error instanceof EgressRefusedError) reject(error);
    else resolve();
  });
  return promise;
}
