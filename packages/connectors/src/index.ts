export { OAuthProxy, type OAuthProxyOptions, type ProxyResponse } from './oauth-proxy.ts';
export type { OAuthClientConfig } from './oauth-clients.ts';
export type { ProxyRequest } from './upstream-call.ts';
export {
  RefreshScheduler,
  type RefreshSchedulerEvents,
  type RefreshSchedulerOptions,
} from './refresh-scheduler.ts';
export type { Disconnection, RequestOutcome } from '@connectors/refresh';
export {
  ConfigError,
  ConnectorsError,
  CredentialNotFoundError,
  RateLimitError,
  TokenExpiredError,
  VaultClient,
  VaultError,
  type CredentialId,
  type DecryptedCredentials,
  type ErrorCode,
  type OAuthCredentials,
  type StoredCredential,
  type VaultClientOptions,
  type VaultErrorReason,
} from '@connectors/vault-core';
