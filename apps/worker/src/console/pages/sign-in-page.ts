import { html } from './html.ts';
import { cardPage } from './layout.ts';

export function signInPage(problem: string): string {
  const alert = problem === '' ? '' : html`<p role="alert">${problem}</p>`;
  return cardPage(
    'Sign in',
    html`<h1>Sign in</h1>
      <form method="post" action="/sign-in">
        <input name="username" value="operator" autocomplete="username" hidden />
        <label for="token">Admin token</label>
        <input id="token" name="token" type="password" autocomplete="current-password" required autofocus />
        ${alert}
        <button class="primary wide">Sign in</button>
      </form>`,
  );
}

export function signOutPage(): string {
  return cardPage(
    'Sign out',
    html`<h1>Sign out?</h1>
      <form method="post" action="/sign-out">
        <button class="primary wide">Sign out</button>
        <p><a href="/">Back to the overview</a></p>
      </form>`,
  );
}
