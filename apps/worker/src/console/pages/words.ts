import { hash } from 'node:crypto';
import type { CredentialView } from '../credential-view.ts';
import type { HistoryEntry } from '@connectors/refresh';
import { html, type Html } from './html.ts';
import type { Tone } from './layout.ts';

type State = CredentialView['state'];

/** What people read of the states of a credential. */
export const stateWords: Record<State, { tone: Tone; word: string }> = {
  active: { tone: 'good', word: 'Active' },
  expiring: { tone: 'warning', word: 'Expires soon' },
  failing: { tone: 'warning', word: 'Refresh fails' },
  needs_reauth: { tone: 'bad', word: 'Needs reconnect' },
  never_connected: { tone: 'neutral', word: 'Not connected' },
};

/** The states that ask for somebody come first. */
export const stateOrder: readonly State[] = [
  'needs_reauth',
  'failing',
  'expiring',
  'active',
  'never_connected',
];

export function badge(state: State): Html {
  const { tone, word } = stateWords[state];
  return html`<span class="badge ${tone}">${word}</span>`;
}

/** A map, for codes are words of providers: `__proto__` may be among them. */
const reasonSentences = new Map([
  ['invalid_grant', 'The provider says that access was withdrawn or has expired.'],
  ['response_lost', 'The provider may have issued new tokens that never arrived here.'],
  ['token_expired', 'The token has expired, and nothing can refresh it.'],
  ['unreadable', 'The stored tokens cannot be read.'],
  [
    'invalid_client',
    'The provider does not accept the client id or secret. The operator has to correct them.',
  ],
  ['vault_unavailable', 'The credential store does not answer.'],
  ['dns_failure', 'The provider’s address cannot be found.'],
  ['connection_refused', 'The provider cannot be reached.'],
  ['connection_failed', 'The provider cannot be reached.'],
  ['tls_failure', 'The provider’s certificate is not accepted.'],
  ['connection_lost', 'The connection to the provider broke.'],
  ['response_cut', 'The connection to the provider broke.'],
  ['unreadable_response', 'The provider’s answer cannot be read.'],
  ['client_secret_missing', 'The operator has to give this integration its client secret.'],
  ['egress_refused', 'The operator has to allow the provider’s address.'],
  ['timeout', 'The provider does not answer in time.'],
  ['http_429', 'The provider asks for fewer requests.'],
]);

/** A sentence for the code of a failure. */
export function reasonSentence(code: string): Html {
  const sentence =
    reasonSentences.get(code) ?? (/^http_5\d\d$/.test(code) ? 'The provider is having problems.' : undefined);
  return sentence === undefined ? html`Reason: <code>${code}</code>.` : html`${sentence}`;
}

/** Names of providers, by integration. */
export type Names = ReadonlyMap<string, string>;

/** What people read of an event; nothing of those that say what another one says better. */
export function eventWords(entry: HistoryEntry, names: Names): { tone: Tone; text: Html } | undefined {
  const name = ({ integration }: { integration: string }): Html =>
    html`<strong>${names.get(integration) ?? integration}</strong>`;
  switch (entry.type) {
    case 'connected':
      return { tone: 'good', text: html`${name(entry)} was connected` };
    case 'connect-failed':
      return { tone: 'bad', text: html`${name(entry)} was not connected: <code>${entry.error}</code>` };
    case 'credential-stored':
      return { tone: 'good', text: html`${name(entry)}: tokens were stored` };
    case 'credential-deleted':
      return { tone: 'neutral', text: html`${name(entry)} was disconnected` };
    case 'refresh-success':
      return { tone: 'good', text: html`${name(entry)} was refreshed` };
    case 'refresh-retry':
      return {
        tone: 'warning',
        text: html`${name(entry)}: refresh failed, will be tried again: <code>${entry.error}</code>`,
      };
    case 'refresh-failed':
      return { tone: 'bad', text: html`${name(entry)} needs to be reconnected: <code>${entry.error}</code>` };
    case 'webhooks-changed':
      return { tone: 'neutral', text: html`Webhooks were changed` };
    case 'agent-changed':
      return { tone: 'neutral', text: html`Agent <code>${entry.agentId}</code> was changed` };
    case 'refresh-declined':
      return undefined;
  }
}

/**
 * A time as it reads without a script; with one, it becomes the reader's own.
 *
 * @param kind `due`: once it is over, what it says is to happen happens now
 */
export function time(iso: string, kind: '' | 'due' = ''): Html {
  return html`<time datetime="${iso}" class="${kind}">${iso.slice(0, 16).replace('T', ' ')} UTC</time>`;
}

/** The first letter of a name, on one of eight colours. */
export function tile(id: string, name: string): Html {
  const colour = hash('sha256', id, 'buffer').readUInt8() % 8;
  return html`<span class="tile tile-${colour}" aria-hidden="true">${name.slice(0, 1).toUpperCase()}</span>`;
}

export function scopeTags(scopes: readonly string[]): Html {
  return html`<ul class="tags">
    ${scopes.map((scope) => html`<li><code>${scope}</code></li>`)}
  </ul>`;
}
