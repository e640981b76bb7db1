import { lookUp, type Choice } from '@connectors/oauth';
import { VaultError, type CredentialId, type StoredCredential } from '@connectors/vault-core';
import type { FastifyInstance } from 'fastify';
import { html, type Html } from '../pages/html.ts';
import { cardPage, noticePage } from '../pages/layout.ts';
import type { ConnectOptions } from './connect.ts';
import { allowForm, complete } from './connect-page.ts';
import { fieldLabel } from './field-label.ts';
import { enter, enterForm, type Entered } from './enter.ts';
import { resultPath } from './result-page.ts';

const path = '/connect/:tenantId/:integration/choices';

/**
 * The page on which a user chooses between the sites of an account. Its tokens were stored with the first one, so nothing is
 * held meanwhile: the choice only changes a field.
 */
export function registerChoicesPage(app: FastifyInstance, options: ConnectOptions): void {
  app.get(path, async (request, reply) => {
    const entered = enter(options, request, reply);
    if (entered === undefined) return reply;
    const found = await findChoices(options, entered);
    allowForm(options, reply, entered.integration);
    return found === undefined || found.choices.length === 0
      ? reply.code(404).send(nothingPage(entered))
      : reply.send(choicesPage(options, entered, found.choices, found.credential));
  });

  app.post(path, async (request, reply) => {
    const entered = enterForm(options, request, reply);
    if (entered === undefined) return reply;
    const id = idOf(entered);
    const { choices = [] } = (await findChoices(options, entered)) ?? {};
    const chosen = Object.fromEntries(
      choices.flatMap(({ field, options: known }) => {
        const value = entered.form.get(field);
        return known.some((each) => each.value === value) && value !== null ? [[field, value]] : [];
      }),
    );
    if (Object.keys(chosen).length === 0) return reply.code(400).send(nothingPage(entered));
    await changeFields(options, id, chosen);
    options.log.info({ ...id, fields: Object.keys(chosen) }, 'fields chosen');
    return reply.redirect(resultPath(id, 'connected'), 303);
  });
}

interface Found {
  credential: StoredCredential;
  choices: Choice[];
}

/** What there is to choose from, as the provider says now; nothing without a credential, or one that works no more. */
async function findChoices(options: ConnectOptions, entered: Entered): Promise<Found | undefined> {
  const { vault, engine } = options;
  const id = idOf(entered);
  const record = await vault.credentials.find(id);
  const integration = await complete(options, entered.integration);
  if (record === undefined || typeof integration === 'string') return undefined;
  const { credential } = record;
  const { choices } = await lookUp({
    integration,
    accessToken: await vault.credentials.decryptAccessToken(id, credential),
    fields: credential.metadata.fields ?? {},
    guard: engine.guard,
    timeoutMs: 5_000,
  });
  return { credential, choices };
}

/** The tokens stay as they are, and so does the revision. */
async function changeFields(
  { vault: { credentials }, engine }: ConnectOptions,
  id: CredentialId,
  chosen: Record<string, string>,
): Promise<void> {
  for (;;) {
    const { credential, version } = await credentials.get(id);
    const { metadata } = credential;
    const updatedAt = new Date(engine.now()).toISOString();
    const changed = { ...metadata, updatedAt, fields: { ...metadata.fields, ...chosen } };
    try {
      await credentials.write(id, { ...credential, metadata: changed }, version);
      return await engine.announce({ type: 'credential-stored', ...id, revision: metadata.revision });
    } catch (error) {
      if (!(error instanceof VaultError && error.reason === 'cas_mismatch')) throw error;
    }
  }
}

function idOf({ tenantId, integration }: Entered): CredentialId {
  return { tenantId, integration: integration.id };
}

function choicesPage(
  { formLocks }: ConnectOptions,
  { tenantId, integration, visitor }: Entered,
  choices: Choice[],
  { metadata: { fields = {} } }: StoredCredential,
): string {
  const { name } = integration.provider;
  return cardPage(
    `Choose what to use of ${name}`,
    html`<h1>What of ${name} do you want to use?</h1>
      <p>
        You allowed more than one. Agents of <strong>${tenantId}</strong> use the one that you choose here.
      </p>
      <form method="post" action="/connect/${tenantId}/${integration.id}/choices">
        ${formLocks.field(visitor.cookie)}
        ${choices.map((choice) => choicePart(choice, fields[choice.field]))}
        <button class="primary wide">Use this</button>
      </form>`,
  );
}

function choicePart({ field, options }: Choice, current: string | undefined): Html {
  return html`<label
    >${fieldLabel(field)}
    <select name="${field}">
      ${options.map(
        ({ value, label }) =>
          html`<option value="${value}" ${value === current ? 'selected' : ''}>${label}</option>`,
      )}
    </select></label
  >`;
}

const nothingPage = ({ tenantId, integration: { id, provider } }: Entered): string =>
  noticePage(
    'neutral',
    'There is nothing to choose now',
    html`<p>${provider.name} names nothing to choose from. Connect again if it should.</p>
      <p><a class="button wide" href="/connect/${tenantId}/${id}">Connect again</a></p>`,
  );
