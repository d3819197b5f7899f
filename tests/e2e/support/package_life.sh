#!/bin/bash
# The Debian package from installation to purge on a machine of its own (throwaway.sh).
# Prints a line `FACT=VALUE` for each observation.
#   package_life.sh PACKAGE OLD-DATABASE   of an earlier version, with a virtual key of anna's
set -u
package=$1 old_database=$2 port=8080

cd /
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C
fact() { printf '%s=%s\n' "$1" "$2"; }
yes_no() { if "$@" >/dev/null 2>&1; then echo yes; else echo no; fi; }
as_user() { runuser -u consentgate -- "$@"; }
install_it() { dpkg --force-confold -i "$package" >/tmp/out 2>&1; local status=$?; sed 's/^/# /' /tmp/out; return $status; }

install_it; fact installed $?
fact says_what_is_missing "$(yes_no grep -q 'issuer' /tmp/out)"
fact has_user "$(yes_no getent passwd consentgate)"
fact data_folder "$(stat -c '%U:%G %a' /var/lib/consentgate)"
fact configuration "$(stat -c '%U:%G %a' /etc/consentgate/consentgate.conf)"
fact program "$(yes_no consentgate-admin --help)"

cat >>/etc/consentgate/consentgate.conf <<CONF
issuer = http://127.0.0.1:$port
resources = http://127.0.0.1:$port/mcp
metrics_file = /run/consentgate/metrics
CONF
version() { sqlite3 "$1" 'SELECT max(version) FROM schema_version'; }
fact schema_before "$(version "$old_database")"
install -o consentgate -g consentgate -m 0600 "$old_database" /var/lib/consentgate/consentgate.db
mkdir -p /etc/apache2/conf-enabled /etc/apache2/sites-enabled
rm -f /etc/apache2/sites-enabled/*
ln -s ../conf-available/consentgate.conf /etc/apache2/conf-enabled/
install_it; fact upgraded $?
fact says_apaches_line "$(yes_no grep -q '^  Use Consentgate$' /tmp/out)"
echo 'Use Consentgate' >/etc/apache2/sites-enabled/site.conf
fact says_who_can_come_in "$(grep -o 'Only people .*' /tmp/out)"
fact schema_after "$(version /var/lib/consentgate/consentgate.db)"
fact migrated "$(stat -c '%U %a' /var/lib/consentgate/consentgate.db)"
fact key "$(stat -c '%U %a' /var/lib/consentgate/consentgate.key)"
fact configuration_kept "$(yes_no grep -q "issuer = http://127.0.0.1:$port" /etc/consentgate/consentgate.conf)"

# As the unit starts it: the command of the unit, its user, and the socket of its socket unit.
command=$(sed -n 's/^ExecStart=//p' /lib/systemd/system/consentgate.service)
socket=$(sed -n 's/^ListenStream=//p' /lib/systemd/system/consentgate.socket)
# (setpriv and not runuser, which would stand between us and the program.)
# shellcheck disable=SC2086
setpriv --reuid consentgate --regid consentgate --init-groups systemd-socket-activate -l "$socket" $command >/tmp/consentgate.log 2>&1 &
started=$!
cat >/tmp/lighttpd.conf <<CONF
server.bind = "127.0.0.1"
server.port = $port
server.document-root = "/tmp"
server.modules = ( "mod_fastcgi" )
var.consentgate_socket = "$socket"
var.consentgate_lua = "/usr/share/consentgate/conf/lighttpd"
include "/usr/share/consentgate/conf/lighttpd/pages.conf"
include "/usr/share/consentgate/conf/lighttpd/monitor.conf"
CONF
for _ in $(seq 50); do [ -S "$socket" ] && break; sleep 0.1; done
lighttpd -D -f /tmp/lighttpd.conf >/tmp/lighttpd.log 2>&1 &
for _ in $(seq 100); do curl -sf -o /tmp/ready "http://127.0.0.1:$port/readyz" && break; sleep 0.1; done
fact ready "$(cat /tmp/ready 2>/dev/null)"
fact issuer "$(curl -s "http://127.0.0.1:$port/.well-known/oauth-authorization-server" | sed -nE 's/.*"issuer":"([^"]*)".*/\1/p')"
fact counted "$(as_user consentgate-admin metrics | sed -n 's/^consentgate_workers{role="pages"} //p')"
kill -TERM $started; wait $started; fact ended $?
sed 's/^/# /' /tmp/consentgate.log /tmp/lighttpd.log

sed -i 's#^database = .*##; $a database = /nowhere/at/all.db' /etc/consentgate/consentgate.conf
install_it; fact upgrade_without_a_database $?
sed -i '$d' /etc/consentgate/consentgate.conf
echo 'no_such_key = 1' >>/etc/consentgate/consentgate.conf
install_it; fact upgrade_with_a_bad_configuration $?
sed -i '$d' /etc/consentgate/consentgate.conf
dpkg --configure consentgate >/dev/null 2>&1; fact upgrade_after_that $?

dpkg -r consentgate >/tmp/out 2>&1; fact removed $?
fact program_after_removal "$(yes_no test -e /usr/bin/consentgate)"
fact data_after_removal "$(yes_no test -s /var/lib/consentgate/consentgate.db)"
fact configuration_after_removal "$(yes_no test -s /etc/consentgate/consentgate.conf)"
install_it; fact installed_again $?
fact says_apaches_line_again "$(yes_no grep -q '^  Use Consentgate$' /tmp/out)"
fact key_of_before "$(as_user consentgate-admin key list | awk '$2 == "anna" { print $2 }')"
dpkg -P consentgate >/tmp/out 2>&1; fact purged $?
sed 's/^/# /' /tmp/out
fact data_after_purge "$(yes_no test -e /var/lib/consentgate)"
fact configuration_after_purge "$(yes_no test -e /etc/consentgate)"
fact user_after_purge "$(yes_no getent passwd consentgate)"
