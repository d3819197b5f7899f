#!/bin/bash
# Database servers for the tests, in a folder of their own on free ports of 127.0.0.1, gone when
# standard input ends.
#
#   databases.sh KIND DIR     KIND: postgresql, postgresql-pair (a primary and its synchronous
#     standby), mariadb, galera (3 nodes)
#
# It stays in the foreground. The servers run with the configuration of examples/databases/,
# changed only where a single machine needs it; started by root they run as nobody, and DIR becomes
# nobody's. On standard output, the parts of a line divided by tabs:
#   node N HOST PORT PID      for each server, and then
#   ready                     or, when they cannot start: the reason on standard error, and exit 1
# DIR then holds password (of user consentgate, who owns database consentgate), ca.pem (the servers
# offer TLS, as 127.0.0.1 and as localhost) and *.log. Commands come in on standard input; each is
# answered by one line, `ok …` or `failed …`:
#   kill N      as in a crash: kill -9 of the whole server     stop N     cleanly
#   start N     answers `ok PID` once it takes part again      restart N  stop, then start
#   pause N     SIGSTOP, like a machine that went silent       resume N   SIGCONT
#   sql N STATEMENT   as superuser in database consentgate: `ok`, and the first column of the first
#     row
#   state N     down, paused, silent (it runs, but no client gets in), or up with what the server
#     says of itself:
#               primary or standby; for Galera as in `Primary Synced 3`
#   promote N   (postgresql-pair) the standby becomes a primary
#   bootstrap N (galera) the node declares what it sees to be the cluster; a node that is down
#     starts as the first of it
#   quit        like the end of standard input, TERM and INT: everything stops at once, exit 0
# The commands of the first three lines take several nodes, which then go together: `kill 2 3`,
# `start 2 3`.
set -u
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
SHIPPED=$HERE/../../examples/databases
KIND=${1:-} DIR=${2:-}
HOST=127.0.0.1 SERVER_USER=nobody
NODES=1 PORT=() PID=() PAUSED=() LOGGED=()

fail() { # fail WHY [LOG…]
  local log
  echo "databases.sh: $1" >&3
  for log in "${@:2}"; do [[ -s $log ]] && { echo "--- $log"; tail -n 15 "$log"; } >&3; done
  exit 1
}

# --- processes ---

# A command as the servers' user, in an environment of its own, and dead as soon as this script is,
# whatever ends it.
as_server() { "${AS_SERVER[@]}" "$@"; }

# launch N COMMAND…: the server itself, in the background.
launch() {
  local node=$1; shift
  LOGGED[node]=$(wc -l 2>/dev/null <"node$node.log" || echo 0)
  "${AS_SERVER[@]}" "$@" >>"$DIR/node$node.log" 2>&1 3>&- 4<&- &
  PID[node]=$! PAUSED[node]=
}

# up N: it runs, and is our own child (the number of one that ended may be another's by now).
up() {
  local line
  [[ -n ${PID[$1]:-} ]] && { read -r line <"/proc/${PID[$1]}/stat"; } 2>/dev/null || return 1
  read -r _ line _ <<<"${line##*) }"
  [[ $line == "$$" ]]
}
down() { ! up "$1"; }

# family PID: the process and all that came from it.
family() {
  local child
  echo "$1"
  for child in $(pgrep -P "$1"); do family "$child"; done
}

signal_family() { # signal_family SIGNAL N
  local pids
  mapfile -t pids < <(family "${PID[$2]}")
  kill "-$1" "${pids[@]}"
}

# within SECONDS COMMAND…: repeats the command until it succeeds.
within() {
  local end=$((SECONDS + $1)); shift
  until "$@"; do
    ((SECONDS < end)) || return 1
    sleep 0.05
  done
}

# while_up SECONDS N COMMAND…: the same, but no longer than node N lives.
while_up() {
  local node=$2
  within "$1" succeeds_or_down "${@:2}" && up "$node"
}
succeeds_or_down() { down "$1" || "${@:2}"; }

