// Made from the OpenAPI document of the admin API: npx pnpm@12 run docs makes it anew.
// oxlint-disable max-lines

export type Agent = {
  id: string;
  name: string;
  keys: { createdAt: string; expiresAt?: string }[];
  grants: {
    tenants: string[];
    integrations?: string[];
    rest?: { methods?: string[]; paths?: string[] };
    mcp?: { methods?: string[]; tools?: string[] };
    expiresAt?: string;
  }[];
  createdAt: string;
  expiresAt?: string;
};

/** RFC 9457. */
export type Problem = {
  type: string;
  title: string;
  status: number;
  code:
    | 'invalid_request'
    | 'agent_unauthenticated'
    | 'admin_unauthenticated'
    | 'agent_forbidden'
    | 'forbidden'
    | 'origin_forbidden'
    | 'session_unknown'
    | 'integration_unknown'
    | 'not_found'
    | 'conflict'
    | 'already_created'
    | 'request_in_progress'
    | 'payload_too_large'
    | 'unsupported_media_type'
    | 'idempotency_key_reused'
    | 'provider_refused'
    | 'credential_not_found'
    | 'token_expired'
    | 'rate_limited'
    | 'internal_error'
    | 'upstream_rejected_credential'
    | 'upstream_unreachable'
    | 'provider_unavailable'
    | 'overloaded'
    | 'upstream_timeout'
    | 'vault_unavailable'
    | 'issuer_unavailable'
    | 'queue_unavailable';
  /** A sentence for people. */
  detail: string;
  /** With `already_created`: what the earlier request made. */
  id?: string;
  /** With `provider_refused` and `provider_unavailable`: the reason, as a code. */
  reason?: string;
};

export type Integration = {
  id: string;
  /** The provider’s name, for people. */
  name: string;
  /** How access tokens are obtained. */
  grant: string;
  scopes: string[];
  /** Whether its provider can be asked for tokens now. */
  isReady: boolean;
  /** Codes that say why it is not ready. */
  problems: string[];
  /** The redirect URI to register at the provider, where users consent. */
  callbackUrl?: string;
  /** What agents can reach of it. */
  surfaces: ('rest' | 'mcp')[];
  /** The provider’s documentation. */
  docsUrl?: string;
};

export type Credential = {
  integration: string;
  /** The provider’s name, for people. */
  name: string;
  state: 'active' | 'expiring' | 'failing' | 'needs_reauth' | 'never_connected';
  /** Why its user has to connect again, or why its refresh fails: a code. */
  reason?: string;
  /** Whose it is at the provider. */
  account?: { id: string; name?: string };
  scopes: string[];
  /** Scopes that the integration asks for and that were not granted. */
  missingScopes?: string[];
  connectedAt?: string;
  tokenIssuedAt?: string;
  expiresAt?: string;
  nextRefreshAt?: string;
  refreshCount?: number;
  /** How often its refresh has failed in a row. */
  retryCount?: number;
  /** Identifies this state of the credential. */
  revision?: string;
  canRefresh: boolean;
  /** What the provider needs to know about the tenant. */
  fields?: Record<string, string>;
};

