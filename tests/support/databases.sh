#!/bin/bash
# Database servers for the tests, started in a folder of their own on free ports of 127.0.0.1, gone when standard input ends.
#
#   databases.sh KIND DIR     KIND: postgresql, postgresql-pair (a primary and its synchronous standby), mariadb, galera (3 nodes)
#
# It runs in the foreground, with the configuration of examples/databases/ changed only where one machine needs it. Started by
# root, the servers run as nobody, and DIR becomes nobody's. Each line on standard output has its parts divided by a tab:
#   node N HOST PORT PID      once for each server, and then
#   ready                     or, when it cannot start: the reason on standard error, and exit 1
# DIR then holds: password (of user consentgate, who owns database consentgate), ca.pem (the servers offer TLS as 127.0.0.1 and
# localhost), and *.log. Commands come in on standard input; each is answered by one line, `ok …` or `failed …`:
#   kill N      as a crash: kill -9 of the whole server        stop N     cleanly
#   start N     answers when it takes part again: ok PID       restart N  stop, then start
#   pause N     SIGSTOP, like a machine that went silent       resume N   SIGCONT
#   sql N STATEMENT   as superuser in database consentgate: the first column of the first row
#   state N     down, paused, silent, or up with what the server says of itself
#   promote N   (postgresql-pair) the standby becomes a primary
#   bootstrap N (galera) the node declares itself the cluster, after a loss of the majority
#   quit        as the end of standard input, TERM and INT do: everything stops at once, exit 0
# kill, stop, start, restart, pause and resume take several nodes, which then go together: `start 2 3`.
set -u
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
SHIPPED=$(cd "$HERE/../../examples/databases" && pwd) || exit 1
KIND=${1:-} DIR=${2:-}
HOST=127.0.0.1 SERVER_USER=nobody
PORT=() PID=() PAUSED=() NODES=1

fail() { # fail WHY [LOG…]
  local log
  echo "databases.sh: $1" >&3
  for log in "${@:2}"; do [[ -s $log ]] && { echo "--- $log"; tail -n 15 "$log"; } >&3; done
  exit 1
}

# --- processes ---

# as_server COMMAND…: as the servers' user, in an environment of its own, and dead as soon as this script is, whatever ends it.
as_server() { "${AS_SERVER[@]}" "$@"; }

# launch N COMMAND…: the server itself, in the background.
launch() {
  local node=$1; shift
  "${AS_SERVER[@]}" "$@" </dev/null >>"$DIR/node$node.log" 2>&1 3>&- &
  PID[node]=$! PAUSED[node]=
}

