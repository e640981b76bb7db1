import { html, type Html } from '../html.ts';

const step = 10;
const height = 80;

/**
 * What happened in each minute as bars: refreshes that went well, and on top of them those that failed.
 *
 * @param completed one figure a minute, the current one last; so is `failed`
 */
export function bars(completed: readonly number[], failed: readonly number[]): Html {
  const most = Math.max(1, ...completed.map((count, minute) => count + (failed[minute] ?? 0)));
  const scaled = (count: number): number =>
    count === 0 ? 0 : Math.max(2, Math.round((count / most) * height));
  const minutes = completed.map((count, minute) => {
    const [good, bad] = [scaled(count), scaled(failed[minute] ?? 0)];
    return html`<g>
      <title>${completed.length - 1 - minute} min ago: ${count} done, ${failed[minute] ?? 0} failed</title>
      <rect class="room" x="${minute * step}" y="0" width="${step}" height="${height}" />
      ${bar('done', minute, height - good, good)} ${bar('failed', minute, height - good - bad, bad)}
    </g>`;
  });
  return html`<svg
    class="bars"
    viewBox="0 0 ${completed.length * step} ${height}"
    role="img"
    aria-label="${summary(completed, failed)}"
  >
    ${minutes}
  </svg>`;
}

function bar(kind: string, minute: number, y: number, length: number): Html {
  if (length === 0) return html``;
  return html`<rect
    class="${kind}"
    x="${minute * step + 1}"
    y="${Math.max(y, 0)}"
    width="${step - 2}"
    height="${length}"
    rx="1"
  />`;
}

/** The same for who does not see it. */
export function summary(completed: readonly number[], failed: readonly number[]): string {
  return `${sum(completed)} refreshes in the last ${completed.length} minutes, and ${sum(failed)} that failed for good`;
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}
