import { describe, expect, it } from 'vitest';
import { receivedAt } from '../fixtures.ts';
import { minutes, read } from './read-tokens.ts';
import { definitionOf } from './start-quirky.ts';

describe('quirk: expires_in missing, token expires', () => {
  it('is assumed for Stripe Apps', async () =>
    expect(await minutes('none', definitionOf('stripe-apps'))).toBe(60));
  it('is what the operator says for the rest', async () =>
    expect(await minutes('none', { ...definitionOf('notion'), assumedLifetime: 3600 })).toBe(60));
});

describe('quirk: expires_in missing, token does not expire', () => {
  it.each(['github-oauth-app', 'slack', 'intercom', 'stripe-connect', 'monday', 'clickup', 'mailchimp'])(
    'of %s is kept without an end',
    (id) => expect(read({}, definitionOf(id)).expiresAt).toBeUndefined(),
  );
});

describe('quirk: expires_in as a quoted string', () => {
  it('is a number of seconds', async () => expect(await minutes('text')).toBe(60));
});

describe('quirk: absolute expiry, ISO 8601', () => {
  it('is the end, as Square has it', async () =>
    expect(await minutes('iso', definitionOf('square'))).toBe(60));
});

describe('quirk: absolute expiry, epoch seconds', () => {
  it('is the end, as Strava has it', async () =>
    expect(await minutes('epoch', definitionOf('strava'))).toBe(60));
  it('may be in milliseconds', async () => expect(await minutes('milliseconds')).toBe(60));
});

describe('quirk: expires_in holds a timestamp', () => {
  it('is the end, as Typeform may have it', async () =>
    expect(await minutes('instantInExpiresIn', definitionOf('typeform'))).toBe(60));
});

describe('quirk: issue time returned', () => {
  it.each(['gitlab', 'calendly', 'salesforce'])(
    'of %s changes nothing: a lifetime counts from when the answer came',
    (id) => {
      const told = { expires_in: 7200, created_at: 1_500_000_000, issued_at: '1500000000000' };
      expect(read(told, definitionOf(id)).expiresAt?.getTime()).toBe(receivedAt + 7_200_000);
    },
  );
});

describe('quirk: very long expires_in', () => {
  it.each([
    ['linear', 315_705_599],
    ['linkedin', 5_184_000],
  ])('of %s is a date', (id, seconds) => {
    expect(read({ expires_in: seconds }, definitionOf(id)).expiresAt?.getTime()).toBe(
      receivedAt + seconds * 1000,
    );
  });
});

describe('quirk: refresh lifetime field', () => {
  it.each([
    ['github-app-user', { refresh_token_expires_in: 86_400 }],
    ['zendesk', { refresh_token_expires_in: 86_400 }],
    ['quickbooks', { x_refresh_token_expires_in: 86_400 }],
    ['keycloak', { refresh_expires_in: 86_400 }],
    ['square', { refresh_token_expires_at: '2026-03-02T12:00:00Z' }],
  ])('of %s is understood', (id, told) => {
    expect(read(told, definitionOf(id)).refreshTokenExpiresAt?.getTime()).toBe(receivedAt + 86_400_000);
  });
});
