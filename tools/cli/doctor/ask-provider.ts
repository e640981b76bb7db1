import type { EgressGuard } from '@connectors/egress';
import {
  exchangeCode,
  readTokenResponse,
  requestToken,
  type Discovery,
  type Integration,
  type TokenFailure,
} from '@connectors/oauth';
import { callbackUrl, Secret } from '@connectors/vault-core';
import { findingsOf, type Finding } from './finding.ts';

const { ok, failed, warning, skipped } = findingsOf('worker');
const check = 'client';

interface Deps {
  guard: EgressGuard;
  discovery: Discovery;
  consoleUrl: string;
}

/** Asks for tokens with a code that nobody was given: a provider that knows the client refuses the code, not the client. */
export async function askProvider(
  integration: Integration,
  { guard, discovery, consoleUrl }: Deps,
): Promise<Finding> {
  const { id, provider } = integration;
  const isOwn = Object.keys(provider.fields).length === 0;
  if (!isOwn || (provider.grant !== 'authorization_code' && provider.grant !== 'client_credentials'))
    return skipped(
      check,
      `${id}: whether the provider knows the client shows with a credential only`,
      'Connect a tenant',
    );
  try {
    const ready = await discovery.complete(integration);
    const answer =
      provider.grant === 'client_credentials'
        ? await requestToken({ integration: ready, guard, fields: {} })
        : await exchangeCode({
            integration: ready,
            guard,
            code: new Secret('code-of-connectors-doctor'),
            codeVerifier: new Secret('verifier-of-connectors-doctor-which-is-long-enough'),
            redirectUri: callbackUrl(consoleUrl, id),
          });
    const result = readTokenResponse(ready.provider, answer);
    return result.kind === 'failure'
      ? judge(id, result.failure)
      : ok(check, `${id}: the provider knows the client`);
  } catch (error) {
    const { code } = error as { code?: unknown };
    return failed(
      check,
      `${id}: the provider's token endpoint cannot be asked (${String(code)})`,
      `Correct tokenUrl and the client of ${id}, or EGRESS_ALLOW_HOSTS`,
    );
  }
}

/** Classes are those of docs/failures.md. */
function judge(id: string, { class: kind, reason }: TokenFailure): Finding {
  if (kind === 'permanent' || kind === 'lost_response')
    return ok(check, `${id}: the provider knows the client (${reason})`);
  if (kind === 'operator')
    return failed(
      check,
      `${id}: the provider does not take the client (${reason})`,
      `Correct ${id.toUpperCase().replaceAll('-', '_')}_CLIENT_ID and _CLIENT_SECRET, or: npx pnpm@12 connectors clients set ${id}`,
    );
  return warning(
    check,
    `${id}: the provider did not say whether it knows the client (${reason})`,
    'Examine again later',
  );
}
