import type { HistoryEntry } from '@connectors/refresh';
import type { CredentialView } from '../../credential-view.ts';
import { eventList } from '../event-list.ts';
import { html, type Html } from '../html.ts';
import { cardPage, operatorPage, widePage, type Tone } from '../layout.ts';
import { eventWords, stateOrder, type Names } from '../words.ts';
import { availableCard, credentialCard, disconnectForm, type CardContext } from './credential-card.ts';

export interface TenantPage extends CardContext {
  isOperator: boolean;
  /** How the backend calls the user who looks at it. */
  user: string | undefined;
  /** Every configured integration, and every one that is stored. */
  credentials: CredentialView[];
  /** The newest first; absent without Redis. */
  events: HistoryEntry[] | undefined;
  /** What became of what was asked for last. */
  notice: Notice | undefined;
}

interface Notice {
  tone: Tone;
  text: Html;
  /** Whether it is over once something else has happened. */
  isPassing: boolean;
}

/** What a tenant's user, or the operator, sees of its connections, and does about them. */
export function tenantPage(page: TenantPage): string {
  const { tenantId, isOperator, notice } = page;
  const events = `/tenants/${tenantId}/events`;
  const body = html`${heading(page)} ${notice === undefined ? '' : noteOf(notice)}
    <div class="columns">
      <div id="integrations" data-live>${integrations(page)}</div>
      <div>
        ${isOperator ? linkForm(page) : ''}
        <section>
          <h2>Recent events</h2>
          <div id="events" data-live>${recent(page)}</div>
        </section>
        <div id="news" class="only-read-aloud" role="status" data-live>${news(page)}</div>
      </div>
    </div>`;
  const title = `Connections of ${tenantId}`;
  if (isOperator) return operatorPage({ title, current: '/tenants', events }, body);
  return widePage({ title, events, lastLink: { url: `/tenants/${tenantId}/leave`, text: 'Leave' } }, body);
}

function heading({ tenantId, isOperator, user }: TenantPage): Html {
  const who = isOperator
    ? html`You see this page as the operator.`
    : html`${user === undefined ? '' : html`Signed in as ${user}.`}`;
  return html`<div class="title">
    <div>
      <h1>${isOperator ? tenantId : 'Connections'}</h1>
      <p>${isOperator ? '' : html`${tenantId}. `}${who}</p>
    </div>
  </div>`;
}

function noteOf({ tone, text, isPassing }: Notice): Html {
  const role = tone === 'bad' ? 'alert' : 'status';
  return html`<p class="note ${tone}" role="${role}" ${isPassing ? html`id="passing"` : ''}>${text}</p>`;
}

/** The newest event, for who cannot see the list change. */
function news({ events, credentials }: TenantPage): Html {
  const [newest] = events ?? [];
  const words = newest && eventWords(newest, namesOf(credentials));
  // Two of the same kind have to differ, or nothing is read aloud.
  return words === undefined ? html`` : html`<span data-event="${newest?.id ?? ''}">${words.text}</span>`;
}

function namesOf(credentials: CredentialView[]): Names {
  return new Map(credentials.map(({ integration, name }) => [integration, name]));
}

function integrations(page: TenantPage): Html {
  const sorted = page.credentials.toSorted(
    (a, b) => stateOrder.indexOf(a.state) - stateOrder.indexOf(b.state) || a.name.localeCompare(b.name),
  );
  const connected = sorted.filter(({ state }) => state !== 'never_connected');
  const available = sorted.filter(({ state }) => state === 'never_connected');
  return html`<section>
      <h2>Connected</h2>
      ${connected.length === 0 ? html`<p class="faint">Nothing is connected yet.</p>` : ''}
      ${connected.map((view) => credentialCard(view, page))}
    </section>
    ${available.length === 0 ? '' : availableSection(available, page)}`;
}

function availableSection(available: CredentialView[], page: TenantPage): Html {
  return html`<section>
    <h2>Available</h2>
    <ul class="available">
      ${available.map((view) => availableCard(view, page))}
    </ul>
  </section>`;
}

function recent({ events, credentials }: TenantPage): Html {
  return events === undefined
    ? html`<p class="faint small">Events cannot be read at the moment.</p>`
    : eventList(events, { names: namesOf(credentials) });
}

function linkForm({ tenantId, formToken }: TenantPage): Html {
  return html`<section>
    <h2>Link for a user</h2>
    <p>Opens this page once, for one user of the tenant.</p>
    <form method="post" action="/tenants/${tenantId}/link">
      ${formToken}
      <label
        >Who it is for
        <span class="hint">(shown to them)</span>
        <input name="user" maxlength="200" autocomplete="off" />
      </label>
      <button>Make a link</button>
    </form>
  </section>`;
}

/** Asks before a connection is ended, where there is no script to ask in a dialog. */
export function disconnectPage(
  tenantId: string,
  view: Pick<CredentialView, 'integration' | 'name'>,
  formToken: Html,
): string {
  const question = `Disconnect ${view.name}?`;
  return cardPage(
    question,
    html`<h1>${question}</h1>
      ${disconnectForm(tenantId, view, formToken)}`,
  );
}

export function leavePage(tenantId: string, formToken: Html): string {
  return cardPage(
    'Leave',
    html`<h1>Leave this page?</h1>
      <p>To come back, you need a new link from where you got the last one. Your connections stay.</p>
      <form method="post" action="/tenants/${tenantId}/leave">
        ${formToken}
        <div class="actions">
          <button class="primary">Leave</button>
          <a class="button" href="/tenants/${tenantId}">Stay</a>
        </div>
      </form>`,
  );
}
