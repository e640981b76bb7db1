import { createServer, type IncomingHttpHeaders, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { text } from 'node:stream/consumers';
import { Webhook } from 'standardwebhooks';
import { closeServer, listen } from './listen.ts';

/** A webhook as it arrived. */
export interface ReceivedWebhook {
  headers: IncomingHttpHeaders;
  body: string;
}

export interface WebhookReceiver {
  url: string;
  port: number;
  /** In the order of their arrival. */
  received: ReceivedWebhook[];
  /** Answers; 204 unless it is set. */
  respond: (response: ServerResponse) => unknown;
  /** How many requests are under way. */
  underWay(): number;
  close(): Promise<void>;
}

/**
 * Starts a server that webhooks are sent to.
 *
 * @param tls its certificate and key (PEM); plain http without
 */
export async function startWebhookReceiver(tls?: { cert: string; key: string }): Promise<WebhookReceiver> {
  const received: ReceivedWebhook[] = [];
  let underWay = 0;
  const listener: RequestListener = (request, response) => {
    underWay += 1;
    response.on('close', () => (underWay -= 1));
    text(request).then(
      (body) => {
        received.push({ headers: request.headers, body });
        receiver.respond(response);
      },
      () => undefined,
    );
  };
  const server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener);
  const port = await listen(server, 0, 'the receiver of webhooks');
  const receiver: WebhookReceiver = {
    url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}/hooks?from=connectors`,
    port,
    received,
    respond: (response) => response.writeHead(204).end(),
    underWay: () => underWay,
    close: () => closeServer(server),
  };
  return receiver;
}

/**
 * What a receiver makes of a webhook.
 *
 * @throws {Error} if it was not signed with its secret a moment ago
 */
export function openWebhook(secret: string, { headers, body }: ReceivedWebhook) {
  const opened = new Webhook(secret).verify(body, headers as Record<string, string>);
  return { id: headers['webhook-id'], ...(opened as { type: string; timestamp: string; data: object }) };
}
