/** Somebody with a browser of their own: keeps cookies, and sends forms as they stand on a page. */
export function newVisitor(url: string, origin: string) {
  const cookies = new Map<string, string>();

  async function request(
    path: string,
    init: { method?: string; headers?: object; body?: URLSearchParams } = {},
  ) {
    const { headers = {}, ...others } = init;
    const response = await fetch(`${url}${path}`, {
      redirect: 'manual',
      headers: {
        cookie: [...cookies].map((pair) => pair.join('=')).join('; '),
        accept: 'text/html',
        ...headers,
      },
      ...others,
    });
    for (const header of response.headers.getSetCookie()) {
      const [name = '', value = ''] = (header.split(';')[0] ?? '').split('=');
      if (value === '') cookies.delete(name);
      else cookies.set(name, value);
    }
    const page = response.headers.get('content-type')?.startsWith('text/event-stream')
      ? ''
      : await response.text();
    return { status: response.status, headers: response.headers, page, to: response.headers.get('location') };
  }

  return {
    cookies,
    request,
    get: (path: string) => request(path),
    /** Sends the form of a page that leads to `action`, as its button does. */
    async submit(page: string, action: string, more: Record<string, string> = {}) {
      const [, form] = page.split(`action="${action}"`);
      if (form === undefined) throw new Error(`The page has no form for ${action}`);
      const fields = [
        ...(form.split('</form>')[0] ?? '').matchAll(/<input type="hidden" name="(\w+)" value="([^"]*)"/g),
      ];
      const body = new URLSearchParams(
        fields.map(([, name = '', value = '']): [string, string] => [name, value]),
      );
      for (const [name, value] of Object.entries(more)) body.set(name, value);
      return request(action, { method: 'POST', headers: { origin }, body });
    },
  };
}

export type Visitor = ReturnType<typeof newVisitor>;
