#!/bin/bash
# MariaDB for databases.sh, which reads this: one server, or a Galera cluster of three nodes.
STOP_SIGNAL=TERM CAN= FILE=mariadb.cnf GROUP=() RECEIVE=()
[[ $KIND == galera ]] && NODES=3 CAN=bootstrap FILE=galera.cnf

engine_prepare() {
  command -v /usr/sbin/mariadbd >/dev/null || fail "MariaDB is not installed"
  cp "$SHIPPED/$FILE" "$DIR" && chmod 644 "$DIR/$FILE" || fail "cannot copy the configuration"
  local quoted=${PASSWORD//\'/\'\'}
  server_file "$DIR/tmp/accounts.sql" <<SQL
FLUSH PRIVILEGES;
CREATE DATABASE consentgate;
CREATE USER 'consentgate'@'%' IDENTIFIED BY '$quoted';
GRANT ALL ON consentgate.* TO 'consentgate'@'%';
SQL
  as_server mariadb-install-db --no-defaults --datadir="$DIR/tmp/seed" --tmpdir="$DIR/tmp" --innodb-log-file-size=32M \
    --character-set-server=utf8mb4 --collation-server=utf8mb4_bin --skip-test-db --auth-root-authentication-method=socket \
    --auth-root-socket-user="$SERVER_USER" --extra-file="$DIR/tmp/accounts.sql" >"$DIR/setup.log" 2>&1 ||
    fail "mariadb-install-db failed" "$DIR/setup.log"
}

configure() { # configure N, and further lines from standard input
  { cat <<CONF; cat; } | server_file "$DIR/node$1.cnf"
!include $DIR/$FILE
[mariadbd]
datadir = $DIR/node$1
socket = $DIR/sock/node$1.sock
port = ${PORT[$1]}
bind-address = $HOST
pid-file = node.pid
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

shipped_provider_options() { my_print_defaults --defaults-file="$DIR/$FILE" mariadbd | sed -n 's/^--wsrep_provider_options=//p'; }

configure_node() {
  local node=$1
  configure "$node" <<CONF
wsrep_node_name = node$node
wsrep_node_address = $HOST
wsrep_cluster_address = gcomm://$HOST:${GROUP[1]},$HOST:${GROUP[2]},$HOST:${GROUP[3]}
wsrep_sst_receive_address = $HOST:${RECEIVE[node]}
wsrep_provider_options = "$(shipped_provider_options);base_host=$HOST;base_port=${GROUP[node]};gmcast.listen_addr=tcp://$HOST:${GROUP[node]};ist.recv_addr=$HOST:${IST[node]};gcache.size=32M"
CONF
}

engine_first_start() {
  local node
  if [[ $KIND == mariadb ]]; then
    as_server cp -a "$DIR/tmp/seed" "$DIR/node1" && configure 1 </dev/null
    engine_start 1
    within_life 60 1 engine_ready 1
    return
  fi
  for node in 1 2 3; do free_port "GROUP[$node]"; free_port "RECEIVE[$node]"; free_port "IST[$node]"; done
  as_server cp -a "$DIR/tmp/seed" "$DIR/node1" && configure_node 1
  engine_start 1 --wsrep-new-cluster
  within_life 30 1 engine_ready 1 || return 1
  kill "${PID[1]}"; within 30 gone 1 || return 1
  for node in 2 3; do
    as_server cp -a --sparse=always "$DIR/node1" "$DIR/node$node" && configure_node "$node"
    as_server rm "$DIR/node$node/galera.cache"
    as_server sed -i 's/^safe_to_bootstrap: 1/safe_to_bootstrap: 0/' "$DIR/node$node/grastate.dat"
  done
  engine_start 1 --wsrep-new-cluster
  within_life 30 1 engine_ready 1 || return 1
  engine_start 2 ${SKIP:-}; engine_start 3 ${SKIP:-}
  for node in 1 2 3; do within_life 60 "$node" whole "$node" || return 1; done
}

as_superuser() { # as_superuser N: SQL from standard input
  as_server timeout 30 mariadb --no-defaults -BN --socket="$DIR/sock/node$1.sock" -u "$SERVER_USER" "${@:2}"
}

engine_start() {
  local node=$1 position=(); shift
  if grep -q '^seqno: *-1' "$DIR/node$node/grastate.dat" 2>/dev/null; then
    position=$(as_server mariadbd --defaults-file="$DIR/node$node.cnf" --wsrep-recover 2>&1 | tee -a "$DIR/node$node.log" | sed -n 's/.*WSREP: Recovered position: */--wsrep-start-position=/p')
  fi
  launch "$node" mariadbd --defaults-file="$DIR/node$node.cnf" ${position:+"$position"} "$@"
}

status() { as_superuser "$1" -e "SHOW STATUS LIKE '$2'" 2>/dev/null | cut -f 2; }
engine_ready() {
  if [[ $KIND == galera ]]; then [[ $(status "$1" wsrep_local_state_comment) == Synced && $(status "$1" wsrep_ready) == ON ]]
  else [[ $(status "$1" Uptime) ]]; fi
}
whole() { engine_ready "$1" && [[ $(status "$1" wsrep_cluster_size) == 3 ]]; }

engine_sql() { as_superuser "$1" consentgate <<<"$2"; }
engine_state() {
  [[ $KIND == mariadb ]] && { status "$1" Uptime >/dev/null; return; }
  echo "$(status "$1" wsrep_cluster_status) $(status "$1" wsrep_local_state_comment) $(status "$1" wsrep_cluster_size)"
}
engine_bootstrap() {
  local text
  text=$(as_superuser "$1" -e "SET GLOBAL wsrep_provider_options='pc.bootstrap=true'" 2>&1) && answer ok || answer "failed $text"
}
engine_leftovers() { :; }
