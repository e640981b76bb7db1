import { Secret } from '@connectors/vault-core';
import { Webhook } from 'standardwebhooks';
import { describe, expect, it } from 'vitest';
import { signWebhook } from '../../src/webhooks/sign.ts';

const [first, second] = ['first-secret-of-thirty-two-bytes', 'other-secret-of-thirty-two-bytes'].map(
  (key) => `whsec_${Buffer.from(key).toString('base64')}`,
) as [string, string];
const body = '{"type":"needs_reauth","data":{"reason":"invalid_grant – ungültig"}}';
const sentAt = Math.floor(Date.now() / 1000);

function headers(...secrets: string[]) {
  const wrapped = secrets.map((secret) => new Secret(secret));
  return {
    'webhook-id': 'msg_1',
    'webhook-timestamp': String(sentAt),
    'webhook-signature': signWebhook('msg_1', sentAt, body, wrapped),
  };
}

const verify = (secret: string, signed: Record<string, string>, text = body) =>
  new Webhook(secret).verify(text, signed);

describe('the signature', () => {
  it('is accepted by the library of Standard Webhooks', () => {
    expect(verify(first, headers(first))).toEqual(JSON.parse(body));
  });

  it('is not accepted for another body, id, time or secret', () => {
    const signed = headers(first);
    expect(() => verify(first, signed, body.replace('invalid', 'invalia'))).toThrow('signature');
    expect(() => verify(first, { ...signed, 'webhook-id': 'msg_2' })).toThrow('signature');
    expect(() => verify(first, { ...signed, 'webhook-timestamp': String(sentAt - 1) })).toThrow('signature');
    expect(() => verify(second, signed)).toThrow('signature');
  });

  it('by two secrets is accepted by who knows either', () => {
    const signed = headers(first, second);
    expect(signed['webhook-signature'].split(' ')).toHaveLength(2);
    for (const secret of [first, second]) expect(verify(secret, signed)).toEqual(JSON.parse(body));
  });
});
