import { indexedStates, type HistoryEntry, type IndexedState, type TenantInState } from '@connectors/refresh';
import { refreshQueueName } from '@connectors/vault-core';
import { eventList } from '../event-list.ts';
import { html, type Html } from '../html.ts';
import { operatorPage } from '../layout.ts';
import type { IntegrationState, Overview, QueueState } from '../overview.ts';
import { badge, stateWords, time } from '../words.ts';
import { bars, summary } from './bars.ts';
import { table, title, count, cell, row } from './table.ts';

export interface OverviewPage {
  overview: Overview;
  /** Of all tenants, the newest first. */
  events: readonly HistoryEntry[];
  /** The hidden field of forms. */
  formToken: Html;
  now: number;
}

/** What an operator sees first. */
export function overviewPage({ overview, events, formToken, now }: OverviewPage): string {
  const { integrations, spooled, needSomebody, webhooks, refreshes, tenants } = overview;
  return operatorPage(
    { title: 'Overview', current: '/', events: '/events' },
    html`<div class="title">
        <h1>Overview</h1>
        <p id="as-of" data-live>As of ${time(new Date(now).toISOString())}</p>
      </div>
      <div id="tenants" data-live>${tenantTiles(tenants)}</div>
      <div class="columns">
        <div id="figures" data-live>
          ${spooled.length === 0 ? '' : spoolSection(spooled)} ${needSection(needSomebody)}
          ${refreshSection(refreshes)} ${queueSection(integrations, webhooks)}
          ${spooled.length === 0 ? spoolSection(spooled) : ''}
        </div>
        <div>
          ${tenantForm()} ${linkForm(formToken)}
          <section>
            <h2>Recent events</h2>
            <div id="events" data-live>${eventList(events, { subject })}</div>
          </section>
        </div>
      </div>`,
  );
}

/** In place of the overview. */
export function noOverviewPage(): string {
  return operatorPage(
    { title: 'Overview', current: '/' },
    html`<div class="title"><h1>Overview</h1></div>
      <p role="alert" class="note">Redis does not answer. Tenants can still be looked at by their id.</p>
      ${tenantForm()}`,
  );
}

function tenantTiles(tenants: Overview['tenants']): Html {
  const tiles = indexedStates.map((state) => {
    const { tone, word } = stateWords[state];
    const isQuiet = tenants[state] === 0;
    return html`<li>
      <a class="figure ${isQuiet ? '' : tone}" href="/tenants?state=${state}">
        <strong>${tenants[state]} <small>${tenants[state] === 1 ? 'tenant' : 'tenants'}</small></strong>
        <span>${word}</span>
      </a>
    </li>`;
  });
  return html`<ul class="figures" aria-label="Tenants by state">
    ${tiles}
  </ul>`;
}

const whatHelps: Record<Exclude<IndexedState, 'active'>, string> = {
  needs_reauth: 'its user has to reconnect',
  failing: 'it is tried again; see to the reason if it goes on',
  expiring: 'nothing refreshes it: its user has to reconnect',
};

function needSection(tenants: TenantInState[]): Html {
  const rows = tenants.flatMap(({ tenantId, since, credentials }) =>
    Object.entries(credentials).flatMap(([integration, { state, reason }]) => {
      if (state === 'active') return [];
      const why = reason === undefined ? '' : html`<code>${reason}</code>: `;
      const what = html`${badge(state)}<br />${why}<span class="faint small">${whatHelps[state]}</span>`;
      const cells = html`${cell(integration)}${cell(what)}${cell(time(new Date(since).toISOString()))}`;
      return [row(tenantLink(tenantId), cells)];
    }),
  );
  if (rows.length === 0)
    return html`<section>
      <h2>Needs somebody</h2>
      <p>Nothing does: every connection is in order.</p>
    </section>`;
  return html`<section>
    <h2>Needs somebody</h2>
    <p>Those whose user has to reconnect come first, and of each kind the latest.</p>
    ${table(['Tenant', 'Integration', 'State, and what helps', 'Since'].map(title), rows)}
  </section>`;
}

