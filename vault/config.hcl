# Vault on one machine: what vault/docker-compose.vault.yml runs. For production see config.production.hcl.

ui = true

# Raft maps its files into memory. Locked memory would mean all of them.
disable_mlock = true

api_addr     = "http://connectors-vault:8200"
cluster_addr = "https://127.0.0.1:8201"

storage "raft" {
  path    = "/vault/file"
  node_id = "connectors-vault"
}

listener "tcp" {
  address = "0.0.0.0:8200"

  # Plain HTTP, because the port is published on 127.0.0.1 only. Anywhere else, take this line out and set:
  #   tls_cert_file = "/vault/certs/vault.crt"
  #   tls_key_file  = "/vault/certs/vault.key"
  tls_disable = true
}

telemetry {
  prometheus_retention_time = "30s"
  disable_hostname          = false
}
