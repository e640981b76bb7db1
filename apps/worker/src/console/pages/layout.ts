import { assetUrl } from './assets.ts';
import { html, type Html } from './html.ts';

/** How what a page or a badge says is meant. */
export type Tone = 'good' | 'warning' | 'bad' | 'neutral';

/** A page with a single card in its middle. The card has its own `<h1>`. */
export function cardPage(title: string, body: Html): string {
  return document(
    title,
    html`<main id="main" class="middle">
      <div class="brand">${logo} Connectors</div>
      <div class="card">${body}</div>
    </main>`,
  );
}

/** A card that tells how something went, and what to do next. */
export function noticePage(tone: Tone, title: string, body: Html): string {
  return cardPage(
    title,
    html`<div class="mark ${tone}">${marks[tone]}</div>
      <h1>${title}</h1>
      ${body}`,
  );
}

interface WidePage {
  title: string;
  /** Links of the bar on top. */
  links?: readonly NavigationLink[];
  /** The link that stands apart, at the end of the bar. */
  lastLink?: NavigationLink | undefined;
  /** Address of the page that is shown, as one of the links. */
  current?: string;
  /** Address of the event stream at whose events the page is to look at itself again. */
  events?: string;
}

interface NavigationLink {
  url: string;
  text: string;
}

const operatorLinks: NavigationLink[] = [
  { url: '/', text: 'Overview' },
  { url: '/tenants', text: 'Tenants' },
  { url: '/agents', text: 'Agents' },
  { url: '/board', text: 'Board' },
];

/** A page of the operator's. */
export function operatorPage(page: Pick<WidePage, 'title' | 'current' | 'events'>, body: Html): string {
  return widePage({ ...page, links: operatorLinks, lastLink: { url: '/sign-out', text: 'Sign out' } }, body);
}

/** A page with a bar on top. The body has its own `<h1>`. */
export function widePage({ title, links = [], lastLink, current, events }: WidePage, body: Html): string {
  const link = ({ url, text }: NavigationLink, kind = ''): Html =>
    html`<a href="${url}" class="${kind}" ${url === current ? html`aria-current="page"` : ''}>${text}</a>`;
  return document(
    title,
    html`<a class="skip" href="#main">Skip to the content</a>
      <header class="bar">
        <div>
          <span class="brand">${logo} Connectors</span>
          <nav aria-label="Main">
            ${links.map((each) => link(each))} ${lastLink === undefined ? '' : link(lastLink, 'last')}
          </nav>
        </div>
      </header>
      <main id="main" tabindex="-1" ${events === undefined ? '' : html`data-events="${events}"`}>
        ${events === undefined ? '' : staleNote} ${body}
      </main>`,
  );
}

/** Empty as long as the page follows what happens. */
const staleNote = html`<p
  id="stale"
  class="stale note bad"
  role="status"
  data-text="This page is no longer up to date: the console does not answer. It goes on by itself when it does."
></p>`;

function document(title: string, body: Html): string {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width" />
        <meta name="color-scheme" content="light dark" />
        <title>${title} · Connectors</title>
        <link rel="icon" href="${assetUrl('icon.svg')}" />
        <link rel="stylesheet" href="${assetUrl('page.css')}" />
        <script type="module" src="${assetUrl('page.js')}"></script>
      </head>
      <body>
        ${body}
      </body>
    </html> `.text;
}

const logo = html`<svg viewBox="0 0 24 24" aria-hidden="true">
  <path
    d="M9.5 7H7a5 5 0 0 0 0 10h2.5M14.5 7H17a5 5 0 0 1 0 10h-2.5M8.5 12h7"
    fill="none"
    stroke="currentColor"
    stroke-width="2.4"
    stroke-linecap="round"
  />
</svg>`;

const marks: Record<Tone, Html> = {
  good: mark('M5 12.5l4.5 4.5L19 7.5'),
  warning: mark('M12 6.5v7M12 17v.5'),
  bad: mark('M7 7l10 10M17 7L7 17'),
  neutral: mark('M12 11v6M12 7v.5'),
};

function mark(path: string): Html {
  return html`<svg viewBox="0 0 24 24" aria-hidden="true">
    <path d="${path}" fill="none" stroke="currentColor" stroke-width="2.4" stroke-linecap="round" />
  </svg>`;
}
