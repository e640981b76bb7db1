import { readFileSync } from 'node:fs';
import { startWebhookReceiver } from '@connectors/dev-servers';
import { onTestFinished } from 'vitest';

const tlsFile = (name: string) =>
  readFileSync(new URL(`../../../oauth/test/tls/${name}`, import.meta.url), 'utf8');

/** Self-signed for localhost and 127.0.0.1. */
export const certificate = tlsFile('cert.pem');

/** A tenant's server, until the test is over. */
export async function startReceiver({ secure = false } = {}) {
  const tls = secure ? { cert: certificate, key: tlsFile('key.pem') } : undefined;
  const receiver = await startWebhookReceiver(tls);
  onTestFinished(() => receiver.close());
  return receiver;
}