export type Event =
  | {
      type: 'credential-stored';
      tenantId: string;
      integration: string;
      revision: string;
      dueAt?: string;
      /** Its position: later events have greater ids. */
      id: string;
      /** When it was announced. */
      at: string;
    }
  | {
      type: 'credential-deleted';
      tenantId: string;
      integration: string;
      revision: string;
      /** Its position: later events have greater ids. */
      id: string;
      /** When it was announced. */
      at: string;
    }
  | {
      type: 'connected';
      tenantId: string;
      integration: string;
      revision: string;
      flow: string;
      connectSession?: string;
      warnings: string[];
      /** Its position: later events have greater ids. */
      id: string;
      /** When it was announced. */
      at: string;
    }
  | {
      type: 'connect-failed';
      tenantId: string;
      integration: string;
      flow: string;
      connectSession?: string;
      error: string;
      /** Its position: later events have greater ids. */
      id: string;
      /** When it was announced. */
      at: string;
    }
  | {
      type: 'refresh-success';
      tenantId: string;
      integration: string;
      revision: string;
      expiresAt?: string;
      dueAt?: string;
      /** Its position: later events have greater ids. */
      id: string;
      /** When it was announced. */
      at: string;
    }
  | {
      type: 'refresh-failed';
      tenantId: string;
      integration: string;
      revision: string;
      error: string;
      /** Its position: later events have greater ids. */
      id: string;
      /** When it was announced. */
      at: string;
    }
  | {
      type: 'refresh-retry';
      tenantId: string;
      integration: string;
      revision: string;
      error: string;
      retryCount: number;
      /** Its position: later events have greater ids. */
      id: string;
      /** When it was announced. */
      at: string;
    }
  | {
      type: 'refresh-declined';
      tenantId: string;
      integration: string;
      revision: string;
      error: string;
      /** Its position: later events have greater ids. */
      id: string;
      /** When it was announced. */
      at: string;
    }
  | {
      type: 'agent-changed';
      agentId: string;
      /** Its position: later events have greater ids. */
      id: string;
      /** When it was announced. */
      at: string;
    }
  | {
      type: 'webhooks-changed';
      tenantId: string;
      /** Its position: later events have greater ids. */
      id: string;
      /** When it was announced. */
      at: string;
    };

export type Client = {
  integration: string;
  clientId: string;
  hasSecret: boolean;
  hasKey: boolean;
  clientKeyId?: string;
  updatedAt: string;
  /** Whether this worker does not use its current state yet: workers read clients when they start. */
  needsRestart: boolean;
};

export type Webhook = {
  id: string;
  url: string;
  events: string[];
  description?: string;
  enabled: boolean;
  createdAt: string;
  updatedAt: string;
  failingSince?: string;
  disabledReason?: string;
  previousSecretUntil?: string;
};

