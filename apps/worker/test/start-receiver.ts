import { startWebhookReceiver } from '@connectors/dev-servers';
import { onTestFinished } from 'vitest';

/** A tenant's server, until the test is over. */
export async function startReceiver() {
  const receiver = await startWebhookReceiver();
  onTestFinished(() => receiver.close());
  return receiver;
}
