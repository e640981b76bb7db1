import { catalog, type Provider } from '@connectors/oauth';
import { page, table } from './markdown.ts';

/** Every provider of the catalog, with what is not verified yet marked as such. */
export function providersPage(): string {
  const providers = [...catalog.values()];
  return page('Providers', [
    '`{PROVIDER}_CLIENT_ID` and `{PROVIDER}_CLIENT_SECRET` switch a provider on (`GITHUB_CLIENT_ID`; a `-` becomes `_`). Set what “To set” lists under `values` of its entry in `connectors.yaml`, where you can override every other field too: see [integrations](integrations.md), [fields](integration-fields.md), and [adding a provider](adding-a-provider.md).',
    'Values with a `?` are assumed, or do not come from the provider itself: check them before you rely on them. Undocumented rotation counts as `yes`, which only makes us more careful. Some providers issue no refresh tokens at all.',
    'What nobody has confirmed is left out: some lifetimes, some ways to revoke a token, and, for a few providers, what makes them issue a refresh token. If you know it, set it: `assumedLifetime`; `revokeUrl` with `revocation`; `offlineScopes` or `authorizeParams`.',
    '## Tokens',
    tokensTable(providers),
    '“Access token” is the usual lifetime; what a response says takes precedence. “Idle” is how long an unused token lives, “in all” counts from the consent.',
    '## Settings and notes',
    notesTable(providers),
  ]);
}

function tokensTable(providers: Provider[]): string {
  return table(
    [
      'Provider',
      'Name',
      'Grant',
      'Refresh tokens rotate',
      'Access token',
      'Refresh token',
      'Revocation',
      'MCP server',
    ],
    providers.map((provider) => [
      `[\`${provider.id}\`](${provider.docsUrl})`,
      provider.name,
      `\`${provider.grant}\``,
      rotation(provider),
      marked(provider, 'assumedLifetime', duration(provider.assumedLifetime)),
      refreshLifetime(provider),
      revocation(provider),
      provider.mcpUrl ?? '',
    ]),
  );
}

function notesTable(providers: Provider[]): string {
  return table(
    ['Provider', 'To set', 'Fields of each credential', 'Notes', 'Not verified'],
    providers.map((provider) => [
      `\`${provider.id}\``,
      configured(provider),
      ownFields(provider),
      provider.note ?? '',
      provider.unverified.map((name) => `\`${name}\``).join(', '),
    ]),
  );
}

function marked({ unverified }: Provider, field: keyof Provider, text: string): string {
  return text !== '' && unverified.includes(field) ? `${text} ?` : text;
}

function rotation(provider: Provider): string {
  if (provider.grant !== 'authorization_code') return '';
  if (!provider.refreshTokenRotates) return marked(provider, 'refreshTokenRotates', 'no');
  const { refreshTokenGrace } = provider;
  const grace = refreshTokenGrace === undefined ? '' : `, ${duration(refreshTokenGrace)} of grace`;
  return marked(provider, 'refreshTokenRotates', `yes${grace}`);
}

function refreshLifetime(provider: Provider): string {
  const { refreshTokenIdleLifetime, refreshTokenLifetime } = provider;
  const idle = marked(provider, 'refreshTokenIdleLifetime', duration(refreshTokenIdleLifetime, ' idle'));
  const whole = marked(provider, 'refreshTokenLifetime', duration(refreshTokenLifetime, ' in all'));
  return [idle, whole].filter((text) => text !== '').join(', ');
}

function revocation(provider: Provider): string {
  const { revokeUrl, revocation: style, issuer } = provider;
  if (revokeUrl === undefined) return issuer === undefined ? marked(provider, 'revokeUrl', 'none') : '';
  return marked(
    provider,
    'revokeUrl',
    { any: 'yes', access: 'access token', refresh: 'refresh token' }[style.takes],
  );
}

function configured({ fields }: Provider): string {
  return Object.entries(fields)
    .filter(([, rule]) => rule.configured === true)
    .map(([name, rule]) => `\`${name}\`${rule.default === undefined ? '' : ` (\`${rule.default}\`)`}`)
    .join(', ');
}

function ownFields({ fields }: Provider): string {
  return Object.entries(fields)
    .filter(([, rule]) => rule.configured !== true)
    .map(([name, { from, optional }]) => {
      const source = Object.keys(from ?? {})[0];
      const facts = [...(source === undefined ? [] : [source]), ...(optional === true ? ['optional'] : [])];
      return `\`${name}\`${facts.length === 0 ? '' : ` (${facts.join(', ')})`}`;
    })
    .join(', ');
}

/** In the largest unit that it is a whole number of, up to days. */
function duration(seconds: number | undefined, suffix = ''): string {
  if (seconds === undefined) return '';
  const [unit, length] = (
    [
      ['d', 86_400],
      ['h', 3600],
      ['min', 60],
    ] as const
  ).find(([, each]) => seconds % each === 0) ?? ['s', 1];
  return `${seconds / length} ${unit}${suffix}`;
}
