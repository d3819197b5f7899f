#!/bin/bash
# The databases that tests/bench/run.sh measures, which reads this: files, or servers of
# tests/support/databases.sh. Durability is as the engine has it by default; memory is what a
# server with so many sessions would be given.
CONTROLLER_PID='' NODES=()
case $ENGINE in
sqlite | postgresql | mariadb | galera) ;;
*) echo "ENGINE is sqlite, postgresql, mariadb or galera" >&2; exit 2 ;;
esac

tell() { # tell COMMAND…: see tests/support/databases.sh
  local answer
  printf '%s\n' "$*" >&"${CONTROLLER[1]}" && IFS= read -r answer <&"${CONTROLLER[0]}" || fail "the database servers are gone"
  [[ $answer == ok* ]] || fail "$*: $answer"
}

address() { # address NAME
  case $ENGINE in
  sqlite) echo "$VAR/$1.db" ;;
  postgresql) echo "postgresql://consentgate@$SERVER/$1" ;;
  *) echo "mariadb://consentgate@$SERVER/$1" ;;
  esac
}

start_databases() { # start_databases NAME…
  [[ $ENGINE == sqlite ]] && return
  PATH=/usr/lib/postgresql/15/bin:$PATH # pgbench itself, and not the script that chooses one
  # The servers run as a user of their own, who must be able to come to their folder.
  chmod 711 "$VAR"
  coproc CONTROLLER { exec "$HOME_DIR/tests/support/databases.sh" "$ENGINE" "$VAR/servers" 2>>"$VAR/servers.log"; }
  local what node host port rest name
  while IFS=$'\t' read -r what node host port rest <&"${CONTROLLER[0]}"; do
    [[ $what == ready ]] && break
    [[ $what == node ]] && NODES+=("$node") && [[ $node == 1 ]] && SERVER=$host:$port
  done
  [[ ${#NODES[@]} -gt 0 && $what == ready ]] || fail "the database servers did not start"
  CONSENTGATE_DATABASE_PASSWORD=$(cat "$VAR/servers/password")
  export CONSENTGATE_DATABASE_PASSWORD
  give_memory "${NODES[@]}"
  for name; do [[ $name == consentgate ]] || create_database "$name"; done
}

give_memory() { # give_memory NODE…
  local node
  if [[ $ENGINE == postgresql ]]; then
    tell sql 1 "ALTER SYSTEM SET shared_buffers = '${MEMORY}MB'"
    tell sql 1 "ALTER SYSTEM SET min_wal_size = '80MB'" # the default, which the tests lower
    tell restart 1
    return
  fi
  for node; do
    tell sql "$node" "SET GLOBAL innodb_buffer_pool_size = $((MEMORY << 20))"
    tell sql "$node" "SET GLOBAL innodb_log_file_size = $((1 << 30))" # as much as PostgreSQL writes before a checkpoint
  done
}

create_database() { # create_database NAME
  if [[ $ENGINE == postgresql ]]; then
    tell sql 1 "CREATE DATABASE $1 OWNER consentgate"
    echo "host $1 consentgate 127.0.0.1/32 scram-sha-256" >>"$VAR/servers/node1/data/pg_hba.conf"
    tell sql 1 "SELECT pg_reload_conf()"
    return
  fi
  tell sql 1 "CREATE DATABASE $1"
  tell sql 1 "GRANT ALL ON $1.* TO consentgate"
}

# filled COMMAND…: the command, which writes much, and then what it leaves undone, so that no
# measurement has to bear it. Two nodes of a cluster copy the database afterwards, which takes half
# the time of writing it with the first.
filled() {
  [[ $ENGINE == galera ]] && tell stop 2 3
  "$@" || return
  case $ENGINE in
  postgresql) tell sql 1 CHECKPOINT ;;
  galera) tell start 2 3; give_memory 2 3 ;;
  esac
  sync -f "$VAR"
}

# together COMMAND…: the command and the servers on one processor. Waking a server on another one
# costs 50 us a question or nothing, depending only on what else the machine does.
together() {
  local here status=0
  here=$(taskset -pc $$ | sed 's/.*: //')
  on_processors 0
  taskset -c 0 "$@" || status=$?
  on_processors "$here"
  return "$status"
}

on_processors() { # on_processors LIST
  [[ -n $CONTROLLER_PID ]] || return 0
  local pid
  for pid in $(servers "$CONTROLLER_PID"); do taskset -apc "$1" "$pid" >>"$VAR/servers.log" 2>&1 || true; done # one that ended meanwhile
}

servers() { # servers PID: the processes below it
  local pid
  for pid in $(pgrep -P "$1"); do echo "$pid"; servers "$pid"; done
}

drop_database() {
  if [[ $ENGINE == sqlite ]]; then rm -f "$(address "$1")"*; else tell sql 1 "DROP DATABASE $1"; fi
}

stop_databases() {
  [[ -n ${CONTROLLER_PID:-} ]] || return 0
  local commands=${CONTROLLER[1]}
  exec {commands}>&-
  wait "$CONTROLLER_PID" || true
}
