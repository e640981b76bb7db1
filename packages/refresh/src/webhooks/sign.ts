import { createHmac } from 'node:crypto';
import type { Secret } from '@connectors/vault-core';

/**
 * The header `webhook-signature` of Standard Webhooks: HMAC-SHA256 over id, time and body, once for each secret that is
 * valid, so that a receiver which knows one of them can tell who sent it.
 *
 * @param sentAt seconds since the epoch, as in `webhook-timestamp`: a receiver refuses what is too old
 * @param secrets `whsec_` and the key in base64
 */
export function signWebhook(id: string, sentAt: number, body: string, secrets: readonly Secret[]): string {
  return secrets
    .map((secret) => {
      const key = Buffer.from(secret.reveal().replace(/^whsec_/, ''), 'base64');
      return `v1,${createHmac('sha256', key).update(`${id}.${sentAt}.${body}`).digest('base64')}`;
    })
    .join(' ');
}
