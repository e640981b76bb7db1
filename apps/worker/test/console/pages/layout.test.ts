import { expect, it } from 'vitest';
import { html } from '../../../src/console/pages/html.ts';
import { noticePage, widePage } from '../../../src/console/pages/layout.ts';

const links = [
  { url: '/a', text: 'A' },
  { url: '/b', text: 'B' },
];

it('marks the page that is shown among the links of the bar', () => {
  const page = widePage({ title: 'B', links, current: '/b' }, html``);
  const marked = [...page.matchAll(/<a href="([^"]+)"[^>]*aria-current="page"/g)].map(([, url]) => url);
  expect(marked).toEqual(['/b']);
});

it('begins with a link to the content', () => {
  const page = widePage({ title: 'B', links }, html`<h1>B</h1>`);
  expect(page.indexOf('href="#main"')).toBeLessThan(page.indexOf('href="/a"'));
  expect(page).toContain('<main id="main"');
});

it('takes no title for HTML', () => {
  expect(noticePage('bad', '</title><script>', html``)).not.toContain('<script>');
});
