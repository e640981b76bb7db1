import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { FastifyInstance } from 'fastify';

const types = {
  'page.css': 'text/css; charset=utf-8',
  'page.js': 'text/javascript; charset=utf-8',
  'icon.svg': 'image/svg+xml',
};

type AssetName = keyof typeof types;

const names = Object.keys(types) as AssetName[];

/** The parts of the style sheet, in the order in which they are read. */
const style = ['base', 'frame', 'forms', 'words', 'tables', 'tenant', 'operator'];

const read = (path: string): string => readFileSync(new URL(`assets/${path}`, import.meta.url), 'utf8');

const contents: Record<AssetName, string> = {
  'page.css': style.map((part) => read(`style/${part}.css`)).join('\n'),
  'page.js': read('page.js'),
  'icon.svg': read('icon.svg'),
};

const urls = new Map(
  names.map((name) => [name, `/assets/${hash('sha256', contents[name], 'base64url').slice(0, 12)}/${name}`]),
);

/** The path of a file that pages need. Its content is part of it, so a browser may keep the file for good. */
export function assetUrl(name: AssetName): string {
  return urls.get(name) ?? '';
}

/** Serves what pages need: it is the same for everybody. */
export function registerAssets(app: FastifyInstance): void {
  for (const name of names)
    app.get(assetUrl(name), (_request, reply) =>
      reply
        .type(types[name])
        .header('cache-control', 'public, max-age=31536000, immutable')
        .send(contents[name]),
    );
}
