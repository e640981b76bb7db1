/*
 * What the backend of a product does when its user clicks "Connect": it asks the console for a link, sends the user there, and
 * learns how it ended. Here the link is printed, and the tenant's events are looked at until the user has connected; a product
 * would redirect, name a `returnUrl`, and hear of it by a webhook.
 *
 *     ADMIN_TOKEN=… node examples/connect-tenant.ts acme demo
 */
import { setTimeout as delay } from 'node:timers/promises';

const { CONSOLE_URL = 'http://127.0.0.1:8090', ADMIN_TOKEN = '' } = process.env;
const [tenantId = 'acme', integration = 'demo'] = process.argv.slice(2);
const tenant = `${CONSOLE_URL}/admin/tenants/${tenantId}`;

interface Session {
  id: string;
  url: string;
  expiresAt: string;
}

interface Event {
  type: string;
  connectSession?: string;
  error?: string;
}

const session = await call<Session>('POST', `${tenant}/connect-sessions`, { integration, user: 'Ada' });
console.log(`Open ${session.url}`);

let end: Event | undefined;
while (end === undefined && Date.now() < Date.parse(session.expiresAt)) {
  await delay(1_000);
  const { items } = await call<{ items: Event[] }>('GET', `${tenant}/events`);
  end = items.find(({ connectSession }) => connectSession === session.id);
}
if (end?.type === 'connected') console.log(`${tenantId} has connected ${integration}`);
else {
  console.error(
    `${tenantId} has not connected ${integration}: ${end?.error ?? 'nobody opened the link in time'}`,
  );
  process.exitCode = 1;
}

async function call<T>(method: string, url: string, body?: object): Promise<T> {
  const response = await fetch(url, {
    method,
    headers: { Authorization: `Bearer ${ADMIN_TOKEN}`, 'Content-Type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const answer = (await response.json()) as T & { detail?: string };
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${answer.detail}`);
  return answer;
}
