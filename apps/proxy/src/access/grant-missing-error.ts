import { ConnectorsError } from '@connectors/vault-core';

/** The grant that a call would have needed, for whoever decides about grants. */
export type MissingGrant = { tenant: string; integration: string } & (
  { method: string; path: string } | { mcpMethod: string; tool?: string } | object
);

/** The agent may not do this. The message says so in a sentence, `missingGrant` to a program. */
export class GrantMissingError extends ConnectorsError {
  readonly missingGrant: MissingGrant;

  constructor(message: string, missingGrant: MissingGrant) {
    super('agent_forbidden', message);
    this.missingGrant = missingGrant;
  }
}
