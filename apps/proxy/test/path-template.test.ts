import { expect, test } from 'vitest';
import { pathTemplate } from '../src/path-template.ts';

test.each([
  ['', ''],
  ['/', '/'],
  ['/repos/acme/api/pulls', '/repos/acme/api/pulls'],
  ['/repos/acme/api/pulls/42', '/repos/acme/api/pulls/{id}'],
  ['/v1/customers/cus_NffrFeUfNV2Hib', '/v1/customers/{id}'],
  ['/users/3f2504e0-4f89-41d3-9a0c-0305e82c3301/keys', '/users/{id}/keys'],
  ['/bot123456:ABC-DEF1234ghIkl/getMe', '/{id}/getMe'],
  [`/a/${'x'.repeat(33)}`, '/a/{id}'],
  ['/oauth2/v2.0/me', '/oauth2/v2.0/me'],
  ['/1/2/', '/{id}/{id}/'],
])('%s is told as %s', (path, template) => {
  expect(pathTemplate(path)).toBe(template);
});
