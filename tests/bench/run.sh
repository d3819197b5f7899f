#!/bin/bash
# Measures for `make bench`, for one engine: (a) the store beside the engine's own client, (b) a
# full store beside a nearly empty one, (c) whole journeys beside a program that does nothing, (d)
# start and memory, (e) single endpoints, (f) the gate, (g) people beside bad neighbours, and
# (h) the gate's decisions about people with groups, and (i) their calls through nginx (both on
# SQLite alone). Ratios are between things measured by turns in this one run; everything is on
# loopback and in temporary folders. Takes about nine minutes.
# Nothing here passes or fails: what missed its target is marked MISSED. tests/e2e/bench.test.mjs
# only sees that the parts run.
#
#   PARTS  of finalize fullness journeys endpoints gate people calls neighbours; all when absent:
#          PARTS=calls measures (i) alone, in two minutes
#   ENGINE sqlite (the default), postgresql, mariadb or galera (three nodes, one of them written to)
#   ROUNDS of each part but fullness, in place of as many as it needs; with few sessions, too
#   MEMORY MiB that each node of a server has for its data, which is about 1200 in (b); default 1536
#   BUILD  the folder of the programs; default build/release
#   TMPDIR where the databases lie; a commit costs what that disk makes it cost
set -eu
HOME_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
BUILD=$(cd "$HOME_DIR" && cd "${BUILD:-build/release}" && pwd)
ENGINE=${ENGINE:-sqlite} MEMORY=${MEMORY:-1536}
PARTS=${PARTS:-finalize fullness journeys endpoints gate people calls neighbours}
wanted() { [[ " $PARTS " == *" $1 "* ]]; }
. "$HOME_DIR/tests/bench/databases.sh"
. "$HOME_DIR/tests/bench/gates.sh"
export HOME_DIR BUILD WWW=$HOME_DIR/examples/www CONF=$HOME_DIR/conf
VAR=$(mktemp -d)
export VAR

STARTED=()
stop() {
  trap '' INT TERM
  for ((i = ${#STARTED[@]} - 1; i >= 0; i--)); do
    kill -TERM "${STARTED[i]}" 2>/dev/null || true
    wait "${STARTED[i]}" 2>/dev/null || true
  done
  stop_databases
  rm -rf "$VAR"
}
trap stop EXIT
trap 'exit 130' INT TERM
start() { "$@" >>"$VAR/servers.log" 2>&1 & STARTED+=($!); }
fail() { echo "bench: $1" >&2; tail -n 5 "$VAR/servers.log" >&2; exit 1; }
until_there() { for ((i = 0; i < 200; i++)); do [[ -S $1 ]] && return; sleep 0.05; done; fail "$1 did not appear"; }

echo "consentgate on $ENGINE, $(nproc) cores, $(date -u +%F); databases in ${TMPDIR:-/tmp}"
start_databases finalize few many consentgate
if wanted finalize; then
  mkdir "$VAR/finalize"
  "$BUILD/bench" finalize "$(address finalize)" "$VAR/finalize"
  rm -rf "$VAR/finalize"
fi
if wanted fullness; then
  filled "$BUILD/bench" fill "$(address few)" "$(address many)" || fail "the databases were not filled"
  together "$BUILD/bench" fullness "$(address few)" "$(address many)"
  drop_database many
fi

PORT=$("$BUILD/bench" free-port)
export PORT
export CONSENTGATE_CONFIG= # no file: the environment says everything
export CONSENTGATE_ISSUER=http://127.0.0.1:$PORT CONSENTGATE_RESOURCES=http://127.0.0.1:$PORT/mcp
export CONSENTGATE_SCOPES='mcp=Use the tools of this server as you; profile=See the name you signed in with'
CONSENTGATE_DATABASE=$(address consentgate)
export CONSENTGATE_DATABASE CONSENTGATE_KEY_FILE=$VAR/consentgate.key CONSENTGATE_PAGES=$HOME_DIR/conf/pages
export CONSENTGATE_AUTHORIZATIONS_PER_MINUTE=0 CONSENTGATE_UNUSED_CLIENTS_PER_ADDRESS=0
export CONSENTGATE_WORKERS=4 CONSENTGATE_GATE_WORKERS=4 CONSENTGATE_IDENTITIES=any
"$BUILD/consentgate-admin" migrate >"$VAR/servers.log" 2>&1 || fail "the database could not be made"

serve=(spawn-fcgi -n -s "$VAR/consentgate.sock" -M 0600 -- "$BUILD/consentgate")
start lighttpd -D -f "$HOME_DIR/tests/bench/lighttpd.conf"
lighttpd=$!
start spawn-fcgi -n -s "$VAR/noop.sock" -M 0600 -- "$BUILD/bench" noop
noop=$!
until_there "$VAR/noop.sock"
wanted journeys && { "$BUILD/bench" start "$PORT" "$VAR/consentgate.sock" "${serve[@]}" 2>>"$VAR/servers.log" || fail "consentgate did not start"; }
rm -f "$VAR/consentgate.sock"
start "${serve[@]}"
consentgate=$!
until_there "$VAR/consentgate.sock"
wanted journeys && { "$BUILD/bench" journeys "$PORT" "$lighttpd" "$consentgate" "$noop" || fail "the journeys were not made"; }
if wanted endpoints; then
  "$BUILD/consentgate-admin" service add bench --url https://bench.invalid/mcp --authorization-endpoint https://bench.invalid/authorize \
    --token-endpoint https://bench.invalid/token --client-id bench >>"$VAR/servers.log" 2>&1 || fail "the service was not added"
  mapfile -t asking < <("$BUILD/consentgate-admin" resource add "$CONSENTGATE_RESOURCES" --service bench 2>>"$VAR/servers.log" |
    awk '$1 == "id" || $1 == "secret" { print $2 }')
  "$BUILD/bench" endpoints "$PORT" "${asking[@]}" bench "$CONSENTGATE_DATABASE" "$CONSENTGATE_KEY_FILE" || fail "the endpoints were not measured"
  "$BUILD/consentgate-admin" resource set "$CONSENTGATE_RESOURCES" --no-service >>"$VAR/servers.log" 2>&1 || fail "the resource was not freed of its service"
fi
"$BUILD/consentgate-admin" resource add "$CONSENTGATE_RESOURCES-proved" --assertion header >>"$VAR/servers.log" 2>&1 || fail "the second resource was not added"
start_gates
wanted gate && { "$BUILD/bench" gate "$PORT" "${FRONTS[@]}" || fail "the gate was not measured"; }
[[ $ENGINE == sqlite ]] || exit 0
wanted people && { "$BUILD/bench" people || fail "decisions about people were not measured"; }
wanted calls && { "$BUILD/bench" people-calls nginx "${FRONTS[9]}" "${FRONTS[11]}" "$CONSENTGATE_RESOURCES" "$CONSENTGATE_RESOURCES-proved" "$CONSENTGATE_DATABASE" "$CONSENTGATE_KEY_FILE" || fail "calls of people were not measured"; }
wanted neighbours || exit 0
"$HOME_DIR/tests/support/npm.sh" || fail "the npm packages could not be fetched"
# With an environment of its own: what is exported above is for the server above.
env -i PATH="$PATH" HOME="$HOME" TMPDIR="${TMPDIR:-/tmp}" BUILD="$BUILD" \
  node "$HOME_DIR/tests/bench/neighbours.mjs" || fail "the neighbours were not measured"
