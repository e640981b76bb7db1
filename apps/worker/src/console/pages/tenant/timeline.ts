import { html, type Html } from '../html.ts';
import { time } from '../words.ts';

export interface Span {
  issuedAt: string;
  /** When the next refresh is due. */
  refreshAt?: string | undefined;
  expiresAt: string;
}

const length = 600;

/** The life of an access token as a line: how much of it is over, and when the next one comes. */
export function timeline({ issuedAt, refreshAt, expiresAt }: Span, now: number): Html {
  const start = Date.parse(issuedAt);
  const end = Math.max(Date.parse(expiresAt), start + 1);
  const place = (at: number): number =>
    Math.round(Math.min(Math.max((at - start) / (end - start), 0), 1) * length);
  const isOver = now >= end;
  const refresh = refreshAt === undefined ? '' : mark(place(Date.parse(refreshAt)));
  return html`<div class="timeline ${isOver ? 'over' : ''}">
    <svg viewBox="-8 0 ${length + 16} 16" aria-hidden="true">
      <rect class="track" x="0" y="5" width="${length}" height="6" rx="3" />
      <rect class="spent" x="0" y="5" width="${Math.max(place(now), 6)}" height="6" rx="3" />
      ${refresh}
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

function mark(x: number): Html {
  return html`<path class="due" d="M${x} 1v14" />`;
}
