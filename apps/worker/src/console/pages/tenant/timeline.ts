import { html, type Html } from '../html.ts';
import { time } from '../words.ts';

export interface Span {
  issuedAt: string;
  /** Whether it came with a refresh, and not with a connect. */
  isRefreshed: boolean;
  /** When the next refresh is due. */
  refreshAt?: string | undefined;
  expiresAt: string;
}

/** The life of an access token as a line: how much of it is over, and when the next one comes. */
export function timeline({ issuedAt, isRefreshed, refreshAt, expiresAt }: Span, now: number): Html {
  const start = Date.parse(issuedAt);
  const end = Math.max(Date.parse(expiresAt), start + 1);
  const place = (at: number): string =>
    `${Math.round(Math.min(Math.max((at - start) / (end - start), 0), 1) * 1_000) / 10}%`;
  const isOver = now >= end;
  const dueAt = refreshAt === undefined ? undefined : Date.parse(refreshAt);
  const issued = stop(isRefreshed ? 'Last refresh' : 'Issued', time(issuedAt));
  const expiry = stop(isOver ? 'Expired' : 'Expires', time(expiresAt));
  const next =
    refreshAt === undefined || dueAt === undefined
      ? html``
      : stop('Next refresh', dueAt > now ? time(refreshAt, 'due') : html`now`);
  return html`<div class="timeline ${isOver ? 'over' : ''}">
    <svg aria-hidden="true">
      <rect class="track" width="100%" y="5" height="6" rx="3" />
      <rect class="spent" width="${place(now)}" y="5" height="6" rx="3" />
      ${dueAt === undefined ? '' : mark(place(dueAt))}
      <circle class="now" cx="${place(now)}" cy="8" r="5" />
    </svg>
    <dl>${issued} ${(dueAt ?? 0) > end ? [expiry, next] : [next, expiry]}</dl>
  </div>`;
}

function stop(title: string, when: Html): Html {
  return html`<div>
    <dt>${title}</dt>
    <dd>${when}</dd>
  </div>`;
}

function mark(x: string): Html {
  return html`<line class="due" x1="${x}" x2="${x}" y1="1" y2="15" />`;
}
