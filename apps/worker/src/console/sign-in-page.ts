export function signInPage(problem: string): string {
  const alert = problem === '' ? '' : `<p role="alert">${problem}</p>`;
  return page(`<form method="post" action="/sign-in">
    <input name="username" value="operator" autocomplete="username" hidden>
    <label for="token">Admin token</label>
    <input id="token" name="token" type="password" autocomplete="current-password" required autofocus>
    ${alert}
    <button>Sign in</button>
  </form>`);
}

export function signOutPage(): string {
  return page(`<form method="post" action="/sign-out">
    <button>Sign out</button>
    <p><a href="/board">Back to the board</a></p>
  </form>`);
}

function page(body: string): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Connectors console</title>
<style>${style}</style>
<main>
  <h1>Connectors</h1>
  ${body}
</main>
</html>
`;
}

const style = `
  :root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; --edge: light-dark(#d4d9e0, #39414d);
    --accent: light-dark(#2257c4, #8ab0ff); background: light-dark(#f4f6f9, #14181e) }
  body { margin: 0; min-height: 100vh; display: grid; place-items: center }
  main { box-sizing: border-box; width: min(24rem, calc(100vw - 2rem)); padding: 1.75rem 2rem 2rem;
    border: 1px solid var(--edge); border-radius: .75rem; background: light-dark(#fff, #1c222a) }
  h1 { margin: 0 0 1.25rem; font-size: 1.25rem }
  label, input:not([hidden]), button { display: block; width: 100%; box-sizing: border-box; font: inherit }
  label { font-size: .875rem }
  input { margin: .25rem 0 1rem; padding: .5rem .625rem; border: 1px solid var(--edge); border-radius: .375rem;
    color: inherit; background: light-dark(#fff, #14181e) }
  button { padding: .5rem; border: 0; border-radius: .375rem; color: light-dark(#fff, #10151c); background: var(--accent); cursor: pointer }
  :focus-visible { outline: 2px solid var(--accent); outline-offset: 2px }
  a { color: var(--accent) }
  p { margin: 1rem 0 0 }
  [role=alert] { margin: 0 0 1rem; font-size: .875rem; color: light-dark(#b3261e, #ff9a91) }
`;
