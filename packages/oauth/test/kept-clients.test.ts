import { Secret, type OAuthClient } from '@connectors/vault-core';
import { describe, expect, it } from 'vitest';
import { loadIntegrations } from '../src/index.ts';

const secret = (value: string) => new Secret(value);
const kept = (clients: Record<string, OAuthClient>) => new Map(Object.entries(clients));
const github = kept({ github: { clientId: 'from-vault', clientSecret: secret('vault-secret') } });

const acme = `
integrations:
  acme:
    authorizeUrl: https://acme.example/authorize
    tokenUrl: https://acme.example/token
    upstream: { rest: https://api.acme.example/v2 }
`;

describe('a client that Vault keeps', () => {
  it('switches a provider of the catalog on', () => {
    const { integrations, problems } = loadIntegrations({ env: {}, clients: github });
    expect(problems).toEqual([]);
    expect(integrations.get('github')?.clientId).toBe('from-vault');
    expect(integrations.get('github')?.clientSecret?.reveal()).toBe('vault-secret');
  });

  it('completes an entry of the file', () => {
    const clients = kept({ acme: { clientId: 'a', clientSecret: secret('s') } });
    const { integrations, problems } = loadIntegrations({ yaml: acme, env: {}, clients });
    expect(problems).toEqual([]);
    expect(integrations.get('acme')).toMatchObject({ clientId: 'a' });
  });

  it('gives way to the environment, part by part', () => {
    const env = { GITHUB_CLIENT_ID: 'from-vault', GITHUB_CLIENT_SECRET: 'from-env' };
    const { integrations } = loadIntegrations({ env, clients: github });
    expect(integrations.get('github')?.clientSecret?.reveal()).toBe('from-env');
    const idOnly = loadIntegrations({ env: { GITHUB_CLIENT_ID: 'from-vault' }, clients: github });
    expect(idOnly.integrations.get('github')?.clientSecret?.reveal()).toBe('vault-secret');
  });

  it('never lends its secret to another client id', () => {
    const { integrations } = loadIntegrations({ env: { GITHUB_CLIENT_ID: 'another' }, clients: github });
    expect(integrations.get('github')).toMatchObject({ clientId: 'another' });
    expect(integrations.get('github')).not.toHaveProperty('clientSecret');
  });

  it('is a problem, without its key being quoted, when that is none', () => {
    const clients = kept({ acme: { clientId: 'a', clientKey: secret('canary') } });
    expect(loadIntegrations({ yaml: acme, env: {}, clients }).problems).toEqual([
      'integrations.acme.clientKeyEnv: Vault holds no private key in PEM, of RSA (from 2048 bits), EC or Ed25519',
    ]);
  });

  it('switches nothing on that there is not', () => {
    const clients = kept({ nobody: { clientId: 'a' } });
    expect(loadIntegrations({ env: {}, clients })).toEqual({ integrations: new Map(), problems: [] });
  });
});

describe('where clients cannot be read', () => {
  it('an integration without one is there all the same', () => {
    const { integrations, problems } = loadIntegrations({ yaml: acme, env: {}, clients: 'elsewhere' });
    expect(problems).toEqual([]);
    expect(integrations.get('acme')?.upstreams.rest).toBe('https://api.acme.example/v2');
    expect(loadIntegrations({ yaml: acme, env: {} }).problems).toEqual([
      'integrations.acme.clientId: required, here or as ACME_CLIENT_ID',
    ]);
  });

  it('one whose requests show the client id still has to say it', () => {
    const { problems } = loadIntegrations({
      yaml: 'integrations: { twitch: {} }',
      env: {},
      clients: 'elsewhere',
    });
    expect(problems).toEqual(['integrations.twitch.clientId: required, here or as TWITCH_CLIENT_ID']);
  });
});