none_left() {
  local pid state
  for pid; do
    { read -r state <"/proc/$pid/stat"; } 2>/dev/null || continue
    state=${state##*) }
    [[ ${state:0:1} == [ZX] ]] || return 1
  done
}

# crash N…: kill -9 of all of them at once, each held first so that it starts nothing more.
crash() {
  local node all=() pids
  for node; do
    kill -STOP "${PID[node]}"
    mapfile -t pids < <(family "${PID[node]}")
    all+=("${pids[@]}")
  done
  ((${#all[@]} == 0)) || kill -KILL "${all[@]}"
  for node; do wait "${PID[node]}"; PID[node]= PAUSED[node]=; done
  within 10 none_left "${all[@]}"
}

# Nobody looks at the data again: no clean shutdown.
stop_all() {
  local node running=()
  trap '' INT TERM HUP
  for ((node = 1; node <= NODES; node++)); do up "$node" && running+=("$node"); done
  crash "${running[@]}"
  for ((node = 1; node <= NODES; node++)); do engine_leftovers "$node"; done
}

# --- the folder ---

prepare_folder() {
  mkdir -p "$DIR" && DIR=$(cd "$DIR" && pwd -P) || fail "cannot make $DIR"
  [[ $DIR =~ ^[A-Za-z0-9_./-]{2,80}$ ]] || fail "$DIR: the folder's whole name may have 80 bytes (it will hold sockets), of letters, digits and _ . / -"
  [[ ! -e $DIR/sock ]] || fail "$DIR was used already; name a new folder"
  AS_SERVER=(env -i PATH="/usr/lib/postgresql/15/bin:/usr/sbin:/usr/bin:/sbin:/bin" LC_ALL=C.UTF-8 HOME="$DIR" setpriv --pdeathsig KILL)
  if ((EUID == 0)); then
    AS_SERVER+=(--reuid "$SERVER_USER" --regid "$(id -g "$SERVER_USER")" --clear-groups)
    chown "$SERVER_USER" "$DIR" || fail "cannot give $DIR to $SERVER_USER"
  else
    SERVER_USER=$(id -un)
  fi
  cd "$DIR" && as_server test -w "$DIR" -a -x "$DIR" || fail "user $SERVER_USER cannot write in $DIR: it or a folder above it is closed to that user"
  as_server mkdir -m 0700 sock tmp || fail "cannot write in $DIR"
}

# server_file NAME: what comes in becomes a file of the servers' user alone.
server_file() { as_server sh -c 'umask 077; cat >"$1"' sh "$1"; }

make_secrets() {
  # At its end, all that a connection string must quote.
  PASSWORD=$(openssl rand -hex 12)\;{}\'\"='% $x'
  (umask 077; printf '%s' "$PASSWORD" >"$DIR/password")
  local new=(openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30)
  {
    "${new[@]}" -keyout tmp/ca-key.pem -out ca.pem -subj "/CN=consentgate tests" -addext keyUsage=critical,keyCertSign,cRLSign &&
      "${new[@]}" -CA ca.pem -CAkey tmp/ca-key.pem -keyout tmp/key.pem -out server-cert.pem -subj /CN=localhost \
        -addext subjectAltName=IP:127.0.0.1,DNS:localhost -addext basicConstraints=critical,CA:FALSE &&
      server_file "$DIR/server-key.pem" <tmp/key.pem && rm tmp/ca-key.pem tmp/key.pem && chmod 644 ca.pem server-cert.pem
  } 2>openssl.log || fail "the certificates could not be made" openssl.log
}

# shipped FILE: a copy in DIR, which the servers' user can read wherever this repository lies.
shipped() { cp "$SHIPPED/$1" "$DIR/$1" && chmod 644 "$DIR/$1" || fail "cannot copy $1"; }

# free_port NAME: a port that nobody uses, into the variable. It lies below the range from which
# the kernel takes ports for clients: a server that comes back must find its own still free.
free_port() {
  local port
  while port=$((10240 + SRANDOM % 22000)); do
    [[ " ${TAKEN[*]} " == *" $port "* ]] || grep -qi "$(printf ':%04X ' "$port")" /proc/net/tcp /proc/net/tcp6 || break
  done
  TAKEN+=("$port")
  printf -v "$1" %d "$port"
}

# Another copy may have chosen the same port at the same time: then with other ports.
first_start() {
  local try node
  for ((try = 0; try < 5; try++)); do
    TAKEN=()
    for ((node = 1; node <= NODES; node++)); do free_port "PORT[$node]"; done
    engine_first_start && return
    grep -qaE 'Address already in use|Bind on TCP/IP port' node*.log || break
    stop_all
    take_signals
    rm -rf "$DIR"/node*
  done
  fail "the servers did not start" node*.log setup.log
}

# --- commands ---

answer() { # answer WORD [TEXT]
  local text="$1${2:+ $2}"
  printf '%s\n' "${text//$'\n'/ }"
}

# complaint: the first line of a text that says what is wrong.
complaint() {
  local text; text=$(cat)
  grep -aE -m 1 'ERROR|FATAL|PANIC|error:' <<<"$text" || tail -n 1 <<<"$text"
}

# ready_nodes N…: what `start` answers.
ready_nodes() {
  local node pids=()
  for node; do
    while_up 60 "$node" engine_ready "$node" || { answer failed "node $node: $(up "$node" && echo "not ready after 60 s" || tail -n "+$((LOGGED[node] + 1))" "node$node.log" | complaint)"; return; }
    pids+=("${PID[node]}")
  done
  answer ok "${pids[*]}"
}

start_nodes() {
  local node
  for node; do down "$node" || { answer failed "node $node runs already"; return; }; done
  for node; do engine_start "$node"; done
  ready_nodes "$@"
}

stop_nodes() {
  local node
  for node; do signal_family CONT "$node"; kill "-$STOP_SIGNAL" "${PID[node]}"; done
  for node; do
    within 30 down "$node" || { crash "$node"; answer failed "node $node did not stop in 30 s and was killed"; return 1; }
    PID[node]= PAUSED[node]=
  done
}

pause() { local node; for node; do kill -STOP "${PID[node]}"; signal_family STOP "$node"; PAUSED[node]=1; done; }
resume() { local node; for node; do signal_family CONT "$node"; PAUSED[node]=; done; }

state() {
  local text
  if down "$1"; then answer ok down
  elif [[ -n ${PAUSED[$1]} ]]; then answer ok paused
  elif text=$(engine_state "$1"); then answer ok "up${text:+ $text}"
  else answer ok silent; fi
}

sql() {
  local text
  text=$(engine_sql "$1" "$2" 2>&1) || { (($? == 124)) && text="no answer in 30 s"; answer failed "$(complaint <<<"$text")"; return; }
  text=${text%%$'\n'*}
  answer ok "${text%%$'\t'*}"
}

obey() { # obey COMMAND NODE… | sql NODE STATEMENT
  local command=$1 nodes node
  read -ra nodes <<<"$2"
  [[ $command == sql ]] && nodes=("${nodes[@]:0:1}")
  ((${#nodes[@]} > 0)) || { answer failed "no node was named"; return; }
  for node in "${nodes[@]}"; do
    [[ $node =~ ^[1-9]$ ]] && ((node <= NODES)) || { answer failed "there is no node $node"; return; }
    [[ $command == @(start|state|bootstrap) ]] || up "$node" || { answer failed "node $node does not run"; return; }
  done
  case $command in
  start) start_nodes "${nodes[@]}" ;;
  stop) stop_nodes "${nodes[@]}" && answer ok ;;
  restart) stop_nodes "${nodes[@]}" && start_nodes "${nodes[@]}" ;;
  kill) crash "${nodes[@]}" && answer ok || answer failed "some of its processes are still there" ;;
  pause | resume) "$command" "${nodes[@]}" && answer ok ;;
  state) state "$node" ;;
  sql) sql "$node" "${2#* }" ;;
  promote | bootstrap) [[ $CAN == "$command" ]] && "engine_$command" "$node" || answer failed "$KIND has no $command" ;;
  *) answer failed "there is no command $command" ;;
  esac
}

