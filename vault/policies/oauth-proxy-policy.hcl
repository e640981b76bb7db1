# The proxy: it reads access tokens and nothing else. A stolen proxy yields no refresh token and no client secret.

# Credentials. Their refresh tokens are ciphertexts of the mount transit-refresh, on which nothing is granted.
path "secret/data/+/+" {
  capabilities = ["read"]
}

# The system's own documents, client secrets among them …
path "secret/data/_*" {
  capabilities = ["deny"]
}

# … except agents: hashes of their keys, and their grants.
path "secret/data/_agents/+" {
  capabilities = ["read"]
}

# Access tokens.
path "transit/decrypt/+" {
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
