import type { EgressGuard } from '@connectors/egress';
import { StoredDocumentError, type CredentialId, type UsableCredential } from '@connectors/vault-core';
import { apiAddress, hasOwnHost, unusableFields } from './api-address.ts';
import { Injection } from './injection.ts';
import type { Integration } from './integration.ts';
import type { Provider } from './provider.ts';

/** Which of an integration's upstreams is meant. */
export type Surface = keyof Integration['upstreams'];

/** Where requests go. */
export interface Address {
  origin: string;
  /** Without a slash at its end. */
  basePath: string;
  /** A query that the configured URL has, without the question mark. */
  baseQuery: string;
}

/** How a credential is used: where its requests go, and what is put into them. */
export interface CredentialUse {
  addresses: Readonly<Partial<Record<Surface, Address>>>;
  injection: Injection;
}

/** Where an integration's requests go, by surface. */
export class Upstream {
  readonly #integration: Integration;
  readonly #guard: EgressGuard;
  /** Base URLs; a credential's fields may have to be filled in. */
  readonly #templates: readonly (readonly [Surface, string])[];
  readonly #uses = new WeakMap<UsableCredential, CredentialUse>();

  constructor(integration: Integration, guard: EgressGuard) {
    this.#integration = integration;
    this.#guard = guard;
    const { rest, mcp } = integration.upstreams;
    this.#templates = [
      ...(rest === undefined ? [] : [['rest', rest] as const]),
      ...(mcp === undefined ? [] : [['mcp', mcp] as const]),
    ];
  }

  get provider(): Provider {
    return this.#integration.provider;
  }

  has(surface: Surface): boolean {
    return this.#templates.some(([each]) => each === surface);
  }

  /** The addresses that are no credential's own, as the guard lets them pass; `refuse` is told of those that it does not. */
  check(refuse: (surface: Surface, error: unknown) => void): void {
    for (const [surface, template] of this.#templates) {
      if (hasOwnHost(template)) continue;
      try {
        this.#guard.check(template);
      } catch (error) {
        refuse(surface, error);
      }
    }
  }

  /**
   * Puts a credential together with its integration, once for each state of it.
   *
   * @throws StoredDocumentError if its fields are not what the provider's should be, or lead elsewhere
   */
  use(id: CredentialId, credential: UsableCredential): CredentialUse {
    const known = this.#uses.get(credential);
    if (known !== undefined) return known;
    const { provider } = this;
    const { clientId } = this.#integration;
    const { accessToken, fields } = credential;
    const templates = this.#templates.map(([, template]) => template);
    const unusable = unusableFields(provider, templates, fields);
    if (unusable.length > 0) throw fieldsRefused(id, unusable);
    const addresses = this.#templates.map(([surface, template]) => {
      const url = apiAddress(provider, template, fields, this.#guard);
      if (url === undefined) throw fieldsRefused(id, Object.keys(fields));
      return [surface, toAddress(url)] as const;
    });
    const injection = new Injection(provider.injection, { accessToken, fields, clientId });
    const use = { addresses: Object.fromEntries(addresses), injection };
    this.#uses.set(credential, use);
    return use;
  }
}

/** The request target at the upstream. Path and query, both as they were sent, are appended to the base. */
export function requestTarget(
  { basePath, baseQuery }: Address,
  path: string,
  query: string,
  injection: Pick<Injection, 'intoQuery'>,
): string {
  const search = baseQuery === '' ? query : `?${baseQuery}${query.replace(/^\?/, '&')}`;
  return `${`${basePath}${path}` || '/'}${injection.intoQuery(search)}`;
}

function toAddress(url: URL): Address {
  return { origin: url.origin, basePath: url.pathname.replace(/\/+$/, ''), baseQuery: url.search.slice(1) };
}

function fieldsRefused({ tenantId, integration }: CredentialId, names: string[]): StoredDocumentError {
  return new StoredDocumentError(
    `${tenantId}/${integration}`,
    names.map((name) => `metadata.fields.${name}`),
  );
}
