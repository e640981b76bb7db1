import { indexedStates, type IndexedState, type StatesOfTenant } from '@connectors/refresh';
import { html, type Html } from '../html.ts';
import { operatorPage } from '../layout.ts';
import { badge, stateWords } from '../words.ts';
import { tenantForm } from './overview-page.ts';
import { cell, nextPageLink, row, table, title } from './table.ts';

export interface TenantsPage {
  /** With what Redis knows of their credentials. */
  tenants: { tenantId: string; states: StatesOfTenant }[];
  /** What all of them begin with. */
  prefix: string;
  /** The state that all of them are in. */
  state: IndexedState | undefined;
  /** The id behind which the next page begins. */
  next: string | undefined;
}

/** Tenants in the order of their ids, or those in one state, the latest first. */
export function tenantsPage({ tenants, prefix, state, next }: TenantsPage): string {
  const rows = tenants.map(({ tenantId, states }) =>
    row(
      html`<a href="/tenants/${tenantId}">${tenantId}</a>`,
      cell(
        html`<ul class="states">
          ${Object.entries(states).map(([id, found]) => html`<li>${id} ${badge(found.state)}</li>`)}
        </ul>`,
      ),
    ),
  );
  return operatorPage(
    { title: 'Tenants', current: '/tenants' },
    html`<div class="title"><h1>Tenants</h1></div>
      ${tenantForm(prefix)}
      <section>
        <nav class="filters" aria-label="State">${filters(state)}</nav>
        ${rows.length === 0 ? html`<p class="faint">There are none.</p>` : table(['Tenant', 'Connections'].map(title), rows)}
        ${next === undefined ? '' : nextPageLink('/tenants', { ...(prefix === '' ? {} : { prefix }), after: next })}
      </section>`,
  );
}

function filters(current: IndexedState | undefined): Html[] {
  const link = (state: IndexedState | undefined, text: string): Html =>
    html`<a
      href="/tenants${state === undefined ? '' : `?state=${state}`}"
      ${state === current ? html`aria-current="page"` : ''}
      >${text}</a
    >`;
  return [link(undefined, 'All'), ...indexedStates.map((state) => link(state, stateWords[state].word))];
}
