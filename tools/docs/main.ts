import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generatePages } from './pages.ts';

for (const [name, text] of Object.entries(await generatePages()))
  writeFileSync(join(import.meta.dirname, '../../docs', name), text);
