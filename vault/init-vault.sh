#!/bin/sh
# Prepares a Vault (or OpenBao) for Connectors: mounts, keys, policies, roles, audit. Run it as often as you like: what
# is as it should be stays untouched.
#
#   VAULT_ADDR, VAULT_TOKEN       where, and a token that may do all this
#   VAULT_CACERT                  PEM file with the CA of Vault's certificate
#   VAULT_TRANSIT_ENGINE, VAULT_REFRESH_TRANSIT_ENGINE, VAULT_KV_ENGINE    other names for the mounts
#   VAULT_AUDIT_LOG               the audit log's file, as Vault's own machine names it; `off` for none
#   VAULT_POLICIES                the folder of the policies; next to this script when unset
#   VAULT_WAIT                    for how many seconds to wait until Vault answers and is unsealed
#   APPROLE_DIR                   where to write {gateway,proxy}/{role-id,secret-id}; nowhere when unset
#   VAULT_CLIENT                  `vault` (the CLI) or `node`; the CLI, where there is one, when unset
set -eu
umask 077

here=$(cd "$(dirname "$0")" && pwd)
transit=${VAULT_TRANSIT_ENGINE:-transit}
refresh=${VAULT_REFRESH_TRANSIT_ENGINE:-transit-refresh}
kv=${VAULT_KV_ENGINE:-secret}
audit_log=${VAULT_AUDIT_LOG:-/vault/logs/audit.log}
VAULT_ADDR=${VAULT_ADDR:-http://127.0.0.1:8200}
VAULT_TOKEN=${VAULT_TOKEN:-${VAULT_DEV_ROOT_TOKEN_ID:-}}
export VAULT_ADDR VAULT_TOKEN
# Changes what the CLI prints, also where one field is asked for.
unset VAULT_FORMAT
[ -z "${VAULT_CACERT:-}" ] || export NODE_EXTRA_CA_CERTS="$VAULT_CACERT"

say() { echo "init-vault: $*"; }
fail() { echo "init-vault: $*" >&2; exit 1; }

for mount in "$transit" "$refresh" "$kv"; do
  case $mount in *[!A-Za-z0-9_/-]* | /* | */ | '') fail "'$mount' is no name for a mount" ;; esac
done
[ "$transit" != "$refresh" ] || fail 'VAULT_TRANSIT_ENGINE and VAULT_REFRESH_TRANSIT_ENGINE must differ: what may read access tokens must not read refresh tokens'

policies=${VAULT_POLICIES:-$here/policies}
[ -d "$policies" ] || policies=$here/../policies
[ -d "$policies" ] || fail "there is no folder of policies: set VAULT_POLICIES"

client=${VAULT_CLIENT:-}
if [ -z "$client" ]; then
  if command -v vault > /dev/null; then client=vault
  elif command -v node > /dev/null; then client=node
  else fail 'neither vault nor node is on the PATH'; fi
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

# --- One logic, two transports. A batch is lines of `verb file field path [args]`:
#   read   puts a field of the answer (`-`: all of it) into the file; nothing there, no file
#   write  must succeed
#   try    a write that may be refused: then the reason lies in {file}.error

cli_line() { # verb file field path [args]
  verb=$1 file=$2 field=$3
  shift 3
  case $field in -) how=-format=json ;; *) how=-field=$field ;; esac
  case $verb in read) set -- read "$how" "$@" ;; *) set -- write -force "$how" "$@" ;; esac
  if vault "$@" > "$work/out" 2> "$work/err"; then
    # An empty answer (204) is reported in words.
    grep -q '^Success! ' "$work/out" || [ "$file" = - ] || [ ! -s "$work/out" ] || cp "$work/out" "$file"
    return 0
  fi
  if [ "$verb" != write ] && grep -Eq 'Code: (400|404)|No value found|not present in secret' "$work/err"; then
    cp "$work/err" "$file.error"
    return 0
  fi
  cat "$work/err" >&2
  return 1
}

cli_batch() {
  while read -r line; do
    # shellcheck disable=SC2086 # a line's words hold no spaces
    [ -z "$line" ] || cli_line $line < /dev/null || return 1
  done
}

