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
  /** With `provider_refused` and `provider_unavailable`: why; a code. */
  reason?: string;
};

export type Integration = {
  id: string;
  /** Of the provider, for people. */
  name: string;
  /** How access tokens are had. */
  grant: string;
  scopes: string[];
  /** Whether its provider can be asked for tokens now. */
  isReady: boolean;
  /** Why not: codes. */
  problems: string[];
  /** The redirect URI to register at the provider, where users consent. */
  callbackUrl?: string;
  /** What agents reach of it. */
  surfaces: ('rest' | 'mcp')[];
  /** Of the provider. */
  docsUrl?: string;
};

export type Credential = {
  integration: string;
  /** Of the provider, for people. */
  name: string;
  state: 'active' | 'expiring' | 'failing' | 'needs_reauth' | 'never_connected';
  /** Why it needs somebody, or fails: a code. */
  reason?: string;
  /** Whose it is at the provider. */
  account?: { id: string; name?: string };
  scopes: string[];
  /** Configured for the integration, and not granted. */
  missingScopes?: string[];
  connectedAt?: string;
  tokenIssuedAt?: string;
  expiresAt?: string;
  nextRefreshAt?: string;
  refreshCount?: number;
  /** How often its refresh has failed in a row. */
  retryCount?: number;
  /** Names this state of it. */
  revision?: string;
  canRefresh: boolean;
  /** What the provider needs to know of the tenant. */
  fields?: Record<string, string>;
};