# alive PID: it still runs, and is our own child (a number can be given away anew).
alive() {
  local stat
  [[ -n $1 ]] && { read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 1
  read -r _ stat <<<"${stat##*) }"
  [[ ${stat%% *} == "$$" ]]
}
up() { alive "${PID[$1]:-}"; }

# family PID: the process and all that came from it.
family() {
  local child
  echo "$1"
  for child in $(pgrep -P "$1"); do family "$child"; done
}

# within SECONDS COMMAND…: repeats the command until it succeeds.
within() {
  local end=$((SECONDS + $1)); shift
  until "$@"; do
    ((SECONDS < end)) || return 1
    sleep 0.05
  done
}
none_left() { local pid; for pid in "$@"; do [[ -d /proc/$pid ]] && ! grep -q '^State:.*[ZX] ' "/proc/$pid/status" 2>/dev/null && return 1; done; return 0; }

crash() { # crash N: kill -9, the parent held first so that it starts nothing more
  local pids
  up "$1" || return 1
  kill -STOP "${PID[$1]}"
  mapfile -t pids < <(family "${PID[$1]}")
  kill -KILL "${pids[@]}" 2>/dev/null
  wait "${PID[$1]}" 2>/dev/null
  within 10 none_left "${pids[@]}"
  PID[$1]= PAUSED[$1]=
}

signal_family() { # signal_family SIGNAL N
  local pids
  mapfile -t pids < <(family "${PID[$2]}")
  kill "-$1" "${pids[@]}" 2>/dev/null
}

gone() { ! up "$1"; }

# Nobody looks at the data again: no clean shutdown.
stop_all() {
  local node
  trap '' INT TERM HUP
  for ((node = 1; node <= NODES; node++)); do up "$node" && crash "$node"; engine_leftovers "$node"; done
}

# --- the folder ---

prepare_folder() {
  mkdir -p "$DIR" || fail "cannot make $DIR"
  DIR=$(cd "$DIR" && pwd -P) || fail "cannot enter $DIR"
  [[ ! -e $DIR/sock ]] || fail "$DIR was used already; give me a new folder"
  ((${#DIR} <= 80)) || fail "the name of $DIR is too long for a socket in it (80 bytes at most)"
  ((EUID == 0)) || SERVER_USER=$(id -un)
  AS_SERVER=(env -i PATH="/usr/lib/postgresql/15/bin:/usr/sbin:/usr/bin:/sbin:/bin" LC_ALL=C.UTF-8 HOME="$DIR" setpriv --pdeathsig KILL)
  if ((EUID == 0)); then
    AS_SERVER+=(--reuid "$SERVER_USER" --regid "$(id -g "$SERVER_USER")" --clear-groups)
    chown "$SERVER_USER" "$DIR" || fail "cannot give $DIR to $SERVER_USER"
  fi
  cd "$DIR" || fail "cannot enter $DIR"
  as_server test -w "$DIR" -a -x "$DIR" || fail "user $SERVER_USER cannot write in $DIR: a folder above it is closed to others"
  as_server mkdir -m 0700 "$DIR/sock" "$DIR/tmp" || fail "cannot write in $DIR"
}

# server_file NAME: makes a file of what comes in, for the servers' user alone.
server_file() { as_server sh -c 'umask 077; cat >"$1"' sh "$1"; }

make_secrets() {
  # What a connection string must quote, at its end.
  PASSWORD=$(openssl rand -hex 12)\;{}\'\"='% $x'
  (umask 077; printf '%s' "$PASSWORD" >"$DIR/password")
  local key=(-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30)
  {
    openssl req -x509 "${key[@]}" -keyout "$DIR/tmp/ca-key.pem" -out "$DIR/ca.pem" -subj "/CN=consentgate test authority" \
      -addext keyUsage=critical,keyCertSign,cRLSign &&
    openssl req -x509 -CA "$DIR/ca.pem" -CAkey "$DIR/tmp/ca-key.pem" "${key[@]}" -keyout "$DIR/tmp/key.pem" -out "$DIR/server-cert.pem" \
      -subj /CN=localhost -addext "subjectAltName=IP:127.0.0.1,DNS:localhost" -addext basicConstraints=critical,CA:FALSE &&
    server_file "$DIR/server-key.pem" <"$DIR/tmp/key.pem" &&
    rm "$DIR/tmp/ca-key.pem" "$DIR/tmp/key.pem" && chmod 644 "$DIR/ca.pem" "$DIR/server-cert.pem"
  } 2>"$DIR/openssl.log" || fail "the certificates could not be made" "$DIR/openssl.log"
}

# free_port NAME: a port that nobody uses, into the variable. Below the range from which the kernel gives ports to clients, or one
# could be gone when a server comes back for it.
free_port() {
  local port
  while port=$((10240 + SRANDOM % 22000)); do
    [[ " ${TAKEN[*]} " == *" $port "* ]] || grep -qi "$(printf ':%04X ' "$port")" /proc/net/tcp /proc/net/tcp6 2>/dev/null || break
  done
  TAKEN+=("$port")
  printf -v "$1" %d "$port"
}

# --- commands ---

answer() { local text="$*"; printf '%s\n' "${text//$'\n'/ }"; }

start_nodes() {
  local node pids=()
  for node; do up "$node" && { answer "failed node $node runs already"; return; }; done
  for node; do engine_start "$node"; done
  for node; do
    within_life 60 "$node" engine_ready "$node" || { answer "failed node $node: $(why "$node")"; return; }
    pids+=("${PID[node]}")
  done
  answer "ok ${pids[*]}"
}

# within_life SECONDS N COMMAND…: as within, but not longer than node N lives.
within_life() {
  local end=$((SECONDS + $1)) node=$2; shift 2
  until "$@"; do
    up "$node" && ((SECONDS < end)) || return 1
    sleep 0.05
  done
}
why() { up "$1" && echo "not ready after 60 s" || { grep -aE 'ERROR|FATAL|error|failed' "$DIR/node$1.log" || cat "$DIR/node$1.log"; } | tail -n 1; }

stop_nodes() {
  local node
  for node; do up "$node" || { answer "failed node $node does not run"; return 1; }; done
  for node; do signal_family CONT "$node"; kill "-$STOP_SIGNAL" "${PID[node]}"; done
  for node; do
    within 30 gone "$node" || { crash "$node"; answer "failed node $node did not stop in 30 s and was killed"; return 1; }
    PID[node]= PAUSED[node]=
  done
}

each() { # each COMMAND NODE…
  local command=$1 node; shift
  for node; do up "$node" || { answer "failed node $node does not run"; return; }; done
  for node; do
    case $command in
    kill) crash "$node" ;;
    pause) kill -STOP "${PID[node]}" && signal_family STOP "$node"; PAUSED[node]=1 ;;
    resume) signal_family CONT "$node"; PAUSED[node]= ;;
    esac
  done
  answer ok
}

state() {
  local text
  if ! up "$1"; then answer ok down
  elif [[ -n ${PAUSED[$1]} ]]; then answer ok paused
  elif text=$(engine_state "$1" 2>/dev/null); then answer ok up "$text"
  else answer ok silent
  fi
}

sql() {
  local text
  if text=$(engine_sql "$1" "$2" 2>&1); then text=${text%%$'\n'*}; answer "ok ${text%%$'\t'*}"; else answer "failed $text"; fi
}

obey() { # obey COMMAND NODE [REST]
  local command=$1 rest="${*:2}" nodes node
  read -ra nodes <<<"$rest"
  [[ $command == sql ]] && nodes=("${nodes[@]:0:1}")
  ((${#nodes[@]} > 0)) || { answer "failed no node was named"; return; }
  for node in "${nodes[@]}"; do [[ $node =~ ^[1-9]$ ]] && ((node <= NODES)) || { answer "failed there is no node $node"; return; }; done
  case $command in
  start) start_nodes "${nodes[@]}" ;;
  stop) stop_nodes "${nodes[@]}" && answer ok ;;
  restart) stop_nodes "${nodes[@]}" && start_nodes "${nodes[@]}" ;;
  kill | pause | resume) each "$command" "${nodes[@]}" ;;
  state) state "${nodes[0]}" ;;
  sql) sql "${nodes[0]}" "${rest#* }" ;;
  promote | bootstrap) [[ " $CAN " == *" $command "* ]] && "engine_$command" "${nodes[0]}" || answer "failed $KIND has no $command" ;;
  *) answer "failed there is no command $command" ;;
  esac
}

