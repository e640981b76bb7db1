import {
  askedScopes,
  authorizeUrl,
  brokenFields,
  TokenRequestError,
  type Integration,
  type ReadyIntegration,
} from '@connectors/oauth';
import { callbackUrl } from '@connectors/vault-core';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { pagePolicy } from '../headers.ts';
import { html, type Html } from '../pages/html.ts';
import { cardPage } from '../pages/layout.ts';
import { scopeTags, tile } from '../pages/words.ts';
import type { ConnectOptions } from './connect.ts';
import { fieldLabel } from './field-label.ts';
import { enter, enterForm, linkNeededPage, type Entered } from './enter.ts';
import { failurePage } from './result-page.ts';
import type { TenantSession, Visitor } from './tenant-session.ts';

const path = '/connect/:tenantId/:integration';

/** The page that says who will get what, and the way from it to the provider. */
export function registerConnectPage(app: FastifyInstance, options: ConnectOptions): void {
  app.get(path, async (request, reply) => {
    const entered = enter(options, request, reply);
    if (entered === undefined) return reply;
    allowForm(options, reply, entered.integration);
    return reply.send(connectPage(options, entered));
  });

  app.post(path, async (request, reply) => {
    const entered = enterForm(options, request, reply);
    if (entered === undefined) return reply;
    const { tenantId, integration, visitor, form } = entered;
    if (await isOver(options, visitor)) return reply.code(403).send(linkNeededPage());
    const fields = readFields(integration, form);
    const wrong = wrongFields(integration, fields);
    if (wrong.length > 0) {
      allowForm(options, reply, integration);
      return reply.code(400).send(connectPage(options, entered, fields, wrong));
    }
    if (visitor.kind === 'user' && !(await options.states.admits(visitor.session.id)))
      return failurePage(reply, 'too_often', tenantId, integration.id);
    const ready = await complete(options, integration);
    if (typeof ready === 'string') return failurePage(reply, ready, tenantId, integration.id);
    // The operator goes the way of the user: from a provider no cookie comes back that is for this site alone.
    const session = visitor.kind === 'user' ? visitor.session : options.sessions.open(reply, { tenantId });
    const url = await begin(options, ready, session, fields);
    if (url !== undefined) return reply.redirect(url, 303);
    allowForm(options, reply, integration);
    // Each is as it should be, and together they lead to no address of the provider.
    const all = askedOf(integration).map(([name]) => name);
    return reply.code(400).send(connectPage(options, entered, fields, all));
  });
}

/** Whether the tenant was offboarded since the user was sent here. */
async function isOver({ offboardings }: ConnectOptions, visitor: Visitor): Promise<boolean> {
  if (visitor.kind === 'operator' || visitor.session.madeAt === undefined) return false;
  return offboardings.isSince(visitor.session.tenantId, visitor.session.madeAt);
}

/** Browsers hold every redirect that follows a form against this, on to the application that the user came from or signs in at. */
export function allowForm(
  { consoleUrl }: ConnectOptions,
  reply: FastifyReply,
  { provider }: Integration,
): void {
  const isPlain = [consoleUrl, provider.authorizeUrl, provider.issuer].some((url) =>
    url?.startsWith('http:'),
  );
  void reply.header('content-security-policy', pagePolicy('https:', ...(isPlain ? ['http:'] : [])));
}

/** Keeps what the callback will need, and answers where the user goes; nothing when the fields lead away from the provider. */
async function begin(
  { states, consoleUrl }: ConnectOptions,
  integration: ReadyIntegration,
  session: TenantSession,
  fields: Record<string, string>,
): Promise<string | undefined> {
  const { id: sessionId, end: _end, ...visit } = session;
  const state = await states.begin({ ...visit, integration: integration.id, sessionId, fields });
  const { challenge, nonce } = states.secretsOf(state);
  const scopes = session.scopes ?? integration.scopes;
  const request = {
    redirectUri: callbackUrl(consoleUrl, integration.id),
    state,
    codeChallenge: challenge,
    ...(scopes.includes('openid') ? { nonce } : {}),
    fields,
  };
  try {
    return authorizeUrl({ ...integration, scopes }, request).href;
  } catch (error) {
    if (error instanceof TokenRequestError) return undefined;
    throw error;
  }
}