batch() { # stdin: lines
  case $client in
    vault) cli_batch ;;
    *) "${NODE:-node}" "$here/http-cli.mjs" batch ;;
  esac > "$work/batch.out" 2> "$work/batch.err" || explain
}

explain() {
  reason=$(tr '\n\t' '  ' < "$work/batch.err")
  case $reason in
    *'Code: 403'*) fail "Vault refuses the token in VAULT_TOKEN: it must be valid and may write mounts, policies and roles. ($reason)" ;;
    *) fail "Vault at $VAULT_ADDR said: $reason" ;;
  esac
}

status() {
  case $client in
    vault) vault status ;;
    *) "${NODE:-node}" "$here/http-cli.mjs" status ;;
  esac > /dev/null 2> "$work/status.err"
}

refuse_certificate() {
  reason=$(tr '\n\t' '  ' < "$work/status.err")
  case $reason in
    *CERT* | *SIGNATURE* | *certificate*)
      fail "the certificate of Vault at $VAULT_ADDR is not trusted: let VAULT_CACERT name the PEM file of its CA. ($reason)" ;;
  esac
}

# --- Wait

wait_for_vault() {
  waited=0
  limit=${VAULT_WAIT:-60}
  while :; do
    code=0
    status || code=$?
    [ "$code" != 0 ] || return 0
    refuse_certificate
    if [ "$code" = 2 ]; then state='is sealed or not initialised'; else state='does not answer'; fi
    [ "$waited" -lt "$limit" ] || break
    [ $((waited % 5)) != 0 ] || say "waiting for Vault at $VAULT_ADDR: it $state"
    sleep 1
    waited=$((waited + 1))
  done
  if [ "$code" = 2 ]; then fail "Vault at $VAULT_ADDR $state: run 'vault operator init' once, 'vault operator unseal', and this again"; fi
  fail "Vault at $VAULT_ADDR $state: start it, or correct VAULT_ADDR. ($reason)"
}

# --- What there is

read_state() {
  batch << LINES
read $work/token id auth/token/lookup-self
read $work/mount.transit type sys/mounts/$transit
read $work/mount.refresh type sys/mounts/$refresh
read $work/mount.kv type sys/mounts/$kv
read $work/mount.kv.options options sys/mounts/$kv
read $work/auth - sys/auth
read $work/audit - sys/audit
read $work/policy.oauth-policy policy sys/policies/acl/oauth-policy
read $work/policy.oauth-proxy-policy policy sys/policies/acl/oauth-proxy-policy
read $work/spool name $refresh/keys/_spool
LINES
  if ! has auth 'approle/'; then return; fi
  batch << LINES
read $work/role.gateway - auth/approle/role/gateway
read $work/role.proxy - auth/approle/role/proxy
LINES
}

# Whether the JSON in a file has a key.
has() { [ -f "$work/$1" ] && grep -q "\"$2\"" "$work/$1"; }

# --- What there should be

: > "$work/todo"
todo() { echo "$*" >> "$work/todo"; }

plan_mount() { # file path type wanted
  if [ ! -f "$work/$1" ]; then
    say "mounting $3 at $2/"
    todo "write - - sys/mounts/$2 type=$4"
  elif [ "$(cat "$work/$1")" != "$3" ]; then
    fail "$2/ is a mount of type $(cat "$work/$1"), not $3: choose another name for ours"
  fi
}

# An upgrade cannot be undone, and ends the reads of whoever else uses the mount.
check_kv_version() {
  [ -f "$work/mount.kv" ] || return 0
  case $(cat "$work/mount.kv.options" 2> /dev/null) in
    *version*2*) ;;
    *) fail "$kv/ is KV of version 1: let VAULT_KV_ENGINE name another mount, or upgrade this one, if it is yours alone, with 'vault kv enable-versioning $kv'" ;;
  esac
}

plan_policy() { # name
  # One substitution per line: a mount may be called as another one was.
  sed -e "s#^path \"transit-refresh/#path \"$refresh/#;t" -e "s#^path \"transit/#path \"$transit/#;t" \
    -e "s#^path \"secret/#path \"$kv/#" "$policies/$1.hcl" > "$work/wanted.$1" || fail "cannot read $policies/$1.hcl"
  [ -f "$work/policy.$1" ] && [ "$(cat "$work/policy.$1")" = "$(cat "$work/wanted.$1")" ] && return
  say "writing the policy $1"
  todo "write - - sys/policies/acl/$1 policy=@$work/wanted.$1"
}