# --- the run ---

# first_start: with ports that are still free when the servers ask for them.
first_start() {
  local try node
  for ((try = 0; try < 5; try++)); do
    TAKEN=()
    for ((node = 1; node <= NODES; node++)); do free_port "PORT[$node]"; done
    engine_first_start && return
    grep -qaE 'Address already in use|Bind on TCP/IP port' "$DIR"/node*.log || break
    stop_all
    trap 'exit 0' INT TERM HUP
    rm -rf "$DIR"/node*
  done
  fail "the servers did not start" "$DIR"/node*.log "$DIR/setup.log"
}

exec 3>&2
case $KIND in
postgresql | postgresql-pair) . "$HERE/databases/postgresql.sh" ;;
mariadb | galera) . "$HERE/databases/mariadb.sh" ;;
*) fail "usage: databases.sh postgresql|postgresql-pair|mariadb|galera DIR" ;;
esac
[[ -n $DIR ]] || fail "no folder was named"
# A pipe inherited from the caller would live as long as the servers.
for fd in /proc/self/fd/*; do fd=${fd##*/}; ((fd > 3 && fd != 255)) && eval "exec $fd>&-"; done
prepare_folder
exec 2>>"$DIR/controller.log"
trap 'exit 0' INT TERM HUP
trap : PIPE
trap stop_all EXIT
make_secrets
engine_prepare
first_start
exec 3>&-
for ((node = 1; node <= NODES; node++)); do printf 'node\t%s\t%s\t%s\t%s\n' "$node" "$HOST" "${PORT[node]}" "${PID[node]}"; done
echo ready
while read -r command rest; do
  [[ $command == quit ]] && break
  [[ -n $command ]] && obey "$command" "$rest"
done
exit 0
