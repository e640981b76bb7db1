#!/bin/sh
# Starts Redis with the users of users.acl. Their passwords come from the environment; Redis gets to know the hashes only.
# Arguments go to redis-server.
set -eu
umask 077

sha256() { printf %s "$1" | sha256sum | cut -d ' ' -f 1; }

: "${REDIS_PROXY_PASSWORD:?}" "${REDIS_WORKER_PASSWORD:?}"
acl=${ACL_FILE:-/run/redis/users.acl}
sed -n -e "s/PROXY_SHA256/$(sha256 "$REDIS_PROXY_PASSWORD")/" \
  -e "s/WORKER_SHA256/$(sha256 "$REDIS_WORKER_PASSWORD")/" \
  -e '/^user /p' "$(dirname "$0")/users.acl" > "$acl"
unset REDIS_PROXY_PASSWORD REDIS_WORKER_PASSWORD

# Jobs must not be evicted: a full Redis refuses to write, and the sweep repairs what is missing.
exec redis-server --aclfile "$acl" --dir "${DATA_DIR:-/data}" --appendonly yes --appendfsync everysec --save '' \
  --maxmemory 512mb --maxmemory-policy noeviction "$@"