/** An integration whose codes could be redeemed; or why they could not. */
export async function complete(
  { engine, log }: Pick<ConnectOptions, 'engine' | 'log'>,
  integration: Integration,
): Promise<ReadyIntegration | 'not_ready' | 'provider_unavailable'> {
  try {
    const ready = await engine.discovery.complete(integration);
    const { clientAuthentication } = ready.provider;
    const needsSecret = ['basic', 'post', 'secret_as_user'].includes(clientAuthentication);
    const lacksSecret = needsSecret && ready.clientSecret === undefined;
    if (!lacksSecret && ready.provider.authorizeUrl !== undefined) return ready;
    const reason = lacksSecret ? 'client_secret_missing' : 'authorize_url_missing';
    log.warn({ integration: integration.id, reason }, 'integration is not ready');
    return 'not_ready';
  } catch (error) {
    if (!(error instanceof TokenRequestError)) throw error;
    log.warn({ integration: integration.id, reason: error.code }, 'integration is not ready');
    return error.code === 'discovery_failed' ? 'provider_unavailable' : 'not_ready';
  }
}

/** The fields that nobody but the user knows. */
function askedOf({
  provider: { fields },
}: Pick<Integration, 'provider'>): [name: string, isOptional: boolean][] {
  return Object.entries(fields)
    .filter(([name, { from }]) => from === undefined && name !== 'redirectUri')
    .map(([name, { optional = false }]) => [name, optional]);
}

function readFields(integration: Integration, form: URLSearchParams): Record<string, string> {
  const given = askedOf(integration).map(([name]) => [name, form.get(name)?.trim() ?? ''] as const);
  return Object.fromEntries(given.filter(([, value]) => value !== ''));
}

/** The names of those that are missing or break their rule. */
function wrongFields({ provider }: Integration, fields: Record<string, string>): string[] {
  const missing = askedOf({ provider }).filter(([name, isOptional]) => !isOptional && !(name in fields));
  return [...missing.map(([name]) => name), ...brokenFields(provider, Object.keys(fields), fields)];
}

function connectPage(
  { formLocks }: ConnectOptions,
  { tenantId, integration, visitor }: Entered,
  fields: Record<string, string> = {},
  wrong: readonly string[] = [],
): string {
  const { name } = integration.provider;
  const session = visitor.kind === 'user' ? visitor.session : undefined;
  const who = session?.user === undefined ? '' : html`<p class="faint">You are here as ${session.user}.</p>`;
  return cardPage(
    `Connect ${name}`,
    html`${tile(integration.id, name)}
      <h1>Connect ${name}</h1>
      <p>
        Agents of <strong>${tenantId}</strong> will be able to use ${name} in your name, as far as you allow
        it there.
      </p>
      ${scopesPart(askedScopes(integration.provider, session?.scopes ?? integration.scopes), name)} ${who}
      <form method="post" action="/connect/${tenantId}/${integration.id}">
        ${formLocks.field(visitor.cookie)}
        ${askedOf(integration).map(([field, isOptional]) =>
          fieldPart(integration, field, {
            value: fields[field] ?? '',
            isOptional,
            isWrong: wrong.includes(field),
          }),
        )}
        <button class="primary wide">Continue to ${name}</button>
      </form>`,
  );
}

function scopesPart(scopes: string[], name: string): Html {
  if (scopes.length === 0) return html`<p>${name} asks you what you allow before anything is connected.</p>`;
  return html`<div>
    <p>${name} will be asked for:</p>
    ${scopeTags(scopes)}
  </div>`;
}

interface FieldState {
  value: string;
  isOptional: boolean;
  isWrong: boolean;
}

function fieldPart(
  { provider }: Integration,
  field: string,
  { value, isOptional, isWrong }: FieldState,
): Html {
  const label = fieldLabel(field);
  const where = addressWith(provider, field);
  const hints = [...(isOptional ? ['optional'] : []), ...(where === undefined ? [] : [`as in ${where}`])];
  const hint = hints.length === 0 ? '' : html` <span class="hint">(${hints.join(', ')})</span>`;
  const id = `problem-${field}`;
  const problem =
    value === '' ? `${label} is missing.` : `${provider.name} has no ${label.toLowerCase()} like this.`;
  return html`<label
      >${label}${hint}
      <input
        name="${field}"
        value="${value}"
        autocomplete="off"
        autocapitalize="none"
        spellcheck="false"
        ${isWrong ? html`aria-invalid="true" aria-describedby="${id}"` : ''}
        ${isOptional ? '' : 'required'}
    /></label>
    ${isWrong ? html`<p role="alert" id="${id}">${problem}</p>` : ''}`;
}

/** Where users meet a field: in the address of their own instance. */
function addressWith(
  { authorizeUrl = '', apiBaseUrl = '' }: Integration['provider'],
  field: string,
): string | undefined {
  const place = `{${field}}`;
  const url = [authorizeUrl, apiBaseUrl].find((each) => each.split('/')[2]?.includes(place));
  return url?.split('/').slice(0, 3).join('/').replace(place, '…');
}
