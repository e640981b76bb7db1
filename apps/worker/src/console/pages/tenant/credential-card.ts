import type { CredentialView } from '../../credential-view.ts';
import { fieldLabel } from '../../connect/field-label.ts';
import { html, type Html } from '../html.ts';
import { badge, reasonSentence, tile, time } from '../words.ts';
import { timeline } from './timeline.ts';

export interface CardContext {
  tenantId: string;
  /** The hidden field of forms. */
  formToken: Html;
  now: number;
}

/** One connected integration: how it stands, and what can be done about it. */
export function credentialCard(view: CredentialView, context: CardContext): Html {
  const { integration, name, state, account } = view;
  const whose = account?.name ?? account?.id;
  return html`<article class="credential" aria-labelledby="name-${integration}">
    <header>
      ${tile(integration, name)}
      <hgroup>
        <h3 id="name-${integration}">${name}</h3>
        <p>${whose ?? integration}</p>
      </hgroup>
      ${badge(state)}
    </header>
    ${trouble(view, context.now)} ${life(view, context.now)}
    <dl class="facts">${facts(view)}</dl>
    ${actions(view, context)}
  </article>`;
}

/** One that the tenant may connect. */
export function availableCard({ integration, name }: CredentialView, { tenantId }: CardContext): Html {
  return html`<li>
    ${tile(integration, name)}
    <span>
      <strong>${name}</strong>
      <span class="faint small">${integration}</span>
    </span>
    <a
      class="button"
      id="connect-${integration}"
      href="${connectUrl(tenantId, integration)}"
      aria-label="Connect ${name}"
      >Connect</a
    >
  </li>`;
}

function trouble(view: CredentialView, now: number): Html {
  const { state, reason, missingScopes = [] } = view;
  const why = reason === undefined ? '' : reasonSentence(reason);
  switch (state) {
    case 'needs_reauth':
      return html`<p class="note bad">
        <strong>Agents cannot use this until it is reconnected.</strong> ${why}
      </p>`;
    case 'failing':
      return failing(view, why, now);
    case 'expiring':
      return html`<p class="note warning">It cannot be refreshed: reconnect it for new tokens.</p>`;
    case 'active':
      return missingScopes.length === 0
        ? html``
        : html`<p class="note warning">
            Not everything was granted. To grant what is marked below, reconnect it.
          </p>`;
    case 'never_connected':
      return html``;
  }
}

function failing({ expiresAt, retryCount = 0 }: CredentialView, why: Html | string, now: number): Html {
  const what = retryCount === 1 ? 'refresh' : html`${retryCount} refreshes`;
  const how = html`The last ${what} failed, and it is tried again. ${why}`;
  if (expiresAt === undefined || Date.parse(expiresAt) > now) return html`<p class="note warning">${how}</p>`;
  return html`<p class="note bad">
    <strong>Agents cannot use this until a refresh succeeds: its token has expired.</strong> ${how}
  </p>`;
}

function life(
  { tokenIssuedAt, expiresAt, nextRefreshAt, refreshCount = 0, state }: CredentialView,
  now: number,
): Html {
  if (tokenIssuedAt === undefined) return html``;
  if (expiresAt === undefined) return html`<p class="faint small">Its token does not expire.</p>`;
  const refreshAt = state === 'needs_reauth' ? undefined : nextRefreshAt;
  return timeline({ issuedAt: tokenIssuedAt, isRefreshed: refreshCount > 0, refreshAt, expiresAt }, now);
}

function facts(view: CredentialView): Html {
  const { account, scopes, missingScopes = [], connectedAt, refreshCount = 0, fields = {} } = view;
  const tags = [
    ...scopes.map((scope) => html`<li><code>${scope}</code></li>`),
    ...missingScopes.map(
      (scope) => html`<li class="missing"><code>${scope}</code> <span class="small">not granted</span></li>`,
    ),
  ];
  const named = account?.name === undefined ? '' : html` <span class="faint">(${account.id})</span>`;
  return html`${account === undefined ? '' : fact('Account', html`${account.name ?? account.id}${named}`)}
  ${
    tags.length === 0
      ? ''
      : fact(
          'Scopes',
          html`<ul class="tags">
            ${tags}
          </ul>`,
        )
  }
  ${Object.entries(fields).map(([field, value]) => fact(fieldLabel(field), html`${value}`))}
  ${connectedAt === undefined ? '' : fact('Connected', time(connectedAt))}
  ${refreshCount === 0 ? '' : fact('Refreshed', html`${refreshCount === 1 ? 'once' : html`${refreshCount} times`}`)}`;
}

function fact(title: string, content: Html): Html {
  return html`<dt>${title}</dt>
    <dd>${content}</dd>`;
}

function actions(
  { integration, name, state, canRefresh }: CredentialView,
  { tenantId, formToken }: CardContext,
): Html {
  const url = `/tenants/${tenantId}/${integration}`;
  const needsUser = state === 'needs_reauth' || state === 'expiring';
  const refresh = html`<form method="post" action="${url}/refresh">
    ${formToken}
    <button id="refresh-${integration}" data-busy="Refreshing …">Refresh now</button>
  </form>`;
  return html`<div class="actions">
    <a
      class="button ${needsUser ? 'primary' : ''}"
      id="reconnect-${integration}"
      href="${connectUrl(tenantId, integration)}"
      aria-label="Reconnect ${name}"
      >Reconnect</a
    >
    ${canRefresh && state !== 'needs_reauth' ? refresh : ''}
    <a
      class="button quiet"
      id="disconnect-${integration}"
      href="${url}/disconnect"
      data-dialog="ask-${integration}"
      aria-label="Disconnect ${name}"
      >Disconnect</a
    >
    <dialog id="ask-${integration}" aria-labelledby="question-${integration}">
      <h2 id="question-${integration}">Disconnect ${name}?</h2>
      ${disconnectForm(tenantId, { integration, name }, formToken)}
    </dialog>
  </div>`;
}

/** Asks before tokens are ended. */
export function disconnectForm(
  tenantId: string,
  { integration, name }: Pick<CredentialView, 'integration' | 'name'>,
  formToken: Html,
): Html {
  return html`<p>
      Agents lose their access to ${name} at once. The tokens are revoked where ${name} can do that, and every
      copy of them is destroyed here.
    </p>
    <form method="post" action="/tenants/${tenantId}/${integration}/disconnect">
      ${formToken}
      <div class="actions">
        <button class="danger" data-busy="Disconnecting …">Disconnect</button>
        <a class="button" href="/tenants/${tenantId}" data-close>Keep it</a>
      </div>
    </form>`;
}

function connectUrl(tenantId: string, integration: string): string {
  return `/connect/${tenantId}/${integration}`;
}
