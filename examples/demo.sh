#!/bin/bash
# Starts consentgate with everything around it on this machine: the database and the key file in
# VAR, the pages and the gate under spawn-fcgi, an MCP server that knows nothing of tokens, and
# lighttpd on PORT, which lets a call to that MCP server pass only if the gate allows it. Runs until
# Ctrl-C or SIGTERM, then stops all of it.
#
#   PORT    where lighttpd listens on 127.0.0.1                       (8080)
#   VAR     the data folder                                           (var)
#   BUILD   the folder of the programs                                (build/release)
#   WORKERS, GATE_WORKERS  processes of the pages, and of the gate    (8)
#   IDENTITIES who can come in, as the key `identities` has it; empty: as without that key   (any)
#   PROTECT no: without the gate and the MCP server, for tests that bring their own   (yes)
# Every CONSENTGATE_… variable reaches the programs and wins over the configuration written here.
set -u
HOME_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export PORT=${PORT:-8080} VAR=${VAR:-$HOME_DIR/var} WWW=$HOME_DIR/examples/www CONF=$HOME_DIR/conf
BUILD=${BUILD:-$HOME_DIR/build/release}
umask 077 # the sockets are for this user alone: a call past the gate would need no token
mkdir -p "$VAR" || exit 1
VAR=$(cd "$VAR" && pwd) BUILD=$(cd "$BUILD" && pwd) || exit 1
export BUILD

ORIGIN=http://127.0.0.1:$PORT
identities=${IDENTITIES-any}
export CONSENTGATE_CONFIG=$VAR/consentgate.conf
# conf/consentgate.conf explains every key.
cat >"$CONSENTGATE_CONFIG" <<CONF || exit 1
# Written by examples/demo.sh at each start.
issuer = $ORIGIN
resources = $ORIGIN/mcp
scopes = mcp=Use the tools of this server as you; profile=See the name you signed in with
database = consentgate.db
key_file = consentgate.key
call_log_socket = calls.sock
pages = $HOME_DIR/conf/pages
workers = ${WORKERS:-8}
gate_workers = ${GATE_WORKERS:-8}
${identities:+identities = $identities}
metrics_file = metrics
registrations_per_minute = 100000
authorizations_per_minute = 100000
unused_clients_per_address = 0
CONF

# Each program has a process group of its own: Ctrl-C reaches this script alone, which stops the
# programs in the right order.
set -m
STARTED=()
stop() {
  trap '' INT TERM
  # The web server first, so that no client reaches a socket that no longer answers.
  for ((i = ${#STARTED[@]} - 1; i >= 0; i--)); do
    kill -TERM "${STARTED[i]}" 2>/dev/null
    wait "${STARTED[i]}" 2>/dev/null
  done
  rm -f "$VAR"/{consentgate,gate,mcp,lighttpd}.pid "$VAR"/{consentgate,gate,mcp,calls}.sock
  exit "$1"
}
fail() { echo "$1" >&2; [[ -n ${2:-} ]] && tail -n 20 "$2" >&2; stop 1; }
# The reader of our output may have ended first; its broken pipe must not keep us from stopping.
trap 'trap "" PIPE; echo; echo "stopping"; stop 0' INT TERM

# start NAME COMMAND…: in the background, its output in VAR/NAME.log, its pid in VAR/NAME.pid.
start() {
  local name=$1; shift
  "$@" >>"$VAR/$name.log" 2>&1 &
  STARTED+=($!)
  echo $! >"$VAR/$name.pid"
}

(exec 3<>"/dev/tcp/127.0.0.1/$PORT") 2>/dev/null &&
  fail "something else is listening on 127.0.0.1:$PORT already; choose another with PORT="
"$BUILD/consentgate-admin" migrate || fail "the database could not be made"

# The sockets are named relative to VAR: a socket's whole name has at most 107 bytes.
cd "$VAR" || fail "cannot enter $VAR"
start consentgate spawn-fcgi -n -s consentgate.sock -M 0600 -- "$BUILD/consentgate"
if [[ ${PROTECT:-yes} = yes ]]; then
  start gate spawn-fcgi -n -s gate.sock -M 0600 -- "$BUILD/consentgate" --gate
  start mcp "$HOME_DIR/examples/whoami_mcp.py" mcp.sock "$ORIGIN/mcp"
fi
VAR=. start lighttpd lighttpd -D -f "$HOME_DIR/examples/lighttpd.conf"

# The gate is ready when it refuses a call without a token, the MCP server when its socket is there.
answers() { [[ $(curl -s -m 5 -o /dev/null -w '%{http_code}' "$ORIGIN$1") = "$2" ]]; }
ready() {
  answers /readyz 200 || return
  [[ ${PROTECT:-yes} != yes ]] || { answers /mcp 401 && [[ -S mcp.sock ]]; }
}
for ((i = 0; i < 200; i++)); do
  ready && break
  for pid in "${STARTED[@]}"; do
    kill -0 "$pid" 2>/dev/null || fail "a program did not start:" "$VAR/consentgate.log"
  done
  sleep 0.1
done
((i < 200)) || fail "the server did not answer:" "$VAR/consentgate.log"

ADMIN="\"$BUILD/consentgate-admin\" --config \"$CONSENTGATE_CONFIG\""
who=$("$BUILD/consentgate-admin" check 2>&1 | grep ' can come in') || who="consentgate-admin check failed"
cat <<TEXT

  $ORIGIN is up. Its data and logs are in $VAR
  $ORIGIN/mcp is an MCP server that knows nothing of tokens; the gate protects it.
  Who can come in: $who

  With an MCP client, for example:   claude mcp add --transport http demo $ORIGIN/mcp
  By hand, each step of a sign-in:   PORT=$PORT "$HOME_DIR/examples/walk.sh"
  A virtual key for a person:        $ADMIN key add Anna
  Ctrl-C stops everything.

consentgate is ready on $ORIGIN
TEXT

# When one program ends by itself, the others end too, with an error. (wait returns at a signal as
# well; the trap runs then.)
wait -n "${STARTED[@]}"
fail "a program ended by itself:" "$VAR/consentgate.log"
