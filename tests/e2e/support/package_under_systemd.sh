#!/bin/bash
# The Debian package on a machine that systemd runs (throwaway.sh --systemd), set up by hand behind
# Debian's Apache. Prints a line `FACT=VALUE` for each observation.
#   package_under_systemd.sh PACKAGE
set -u
package=$1
cd /
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C
fact() { printf '%s=%s\n' "$1" "$2"; }
status() { curl -s -o /dev/null -w '%{http_code}' "$@"; }
site=http://127.0.0.1:8080
pages=$site/.well-known/oauth-authorization-server

dpkg --force-confold -i "$package" >/tmp/out 2>&1; fact installed $?
mkdir -p /etc/systemd/system/consentgate.service.d /etc/systemd/system/consentgate-gate@.service.d
# A build with sanitizers looks for leaks by tracing itself, which the units forbid.
for unit in consentgate.service consentgate-gate@.service; do printf '[Service]\nEnvironment=ASAN_OPTIONS=detect_leaks=0\n' >"/etc/systemd/system/$unit.d/sanitizer.conf"; done
systemctl daemon-reload
printf 'issuer = %s\nmetrics_file = /run/consentgate/metrics\n' "$site" >>/etc/consentgate/consentgate.conf
export ASAN_OPTIONS=detect_leaks=0
consentgate-admin migrate >/tmp/out 2>&1; fact migrated $?
consentgate-admin resource add $site/mcp >/tmp/out 2>&1; fact resource_added $?
systemctl enable --now consentgate.socket consentgate-gate@tcp.socket >/tmp/out 2>&1; fact enabled $?

# The server behind, and the site that is there already.
mkdir -p /tmp/behind && echo behind >/tmp/behind/mcp
printf 'server.bind = "127.0.0.1"\nserver.port = 3001\nserver.document-root = "/tmp/behind"\n' >/tmp/behind.conf
lighttpd -D -f /tmp/behind.conf >/tmp/behind.log 2>&1 &
sed -i 's/^Listen 80$/Listen 127.0.0.1:8080/' /etc/apache2/ports.conf
sed -i "s/\*:80>/*:8080>/; s#</VirtualHost>#    ServerName 127.0.0.1\n    Use Consentgate\n    Use ConsentgateProtect /mcp http://127.0.0.1:3001/mcp\n</VirtualHost>#" /etc/apache2/sites-available/000-default.conf
{ a2enmod proxy_fcgi proxy_http authnz_fcgi headers macro; a2enconf consentgate consentgate-gate; } >/tmp/out 2>&1
systemctl restart apache2 >>/tmp/out 2>&1; fact apache "$(systemctl is-active apache2)"

# Nothing of ours runs until somebody calls: the sockets start it.
fact before_the_first_call "$(systemctl is-active consentgate.service)"
for ((i = 0; i < 100; i++)); do [ "$(status $pages)" = 200 ] && break; sleep 0.1; done
fact pages "$(status $pages)"
fact gate_without_a_token "$(status $site/mcp)"
fact units "$(systemctl is-active consentgate.service consentgate-gate@tcp.service | tr '\n' ' ')"
consentgate-admin key add Anna >/tmp/key 2>&1; fact key $?
runuser -u consentgate -- consentgate-admin doctor >/tmp/doctor 2>&1; fact doctor $?
sed 's/^/# /' /tmp/doctor

main() { systemctl show -P MainPID "$1"; }
for unit in consentgate.service consentgate-gate@tcp.service; do
  worker=$(pgrep -P "$(main $unit)" | head -n 1)
  fact "shut_in_$unit" "$(sed -n 's/^\(CapEff\|NoNewPrivs\|Seccomp\):\s*//p' "/proc/$worker/status" | tr '\n' ' ')$(stat -c %U "/proc/$worker")"
done

# Calls the pages and the gate until /tmp/enough exists; prints the statuses that occurred.
asking() {
  local seen=
  while [ ! -e /tmp/enough ]; do seen+="$(status $pages) $(status $site/mcp) "; done
  tr ' ' '\n' <<<"$seen" | grep . | sort -u | tr '\n' ' '
}
while_asked() { # while_asked FACT COMMAND…
  rm -f /tmp/enough; asking >/tmp/asked & local caller=$!
  sleep 1; "${@:2}" >/tmp/out 2>&1; sleep 2; touch /tmp/enough; wait $caller
  fact "$1" "$(cat /tmp/asked)"
}
while_asked statuses_while_reloaded systemctl reload consentgate.service consentgate-gate@tcp.service
fact reloads "$(journalctl -u consentgate.service -u consentgate-gate@tcp.service -o cat | grep -c event=reloaded)"
# A configuration of an earlier version: the upgrade gives the key's present name and restarts
# nothing.
echo 'database_wait_ms = 5000' >>/etc/consentgate/consentgate.conf
before=$(main consentgate.service)
while_asked statuses_while_refused bash -c "dpkg --force-confold -i '$package'; echo status=\$?"
cp /tmp/out /tmp/refused; sed 's/^/# /' /tmp/refused
fact refused_upgrade "$(sed -n 's/^status=//p' /tmp/refused)"
fact names_the_present_key "$(grep -c 'database_wait_ms is now called database_timeout_ms' /tmp/refused)"
fact restarted_meanwhile "$([ "$(main consentgate.service)" = "$before" ] && echo no)"
sed -i '$d' /etc/consentgate/consentgate.conf
dpkg --configure consentgate >/tmp/out 2>&1; fact configured $?
fact restarted "$([ "$(main consentgate.service)" != "$before" ] && systemctl is-active consentgate.service)"

while_asked statuses_while_upgraded dpkg --force-confold -i "$package"
before=$(main consentgate.service)
while_asked statuses_while_killed kill -KILL "$before"
fact started_again "$([ "$(main consentgate.service)" != "$before" ] && systemctl is-active consentgate.service)"

dpkg -r consentgate >/tmp/out 2>&1; fact removed $?
fact units_after_removal "$(systemctl is-active consentgate.socket consentgate.service consentgate-gate@tcp.socket | sort -u | tr '\n' ' ')"
journalctl -u 'consentgate*' -o short-iso --no-pager | tail -n 40 | sed 's/^/# /'
