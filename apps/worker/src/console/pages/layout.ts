import { html, Html } from './html.ts';

/** A page with a single card in its middle. */
export function cardPage(body: Html): string {
  return document(
    html`<main class="card">
      <h1>Connectors</h1>
      ${body}
    </main>`,
  );
}

/** A page for somebody who is signed in. */
export function widePage(body: Html): string {
  return document(
    html`<header>
        <h1>Connectors</h1>
        <nav><a href="/board">Board</a> <a href="/sign-out">Sign out</a></nav>
      </header>
      <main>${body}</main>`,
  );
}

function document(body: Html): string {
  return html`<!doctype html>
    <html lang="en">
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width" />
      <title>Connectors console</title>
      <style>
        ${new Html(style)}
      </style>
      ${body}
    </html> `.text;
}

const style = `
  :root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; --edge: light-dark(#d4d9e0, #39414d);
    --accent: light-dark(#2257c4, #8ab0ff); --paper: light-dark(#fff, #1c222a); --faint: light-dark(#5a6472, #9aa5b4);
    --alarm: light-dark(#b3261e, #ff9a91); background: light-dark(#f4f6f9, #14181e) }
  body { margin: 0 }
  body:has(.card) { min-height: 100vh; display: grid; place-items: center }
  .card { box-sizing: border-box; width: min(24rem, calc(100vw - 2rem)); padding: 1.75rem 2rem 2rem;
    border: 1px solid var(--edge); border-radius: .75rem; background: var(--paper) }
  h1 { margin: 0; font-size: 1.25rem }
  .card h1 { margin: 0 0 1.25rem }
  label, input:not([hidden]), button { display: block; width: 100%; box-sizing: border-box; font: inherit }
  label { font-size: .875rem }
  input { margin: .25rem 0 1rem; padding: .5rem .625rem; border: 1px solid var(--edge); border-radius: .375rem;
    color: inherit; background: light-dark(#fff, #14181e) }
  button { padding: .5rem; border: 0; border-radius: .375rem; color: light-dark(#fff, #10151c); background: var(--accent); cursor: pointer }
  :focus-visible { outline: 2px solid var(--accent); outline-offset: 2px }
  a { color: var(--accent) }
  .card p { margin: 1rem 0 0 }
  [role=alert] { color: var(--alarm) }
  .card [role=alert] { margin: 0 0 1rem; font-size: .875rem }
  header, main:not(.card) { max-width: 64rem; margin: 0 auto; padding: 1rem 1.5rem }
  header { display: flex; justify-content: space-between; align-items: baseline; gap: 1rem }
  nav a { margin-left: 1.25rem }
  section { margin: 0 0 1.5rem; padding: 1rem 1.25rem; border: 1px solid var(--edge); border-radius: .75rem;
    background: var(--paper); overflow-x: auto }
  h2 { margin: 0 0 .25rem; font-size: 1rem }
  section p { margin: 0 0 .5rem; color: var(--faint); font-size: .875rem }
  table { width: 100%; border-collapse: collapse; font-size: .9375rem }
  th, td { padding: .375rem 1rem .375rem 0; text-align: left; border-top: 1px solid var(--edge); vertical-align: top }
  thead th { border: 0; font-weight: 600; font-size: .8125rem; color: var(--faint) }
  tbody th { font-weight: 600 }
  .number { text-align: right; font-variant-numeric: tabular-nums }
  .alarm { color: var(--alarm); font-weight: 600 }
  code { font-size: .875em }
  time, .alarm { white-space: nowrap }
`;
