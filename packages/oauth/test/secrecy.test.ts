import { format, inspect } from 'node:util';
import { EgressGuard } from '@connectors/egress';
import { Secret } from '@connectors/vault-core';
import { describe, expect, it } from 'vitest';
import { readTokenResponse, refreshAccessToken } from '../src/index.ts';
import { plainIntegration } from './fixtures.ts';
import { sendJson, startEndpoint } from './start-endpoint.ts';

const guard = new EgressGuard({ allow: ['127.0.0.1'] });

function everyWayToPrint(value: unknown): string {
  const stack = value instanceof Error ? value.stack : '';
  return [
    inspect(value, { depth: null, showHidden: true }),
    format('%o', value),
    JSON.stringify(value),
    String(value),
    stack,
  ].join();
}

async function outcome(clientAuthentication: 'basic' | 'post', url: string): Promise<unknown> {
  const integration = plainIntegration({}, { tokenUrl: url, clientAuthentication });
  return await refreshAccessToken({
    guard,
    integration,
    refreshToken: new Secret('rt-canary'),
    timeoutMs: 200,
  }).catch((error: unknown) => error);
}

const basic = Buffer.from('client-1:client-secret-canary').toString('base64');

describe.each(['basic', 'post'] as const)(
  'with client authentication %s no secret shows in',
  (clientAuthentication) => {
    it('an answer and the tokens read from it', async () => {
      const { url } = await startEndpoint((response) =>
        sendJson(response, { access_token: 'at-canary', refresh_token: 'new-rt-canary' }),
      );
      const answer = await outcome(clientAuthentication, url);
      const printed = everyWayToPrint(answer);
      expect(printed).toContain('status');
      expect(printed).not.toMatch(/canary/);
      const result = readTokenResponse(
        plainIntegration().provider,
        answer as Parameters<typeof readTokenResponse>[1],
      );
      expect(everyWayToPrint(result)).not.toMatch(/canary/);
    });

    it.each([
      ['an error after a cut', 'cut'],
      ['an error after a timeout', 'hang'],
    ])('%s', async (_, how) => {
      const { url } = await startEndpoint((response) => {
        response.writeHead(200, { 'content-length': '100' });
        response.write('{"access_token":"at-canary"', () => how === 'cut' && response.destroy());
      });
      const printed = everyWayToPrint(await outcome(clientAuthentication, url));
      expect(printed).toContain('TokenRequestError');
      expect(printed).not.toMatch(/canary/);
      expect(printed).not.toContain(basic);
    });
  },
);
