export { AdminApiError, AdminClient, readTenants, type AdminClientOptions } from './client.ts';
export * from './operations.ts';
