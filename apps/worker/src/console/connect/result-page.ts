import { missingScopes } from '@connectors/oauth';
import type { CredentialId, StoredCredential } from '@connectors/vault-core';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { html, htmlType, type Html } from '../pages/html.ts';
import { noticePage } from '../pages/layout.ts';
import { scopeTags } from '../pages/words.ts';
import type { ConnectOptions } from './connect.ts';
import { enter, type Entered } from './enter.ts';
import { failures, isFailure, isWarning, warnings, type FailureCode, type WarningCode } from './outcomes.ts';
import { returnAddress, withResult } from './return-url.ts';

/** The page that tells what became of a flow; it can be looked at again. */
export function registerResultPage(app: FastifyInstance, options: ConnectOptions): void {
  app.get('/connect/:tenantId/:integration/result', async (request, reply) => {
    const entered = enter(options, request, reply);
    if (entered === undefined) return reply;
    const { tenantId, integration } = entered;
    const { searchParams: query } = new URL(request.url, options.origin);
    const outcome = query.get('outcome') ?? '';
    if (isFailure(outcome)) return failurePage(reply, outcome, tenantId, integration.id);
    const codes = (query.get('warnings') ?? '').split(',');
    const stored = await findUsable(options, { tenantId, integration: integration.id });
    if (stored === undefined) return reply.code(404).send(endedPage(entered));
    const forWhom = { ...entered, isOperator: options.sessions.isOperator(request) };
    return reply.send(connectedPage(options, forWhom, codes.filter(isWarning), stored));
  });
}

/** What agents can use now; `unknown` while Vault cannot say. */
async function findUsable(
  { vault }: ConnectOptions,
  id: CredentialId,
): Promise<StoredCredential | 'unknown' | undefined> {
  try {
    const { credential } = (await vault.credentials.find(id)) ?? {};
    return credential?.metadata.status === 'needs_reauth' ? undefined : credential;
  } catch {
    return 'unknown';
  }
}

/** Where a flow ends that leads to no application. */
export function resultPath(
  { tenantId, integration }: CredentialId,
  outcome: FailureCode | 'connected',
  codes: readonly WarningCode[] = [],
): string {
  const query = new URLSearchParams({ outcome, ...(codes.length === 0 ? {} : { warnings: codes.join() }) });
  return `/connect/${tenantId}/${integration}/result?${query.toString()}`;
}

/** Says why nothing was connected; with a way to try again, if it is known what. */
export function failurePage(
  reply: FastifyReply,
  code: FailureCode,
  tenantId?: string,
  integration?: string,
): FastifyReply {
  const { status, title, action, result } = failures[code];
  const again =
    tenantId === undefined || integration === undefined || code === 'tenant_offboarded'
      ? ''
      : html`<p>
          <a class="button primary wide" href="/connect/${tenantId}/${integration}">Start again</a>
        </p>`;
  return reply
    .code(status)
    .type(htmlType)
    .send(
      noticePage(
        result === 'denied' ? 'neutral' : 'bad',
        title,
        html`<p>${action}</p>
          ${again}
          <p class="faint small">Code: <code>${code}</code></p>`,
      ),
    );
}

/** Nothing is used up yet, so looking again is enough. */
export function vaultAwayPage(reply: FastifyReply): FastifyReply {
  return reply
    .code(503)
    .header('retry-after', '5')
    .type(htmlType)
    .send(
      noticePage(
        'warning',
        'One moment',
        html`<p>What you allowed cannot be saved right now. Reload this page in a few seconds.</p>`,
      ),
    );
}

function connectedPage(
  options: ConnectOptions,
  { tenantId, integration, visitor, isOperator }: Entered & { isOperator: boolean },
  codes: WarningCode[],
  stored: StoredCredential | 'unknown',
): string {
  const { name, note } = integration.provider;
  const account = stored === 'unknown' ? undefined : stored.metadata.account;
  const path = `/connect/${tenantId}/${integration.id}`;
  const asked = (visitor.kind === 'user' ? visitor.session.scopes : undefined) ?? integration.scopes;
  const missing = stored === 'unknown' ? [] : missingScopes(integration.provider, asked, stored.scopes);
  const about = (code: WarningCode): Html | undefined => {
    if (code === 'fewer_scopes' && missing.length > 0) return scopeTags(missing);
    // How to set the integration up is nothing for a user.
    return code === 'no_refresh_token' && isOperator && note !== undefined
      ? html`<p class="small">${note}</p>`
      : undefined;
  };
  const notes = codes.map((code) => warningPart(code, about(code), path));
  const again = codes.every(canChoose)
    ? ''
    : html`<p><a class="button wide" href="${path}">Connect again</a></p>`;
  return noticePage(
    codes.length === 0 ? 'good' : 'warning',
    `${name} is connected`,
    html`<p>
        ${account === undefined ? '' : html`As <strong>${account.name ?? account.id}</strong>. `}Agents of
        <strong>${tenantId}</strong> can use it now.
      </p>
      ${notes} ${again} ${onwardPart(options, { tenantId, integration, visitor })}`,
  );
}

/** For a page that was kept, while its connection has come to an end. */
function endedPage({ tenantId, integration: { id, provider } }: Entered): string {
  return noticePage(
    'neutral',
    `${provider.name} is not connected`,
    html`<p>Agents of <strong>${tenantId}</strong> cannot use it: what was connected has ended since.</p>
      <p><a class="button primary wide" href="/connect/${tenantId}/${id}">Connect</a></p>`,
  );
}

function warningPart(code: WarningCode, more: Html | undefined, path: string): Html {
  const { title, action } = warnings[code];
  const link = canChoose(code) ? html` <a href="${path}/choices">Choose</a>` : '';
  return html`<div class="note warning"><strong>${title}.</strong> ${action}${link} ${more ?? ''}</div>`;
}

/** Whether it is settled on the page of choices; all else by connecting again. */
function canChoose(code: WarningCode): boolean {
  return code === 'several_sites' || code === 'fields_unknown';
}

/** Back to the application, or to the page of the tenant. */
function onwardPart(
  { returnOrigins }: ConnectOptions,
  { tenantId, integration, visitor }: Entered,
): Html | string {
  const session = visitor.kind === 'user' ? visitor.session : undefined;
  const back = session?.returnUrl && returnAddress(session.returnUrl, returnOrigins);
  if (back !== undefined && back !== '')
    return html`<p>
      <a class="button primary wide" href="${withResult(back, 'connected', integration.id)}"
        >Back to the application</a
      >
    </p>`;
  if (session?.integration !== undefined) return html`<p class="faint">You can close this page.</p>`;
  return html`<p><a class="button wide" href="/tenants/${tenantId}">All connections</a></p>`;
}
