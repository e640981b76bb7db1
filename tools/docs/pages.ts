import { errorTable } from '@connectors/vault-core';
import type { Registry } from 'prom-client';
import type { z } from 'zod';
import { proxyConfigSchema } from '../../apps/proxy/src/config.ts';
import { createMetrics as createProxyMetrics } from '../../apps/proxy/src/metrics.ts';
import { workerConfigSchema } from '../../apps/worker/src/config.ts';
import { createMetrics as createWorkerMetrics } from '../../apps/worker/src/metrics.ts';
import { describeAdminApi } from '../../apps/worker/src/console/admin/api.ts';
import { adminApiPage } from './admin-api-page.ts';
import { adminClientTypes } from './admin-client-types.ts';
import { failuresPage } from './failures-page.ts';
import { integrationFieldsPage } from './integration-fields-page.ts';
import { page, table } from './markdown.ts';
import { providersPage } from './providers-page.ts';

/** What is made from the code, by file name below docs/. */
export async function generatePages(): Promise<Record<string, string>> {
  const adminApi = await describeAdminApi();
  return {
    'admin-api.md': adminApiPage(adminApi),
    '../packages/admin-client/src/operations.ts': await adminClientTypes(adminApi),
    'configuration.md': configurationPage(),
    'errors.md': errorsPage(),
    'failures.md': failuresPage(),
    'integration-fields.md': integrationFieldsPage(),
    'metrics.md': await metricsPage(),
    'providers.md': providersPage(),
  };
}

function configurationPage(): string {
  const proxy = proxyConfigSchema.shape;
  const worker = workerConfigSchema.shape;
  const common = Object.keys(proxy).filter((name) => name in worker);
  return page('Configuration', [
    'Both processes are configured by environment variables. A process whose configuration has problems names all of them and does not start.',
    '## Both',
    variables(proxy, common),
    '## Proxy',
    variables(
      proxy,
      Object.keys(proxy).filter((name) => !common.includes(name)),
    ),
    '## Worker',
    variables(
      worker,
      Object.keys(worker).filter((name) => !common.includes(name)),
    ),
    '## Integrations',
    '`{PROVIDER}_CLIENT_ID` and `{PROVIDER}_CLIENT_SECRET` (for example `GITHUB_CLIENT_ID`) switch on a provider of the catalog; your own integrations go into the file that `CONNECTORS_CONFIG` names. See [integrations.md](integrations.md).',
  ]);
}

function variables(shape: Record<string, z.ZodType>, names: string[]): string {
  return table(
    ['Variable', 'Default', 'Meaning'],
    names.map((name) => {
      const field = shape[name];
      return [`\`${name}\``, field === undefined ? '' : defaultOf(field), field?.description ?? ''];
    }),
  );
}

function defaultOf(field: z.ZodType): string {
  const { defaultValue } = field.def as { defaultValue?: string };
  if (defaultValue !== undefined) return `\`${defaultValue}\``;
  return field.safeParse(undefined).success ? '' : '**required**';
}

function errorsPage(): string {
  return page('Errors', [
    'Bodies are `application/problem+json` (RFC 9457). The header `Connectors-Error` carries the code. Errors of an upstream pass through untouched and do not have it.',
    table(
      ['Code', 'Status', 'Meaning', 'What the caller does'],
      Object.entries(errorTable).map(([code, { status, title, action }]) => [
        `\`${code}\``,
        String(status),
        title,
        action,
      ]),
    ),
  ]);
}

async function metricsPage(): Promise<string> {
  return page('Metrics', [
    'Both processes serve Prometheus metrics at `/metrics`. No label names a tenant. The metrics of the Node.js runtime (`process_…`, `nodejs_…`) are included.',
    '## Proxy',
    await figures(createProxyMetrics().registry),
    '## Worker',
    await figures(createWorkerMetrics().registry),
  ]);
}

async function figures(registry: Registry): Promise<string> {
  const metrics = await registry.getMetricsAsJSON();
  return table(
    ['Metric', 'Type', 'Meaning'],
    metrics
      .filter(({ name }) => name.startsWith('connectors_'))
      .map(({ name, type, help }) => [`\`${name}\``, String(type), help]),
  );
}
