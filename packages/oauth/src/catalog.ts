import type { Provider } from './provider.ts';
import { github } from './providers/github.ts';
import { githubApp } from './providers/github-app.ts';
import { google } from './providers/google.ts';
import { googleServiceAccount } from './providers/google-service-account.ts';
import { oidc } from './providers/oidc.ts';
import { slack } from './providers/slack.ts';

/** The providers that are known by name. */
export const catalog: ReadonlyMap<string, Provider> = new Map(
  [github, githubApp, google, googleServiceAccount, oidc, slack].map((provider) => [provider.id, provider]),
);