export interface Operations {
  /** All agents, in pages. */
  listAgents: {
    params: {
      /** How many at most. */
      limit?: number; /** `next` of the previous page; there need be nothing of that id. */
      after?: string;
    };
    body: undefined;
    answer: {
      items: Agent[];
      unreadable: string[];
      /** The `after` of the next page; absent on the last one. */
      next?: string;
    };
  };
  /** Creates an agent; the answer has its key. */
  createAgent: {
    params: {};
    body: {
      name: string;
      grants: {
        tenants: string[];
        integrations?: string[];
        rest?: { methods?: string[]; paths?: string[] };
        mcp?: { methods?: string[]; tools?: string[] };
        expiresAt?: string;
      }[];
      expiresAt?: string;
    };
    answer: {
      id: string;
      name: string;
      keys: { createdAt: string; expiresAt?: string }[];
      grants: {
        tenants: string[];
        integrations?: string[];
        rest?: { methods?: string[]; paths?: string[] };
        mcp?: { methods?: string[]; tools?: string[] };
        expiresAt?: string;
      }[];
      createdAt: string;
      expiresAt?: string;
      /** Shown this once. */
      key: string;
    };
  };
  /** One agent. */
  getAgent: {
    params: { agentId: string };
    body: undefined;
    answer: Agent;
  };
  /** Changes the given fields, and keeps the rest. */
  changeAgent: {
    params: { agentId: string };
    body: {
      name?: string;
      grants?: {
        tenants: string[];
        integrations?: string[];
        rest?: { methods?: string[]; paths?: string[] };
        mcp?: { methods?: string[]; tools?: string[] };
        expiresAt?: string;
      }[];
      expiresAt?: string | null;
    };
    answer: Agent;
  };
  /** Revokes an agent and its keys. */
  revokeAgent: {
    params: { agentId: string };
    body: undefined;
    answer: undefined;
  };
  /** Makes a new key; previous ones stay valid for the overlap. */
  rotateAgentKey: {
    params: { agentId: string };
    body: { overlapSeconds?: number } | null | undefined;
    answer: {
      id: string;
      name: string;
      keys: { createdAt: string; expiresAt?: string }[];
      grants: {
        tenants: string[];
        integrations?: string[];
        rest?: { methods?: string[]; paths?: string[] };
        mcp?: { methods?: string[]; tools?: string[] };
        expiresAt?: string;
      }[];
      createdAt: string;
      expiresAt?: string;
      /** Shown this once. */
      key: string;
    };
  };
  /** The integrations that the worker is configured with. */
  listIntegrations: {
    params: {};
    body: undefined;
    answer: { items: Integration[] };
  };
  /** Tenants by state, refreshes per minute, queues, spool, and what needs somebody. */
  getOverview: {
    params: {};
    body: undefined;
    answer: {
      /** How many are in each state. A tenant’s state is that of its worst credential. */
      tenants: { needs_reauth: number; failing: number; expiring: number; active: number };
      /** Tenants that are not in order, 20 at most: those whose user has to connect again first. */
      needSomebody: {
        tenantId: string;
        since: string;
        credentials: {
          integration: string;
          state: 'needs_reauth' | 'failing' | 'expiring' | 'active';
          reason?: string;
        }[];
      }[];
      /** Refresh jobs that ended. */
      refreshes: {
        /** One figure per minute, the current minute last. */
        completed: number[];
        /** One figure per minute, the current minute last. */
        failed: number[];
      };
      queues: {
        integration: string;
        due: number;
        active: number;
        scheduled: number;
        /** Not retried until somebody acts. */
        failed: number;
        throttledForMs: number;
      }[];
      webhooks: {
        due: number;
        active: number;
        scheduled: number;
        /** Not retried until somebody acts. */
        failed: number;
      };
      spool: {
        /** Token responses that Vault has not taken yet. */
        entries: number;
        oldest?: string;
      };
    };
  };
  /** All tenants that ever had a credential, in pages. */
  listTenants: {
    params: {
      /** How many at most. */
      limit?: number; /** `next` of the previous page; there need be nothing of that id. */
      after?: string;
    };
    body: undefined;
    answer: {
      items: { id: string }[];
      /** The `after` of the next page; absent on the last one. */
      next?: string;
    };
  };
  /** A tenant and its credentials; an unknown tenant has none. */
  getTenant: {
    params: { tenantId: string };
    body: undefined;
    answer: { id: string; credentials: Credential[] };
  };
  /** Ends a tenant: revokes its tokens at their providers, deletes its documents, jobs and webhooks, and finally its keys, without which none of its data can be read anywhere. May be repeated. */
  offboardTenant: {
    params: { tenantId: string };
    body: undefined;
    answer: {
      /** How many there were. */
      credentials: number;
      /** How many of them were revoked at their provider. */
      revoked: number;
      /** How many may still work there, because their provider could not be asked, or refused. */
      failed: number;
      /** Ids of agents whose grants name the tenant. They stay as they are. */
      agents: string[];
    };
  };
  /** The credentials of a tenant. */
  listCredentials: {
    params: { tenantId: string; /** `true`: also integrations that were never connected. */ all?: boolean };
    body: undefined;
    answer: { items: Credential[] };
  };
  /** One credential: its state, never a token. */
  getCredential: {
    params: { tenantId: string; integration: string };
    body: undefined;
    answer: Credential;
  };
  /** Stores tokens that were granted elsewhere, and replaces any that are stored; 201 if there were none. */
  importCredential: {
    params: { tenantId: string; integration: string };
    body: {
      accessToken: string;
      refreshToken?: string;
      /** When the access token expires. Left out: it does not. */
      expiresAt?: string;
      /** Left out: those of the integration. */
      scopes?: string[];
      tokenType?: string;
      /** What the provider needs to know about the tenant, by the names in its definition. */
      fields?: Record<string, string>;
      /** Whose it is at the provider. */
      account?: { id: string; name?: string };
    };
    answer: Credential;
  };
  /** Revokes the tokens at the provider, destroys every stored version and removes the job. */
  disconnectCredential: {
    params: { tenantId: string; integration: string };
    body: undefined;
    answer: { existed: boolean; revocation: 'ended' | 'unsupported' | 'failed' | 'none' };
  };
  /** Connects a tenant without a user, for integrations whose tokens are minted: mints the first one. */
  mintCredential: {
    params: { tenantId: string; integration: string };
    body: {
      /** What the provider needs to know about the tenant, by the names in its definition. */
      fields?: Record<string, string>;
      /** The tenant’s own key or secret, if it is not the operator’s. */
      grantSecret?: string;
    };
    answer: Credential;
  };
  /** Refreshes a credential now; 200 if the refresh has ended, 202 if it is still under way. */
  refreshCredential: {
    params: {
      tenantId: string;
      integration: string; /** How many seconds to wait for the refresh to end. */
      wait?: number;
    };
    body: undefined;
    answer: {
      outcome:
        | 'hastened'
        | 'superseded'
        | 'not_refreshable'
        | 'cooling_down'
        | 'throttled'
        | 'refreshed'
        | 'failed'
        | 'pending';
      credential: Credential;
    };
  };
  /** The latest events of all tenants. */
  listEvents: {
    params: {
      /** How many at most. */
      limit?: number; /** `next` of the previous page. */
      before?: string;
    };
    body: undefined;
    answer: {
      items: Event[];
      /** The `before` of the next page. */
      next?: string;
    };
  };
  /** The latest events of a tenant. */
  listTenantEvents: {
    params: {
      tenantId: string; /** How many at most. */
      limit?: number; /** `next` of the previous page. */
      before?: string;
    };
    body: undefined;
    answer: {
      items: Event[];
      /** The `before` of the next page. */
      next?: string;
    };
  };
  /** The OAuth clients that are kept in Vault. */
  listClients: {
    params: {};
    body: undefined;
    answer: { items: Client[]; unreadable: string[] };
  };
  /** One client, without its secrets. */
  getClient: {
    params: { integration: string };
    body: undefined;
    answer: Client;
  };
  /** Stores a client, and replaces one that is stored. Workers read it when they start. */
  setClient: {
    params: { integration: string };
    body: {
      clientId: string;
      /** Left out: a public client, or one that signs. */
      clientSecret?: string;
      /** A private key in PEM. */
      clientKey?: string;
      clientKeyId?: string;
    };
    answer: Client;
  };
  /** Deletes a client. */
  removeClient: {
    params: { integration: string };
    body: undefined;
    answer: undefined;
  };
  /** The webhook endpoints of a tenant. */
  listWebhooks: {
    params: { tenantId: string };
    body: undefined;
    answer: { items: Webhook[] };
  };
  /** Creates an endpoint; the answer has the secret that signs its messages. */
  createWebhook: {
    params: { tenantId: string };
    body: {
      /** https, and reachable from the public internet. */
      url: string;
      /** The types of messages that it gets. */
      events?: (
        | 'refresh-success'
        | 'refresh-failed'
        | 'refresh-retry'
        | 'needs_reauth'
        | 'connected'
        | 'connect-failed'
      )[];
      description?: string;
      enabled?: boolean;
    };
    answer: {
      id: string;
      url: string;
      events: string[];
      description?: string;
      enabled: boolean;
      createdAt: string;
      updatedAt: string;
      failingSince?: string;
      disabledReason?: string;
      previousSecretUntil?: string;
      /** Shown this once. */
      secret: string;
    };
  };
  /** One endpoint. */
  getWebhook: {
    params: { tenantId: string; webhookId: string };
    body: undefined;
    answer: Webhook;
  };
  /** Changes the given fields, and keeps the rest. */
  changeWebhook: {
    params: { tenantId: string; webhookId: string };
    body: {
      /** https, and reachable from the public internet. */
      url?: string;
      /** The types of messages that it gets. */
      events?: (
        | 'refresh-success'
        | 'refresh-failed'
        | 'refresh-retry'
        | 'needs_reauth'
        | 'connected'
        | 'connect-failed'
      )[];
      description?: string | null;
      enabled?: boolean;
    };
    answer: Webhook;
  };
  /** Deletes an endpoint and its secrets. */
  deleteWebhook: {
    params: { tenantId: string; webhookId: string };
    body: undefined;
    answer: undefined;
  };
  /** Makes a new secret; previous ones also sign for the overlap. */
  rotateWebhookSecret: {
    params: { tenantId: string; webhookId: string };
    body: { overlapSeconds?: number } | null | undefined;
    answer: {
      id: string;
      url: string;
      events: string[];
      description?: string;
      enabled: boolean;
      createdAt: string;
      updatedAt: string;
      failingSince?: string;
      disabledReason?: string;
      previousSecretUntil?: string;
      /** Shown this once. */
      secret: string;
    };
  };
  /** Sends a test message. */
  testWebhook: {
    params: { tenantId: string; webhookId: string };
    body: undefined;
    answer: { deliveryId: string };
  };
  /** The latest deliveries to an endpoint, the newest first. */
  listDeliveries: {
    params: { tenantId: string; webhookId: string };
    body: undefined;
    answer: {
      items: {
        id: string;
        messageId: string;
        type: string;
        state: string;
        attempts: number;
        lastResult?: string;
        createdAt: string;
      }[];
    };
  };
  /** Creates a link with which one user of a tenant connects integrations. */
  createConnectSession: {
    params: { tenantId: string };
    body: {
      /** The only integration that may be connected. Left out: the link opens the tenant’s page. */
      integration?: string;
      /** Requested instead of the integration’s scopes. */
      scopes?: string[];
      /** Where the user goes afterwards: an address at one of `CONNECT_RETURN_ORIGINS`. */
      returnUrl?: string;
      /** Your name for the user. Shown to them, and stored with what they connect. */
      user?: string;
      /** How long the link is valid. */
      expiresInSeconds?: number;
    };
    answer: {
      /** Identifies the session in events; it opens nothing. */
      id: string;
      /** Send the user there. It works once, in whichever browser it is opened first. */
      url: string;
      expiresAt: string;
    };
  };
}

