export function tenantPath(tenantId: string): string {
  return `/tenants/${encodeURIComponent(tenantId)}`;
}

export function credentialPath(tenantId: string, integration: string): string {
  return `${tenantPath(tenantId)}/credentials/${encodeURIComponent(integration)}`;
}
