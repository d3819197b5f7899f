#!/bin/bash
# PostgreSQL for databases.sh, which reads this: one server, or a primary (node 1) and its synchronous standby (node 2).
STOP_SIGNAL=INT CAN=promote
[[ $KIND == postgresql-pair ]] && NODES=2

engine_prepare() {
  command -v /usr/lib/postgresql/15/bin/postgres >/dev/null || fail "PostgreSQL 15 is not installed"
  cp "$SHIPPED"/postgresql-{primary,standby}.conf "$DIR" && chmod 644 "$DIR"/postgresql-*.conf || fail "cannot copy the configuration"
  as_server initdb -D "$DIR/tmp/seed" -U postgres -E UTF8 --locale=C.UTF-8 --no-sync >"$DIR/setup.log" 2>&1 || fail "initdb failed" "$DIR/setup.log"
  echo "include '../server.conf'" | as_server tee -a "$DIR/tmp/seed/postgresql.conf" >/dev/null
  server_file "$DIR/tmp/seed/pg_hba.conf" <<'HBA'
# The local socket lies in a folder of the servers' user alone.
local all         postgres                  trust
host  all         consentgate 127.0.0.1/32  scram-sha-256
host  replication standby     127.0.0.1/32  scram-sha-256
HBA
}

configure() { # configure N SHIPPED-FILE, and further lines from standard input
  { cat <<CONF; cat; } | server_file "$DIR/node$1/server.conf"
include '$DIR/$2'
listen_addresses = '$HOST'
port = ${PORT[$1]}
unix_socket_directories = '$DIR/sock'
ssl_cert_file = '$DIR/server-cert.pem'
ssl_key_file = '$DIR/server-key.pem'
max_connections = 200
shared_buffers = 16MB
min_wal_size = 32MB
dynamic_shared_memory_type = mmap
CONF
}

# The primary first, without waiting for a standby that is not there yet; then the standby as a copy of it.
engine_first_start() {
  as_server mkdir -p "$DIR/node1" && as_server cp -a "$DIR/tmp/seed" "$DIR/node1/data" || fail "cannot copy the data"
  configure 1 postgresql-primary.conf <<<"synchronous_standby_names = ''"
  engine_start 1
  within_life 30 1 engine_ready 1 && first_accounts || return 1
  [[ $KIND == postgresql ]] || first_standby
}

first_accounts() {
  local quoted=${PASSWORD//\'/\'\'}
  as_superuser 1 postgres >>"$DIR/setup.log" 2>&1 <<SQL
CREATE ROLE consentgate LOGIN PASSWORD '$quoted';
CREATE DATABASE consentgate OWNER consentgate;
CREATE ROLE standby LOGIN REPLICATION PASSWORD '$quoted';
SQL
}

first_standby() {
  local conninfo="host=$HOST port=${PORT[1]} user=standby application_name=standby1 passfile=$DIR/tmp/pgpass sslmode=verify-full sslrootcert=$DIR/ca.pem"
  printf '*:*:*:standby:%s\n' "$(sed 's/[\\:]/\\&/g' <<<"$PASSWORD")" | server_file "$DIR/tmp/pgpass"
  as_server pg_basebackup -d "$conninfo" -D "$DIR/node2/data" -c fast --no-sync >>"$DIR/setup.log" 2>&1 || return 1
  configure 2 postgresql-standby.conf <<<"primary_conninfo = '$conninfo'"
  server_file "$DIR/node2/data/standby.signal" </dev/null
  engine_start 2
  within_life 30 2 engine_ready 2 || return 1
  configure 1 postgresql-primary.conf </dev/null
  as_superuser 1 postgres <<<"SELECT pg_reload_conf()" >>"$DIR/setup.log" 2>&1
  within 30 synchronous
}
synchronous() { [[ $(as_superuser 1 postgres <<<"SELECT sync_state FROM pg_stat_replication" 2>&1) == sync ]]; }

as_superuser() { # as_superuser N DATABASE: SQL from standard input
  as_server timeout 30 psql -XqAt -v ON_ERROR_STOP=1 -F $'\t' -h "$DIR/sock" -p "${PORT[$1]}" -U postgres -d "$2"
}

engine_start() { launch "$1" postgres -D "$DIR/node$1/data"; }

# The first line of postmaster.pid is the server's, the last its state; an older file may lie there from before a crash.
engine_ready() {
  local lines
  { mapfile -t lines <"$DIR/node$1/data/postmaster.pid"; } 2>/dev/null
  [[ ${lines[0]:-} == "${PID[$1]}" && ${lines[7]:-} == ready* ]]
}

engine_sql() { as_superuser "$1" consentgate <<<"$2"; }
engine_state() { as_superuser "$1" postgres <<<"SELECT CASE WHEN pg_is_in_recovery() THEN 'standby' ELSE 'primary' END"; }

engine_promote() {
  local text
  text=$(as_superuser "$1" postgres <<<"SELECT pg_promote(true, 30)" 2>&1)
  [[ $text == t ]] && answer ok || answer "failed $text"
}

# After a crash the small System V segment that guards the data folder stays until the next start, or until now.
engine_leftovers() {
  local lines
  { mapfile -t lines <"$DIR/node$1/data/postmaster.pid"; } 2>/dev/null || return
  read -r _ segment <<<"${lines[6]:-}"
  [[ -n ${segment:-} ]] && as_server ipcrm -m "$segment" 2>/dev/null
}
