import type { HistoryEntry } from '@connectors/refresh';
import { html, type Html } from './html.ts';
import { eventWords, time, type Names } from './words.ts';

interface Wording {
  /** How integrations are called; by their ids, unless told. */
  names?: Names;
  /** What an event is about besides what its words say: the tenant, where there are several. */
  subject?: (entry: HistoryEntry) => Html | '';
}

/** Events, the newest first. */
export function eventList(
  entries: readonly HistoryEntry[],
  { names = new Map(), subject = () => '' }: Wording = {},
): Html {
  const connected = new Set(entries.flatMap((entry) => (entry.type === 'connected' ? [entry.revision] : [])));
  const items = entries
    .filter((entry) => entry.type !== 'credential-stored' || !connected.has(entry.revision))
    .flatMap((entry) => {
      const words = eventWords(entry, names);
      if (words === undefined) return [];
      return html`<li class="${words.tone}">
        <span>${subject(entry)} ${words.text}</span>
        <span class="faint small">${time(entry.at)}</span>
      </li>`;
    });
  if (items.length === 0) return html`<p class="faint small">Nothing has happened yet.</p>`;
  return html`<ul class="events">
    ${items}
  </ul>`;
}
