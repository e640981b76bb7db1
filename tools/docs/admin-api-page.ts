import {
  operationsOf,
  type NamedOperation,
  type OpenApiDocument,
} from '../../apps/worker/src/console/admin/openapi-document.ts';
import { page, table } from './markdown.ts';

const intro = `The console's API for programs, below \`/admin\` of \`CONSOLE_URL\`. Every request presents the admin token as
\`Authorization: Bearer …\`; cookies are ignored. \`GET /admin/openapi.json\` describes the API as an OpenAPI 3.1 document, generated from
the schemas that validate requests and answers. \`packages/admin-client\` is a client with types generated from that document:

\`\`\`ts
const admin = new AdminClient({ consoleUrl: 'https://console.example.com', adminToken });
await admin.call('refreshCredential', { tenantId: 'acme', integration: 'github', wait: 10 });
for await (const { id } of admin.tenants()) console.log(id);
\`\`\``;

const rules = `## General rules

- **Secrets**: nothing that is stored is returned as a secret. A new agent key, a new webhook secret and the link of a connect session are
  returned once, when they are created; tokens never are.
- **Problems** are \`application/problem+json\` (RFC 9457) with a stable \`code\`; [errors.md](errors.md) lists them. A malformed request
  gets a 400 whose \`detail\` names each field and its rule. Unknown fields are refused.
- **Pages**: \`limit\` is 1 to 200, by default 50. If there is more, \`next\` is the \`after\` (tenants, agents) or \`before\` (events) of the next page.
  Tenants come in Vault's order. OpenBao returns names page by page; HashiCorp's Vault returns all names, of which the worker keeps one page.
- **Idempotency**: operations that create something accept an \`Idempotency-Key\`, remembered in Redis for a day. The first answer is not
  kept, because it holds a secret. A repeat gets a 409 \`already_created\` whose \`id\` names what the first request made, even if the worker died
  before it could answer. The same key with another body gets a 422, and a repeat while the first is under way a 409 \`request_in_progress\`.

## What to know

- **Import** stores tokens that were granted elsewhere. The provider is not asked: whether the tokens work shows when they are used.
- **Minting** trusts the \`fields\`. Whoever has the admin token can connect any installation or account that the integration's own key
  reaches, so your backend must make sure that it belongs to the tenant before it calls.
- **Refresh now** respects the cooldown (\`REFRESH_COOLDOWN_SECONDS\`) and waits that the provider asked for; \`outcome\` says which.
- **Disconnect** first revokes the tokens at the provider, then destroys every stored version. \`revocation\` is \`failed\` if the provider could
  not be asked: the tokens may still work there.
- **Offboarding** disconnects all credentials of a tenant, then deletes its documents, its webhooks and, last, its two keys in Vault. After
  that none of its data can be read, not even from a backup. It may be repeated, and must be after a 503. Grants of agents that name the tenant
  are listed, not changed. Links, sessions and connects from before the offboarding are worthless. An import that meets one is a 409, and
  stores nothing.
- **Events and states** are in Redis and are lost with it: the last 100 events of a tenant, for a month, and the last 10,000 of all. The states in
  the overview come from events and are corrected by each sweep (\`SWEEP_INTERVAL_SECONDS\`).`;

/** The admin API: what is common to all operations, and a table of each kind. */
export function adminApiPage(document: OpenApiDocument): string {
  const groups = Map.groupBy(operationsOf(document), ({ tags }) => tags[0] ?? '');
  return page('The admin API', [
    intro,
    rules,
    ...[...groups].flatMap(([tag, operations]) => [`## ${titleOf(tag)}`, operationTable(operations)]),
  ]);
}

function operationTable(operations: NamedOperation[]): string {
  return table(
    ['Call', 'Name', 'What it does', 'Takes', 'Answers'],
    operations.map((operation) => [
      `\`${operation.method} /admin${operation.path}\``,
      `\`${operation.operationId}\``,
      operation.summary,
      takes(operation),
      answers(operation),
    ]),
  );
}

/** The names of what is in query and body; `?` after those that may be left out. */
function takes({ parameters = [], requestBody }: NamedOperation): string {
  const schema = requestBody?.content['application/json']?.schema;
  const { properties = {}, required = [] } = schema?.anyOf?.[0] ?? schema ?? {};
  const names = [
    ...parameters.filter(({ in: place }) => place === 'query').map(({ name }) => `?${name}`),
    ...Object.keys(properties).map((name) => (required.includes(name) ? name : `${name}?`)),
    ...parameters.filter(({ in: place }) => place === 'header').map(({ name }) => name),
  ];
  return names.map((name) => `\`${name}\``).join(', ');
}

/** Statuses that not every operation has. */
function answers({ responses }: NamedOperation): string {
  const common = ['400', '401', '413', '415', '429', '503'];
  return Object.keys(responses)
    .filter((status) => !common.includes(status))
    .join(', ');
}

function titleOf(tag: string): string {
  return tag.charAt(0).toUpperCase() + tag.slice(1).replaceAll('-', ' ');
}
