import { ResourceTemplate, type McpServer } from '@modelcontextprotocol/server';
import { pixel } from './answers.ts';

/** Resources of each kind; clients may subscribe to them, but none ever changes. */
export function addResources(server: McpServer): void {
  const contents = {
    'test://static-text': {
      mimeType: 'text/plain',
      text: 'This is the content of the static text resource.',
    },
    'test://static-binary': { mimeType: 'image/png', blob: pixel },
    'test://watched-resource': { mimeType: 'text/plain', text: 'Watched resource content' },
  };
  for (const [uri, content] of Object.entries(contents)) {
    const facts = { description: 'A resource', mimeType: content.mimeType };
    server.registerResource(uri.slice('test://'.length), uri, facts, () => ({
      contents: [{ uri, ...content }],
    }));
  }
  server.registerResource(
    'template',
    new ResourceTemplate('test://template/{id}/data', { list: undefined }),
    { description: 'A resource for each id', mimeType: 'application/json' },
    (uri, { id }) => ({
      contents: [
        {
          uri: uri.href,
          mimeType: 'application/json',
          text: JSON.stringify({ id, templateTest: true, data: `Data for ID: ${String(id)}` }),
        },
      ],
    }),
  );
  server.server.setRequestHandler('resources/subscribe', () => ({}));
  server.server.setRequestHandler('resources/unsubscribe', () => ({}));
  server.server.setRequestHandler('logging/setLevel', () => ({}));
  server.server.setRequestHandler('completion/complete', () => ({
    completion: { values: [], total: 0, hasMore: false },
  }));
}
