#!/bin/bash
# PostgreSQL for databases.sh, which reads this: one server, or a primary (node 1) and its
# synchronous standby (node 2).
# shellcheck disable=SC2034 # databases.sh reads these
STOP_SIGNAL=INT CAN=
# shellcheck disable=SC2034
[[ $KIND == postgresql-pair ]] && NODES=2 CAN=promote

engine_prepare() {
  [[ -x /usr/lib/postgresql/15/bin/postgres ]] || fail "PostgreSQL 15 is not installed"
  shipped postgresql-primary.conf
  shipped postgresql-standby.conf
  as_server initdb -D tmp/seed -U postgres -E UTF8 --locale=C.UTF-8 --no-sync >setup.log 2>&1 || fail "initdb failed" setup.log
  echo "include '../server.conf'" | as_server tee -a tmp/seed/postgresql.conf >/dev/null
  # The local socket lies in a folder that is the servers' user's alone.
  server_file tmp/seed/pg_hba.conf <<'HBA'
local all         postgres                  trust
host  all         all         127.0.0.1/32  scram-sha-256
host  replication standby     127.0.0.1/32  scram-sha-256
HBA
}

configure() { # configure N SHIPPED-FILE, and further lines from standard input
  { cat <<CONF; cat; } | server_file "node$1/server.conf"
include '$DIR/$2'
listen_addresses = '$HOST'
port = ${PORT[$1]}
unix_socket_directories = '$DIR/sock'
ssl_cert_file = '$DIR/server-cert.pem'
ssl_key_file = '$DIR/server-key.pem'
max_connections = 200
shared_buffers = 16MB
min_wal_size = 32MB
# Shared memory as files of the data folder: a crash leaves nothing elsewhere.
dynamic_shared_memory_type = mmap
CONF
}

# The primary first, and alone; then the standby as a copy of it.
engine_first_start() {
  as_server mkdir node1 && as_server cp -a tmp/seed node1/data || fail "cannot copy the data"
  configure 1 postgresql-primary.conf <<<"synchronous_standby_names = ''"
  engine_start 1
  while_up 60 1 engine_ready 1 && accounts || return 1
  [[ $KIND == postgresql ]] || standby
}

accounts() {
  local quoted=${PASSWORD//\'/\'\'}
  superuser 30 1 postgres >>setup.log 2>&1 <<SQL
CREATE ROLE consentgate LOGIN PASSWORD '$quoted';
CREATE DATABASE consentgate OWNER consentgate;
CREATE ROLE standby LOGIN REPLICATION PASSWORD '$quoted';
SQL
}

standby() {
  local from="host=$HOST port=${PORT[1]} user=standby application_name=standby1 passfile=$DIR/tmp/pgpass sslmode=verify-full sslrootcert=$DIR/ca.pem"
  printf '*:*:*:standby:%s\n' "$(sed 's/[\\:]/\\&/g' <<<"$PASSWORD")" | server_file tmp/pgpass
  as_server mkdir node2 && as_server timeout 60 pg_basebackup -d "$from" -D node2/data -c fast --no-sync >>setup.log 2>&1 || return 1
  configure 2 postgresql-standby.conf <<<"primary_conninfo = '$from'"
  server_file node2/data/standby.signal </dev/null
  engine_start 2
  while_up 60 2 engine_ready 2 || return 1
  # From here on the primary waits for it, as the shipped file says.
  configure 1 postgresql-primary.conf </dev/null
  superuser 30 1 postgres <<<"SELECT pg_reload_conf()" >>setup.log 2>&1
  while_up 30 1 synchronous
}
synchronous() { [[ $(superuser 5 1 postgres <<<"SELECT sync_state FROM pg_stat_replication") == @(sync|quorum) ]]; }

superuser() { # superuser SECONDS N DATABASE: statements from standard input
  as_server timeout "$1" psql -XqAt -v ON_ERROR_STOP=1 -F $'\t' -P null=NULL -h "$DIR/sock" -p "${PORT[$2]}" -U postgres -d "$3"
}

engine_start() { launch "$1" postgres -D "$DIR/node$1/data"; }

# The first line of postmaster.pid is the server's number, the eighth its state; one from before a
# crash may lie there still.
engine_ready() {
  local lines
  { mapfile -t lines <"node$1/data/postmaster.pid"; } 2>/dev/null
  [[ ${lines[0]:-} == "${PID[$1]}" && ${lines[7]:-} == ready* ]]
}

engine_sql() { superuser 30 "$1" consentgate <<<"$2"; }
engine_state() { superuser 5 "$1" postgres <<<"SELECT CASE WHEN pg_is_in_recovery() THEN 'standby' ELSE 'primary' END"; }

engine_promote() {
  local text
  text=$(superuser 40 "$1" postgres <<<"SELECT pg_promote(true, 30)" 2>&1)
  [[ $text == t ]] && answer ok || answer failed "$(complaint <<<"$text")"
}

# After a crash the small System V segment that guards the data folder is left; postmaster.pid
# names it.
engine_leftovers() {
  local lines segment
  { mapfile -t lines <"node$1/data/postmaster.pid"; } 2>/dev/null || return
  read -r _ segment <<<"${lines[6]:-}"
  [[ -z ${segment:-} ]] || as_server ipcrm -m "$segment"
}
