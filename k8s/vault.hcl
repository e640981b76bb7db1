# Three servers that share their state over Raft. VAULT_API_ADDR, VAULT_CLUSTER_ADDR and VAULT_RAFT_NODE_ID name each.

ui            = false
disable_mlock = true

storage "raft" {
  path = "/vault/file"

  retry_join {
    leader_api_addr       = "https://vault-0.vault-internal:8200"
    leader_ca_cert_file   = "/vault/certs/ca.crt"
    leader_tls_servername = "vault"
  }

  retry_join {
    leader_api_addr       = "https://vault-1.vault-internal:8200"
    leader_ca_cert_file   = "/vault/certs/ca.crt"
    leader_tls_servername = "vault"
  }

  retry_join {
    leader_api_addr       = "https://vault-2.vault-internal:8200"
    leader_ca_cert_file   = "/vault/certs/ca.crt"
    leader_tls_servername = "vault"
  }
}

listener "tcp" {
  address         = "0.0.0.0:8200"
  cluster_address = "0.0.0.0:8201"
  tls_cert_file   = "/vault/certs/tls.crt"
  tls_key_file    = "/vault/certs/tls.key"
  tls_min_version = "tls12"
}

# Without a seal, a person unseals each server after each restart. With AWS KMS:
#   seal "awskms" {
#     region     = "us-east-1"
#     kms_key_id = "alias/vault-unseal"
#   }

telemetry {
  prometheus_retention_time = "30s"
  disable_hostname          = false
}
