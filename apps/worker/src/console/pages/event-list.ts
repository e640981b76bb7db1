import type { HistoryEntry } from '@connectors/refresh';
import { html, type Html } from './html.ts';
import { eventWords, time, type Names } from './words.ts';

/**
 * Events, the newest first.
 *
 * @param subject what an event is about besides what its words say: the tenant, where there are several
 */
export function eventList(
  entries: readonly HistoryEntry[],
  names: Names,
  subject: (entry: HistoryEntry) => Html | '' = () => '',
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
