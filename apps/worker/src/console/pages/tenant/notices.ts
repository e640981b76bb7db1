import type { DisconnectReport, RefreshReport } from '../../connections.ts';
import { html, type Html } from '../html.ts';
import type { Tone } from '../layout.ts';

/** What a page says after something was asked for. The address of the page names a line of this table, and no text. */
const notices = {
  refreshed: ['good', (name) => html`${name} was refreshed: agents have a new token.`],
  failed: ['bad', (name) => html`The refresh of ${name} failed. See below why.`],
  pending: [
    'neutral',
    (name) => html`The refresh of ${name} is under way. This page shows it when it is done.`,
  ],
  hastened: [
    'neutral',
    (name) => html`The refresh of ${name} is under way. This page shows it when it is done.`,
  ],
  superseded: ['good', (name) => html`${name} has just got a new token.`],
  not_refreshable: ['warning', (name) => html`${name} cannot be refreshed: reconnect it.`],
  cooling_down: [
    'neutral',
    (name) => html`The token of ${name} is less than a minute old: it was not refreshed again.`,
  ],
  throttled: [
    'warning',
    (name) => html`${name} asks for fewer requests: it is refreshed as soon as it allows that.`,
  ],
  disconnected: ['good', (name) => html`${name} was disconnected, and its tokens are revoked.`],
  disconnected_here: [
    'good',
    (name) =>
      html`${name} was disconnected, and its tokens are destroyed here. It cannot revoke tokens by itself: you
      may remove the app in its own settings as well.`,
  ],
  disconnected_not_there: [
    'warning',
    (name) =>
      html`${name} was disconnected, and its tokens are destroyed here, but it did not confirm that it revoked
      them. Remove the app in its own settings as well.`,
  ],
  absent: ['neutral', (name) => html`${name} is not connected.`],
} satisfies Record<string, [Tone, (name: string) => Html]>;

export type NoticeName = keyof typeof notices;

export function findNotice(
  name: string,
  about: string,
): { tone: Tone; text: Html; isPassing: boolean } | undefined {
  if (!Object.hasOwn(notices, name)) return undefined;
  const [tone, text] = notices[name as NoticeName];
  return { tone, text: text(about), isPassing: name === 'pending' || name === 'hastened' };
}

export function refreshNotice(report: RefreshReport | undefined): NoticeName {
  return report?.outcome ?? 'absent';
}

export function disconnectNotice({ existed, revocation }: DisconnectReport): NoticeName {
  if (!existed) return 'absent';
  const words = {
    ended: 'disconnected',
    unsupported: 'disconnected_here',
    failed: 'disconnected_not_there',
    none: 'disconnected_here',
  } as const;
  return words[revocation];
}
