export { browseAs, authorizeAs, grantAs } from './authorization-server/grant-as.ts';
export type { GrantRequest, TokenResponse } from './authorization-server/grant-as.ts';
export * from './authorization-server/start-authorization-server.ts';
export type { OAuthClient } from './authorization-server/configuration.ts';
export type { Fault, Faults } from './authorization-server/faults.ts';
export type { TokenRequest } from './authorization-server/token-endpoint.ts';
export * from './fingerprint.ts';
export * from './redis/find-redis.ts';
export * from './redis/start-redis.ts';
