# The worker: it alone writes credentials and may read refresh tokens.

# Credentials, one per tenant and integration, and the system's own `_agents/…`, `_clients/…` and `_webhooks/…`.
# `delete` is the soft delete of the latest version.
path "secret/data/+/+" {
  capabilities = ["create", "read", "update", "delete"]
}

# What must be gone is destroyed, not only marked as deleted.
path "secret/destroy/+/+" {
  capabilities = ["update"]
}

# The sweep walks all tenants. A list's path ends in `/`.
path "secret/metadata/" {
  capabilities = ["list"]
}

# … and the credentials of each.
path "secret/metadata/+/" {
  capabilities = ["list"]
}

# Versions of one credential; `delete` forgets it with its history.
path "secret/metadata/+/+" {
  capabilities = ["read", "delete"]
}

# One key per tenant on each transit mount: made when it connects, deleted when it leaves. `_clients` is that of client secrets.
path "transit/keys/+" {
  capabilities = ["create", "read", "update", "delete"]
}

path "transit-refresh/keys/+" {
  capabilities = ["create", "read", "update", "delete"]
}

# A key must be marked as deletable before it can be deleted.
path "transit/keys/+/config" {
  capabilities = ["update"]
}

path "transit-refresh/keys/+/config" {
  capabilities = ["update"]
}

# New key versions: what a refresh stores is encrypted with the newest.
path "transit/keys/+/rotate" {
  capabilities = ["update"]
}

path "transit-refresh/keys/+/rotate" {
  capabilities = ["update"]
}

# `update` only: with `create`, encrypting under a mistyped tenant would silently make it a key.
path "transit/encrypt/+" {
  capabilities = ["update"]
}

path "transit/decrypt/+" {
  capabilities = ["update"]
}

path "transit-refresh/encrypt/+" {
  capabilities = ["update"]
}

path "transit-refresh/decrypt/+" {
  capabilities = ["update"]
}

# The key that seals token responses in the spool while Vault is away.
path "transit-refresh/datakey/plaintext/_spool" {
  capabilities = ["update"]
}

# Its own token.
path "auth/token/lookup-self" {
  capabilities = ["read"]
}

path "auth/token/renew-self" {
  capabilities = ["update"]
}

path "auth/token/revoke-self" {
  capabilities = ["update"]
}
