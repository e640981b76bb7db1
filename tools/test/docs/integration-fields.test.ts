import { entrySchema } from '@connectors/oauth';
import { expect, it } from 'vitest';
import { integrationFieldsPage } from '../../docs/integration-fields-page.ts';

const text = integrationFieldsPage();

it.each(Object.keys(entrySchema.shape))('the page about fields says what %s means', (name) => {
  expect(text).toMatch(new RegExp(`^\\| \`${name}\` \\|.*\\| [^|]{6,} \\|$`, 'm'));
});
