import { readFileSync } from 'node:fs';
import { EgressGuard } from '@connectors/egress';
import { readableFile } from '@connectors/vault-core';
import { z } from 'zod';
import type { Integration } from './integration.ts';
import { loadIntegrations, type IntegrationSources } from './load-integrations.ts';

/** The environment variables that say which integrations there are, and what may be reached for them. */
export const integrationFields = {
  CONNECTORS_CONFIG: readableFile()
    .optional()
    .describe('Path of `connectors.yaml`, the file with your integrations.'),
  EGRESS_ALLOW_HOSTS: z
    .string()
    .refine((list) => openGuard(list) !== undefined, 'must be host or host:port, separated by commas')
    .optional()
    .describe(
      'Hosts that may be private and may be called over plain http, as `host` or `host:port`, separated by commas.',
    ),
};

export interface IntegrationSettings {
  integrations: Map<string, Integration>;
  guard: EgressGuard;
  /** What is wrong with the integrations. That a variable breaks its own rule is told by {@link integrationFields}. */
  problems: string[];
}

/**
 * Reads the integrations from the environment and the file that it names, unless the text of that is given; for
 * `needsKeys` and `clients` see `loadIntegrations`.
 */
export function readIntegrations(
  env: Readonly<Record<string, string | undefined>>,
  { yaml = readFile(env['CONNECTORS_CONFIG'] ?? ''), ...sources }: Omit<IntegrationSources, 'env'> = {},
): IntegrationSettings {
  const loaded = loadIntegrations({ ...sources, yaml, env });
  return { ...loaded, guard: openGuard(env['EGRESS_ALLOW_HOSTS'] ?? '') ?? new EgressGuard() };
}

function readFile(path: string): string {
  try {
    return path === '' ? '' : readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function openGuard(list: string): EgressGuard | undefined {
  const entries = list.split(',').map((entry) => entry.trim());
  try {
    return new EgressGuard({ allow: entries.filter((entry) => entry !== '') });
  } catch {
    return undefined;
  }
}
