import replyFrom from '@fastify/reply-from';
import Fastify from 'fastify';

/* Bare Fastify with @fastify/reply-from, which puts a token in. It checks nothing. */

const [port = '', base = '', token = ''] = process.argv.slice(2);
const app = Fastify({ logger: false });
await app.register(replyFrom, { base });
app.all('/*', (_request, reply) =>
  reply.from(undefined, {
    rewriteRequestHeaders: (_incoming, headers) => ({ ...headers, authorization: `Bearer ${token}` }),
  }),
);
await app.listen({ host: '127.0.0.1', port: Number(port) });

// Profiles are written by a process that ends by itself.
process.once('SIGTERM', () => process.exit());
