# Vault in production: state in Consul, unsealed by a key in AWS KMS, TLS on its port.

ui = true

# Vault is highly available on Consul: how the others reach this server. VAULT_API_ADDR and VAULT_CLUSTER_ADDR set them per server.
api_addr     = "https://vault.production.com:8200"
cluster_addr = "https://vault.production.com:8201"

storage "consul" {
  address = "consul:8500"
  path    = "vault/"
}

listener "tcp" {
  address         = "0.0.0.0:8200"
  tls_cert_file   = "/vault/certs/vault.crt"
  tls_key_file    = "/vault/certs/vault.key"
  tls_min_version = "tls12"
}

seal "awskms" {
  region     = "us-east-1"
  kms_key_id = "alias/vault-unseal"
}

telemetry {
  prometheus_retention_time = "30s"
  disable_hostname          = false
}
