export { AdminApiError, AdminClient, type AdminClientOptions } from './client.ts';
export * from './operations.ts';