function refreshSection({ completed, failed }: Overview['refreshes']): Html {
  return html`<section>
    <h2>Refreshes</h2>
    <p>${summary(completed, failed)}.</p>
    ${bars(completed, failed)}
    <p class="scale faint small"><span>${completed.length} min ago</span><span>now</span></p>
  </section>`;
}

function queueSection(integrations: IntegrationState[], webhooks: QueueState): Html {
  const titles = [title('Queue'), ...['Due', 'Active', 'Scheduled', 'Failed'].map(count)];
  const rows = integrations.map(({ id, throttledForMs, ...state }) => {
    const seconds = Math.ceil(throttledForMs / 1000);
    const wait =
      throttledForMs > 0 ? html` <span class="badge warning">throttled for ${seconds} s</span>` : '';
    return row(html`${boardLink(refreshQueueName(id), id)}${wait}`, counts(state));
  });
  return html`<section>
    <h2>Queues</h2>
    <p>Each credential has one job, which refreshes it when it is due.</p>
    ${table(titles, [...rows, row(boardLink('webhooks', 'webhook deliveries'), counts(webhooks))])}
  </section>`;
}

function spoolSection(spooled: Overview['spooled']): Html {
  const rows = spooled.map(({ job, since }) => {
    const when = since === undefined ? 'unknown' : time(since);
    return row(
      tenantLink(job.tenantId),
      html`${cell(job.integration)}${cell(html`<code>${job.revision}</code>`)}${cell(when)}`,
    );
  });
  if (spooled.length === 0)
    return html`<section>
      <h2>Spool: 0</h2>
      <p>Vault has taken all tokens that providers have issued.</p>
    </section>`;
  return html`<section>
    <h2>Spool: ${spooled.length}</h2>
    <p role="alert" class="note">
      Tokens that Vault has not taken yet. They are encrypted in Redis, and are stored as soon as Vault
      accepts writes: do not lose this Redis before that.
    </p>
    ${table(['Tenant', 'Integration', 'Spent revision', 'Since'].map(title), rows)}
  </section>`;
}

export function tenantForm(prefix = ''): Html {
  return html`<section>
    <h2>Find a tenant</h2>
    <form method="get" action="/tenants" class="line-form">
      <label
        >Id, or its beginning
        <input name="prefix" value="${prefix}" maxlength="64" pattern="[A-Za-z0-9_\\-]*" autocomplete="off"
      /></label>
      <button>Find</button>
    </form>
  </section>`;
}

function linkForm(formToken: Html): Html {
  return html`<section>
    <h2>Connect link</h2>
    <p>Lets one user of a tenant connect. The tenant may be new.</p>
    <form method="post" action="/links">
      ${formToken}
      <label
        >Tenant
        <input
          name="tenant"
          required
          maxlength="64"
          pattern="[A-Za-z0-9]([A-Za-z0-9_\\-]*[A-Za-z0-9])?"
          autocomplete="off"
      /></label>
      <label
        >Who it is for <span class="hint">(shown to them)</span>
        <input name="user" maxlength="200" autocomplete="off"
      /></label>
      <button>Make a link</button>
    </form>
  </section>`;
}

function subject(entry: HistoryEntry): Html | '' {
  return 'tenantId' in entry ? html`${tenantLink(entry.tenantId)}:` : '';
}

function tenantLink(tenantId: string): Html {
  return html`<a href="/tenants/${tenantId}">${tenantId}</a>`;
}

function counts({ due, active, scheduled, failed }: QueueState): Html {
  const plain = [due, active, scheduled].map((number) => html`<td class="number">${number}</td>`);
  return html`${plain}
    <td class="number ${failed === 0 ? '' : 'alarm'}">${failed}</td>`;
}

function boardLink(path: string, text: string): Html {
  return html`<a href="/board/queue/${path}">${text}</a>`;
}
