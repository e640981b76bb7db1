import { html, type Html } from '../html.ts';
import { time } from '../words.ts';

export interface Span {
  issuedAt: string;
  /** When the next refresh is due. */
  refreshAt?: string | undefined;
  expiresAt: string;
}

/** The life of an access token as a line: how much of it is over, and when the next one comes. */
export function timeline({ issuedAt, refreshAt, expiresAt }: Span, now: number): Html {
  const start = Date.parse(issuedAt);
  const end = Math.max(Date.parse(expiresAt), start + 1);
  const place = (at: number): string =>
    `${Math.round(Math.min(Math.max((at - start) / (end - start), 0), 1) * 1_000) / 10}%`;
  const isOver = now >= end;
  return html`<div class="timeline ${isOver ? 'over' : ''}">
    <svg aria-hidden="true">
      <rect class="track" width="100%" y="5" height="6" rx="3" />
      <rect class="spent" width="${place(now)}" y="5" height="6" rx="3" />
      ${refreshAt === undefined ? '' : mark(place(Date.parse(refreshAt)))}
      <circle class="now" cx="${place(now)}" cy="8" r="5" />
    </svg>
    <dl>
      <div>
        <dt>Issued</dt>
        <dd>${time(issuedAt)}</dd>
      </div>
      ${
        refreshAt === undefined
          ? ''
          : html`<div>
              <dt>Next refresh</dt>
              <dd>${time(refreshAt)}</dd>
            </div>`
      }
      <div>
        <dt>${isOver ? 'Expired' : 'Expires'}</dt>
        <dd>${time(expiresAt)}</dd>
      </div>
    </dl>
  </div>`;
}

function mark(x: string): Html {
  return html`<line class="due" x1="${x}" x2="${x}" y1="1" y2="15" />`;
}