# --- the run ---

take_signals() { trap 'exit 0' INT TERM HUP; }

main() {
  exec 3>&2 4<&0 </dev/null
  case $KIND in
  postgresql | postgresql-pair) . "$HERE/databases/postgresql.sh" ;;
  mariadb | galera) . "$HERE/databases/mariadb.sh" ;;
  *) fail "usage: databases.sh postgresql|postgresql-pair|mariadb|galera DIR" ;;
  esac
  [[ -n $DIR ]] || fail "no folder was named"
  # A pipe of the caller's, inherited by chance, would stay open as long as the servers live.
  local fd command rest node
  for fd in /proc/self/fd/*; do fd=${fd##*/}; ((fd <= 4 || fd == 255)) || eval "exec $fd>&-"; done
  prepare_folder
  exec 2>>"$DIR/controller.log"
  take_signals
  trap : PIPE
  trap stop_all EXIT
  make_secrets
  engine_prepare
  first_start
  exec 3>&-
  for ((node = 1; node <= NODES; node++)); do printf 'node\t%s\t%s\t%s\t%s\n' "$node" "$HOST" "${PORT[node]}" "${PID[node]}"; done
  echo ready
  while read -r -u 4 command rest; do
    [[ $command == quit ]] && break
    [[ -z $command ]] || obey "$command" "$rest"
  done
}
main
exit 0
