#!/bin/bash
# MariaDB for databases.sh, which reads this: one server, or a Galera cluster of three nodes.
# shellcheck disable=SC2034 # databases.sh reads these
STOP_SIGNAL=TERM CAN= FILE=mariadb.cnf
# shellcheck disable=SC2034
[[ $KIND == galera ]] && NODES=3 CAN=bootstrap FILE=galera.cnf
# The ports on which a node hears from the others: always, for what it missed, and for a whole copy.
GROUP=() MISSED=() COPY=()

engine_prepare() {
  [[ -x /usr/sbin/mariadbd ]] || fail "MariaDB is not installed"
  [[ $KIND == mariadb || -e /usr/lib/galera/libgalera_smm.so ]] || fail "Galera is not installed"
  shipped $FILE
  server_file tmp/accounts.sql <<SQL
FLUSH PRIVILEGES;
CREATE DATABASE consentgate CHARACTER SET utf8mb4;
CREATE USER 'consentgate'@'%' IDENTIFIED BY '${PASSWORD//\'/\'\'}';
GRANT ALL ON consentgate.* TO 'consentgate'@'%';
SQL
  # The servers' user is superuser, over the local socket and without a password.
  as_server mariadb-install-db --no-defaults --datadir="$DIR/tmp/seed" --tmpdir="$DIR/tmp" --innodb-log-file-size=32M \
    --skip-test-db --auth-root-authentication-method=socket \
    --auth-root-socket-user="$SERVER_USER" --extra-file="$DIR/tmp/accounts.sql" >setup.log 2>&1 || fail "mariadb-install-db failed" setup.log
}

configure() { # configure N, and further lines from standard input
  { cat <<CONF; cat; } | server_file "node$1.cnf"
!include $DIR/$FILE
[mariadbd]
datadir = $DIR/node$1
socket = $DIR/sock/node$1.sock
port = ${PORT[$1]}
bind_address = $HOST
pid_file = node.pid
tmpdir = $DIR/tmp
ssl_ca = $DIR/ca.pem
ssl_cert = $DIR/server-cert.pem
ssl_key = $DIR/server-key.pem
require_secure_transport = OFF
skip_name_resolve = ON
max_connections = 200
innodb_buffer_pool_size = 128M
innodb_log_file_size = 32M
performance_schema = OFF
CONF
}

configure_node() { # configure_node N: the shipped provider options stay; of what is given twice, the later counts
  local options mine
  options=$(my_print_defaults --defaults-file="$DIR/$FILE" mariadbd | sed -n 's/^--wsrep_provider_options=//p')
  mine="base_host=$HOST;base_port=${GROUP[$1]};gmcast.listen_addr=ssl://$HOST:${GROUP[$1]};ist.recv_addr=$HOST:${MISSED[$1]};gcache.size=32M"
  mine+=";socket.ssl_ca=$DIR/ca.pem;socket.ssl_cert=$DIR/server-cert.pem;socket.ssl_key=$DIR/server-key.pem"
  configure "$1" <<CONF
wsrep_node_name = node$1
wsrep_node_address = $HOST
wsrep_cluster_address = gcomm://$HOST:${GROUP[1]},$HOST:${GROUP[2]},$HOST:${GROUP[3]}
wsrep_sst_receive_address = $HOST:${COPY[$1]}
wsrep_provider_options = "$options;$mine"
[sst]
# stunnel4 need not be installed for the tests.
ssl-mode = DISABLED
CONF
}

engine_first_start() {
  if [[ $KIND == galera ]]; then cluster; return; fi
  as_server cp -a tmp/seed node1 && configure 1 </dev/null || fail "cannot copy the data"
  engine_start 1
  while_up 60 1 engine_ready 1
}

# Three equal copies of one data folder, with files that say: we were one cluster, all at the same
# point, when the power went. Galera then restores that cluster by itself (pc.recovery), which is
# far quicker than two nodes that join a first one.
cluster() {
  local node id members=() view
  for node in 1 2 3; do free_port "GROUP[$node]"; free_port "MISSED[$node]"; free_port "COPY[$node]"; done
  for node in 0 1 2 3; do members[node]=$(</proc/sys/kernel/random/uuid); done
  id=${members[0]}
  view=$(printf 'member: %s 0\n' "${members[@]:1}" | sort)
  for node in 1 2 3; do
    as_server cp -a tmp/seed "node$node" && configure_node "$node" || fail "cannot copy the data"
    printf '# GALERA saved state\nversion: 2.1\nuuid: %s\nseqno: 0\nsafe_to_bootstrap: 0\n' "$id" | server_file "node$node/grastate.dat"
    printf 'my_uuid: %s\n#vwbeg\nview_id: 3 %s 1\nbootstrap: 0\n%s\n#vwend\n' "${members[node]}" "${members[1]}" "$view" | server_file "node$node/gvwstate.dat"
    engine_start "$node"
  done
  within 60 whole_or_broken && up 1 && up 2 && up 3
}
whole_or_broken() {
  local node
  for node in 1 2 3; do down "$node" && return; done
  for node in 1 2 3; do [[ $(engine_state "$node" 2>/dev/null) == "Primary Synced 3" ]] || return 1; done
}

# After a crash Galera does not know any more how far the node came; InnoDB does. (Debian's service
# asks it in the same way.)
engine_start() { # engine_start N [OPTION…]
  local position=()
  if grep -qs '^seqno: *-1' "node$1/grastate.dat"; then
    mapfile -t position < <(as_server timeout 60 mariadbd --defaults-file="$DIR/node$1.cnf" --wsrep-recover 2>&1 |
      tee -a "node$1.log" | sed -n 's/.*WSREP: Recovered position: */--wsrep-start-position=/p')
  fi
  launch "$1" mariadbd --defaults-file="$DIR/node$1.cnf" "${position[@]}" "${@:2}"
}

superuser() { # superuser SECONDS N [OPTION…]: statements from standard input
  as_server timeout "$1" mariadb --no-defaults -BN --socket="$DIR/sock/node$2.sock" -u "$SERVER_USER" "${@:3}"
}

engine_sql() { superuser 30 "$1" consentgate <<<"$2"; }

# Nothing for a single server; for a node as in `Primary Synced 3`.
engine_state() {
  local rows name value
  local -A is
  rows=$(superuser 5 "$1" <<<"SHOW STATUS LIKE 'wsrep_%'") || return 1
  [[ $KIND == mariadb ]] && return
  while IFS=$'\t' read -r name value; do is[$name]=$value; done <<<"$rows"
  echo "${is[wsrep_cluster_status]:-} ${is[wsrep_local_state_comment]:-} ${is[wsrep_cluster_size]:-}"
}
engine_ready() {
  local state
  state=$(engine_state "$1" 2>/dev/null) && [[ $KIND == mariadb || $state == "Primary Synced "* ]]
}

# Does what an operator does: on a node that runs, the provider option; else galera_new_cluster,
# with the mark that it may.
engine_bootstrap() {
  local text
  if down "$1"; then
    as_server sed -i 's/^safe_to_bootstrap: 0/safe_to_bootstrap: 1/' "node$1/grastate.dat"
    engine_start "$1" --wsrep-new-cluster
    ready_nodes "$1"
    return
  fi
  text=$(superuser 30 "$1" <<<"SET GLOBAL wsrep_provider_options = 'pc.bootstrap=true'" 2>&1) && answer ok || answer failed "$(complaint <<<"$text")"
}

engine_leftovers() { :; }
