import { Secret, type OAuthClient } from '@connectors/vault-core';
import { readPrivateKey } from './assertion.ts';
import type { Integration } from './integration.ts';
import type { Provider } from './provider.ts';
import type { Grant } from './provider-fields.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Where to look for an integration's client. */
export interface ClientSources {
  env: Environment;
  /**
   * The clients that are kept in Vault, by integration. `elsewhere`: they cannot be read here or now, so an integration
   * without a client is no problem.
   */
  clients: ReadonlyMap<string, OAuthClient> | 'elsewhere';
}

/** What an entry of `connectors.yaml` says of its client. */
export interface ClientEntry {
  clientId?: string | undefined;
  clientSecretEnv?: string | undefined;
  clientKeyEnv?: string | undefined;
  clientKeyId?: string | undefined;
}

/** Reports a problem: where it is in an entry, and which rule is broken. */
export type Report = (path: readonly PropertyKey[], rule: string) => void;

/** The client of an integration, part by part from its entry, the environment and Vault. */
export function readClient(
  id: string,
  entry: ClientEntry,
  { env, clients }: ClientSources,
  report: Report,
): Pick<Integration, 'clientId' | 'clientSecret' | 'clientKey' | 'clientKeyId'> {
  const { clientId: named = readVariable(env, id, 'CLIENT_ID'), clientSecretEnv, clientKeyEnv } = entry;
  const stored = clients === 'elsewhere' ? undefined : clients.get(id);
  // The secret of one client is never sent with the id of another.
  const kept = named === undefined || named === stored?.clientId ? stored : undefined;
  const clientId = named ?? kept?.clientId;
  const clientKeyId = entry.clientKeyId ?? kept?.clientKeyId;
  const secret = present(env[clientSecretEnv ?? variable(id, 'CLIENT_SECRET')]);
  const keyVariable = clientKeyEnv ?? variable(id, 'CLIENT_KEY');
  const pem = present(env[keyVariable]);
  const clientSecret = secret === undefined ? kept?.clientSecret : new Secret(secret);
  const clientKey = pem === undefined ? kept?.clientKey : new Secret(pem);
  if (clientKey !== undefined && readPrivateKey(clientKey) === undefined)
    report(
      ['clientKeyEnv'],
      `${pem === undefined ? 'Vault' : keyVariable} holds no private key in PEM, of RSA (from 2048 bits), EC or Ed25519`,
    );
  return {
    ...(clientId === undefined ? {} : { clientId }),
    ...(clientSecret === undefined ? {} : { clientSecret }),
    ...(clientKey === undefined ? {} : { clientKey }),
    ...(clientKeyId === undefined ? {} : { clientKeyId }),
  };
}

/** The field in which a credential names its own client or issuer. */
const ownIdentity: Partial<Record<Grant, string>> = { client_credentials: 'clientId', jwt_bearer: 'issuer' };

/** Whether an integration of this kind needs its own client. */
export function needsClient({ grant, fields }: Pick<Provider, 'grant' | 'fields'>): boolean {
  const own = fields[ownIdentity[grant] ?? ''];
  return grant !== 'api_key' && (own === undefined || own.optional === true);
}

/** Whether no request to the provider is possible without the integration's own key. */
export function signs({ grant, clientAuthentication, fields }: Provider): boolean {
  if (grant === 'github_app') return true;
  return clientAuthentication === 'private_key_jwt' && needsClient({ grant, fields });
}

/** The name of the variable that holds a part of an integration's client. */
export function variable(id: string, field: string): string {
  return `${id.toUpperCase().replaceAll('-', '_')}_${field}`;
}

export function readVariable(env: Environment, id: string, field: string): string | undefined {
  return present(env[variable(id, field)]);
}

/** Compose files and shells pass on an unset variable as an empty one. */
function present(value: string | undefined): string | undefined {
  return value === '' ? undefined : value;
}
