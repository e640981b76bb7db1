import { randomBytes } from 'node:crypto';
import { createRequestStateCodec } from '@modelcontextprotocol/server';

/** What a server remembers between two rounds travels through the client, sealed. */
export const stateCodec = createRequestStateCodec<{ round: number }>({ key: randomBytes(32) });