export const operations = {
  listAgents: { method: 'GET', path: '/agents' },
  createAgent: { method: 'POST', path: '/agents' },
  getAgent: { method: 'GET', path: '/agents/{agentId}' },
  changeAgent: { method: 'PATCH', path: '/agents/{agentId}' },
  revokeAgent: { method: 'DELETE', path: '/agents/{agentId}' },
  rotateAgentKey: { method: 'POST', path: '/agents/{agentId}/rotate' },
  listIntegrations: { method: 'GET', path: '/integrations' },
  getOverview: { method: 'GET', path: '/overview' },
  listTenants: { method: 'GET', path: '/tenants' },
  getTenant: { method: 'GET', path: '/tenants/{tenantId}' },
  offboardTenant: { method: 'DELETE', path: '/tenants/{tenantId}' },
  listCredentials: { method: 'GET', path: '/tenants/{tenantId}/credentials' },
  getCredential: { method: 'GET', path: '/tenants/{tenantId}/credentials/{integration}' },
  importCredential: { method: 'PUT', path: '/tenants/{tenantId}/credentials/{integration}' },
  disconnectCredential: { method: 'DELETE', path: '/tenants/{tenantId}/credentials/{integration}' },
  mintCredential: { method: 'POST', path: '/tenants/{tenantId}/credentials/{integration}/mint' },
  refreshCredential: { method: 'POST', path: '/tenants/{tenantId}/credentials/{integration}/refresh' },
  listEvents: { method: 'GET', path: '/events' },
  listTenantEvents: { method: 'GET', path: '/tenants/{tenantId}/events' },
  listClients: { method: 'GET', path: '/clients' },
  getClient: { method: 'GET', path: '/clients/{integration}' },
  setClient: { method: 'PUT', path: '/clients/{integration}' },
  removeClient: { method: 'DELETE', path: '/clients/{integration}' },
  listWebhooks: { method: 'GET', path: '/tenants/{tenantId}/webhooks' },
  createWebhook: { method: 'POST', path: '/tenants/{tenantId}/webhooks' },
  getWebhook: { method: 'GET', path: '/tenants/{tenantId}/webhooks/{webhookId}' },
  changeWebhook: { method: 'PATCH', path: '/tenants/{tenantId}/webhooks/{webhookId}' },
  deleteWebhook: { method: 'DELETE', path: '/tenants/{tenantId}/webhooks/{webhookId}' },
  rotateWebhookSecret: { method: 'POST', path: '/tenants/{tenantId}/webhooks/{webhookId}/rotate-secret' },
  testWebhook: { method: 'POST', path: '/tenants/{tenantId}/webhooks/{webhookId}/test' },
  listDeliveries: { method: 'GET', path: '/tenants/{tenantId}/webhooks/{webhookId}/deliveries' },
  createConnectSession: { method: 'POST', path: '/tenants/{tenantId}/connect-sessions' },
} as const;
