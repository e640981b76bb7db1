/** Who sits at the browser. */
interface Visitor {
  login: string;
  /** Says no at the provider. */
  denies?: boolean;
}

/**
 * Opens a connect link as a user's browser does: follows redirects with cookies, presses the one button of each page, logs in and
 * consents at the provider.
 *
 * @returns the text of the page that says how it went
 */
export async function visitLink(link: string, { login, denies = false }: Visitor): Promise<string> {
  const cookies = new Map<string, string>();
  let url = new URL(link);
  let form: URLSearchParams | undefined;
  for (let step = 0; step < 30; step += 1) {
    const answer: Response = await fetch(url, {
      redirect: 'manual',
      headers: {
        cookie: [...cookies].map((pair) => pair.join('=')).join('; '),
        ...(form === undefined ? {} : { origin: url.origin }),
      },
      ...(form === undefined ? {} : { method: 'POST', body: form }),
    });
    for (const header of answer.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(header) ?? [];
      cookies.set(name, value);
    }
    const page = await answer.text();
    const location = answer.headers.get('location');
    form = undefined;
    if (location !== null) url = new URL(location, url);
    else if (url.pathname.endsWith('/result')) return page;
    else {
      const html = /<form[^]*?<\/form>/.exec(page)?.[0];
      if (html === undefined)
        throw new Error(`The way ended at ${url.pathname} with ${answer.status}: ${page}`);
      url = new URL(/ action="([^"]*)"/.exec(html)?.[1] ?? url, url);
      form = fill(html, login, denies);
    }
  }
  throw new Error('The way does not end');
}

function fill(html: string, login: string, denies: boolean): URLSearchParams {
  const hidden = [...html.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)"/g)];
  const fields = Object.fromEntries(hidden.map(([, name = '', value = '']) => [name, value]));
  if (html.includes('name="login"')) return new URLSearchParams({ ...fields, login });
  const hasChoice = html.includes('name="deny"');
  return new URLSearchParams({ ...fields, ...(hasChoice ? { [denies ? 'deny' : 'allow']: '' } : {}) });
}
