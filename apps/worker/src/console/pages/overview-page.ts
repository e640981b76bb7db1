import { refreshQueueName } from '@connectors/vault-core';
import { html, type Html } from './html.ts';
import { operatorPage } from './layout.ts';
import type { FailedRefresh, IntegrationState, Overview, QueueState } from './overview.ts';

/** What an operator sees first. */
export function overviewPage({ integrations, spooled, failed, webhooks }: Overview, now: number): string {
  return operatorPage(
    { title: 'Overview', current: '/' },
    html`<div class="title"><h1>Overview</h1></div>
      ${integrationsSection(integrations)} ${spoolSection(spooled)} ${failedSection(failed)}
      ${webhooksSection(webhooks)}
      <p>As of ${time(new Date(now).toISOString())}.</p>`,
  );
}

/** In place of the overview. */
export function noOverviewPage(): string {
  return operatorPage(
    { title: 'Overview', current: '/' },
    html`<h1>Overview</h1>
      <p role="alert" class="note">Redis does not answer.</p>`,
  );
}

function integrationsSection(integrations: IntegrationState[]): Html {
  const titles = [title('Integration'), ...['Due', 'Active', 'Scheduled', 'Failed'].map(count), title('')];
  const rows = integrations.map(({ id, throttledForMs, ...state }) => {
    const wait = html`<span class="alarm">throttled for ${Math.ceil(throttledForMs / 1000)} s</span>`;
    return row(
      boardLink(refreshQueueName(id), id),
      html`${counts(state)}${cell(throttledForMs > 0 ? wait : '')}`,
    );
  });
  return html`<section>
    <h2>Refreshes</h2>
    <p>A job for each credential: when its refresh is due, it is made.</p>
    ${table(titles, rows)}
  </section>`;
}

function spoolSection(spooled: Overview['spooled']): Html {
  const titles = ['Tenant', 'Integration', 'Spent revision', 'Since'].map(title);
  const rows = spooled.map(({ job, since }) => {
    const when = since === undefined ? 'unknown' : time(since);
    return row(job.tenantId, html`${cell(job.integration)}${cell(code(job.revision))}${cell(when)}`);
  });
  const explanation =
    spooled.length === 0
      ? html`<p>Vault has taken all tokens that providers have issued.</p>`
      : html`<p role="alert">
          Tokens that Vault has not taken yet. They lie encrypted in Redis, and are stored as soon as Vault
          accepts writes: do not lose this Redis before that.
        </p>`;
  return html`<section>
    <h2>Spool: ${spooled.length}</h2>
    ${explanation} ${spooled.length === 0 ? '' : table(titles, rows)}
  </section>`;
}

function failedSection(failed: FailedRefresh[]): Html {
  const titles = ['Tenant', 'Integration', 'Reason', 'Since'].map(title);
  const rows = failed.map(({ tenantId, integration, reason, at }) => {
    const link = boardLink(`${refreshQueueName(integration)}?status=failed`, integration);
    const when = at === undefined ? '' : time(new Date(at).toISOString());
    return row(tenantId, html`${cell(link)}${cell(code(reason))}${cell(when)}`);
  });
  const explanation =
    failed.length === 0
      ? 'Every credential can be refreshed.'
      : 'The refreshes that failed for good last. Their users have to connect again, unless they did since.';
  return html`<section>
    <h2>Needs somebody</h2>
    <p>${explanation}</p>
    ${failed.length === 0 ? '' : table(titles, rows)}
  </section>`;
}

function webhooksSection(state: QueueState): Html {
  const titles = [title(''), ...['Due', 'Active', 'To be tried again', 'Given up'].map(count)];
  return html`<section>
    <h2>Webhooks</h2>
    ${table(titles, [row(boardLink('webhooks', 'deliveries'), counts(state))])}
  </section>`;
}

function table(titles: Html[], rows: Html[]): Html {
  return html`<table>
    <thead>
      <tr>
        ${titles}
      </tr>
    </thead>
    <tbody>
      ${rows}
    </tbody>
  </table>`;
}

const title = (text: string): Html => html`<th scope="col">${text}</th>`;
const count = (text: string): Html => html`<th scope="col" class="number">${text}</th>`;
const cell = (content: Html | string): Html => html`<td>${content}</td>`;
const code = (text: string): Html => html`<code>${text}</code>`;

function row(name: Html | string, cells: Html): Html {
  return html`<tr>
    <th scope="row">${name}</th>
    ${cells}
  </tr>`;
}

function counts({ due, active, scheduled, failed }: QueueState): Html {
  const plain = [due, active, scheduled].map((number) => html`<td class="number">${number}</td>`);
  return html`${plain}
    <td class="number ${failed === 0 ? '' : 'alarm'}">${failed}</td>`;
}

function boardLink(path: string, text: string): Html {
  return html`<a href="/board/queue/${path}">${text}</a>`;
}

function time(iso: string): Html {
  return html`<time datetime="${iso}">${iso.slice(0, 19).replace('T', ' ')} UTC</time>`;
}
