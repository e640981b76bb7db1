#!/bin/sh
# Initialises Vault once, provisions it, and unseals it whenever it comes back sealed.
# For one machine: the one key share and the first root token lie in $KEYS_DIR. Production wants auto-unseal.
set -eu
umask 077

keys=${KEYS_DIR:-/vault/keys}/init.txt
ready=${READY_FILE:-/tmp/vault-is-ready}

say() { echo "keep-unsealed: $*"; }

from_keys() { sed -n "s/^$1: //p" "$keys"; }

initialise() {
  # The answer goes straight to the disk: Vault tells its key once.
  vault operator init -key-shares=1 -key-threshold=1 > "$keys.new" && mv "$keys.new" "$keys" &&
    say 'initialised Vault'
}

unseal() {
  if [ ! -f "$keys" ]; then
    say "Vault was initialised elsewhere: unseal it by hand, or bring back $keys"
    return 1
  fi
  # On standard input: arguments can be read by every process of the machine.
  from_keys 'Unseal Key 1' | sed 's/.*/{"key":"&"}/' | vault write sys/unseal - > /dev/null &&
    say 'unsealed Vault'
}

make_dev_root_token() {
  [ -z "${DEV_ROOT_TOKEN:-}" ] || vault token lookup "$DEV_ROOT_TOKEN" > /dev/null 2>&1 ||
    vault token create -id="$DEV_ROOT_TOKEN" -policy=root -orphan > /dev/null
}

# The apps read their own role from their own volume, and are not root.
hand_over_roles() {
  [ -z "${APPROLE_OWNER:-}" ] || chown -R "$APPROLE_OWNER" "$APPROLE_DIR"
}

provision() (
  VAULT_TOKEN=$(from_keys 'Initial Root Token')
  export VAULT_TOKEN
  make_dev_root_token && sh "$(dirname "$0")/init-vault.sh" && hand_over_roles
)

# `vault status` ends with 0 when unsealed, 2 when sealed, 1 when nothing answers.
state() {
  code=0
  status=$(vault status 2> /dev/null) || code=$?
  case $code$status in
    0*) echo unsealed ;;
    2*Initialized*false*) echo new ;;
    2*Initialized*) echo sealed ;;
    *) echo away ;;
  esac
}

rm -f "$ready"
provisioned=no
while :; do
  case $(state) in
    new) provisioned=no; initialise || say 'could not initialise Vault' ;;
    sealed) rm -f "$ready"; unseal || say 'could not unseal Vault' ;;
    unsealed)
      if [ "$provisioned" = no ] && provision; then provisioned=yes; fi
      if [ "$provisioned" = yes ]; then touch "$ready"; fi ;;
    *) rm -f "$ready" ;;
  esac
  sleep "${POLL_SECONDS:-3}"
done
