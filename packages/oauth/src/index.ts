export { authorizeUrl, type AuthorizeRequest } from './authorize-url.ts';
export { readCallback, type Callback } from './callback.ts';
export { catalog } from './catalog.ts';
export { brokenFields, fieldProblems, type CredentialFields } from './credential-fields.ts';
export { askedScopes, missingScopes } from './granted-scopes.ts';
export { readIdentity, type Identity } from './identity.ts';
export { headerKey, Injection, type Injected } from './injection.ts';
export type { Integration, ReadyIntegration } from './integration.ts';
export { integrationFields, readIntegrations } from './integration-settings.ts';
export { entrySchema, loadIntegrations } from './load-integrations.ts';
export { requestToken, type Mint } from './minted-token.ts';
export { codeChallenge } from './pkce.ts';
export type { ClientAuthentication, Provider, ReadyProvider } from './provider.ts';
export {
  callProvider,
  TokenRequestError,
  type CallFailure,
  type CallOptions,
  type ProviderAnswer,
} from './provider-call.ts';
export { Discovery, wellKnownUrls } from './discovery.ts';
export { failureClasses, type FailureClass } from './provider-fields.ts';
export { oauthDefaults } from './provider.ts';
export { revokeToken, type Revocation, type RevocationRequest } from './revocation.ts';
export { lookUp, type Choice, type Findings } from './lookup.ts';
export { readRateLimit } from './rate-limit.ts';
export { isPassing, readRequestError, readRetryAfter, type TokenFailure } from './token-failure.ts';
export { isRefusalBody, isTokenRefused, maxRefusalBytes, type ApiAnswer } from './token-refusal.ts';
export { exchangeCode, refreshAccessToken, type CodeExchange, type Refresh } from './token-request.ts';
export { requestTarget, Upstream, type CredentialUse, type Surface } from './upstream.ts';
export { readTokenResponse, type TokenResult, type TokenSet } from './token-response.ts';
