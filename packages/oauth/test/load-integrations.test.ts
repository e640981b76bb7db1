import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { loadIntegrations } from '../src/index.ts';

const own = `
integrations:
  acme:
    authorizeUrl: https://acme.example/authorize
    tokenUrl: https://acme.example/token
    clientId: acme-client
    scopes: [read, write:all]
    upstream: { rest: https://api.acme.example/v2 }
`;

describe('the environment alone', () => {
  it('switches a provider of the catalog on under its own id', () => {
    const { integrations, problems } = loadIntegrations({
      env: { GITHUB_CLIENT_ID: 'gh', GITHUB_CLIENT_SECRET: 'canary', SLACK_CLIENT_ID: 'sl' },
    });
    expect(problems).toEqual([]);
    expect([...integrations.keys()]).toEqual(['github', 'slack']);
    const github = integrations.get('github');
    expect(github).toMatchObject({
      id: 'github',
      clientId: 'gh',
      provider: { id: 'github' },
      upstreams: { rest: 'https://api.github.com', mcp: 'https://api.githubcopilot.com/mcp' },
    });
    expect(github?.clientSecret?.reveal()).toBe('canary');
  });

  it('needs no client secret: the proxy has none', () => {
    const { integrations, problems } = loadIntegrations({ env: { GITHUB_CLIENT_ID: 'gh' } });
    expect(problems).toEqual([]);
    expect(integrations.get('github')).not.toHaveProperty('clientSecret');
  });

  it('may be empty', () => {
    expect(loadIntegrations({ env: {} })).toEqual({ integrations: new Map(), problems: [] });
  });

  it('counts an empty variable as not set', () => {
    const { integrations, problems } = loadIntegrations({
      env: { GITHUB_CLIENT_ID: '', SLACK_CLIENT_SECRET: '' },
    });
    expect(problems).toEqual([]);
    expect(integrations.size).toBe(0);
  });

  it('with a secret and no client id is a slip', () => {
    const { problems } = loadIntegrations({ env: { SLACK_CLIENT_SECRET: 'canary' } });
    expect(problems).toEqual(['SLACK_CLIENT_SECRET: set without SLACK_CLIENT_ID']);
  });

  it('cannot switch on what needs an issuer', () => {
    const { integrations, problems } = loadIntegrations({ env: { OIDC_CLIENT_ID: 'x' } });
    expect(integrations.size).toBe(0);
    expect(problems).toContain(
      'integrations.oidc.issuer: required, unless authorizeUrl and tokenUrl are given',
    );
  });
});

describe('connectors.yaml', () => {
  it('adds an integration with a provider of its own', () => {
    const { integrations, problems } = loadIntegrations({ yaml: own, env: { ACME_CLIENT_SECRET: 's' } });
    expect(problems).toEqual([]);
    expect(integrations.get('acme')).toMatchObject({
      clientId: 'acme-client',
      scopes: ['read', 'write:all'],
      provider: {
        id: 'acme',
        name: 'acme',
        pkce: true,
        injection: { header: 'Authorization', scheme: 'Bearer' },
      },
      upstreams: { rest: 'https://api.acme.example/v2' },
    });
    expect(integrations.get('acme')?.clientSecret?.reveal()).toBe('s');
  });

  it('adds one by its issuer', () => {
    const yaml = `
integrations:
  sso:
    provider: oidc
    issuer: https://id.example
    clientId: c
    upstream: { mcp: https://mcp.example/mcp }
  short: { issuer: https://id.example, clientId: c, upstream: { rest: https://api.example } }
`;
    const { integrations, problems } = loadIntegrations({ yaml, env: {} });
    expect(problems).toEqual([]);
    expect(integrations.get('sso')?.provider).toMatchObject({ id: 'oidc', issuer: 'https://id.example' });
    expect(integrations.get('short')?.provider.id).toBe('oidc');
  });

  it('overrides fields of a provider and keeps the others', () => {
    const yaml = `
integrations:
  github:
    scopes: [repo]
    authorizeParams: { allow_signup: "false" }
    errors: { bad_refresh_token: transient }
    injection: { defaultHeaders: { X-Team: blue } }
`;
    const { integrations, problems } = loadIntegrations({ yaml, env: { GITHUB_CLIENT_ID: 'gh' } });
    expect(problems).toEqual([]);
    expect(integrations.get('github')).toMatchObject({
      clientId: 'gh',
      scopes: ['repo'],
      provider: {
        tokenUrl: 'https://github.com/login/oauth/access_token',
        authorizeParams: { allow_signup: 'false' },
        errors: { bad_refresh_token: 'transient', bad_verification_code: 'permanent' },
        injection: { header: 'Authorization', scheme: 'Bearer', defaultHeaders: { 'X-Team': 'blue' } },
      },
    });
  });

  it('uses a provider twice, with a secret from the variable it names', () => {
    const yaml = `
integrations:
  github-work: { provider: github, clientId: work, clientSecretEnv: WORK_SECRET }
`;
    const env = {
      GITHUB_CLIENT_ID: 'gh',
      GITHUB_CLIENT_SECRET: 'a',
      WORK_SECRET: 'b',
      GITHUB_WORK_CLIENT_SECRET: 'c',
    };
    const { integrations } = loadIntegrations({ yaml, env });
    expect([...integrations.keys()].sort()).toEqual(['github', 'github-work']);
    expect(integrations.get('github-work')?.clientSecret?.reveal()).toBe('b');
    expect(integrations.get('github')?.clientSecret?.reveal()).toBe('a');
  });

  it('takes the client id from the environment when it has none', () => {
    const yaml = 'integrations: { my-hub: { provider: github } }';
    expect(
      loadIntegrations({ yaml, env: { MY_HUB_CLIENT_ID: 'hub' } }).integrations.get('my-hub')?.clientId,
    ).toBe('hub');
  });

  it('may name an integration and say nothing more', () => {
    const { integrations, problems } = loadIntegrations({
      yaml: 'integrations:\n  slack:\n',
      env: { SLACK_CLIENT_ID: 'sl' },
    });
    expect(problems).toEqual([]);
    expect(integrations.get('slack')?.clientId).toBe('sl');
  });

  it.each(['', '# nothing yet\n'])('may be empty: %j', (yaml) => {
    expect(loadIntegrations({ yaml, env: {} }).problems).toEqual([]);
  });

  it('keeps good integrations beside bad ones', () => {
    const { integrations, problems } = loadIntegrations({ yaml: `${own}  bad: { nonsense: 1 }\n`, env: {} });
    expect([...integrations.keys()]).toEqual(['acme']);
    expect(problems).toHaveLength(1);
  });
});

