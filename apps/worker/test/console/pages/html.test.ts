import { expect, it } from 'vitest';
import { html } from '../../../src/console/pages/html.ts';

it('escapes what is put in, in texts and in attributes', () => {
  const evil = `"><script>alert('x')</script>&`;
  const { text } = html`<a title="${evil}">${evil}</a>`;
  const harmless = '&#34;&#62;&#60;script&#62;alert(&#39;x&#39;)&#60;/script&#62;&#38;';
  expect(text).toBe(`<a title="${harmless}">${harmless}</a>`);
});

it('takes HTML as it is, alone and in lists', () => {
  const items = ['<a>', 2].map((item) => html`<i>${item}</i>`);
  expect(html`${items}${html`<b>b</b>`}`.text).toBe('<i>&#60;a&#62;</i><i>2</i><b>b</b>');
});
