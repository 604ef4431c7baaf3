#!/bin/bash
# Runs a command with a PostgreSQL server of its own, in a folder that is removed afterwards;
# PEERLINE_TEST_POSTGRES_URL names it. Without PostgreSQL here the command runs all the same, and its tests say so.
set -euo pipefail

bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -1 || true)
if [ -z "$bin" ] || [ ! -x "$bin/initdb" ]; then
  echo "No PostgreSQL here: its tests are skipped." >&2
  exec "$@"
fi

as=()
folder=$(mktemp -d /tmp/peerline-postgres.XXXXXX)
if [ "$(id -u)" -eq 0 ]; then # PostgreSQL refuses to run as root
  chown postgres "$folder"
  as=(setpriv --reuid=postgres --regid=postgres --clear-groups env HOME="$folder")
fi
stop() {
  "${as[@]}" "$bin/pg_ctl" -D "$folder/data" -m immediate -w stop >/dev/null 2>&1 || true
  rm -rf "$folder"
}
trap stop EXIT

cd "$folder"
"${as[@]}" "$bin/initdb" -D "$folder/data" -A trust -U peerline --no-sync >/dev/null
# Only a socket in the folder: nothing listens on the network.
"${as[@]}" "$bin/pg_ctl" -D "$folder/data" -w -l "$folder/log" \
  -o "-c listen_addresses='' -c unix_socket_directories='$folder' -c fsync=off" start >/dev/null
cd - >/dev/null
PEERLINE_TEST_POSTGRES_URL="postgresql://peerline@/postgres?host=$folder" "$@"