describe('every problem is reported at once', () => {
  it('naming the field and the rule', () => {
    const yaml = `
integrations:
  one: { provider: nope, tokenUrl: ftp://x, pkce: maybe, assumedLifetime: -1 }
  two: { provider: google, clientid: typo, scopes: ["a b"] }
  three: { clientId: c }
  four: { provider: github, clientId: c, injection: { header: "X: y" }, clientSecret: canary }
  -five: {}
`;
    expect(loadIntegrations({ yaml, env: {} }).problems).toEqual([
      expect.stringMatching(/^integrations\.one\.provider: Invalid option: expected one of "airtable"\|/),
      'integrations.one.tokenUrl: must be an http or https URL',
      'integrations.one.pkce: Invalid input: expected boolean, received string',
      'integrations.one.assumedLifetime: Too small: expected number to be >0',
      'integrations.two.scopes.0: must be one scope, without spaces',
      'integrations.two: Unrecognized key: "clientid"',
      'integrations.three.issuer: required, unless authorizeUrl and tokenUrl are given',
      'integrations.three.upstream: rest or mcp is required',
      'integrations.four.injection.header: must be a header name',
      'integrations.four: Unrecognized key: "clientSecret"',
      'integrations.-five: the name must be 1 to 64 characters from A-Z a-z 0-9 _ -, the first and the last of them a letter or a digit',
    ]);
  });

  it.each([
    [
      'text that is not YAML',
      'integrations:\n  a: [canary',
      'connectors.yaml: not valid YAML, line 2: BAD_INDENT',
    ],
    [
      'a name given twice',
      'integrations: {}\nintegrations: {}',
      'connectors.yaml: not valid YAML, line 2: DUPLICATE_KEY',
    ],
    ['a list', '- canary', 'connectors.yaml: Invalid input: expected object, received array'],
    [
      'an unknown key',
      'integrations: {}\nproviders: canary',
      'connectors.yaml: Unrecognized key: "providers"',
    ],
    [
      'no map of integrations',
      'integrations: 7',
      'connectors.yaml: integrations: Invalid input: expected record, received number',
    ],
    [
      'an alias without an anchor',
      'integrations: *canary',
      'connectors.yaml: aliases are unknown or too many',
    ],
  ])('for %s, without quoting it', (_, yaml, problem) => {
    const { problems } = loadIntegrations({ yaml, env: {} });
    expect(problems).toContain(problem);
    expect(problems.join()).not.toContain('canary');
  });

  it('for names that read the same variables: one would be sent the secret of the other', () => {
    const entry = '{ provider: github, clientId: c }';
    const yaml = `integrations:\n  my-hub: ${entry}\n  my_hub: ${entry}\n`;
    expect(loadIntegrations({ yaml, env: {} }).problems).toEqual([
      'integrations.my_hub: reads the same variables (MY_HUB_*) as my-hub',
    ]);
  });

  it('for a URL with credentials, which would end up in logs', () => {
    const yaml = own.replace('https://acme.example/token', 'https://u:canary@acme.example/token');
    const { problems } = loadIntegrations({ yaml, env: {} });
    expect(problems).toEqual(['integrations.acme.tokenUrl: must be a URL without credentials and fragment']);
  });
});

it('an integration prints without its client secret', () => {
  const { integrations } = loadIntegrations({
    env: { GITHUB_CLIENT_ID: 'gh', GITHUB_CLIENT_SECRET: 'canary' },
  });
  const github = integrations.get('github');
  expect(inspect(github, { depth: null, showHidden: true })).not.toContain('canary');
  expect(JSON.stringify(github)).not.toContain('canary');
});
