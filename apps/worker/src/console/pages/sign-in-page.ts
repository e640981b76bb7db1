import { html, type Html } from './html.ts';
import { cardPage, noticePage } from './layout.ts';

/**
 * @param problem what was wrong with the token, if one was presented
 * @param issuerHost where operators may sign in as well
 */
export function signInPage(problem: string, issuerHost: string | undefined): string {
  return cardPage(
    'Sign in',
    html`<h1>Sign in</h1>
      ${issuerHost === undefined ? '' : issuerButton(issuerHost)}
      ${tokenForm(problem, issuerHost === undefined)}`,
  );
}

function issuerButton(host: string): Html {
  return html`<p><a class="button primary wide" href="/sign-in/oidc">Continue with ${host}</a></p>
    <p class="divider"><span>or</span></p>`;
}

function tokenForm(problem: string, isOnly: boolean): Html {
  const alert = problem === '' ? '' : html`<p role="alert" id="problem">${problem}</p>`;
  const reference = problem === '' ? '' : html`aria-invalid="true" aria-describedby="problem"`;
  return html`<form method="post" action="/sign-in">
    <input name="username" value="operator" autocomplete="username" hidden />
    <label
      >Admin token
      <input
        name="token"
        type="password"
        autocomplete="current-password"
        required
        ${reference}
        ${isOnly ? html`autofocus` : ''}
      />
    </label>
    ${alert}
    <button class="wide ${isOnly ? 'primary' : ''}" data-busy="Signing in …">Sign in</button>
  </form>`;
}

/** What an issuer's answer ends with: the page leads on by itself. */
export function signedInPage(): string {
  return noticePage(
    'good',
    'Signed in',
    html`<meta http-equiv="refresh" content="0; url=/" />
      <p><a class="button primary wide" href="/">To the overview</a></p>`,
  );
}

export function signOutPage(formToken: Html): string {
  return cardPage(
    'Sign out',
    html`<h1>Sign out?</h1>
      <form method="post" action="/sign-out">
        ${formToken}
        <button class="primary wide">Sign out</button>
      </form>
      <p><a href="/">Back to the overview</a></p>`,
  );
}