plan_role() { # name policy
  role=
  [ ! -f "$work/role.$1" ] || role=$(tr -d ' \n\t' < "$work/role.$1")
  case $role in
    *"\"token_max_ttl\":14400,"*"\"token_policies\":[\"$2\"]"*"\"token_ttl\":3600,"*) return ;;
  esac
  say "writing the role $1"
  todo "write - - auth/approle/role/$1 token_policies=$2 token_ttl=1h token_max_ttl=4h"
}

plan_audit() {
  if [ "$audit_log" = off ] || has audit 'file/'; then return; fi
  printf '{"type":"file","options":{"file_path":"%s"}}' "$audit_log" > "$work/audit.json"
  todo "try $work/audited - sys/audit/file @$work/audit.json"
}

# OpenBao takes audit devices from its configuration file only.
report_audit() {
  if [ "$audit_log" = off ] || has audit 'file/'; then return; fi
  if [ ! -f "$work/audited.error" ]; then say "audit log at $audit_log"
  elif grep -q 'via API' "$work/audited.error"; then
    say 'audit: this OpenBao takes audit devices from its configuration file only; going on without'
  else fail "cannot write the audit log $audit_log: $(tr '\n' ' ' < "$work/audited.error")"; fi
}

# --- The credentials of the two apps

write_approle_files() {
  [ -n "${APPROLE_DIR:-}" ] || return 0
  for role in gateway proxy; do
    mkdir -p "$APPROLE_DIR/$role"
    echo "read $work/$role.role-id role_id auth/approle/role/$role/role-id"
    if [ -s "$APPROLE_DIR/$role/secret-id" ]; then
      echo "try $work/$role.known secret_id_accessor auth/approle/role/$role/secret-id/lookup secret_id=@$APPROLE_DIR/$role/secret-id"
    fi
  done > "$work/lines"
  batch < "$work/lines"
  : > "$work/lines"
  for role in gateway proxy; do
    if ! cmp -s "$work/$role.role-id" "$APPROLE_DIR/$role/role-id"; then place "$role" role-id; fi
    [ -s "$work/$role.known" ] ||
      echo "write $work/$role.secret-id secret_id auth/approle/role/$role/secret-id" >> "$work/lines"
  done
  [ -s "$work/lines" ] || return 0
  batch < "$work/lines"
  for role in gateway proxy; do
    if [ -f "$work/$role.secret-id" ]; then place "$role" secret-id; fi
  done
}

# In one step, so that a reader never sees half a file.
place() { # role file
  say "writing $APPROLE_DIR/$1/$2"
  cp "$work/$1.$2" "$APPROLE_DIR/$1/$2.new"
  mv "$APPROLE_DIR/$1/$2.new" "$APPROLE_DIR/$1/$2"
  changed=yes
}

# --- All of it

[ -n "$VAULT_TOKEN" ] || [ "$client$([ -s "${HOME:-/}/.vault-token" ] && echo 1)" = vault1 ] ||
  fail 'set VAULT_TOKEN to a token that may write mounts, policies and roles'
changed=no
wait_for_vault
read_state
[ -f "$work/token" ] || fail 'Vault refuses the token in VAULT_TOKEN'
plan_mount mount.transit "$transit" transit transit
plan_mount mount.refresh "$refresh" transit transit
plan_mount mount.kv "$kv" kv kv-v2
check_kv_version
if ! has auth 'approle/'; then
  say 'enabling approle'
  todo 'write - - sys/auth/approle type=approle'
fi
plan_policy oauth-policy
plan_policy oauth-proxy-policy
plan_role gateway oauth-policy
plan_role proxy oauth-proxy-policy
if [ ! -f "$work/spool" ]; then
  say 'making the key _spool'
  todo "write - - $refresh/keys/_spool type=aes256-gcm96"
fi
[ ! -s "$work/todo" ] || changed=yes
plan_audit
[ ! -s "$work/todo" ] || batch < "$work/todo"
report_audit
write_approle_files
if [ "$changed" = yes ]; then say 'done'; else say 'nothing to change'; fi
