import { TokenRequestError, type Integration } from '@connectors/oauth';
import type { RefreshEngine } from '@connectors/refresh';
import { callbackUrl } from '@connectors/vault-core';
import { z } from 'zod';
import type { ZodRoutes } from './zod-routes.ts';

export interface IntegrationRoutes {
  engine: RefreshEngine;
  /** Where the console is reached, for example `https://console.example.com`. */
  consoleUrl: string;
}

const surfaces = ['rest', 'mcp'] as const;

const integration = z
  .object({
    id: z.string(),
    name: z.string().describe('The provider’s name, for people.'),
    grant: z.string().describe('How access tokens are obtained.'),
    scopes: z.array(z.string()),
    isReady: z.boolean().describe('Whether its provider can be asked for tokens now.'),
    problems: z.array(z.string()).describe('Codes that say why it is not ready.'),
    callbackUrl: z
      .string()
      .optional()
      .describe('The redirect URI to register at the provider, where users consent.'),
    surfaces: z.array(z.enum(surfaces)).describe('What agents can reach of it.'),
    docsUrl: z.string().optional().describe('The provider’s documentation.'),
  })
  .meta({ id: 'Integration' });

const integrationList = z.object({ items: z.array(integration) });

/** The integrations that this worker is configured with. */
export function registerIntegrations(app: ZodRoutes, { engine, consoleUrl }: IntegrationRoutes): void {
  const schema = {
    operationId: 'listIntegrations',
    summary: 'The integrations that the worker is configured with.',
    response: { 200: integrationList },
  };
  app.get('/integrations', { schema }, async () => {
    const shown = [...engine.integrations.values()].map(async (each) =>
      show(each, await problemsOf(engine.discovery, each), consoleUrl),
    );
    return { items: await Promise.all(shown) };
  });
}

function show({ id, provider, scopes, upstreams }: Integration, problems: string[], consoleUrl: string) {
  const { name, grant, docsUrl } = provider;
  return {
    id,
    name,
    grant,
    scopes: [...scopes],
    isReady: problems.length === 0,
    problems,
    ...(grant === 'authorization_code' ? { callbackUrl: callbackUrl(consoleUrl, id) } : {}),
    surfaces: surfaces.filter((surface) => upstreams[surface] !== undefined),
    ...(docsUrl === undefined ? {} : { docsUrl }),
  };
}

/** A worker starts with complete definitions only: what may be missing is what the issuer has to say. */
async function problemsOf(
  discovery: IntegrationRoutes['engine']['discovery'],
  each: Integration,
): Promise<string[]> {
  if (each.provider.grant === 'api_key') return [];
  try {
    await discovery.complete(each);
    return [];
  } catch (error) {
    if (error instanceof TokenRequestError) return [error.code];
    throw error;
  }
}
