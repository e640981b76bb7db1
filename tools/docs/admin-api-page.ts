import {
  operationsOf,
  type NamedOperation,
  type OpenApiDocument,
} from '../../apps/worker/src/console/admin/openapi-document.ts';
import { page, table } from './markdown.ts';

const intro = `The console's API for programs, below \`/admin\` of \`CONSOLE_URL\`. Every request presents the admin token as
\`Authorization: Bearer …\`; cookies are not looked at. \`GET /admin/openapi.json\` is this page as an OpenAPI 3.1 document, made from
the schemas that requests and answers are checked with. \`packages/admin-client\` is a client with types made from that document:

\`\`\`ts
const admin = new AdminClient({ consoleUrl: 'https://console.example.com', adminToken });
await admin.call('refreshCredential', { tenantId: 'acme', integration: 'github', wait: 10 });
for await (const { id } of admin.tenants()) console.log(id);
\`\`\``;

const rules = `## Rules for all

- **Nothing that is stored comes back as a secret.** A new agent key, a new webhook secret and the link of a connect session are answered once.
  Tokens are never answered.
- **Problems** are \`application/problem+json\` (RFC 9457) with a \`code\` that stays the same; [errors.md](errors.md) lists them. A malformed request
  is a 400 whose \`detail\` names each field and its rule. Unknown fields are refused.
- **Pages**: \`limit\` is 1 to 200, by default 50. \`next\`, where there is more, is \`after\` (tenants) or \`before\` (events) of the next page. Tenants
  come in Vault's order. OpenBao lists pages of names; HashiCorp's Vault answers with all names, of which the worker keeps a page.
- **Idempotency**: operations that make something take an \`Idempotency-Key\` of yours and remember it for a day, in Redis. The first answer is
  not kept, for it holds a secret. A repeat is a 409 \`already_created\` whose \`id\` names what the first one made, also when the worker died
  before it could answer; another body with the same key is a 422, and while the first is under way a repeat is a 409 \`request_in_progress\`.

## What to know

- **Import** stores tokens that were granted elsewhere. Nothing is asked of the provider: whether they work shows when they are used.
- **Minting** is believed what the \`fields\` say. Whoever has the admin token may connect any installation or account that the integration's own key
  reaches: that it belongs to the tenant is for your backend to know, before it calls.
- **Refresh now** keeps to the cooldown (\`REFRESH_COOLDOWN_SECONDS\`) and to what the provider has asked for; \`outcome\` says which.
- **Disconnect** ends the tokens at the provider first, then destroys every stored version. \`revocation\` says \`failed\` where the provider could not be
  asked: the tokens may live on there.
- **Offboarding** does that for all credentials of a tenant, then deletes its documents, its webhooks and, last, its two keys in Vault: after
  that no backup of anything of it can be read. It may be repeated, and has to be after a 503. Grants of agents that name the tenant are
  listed, not changed. Links, sessions and connects of before the offboarding are worth nothing afterwards.
- **Events and states** are in Redis and are lost with it: the last 100 events of a tenant, for a month, and 10,000 of all. The overview's states come
  from events and are put right by each sweep (\`SWEEP_INTERVAL_SECONDS\`).`;

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