export type Event =
  | {
      type: 'credential-stored';
      tenantId: string;
      integration: string;
      revision: string;
      dueAt?: string;
      /** Its place: later ones are greater. */
      id: string;
      /** When it was announced. */
      at: string;
    }
  | {
      type: 'credential-deleted';
      tenantId: string;
      integration: string;
      revision: string;
      /** Its place: later ones are greater. */
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
      /** Its place: later ones are greater. */
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
      /** Its place: later ones are greater. */
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
      /** Its place: later ones are greater. */
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
      /** Its place: later ones are greater. */
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
      /** Its place: later ones are greater. */
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
      /** Its place: later ones are greater. */
      id: string;
      /** When it was announced. */
      at: string;
    }
  | {
      type: 'agent-changed';
      agentId: string;
      /** Its place: later ones are greater. */
      id: string;
      /** When it was announced. */
      at: string;
    }
  | {
      type: 'webhooks-changed';
      tenantId: string;
      /** Its place: later ones are greater. */
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
  /** Workers read clients when they start: this one does not have it as it is now. */
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
  /** All agents. */
  listAgents: {
    params: {};
    body: undefined;
    answer: { agents: Agent[]; unreadable: string[] };
  };
  /** A new agent, with its key. */
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
  /** Changes what is named, and keeps the rest. */
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
  /** A new key; the one before stays good for the overlap. */
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
  /** Tenants by state, refreshes per minute, queues, spool, and who needs somebody. */
  getOverview: {
    params: {};
    body: undefined;
    answer: {
      /** How many are in each state: that of the worst of their credentials. */
      tenants: { needs_reauth: number; failing: number; expiring: number; active: number };
      /** Tenants whose user has to connect again: the last 20. */
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
        /** One figure a minute, the current one last. */
        completed: number[];
        /** One figure a minute, the current one last. */
        failed: number[];
      };
      queues: {
        integration: string;
        due: number;
        active: number;
        scheduled: number;
        /** Not tried again until somebody does something. */
        failed: number;
        throttledForMs: number;
      }[];
      webhooks: {
        due: number;
        active: number;
        scheduled: number;
        /** Not tried again until somebody does something. */
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
      /** How many at the most. */
      limit?: number; /** `next` of the page before; a tenant need not exist. */
      after?: string;
    };
    body: undefined;
    answer: {
      items: { id: string }[];
      /** What `after` is for the next page; absent on the last one. */
      next?: string;
    };
  };
  /** A tenant and its credentials; one that nobody has heard of has none. */
  getTenant: {
    params: { tenantId: string };
    body: undefined;
    answer: { id: string; credentials: Credential[] };
  };
  /** Ends a tenant: its tokens at their providers, its documents, jobs and webhooks, and at last its keys, without which nothing of it can be read anywhere. May be repeated. */
  offboardTenant: {
    params: { tenantId: string };
    body: undefined;
    answer: {
      /** How many there were. */
      credentials: number;
      /** How many of them ended at their provider. */
      revoked: number;
      /** How many may live on there: their provider could not be asked, or refused. */
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
  /** One credential: what it is in, never a token. */
  getCredential: {
    params: { tenantId: string; integration: string };
    body: undefined;
    answer: Credential;
  };
  /** Stores tokens that were granted elsewhere, over any that are stored; 201 if there were none. */
  importCredential: {
    params: { tenantId: string; integration: string };
    body: {
      accessToken: string;
      refreshToken?: string;
      /** Of the access token. Left out: it does not expire. */
      expiresAt?: string;
      /** Left out: those of the integration. */
      scopes?: string[];
      tokenType?: string;
      /** What the provider needs to know of the tenant, by the names of its definition. */
      fields?: Record<string, string>;
      /** Whose it is at the provider. */
      account?: { id: string; name?: string };
    };
    answer: Credential;
  };
  /** Ends the tokens at the provider, destroys every stored version and takes its job away. */
  disconnectCredential: {
    params: { tenantId: string; integration: string };
    body: undefined;
    answer: { existed: boolean; revocation: 'ended' | 'unsupported' | 'failed' | 'none' };
  };
  /** Connects a tenant without a user’s consent, where tokens are minted: asks for a first one. */
  mintCredential: {
    params: { tenantId: string; integration: string };
    body: {
      /** What the provider needs to know of the tenant, by the names of its definition. */
      fields?: Record<string, string>;
      /** The tenant’s own key or secret, if it is not the operator’s. */
      grantSecret?: string;
    };
    answer: Credential;
  };
  /** Brings the refresh of a credential forward; 200 once it has ended, 202 while it has not. */
  refreshCredential: {
    params: { tenantId: string; integration: string; /** Seconds to wait for the end. */ wait?: number };
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
  /** What happened lately, of all tenants. */
  listEvents: {
    params: {
      /** How many at the most. */
      limit?: number; /** `next` of the page before. */
      before?: string;
    };
    body: undefined;
    answer: {
      items: Event[];
      /** What `before` is for the next page. */
      next?: string;
    };
  };
  /** What happened lately to a tenant. */
  listTenantEvents: {
    params: {
      tenantId: string; /** How many at the most. */
      limit?: number; /** `next` of the page before. */
      before?: string;
    };
    body: undefined;
    answer: {
      items: Event[];
      /** What `before` is for the next page. */
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
  /** Keeps a client, in the place of one that is kept. Workers read it when they start. */
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
  /** Forgets a client. */
  removeClient: {
    params: { integration: string };
    body: undefined;
    answer: undefined;
  };
  /** The webhook endpoints of a tenant. */
  listWebhooks: {
    params: { tenantId: string };
    body: undefined;
    answer: { webhooks: Webhook[] };
  };
  /** A new endpoint, with the secret that signs what it is sent. */
  createWebhook: {
    params: { tenantId: string };
    body: {
      /** https, and reachable from the public internet. */
      url: string;
      /** What it is told of. */
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
  /** Changes what is named, and keeps the rest. */
  changeWebhook: {
    params: { tenantId: string; webhookId: string };
    body: {
      /** https, and reachable from the public internet. */
      url?: string;
      /** What it is told of. */
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
  /** A new secret; the one before signs beside it for the overlap. */
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
  /** Sends a message that says nothing but that it arrived. */
  testWebhook: {
    params: { tenantId: string; webhookId: string };
    body: undefined;
    answer: { deliveryId: string };
  };
  /** The last deliveries to an endpoint, the newest first. */
  listDeliveries: {
    params: { tenantId: string; webhookId: string };
    body: undefined;
    answer: {
      deliveries: {
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
  /** A link for one user of a tenant, who connects integrations with it. */
  createConnectSession: {
    params: { tenantId: string };
    body: {
      /** The only one that may be connected. Left out: the tenant’s page opens. */
      integration?: string;
      /** Asked for in place of the integration’s. */
      scopes?: string[];
      /** Where the user goes afterwards: an address at one of `CONNECT_RETURN_ORIGINS`. */
      returnUrl?: string;
      /** Who is sent, as you call them. Shown to them, and stored with what they connect. */
      user?: string;
      /** For how long the link is good. */
      expiresInSeconds?: number;
    };
    answer: {
      /** Names the session in events; opens nothing. */
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
