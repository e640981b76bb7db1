import { describe, expect, it } from 'vitest';
import { html } from '../../../../src/console/pages/html.ts';
import { credentialCard } from '../../../../src/console/pages/tenant/credential-card.ts';
import type { CredentialView } from '../../../../src/console/credential-view.ts';

const now = Date.parse('2025-11-08T12:00:00Z');
const at = (minutes: number) => new Date(now + minutes * 60_000).toISOString();

const github: CredentialView = {
  integration: 'github',
  name: 'GitHub',
  state: 'active',
  scopes: ['repo'],
  tokenIssuedAt: at(-30),
  nextRefreshAt: at(25),
  expiresAt: at(30),
  canRefresh: true,
};

function card(view: Partial<CredentialView> = {}): string {
  return credentialCard({ ...github, ...view }, { tenantId: 'acme', formToken: html``, now }).text;
}

const placeOf = (mark: RegExp, page: string) => mark.exec(page)?.[1];

describe('the card of a connection', () => {
  it('marks the scopes that were not granted', () => {
    expect(card({ missingScopes: ['workflow'] })).toMatch(/class="missing"><code>workflow<\/code>/);
    expect(card()).not.toContain('missing');
  });

  it('has now and the next refresh at their places between issue and expiry', () => {
    expect(placeOf(/class="now" cx="([^"]+)"/, card())).toBe('50%');
    expect(placeOf(/class="due" x1="([^"]+)"/, card())).toBe('91.7%');
  });

  it.each(['__proto__', 'constructor'])('shows a reason that is no word of ours as it is: %s', (reason) => {
    expect(card({ state: 'failing', reason })).toContain(`Reason: <code>${reason}</code>`);
  });

  it('says that a token has expired, and when', () => {
    const page = card({ expiresAt: at(-5), nextRefreshAt: at(-10) });
    expect(page).toContain('<dt>Expired</dt>');
    expect(placeOf(/class="now" cx="([^"]+)"/, page)).toBe('100%');
  });

  it('says of one whose refreshes fail whether agents can still use it', () => {
    expect(card({ state: 'failing', retryCount: 3 })).not.toContain('Agents cannot use this');
    const page = card({ state: 'failing', retryCount: 8, expiresAt: at(-5), nextRefreshAt: at(5) });
    expect(page).toContain('Agents cannot use this until a refresh succeeds');
    expect(page.indexOf('Expired')).toBeLessThan(page.indexOf('Next refresh'));
  });

  it('tells the last refresh from a connect, and calls a refresh that is due one of now', () => {
    expect(card()).toContain('<dt>Issued</dt>');
    const page = card({ refreshCount: 2, nextRefreshAt: at(-1) });
    expect(page).toContain('<dt>Last refresh</dt>');
    expect(page).toMatch(/<dt>Next refresh<\/dt>\s*<dd>now</);
  });

  it('names fields in words', () => {
    expect(card({ fields: { teamId: 'T1' } })).toContain('<dt>Team id</dt>');
  });

  it('has no line for a token that does not expire', () => {
    const { expiresAt: _none, nextRefreshAt: _never, ...lasting } = github;
    const page = credentialCard(lasting, { tenantId: 'acme', formToken: html``, now }).text;
    expect(page).toContain('Its token does not expire.');
    expect(page).not.toContain('class="timeline');
  });

  it.each([
    ['active', true],
    ['failing', true],
    ['needs_reauth', false],
  ] as const)('of one that is %s offers a refresh: %s', (state, isOffered) => {
    expect(card({ state }).includes('action="/tenants/acme/github/refresh"')).toBe(isOffered);
  });

  it('offers no refresh where nothing can refresh it', () => {
    expect(card({ state: 'expiring', canRefresh: false })).not.toContain('/refresh"');
  });
});
