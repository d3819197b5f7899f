#!/bin/bash
# The files for each web server name the addresses of people and the headers of the gate that the
# program has: every one, and no other. The program's sources have the list.
set -u
cd "$(dirname "$0")/../.." || exit 2
status=0
wrong() { echo "$1"; status=1; }

# Programs call these addresses, so no web server may authenticate people there, and nobody signs in
# at a provider where the web server does that. People call all others.
programs='/oauth/signin(/[a-z-]+)?|/oauth/(style\.css|icon\.svg|logo|jwks\.json|client-metadata(\.json)?)|/api/oauth/per-user/(register|token|revoke|introspect)'
paths=$(grep -rhoE '"/(api/)?oauth/[a-z./-]*[a-z]"' src include | tr -d '"' | sort -u)
people=$(grep -vxE "$programs" <<<"$paths")
[ "$(wc -l <<<"$people")" -ge 15 ] || wrong "hardly any address was found: is this guard looking in the right place?"

# The pattern for verified users in each file: the alternatives, from the slash to the end. nginx
# has one for each of its two locations.
for file in apache/pages.conf lighttpd/verified_users.conf nginx/verified_users.conf shared-hosting/pages.htaccess; do
  pattern=$(sed -nE 's#.*\^(/\(.*oauth/\(consent.*)\((/\|\$)\).*#\1#p; s#.* (/\(oauth/\(consent.*)\[/\? \].*#\1#p; s#.*~ \^(/.*)\(/\|\$\) \{#\1#p' "conf/$file" | sort -u | paste -sd '|')
  [ -n "$pattern" ] || { wrong "conf/$file has no pattern for verified users"; continue; }
  missed=$(grep -vE "^($pattern)(/|$)" <<<"$people") && wrong "conf/$file authenticates nobody at: $(tr '\n' ' ' <<<"$missed")"
  extra=$(grep -xE "$programs" <<<"$paths" | grep -E "^($pattern)(/|$)") && wrong "conf/$file authenticates people where programs call: $extra"
done

# expect FILE PATTERN: the words that the pattern finds in the file are the names of the gate's
# facts
names=$(grep -rhoE '"Consentgate-[A-Z][A-Za-z-]+"' src include | sed 's/"Consentgate-//; s/"//' | grep -vxE 'Authorization|Key|Status|Error|Say|Call|Again' | sort -u)
[ "$(wc -l <<<"$names")" -ge 6 ] || wrong "hardly any header was found: is this guard looking in the right place?"
expect() {
  local found
  found=$(sed -nE "s#^ *$2.*#\1#p" "conf/$1" | tr '[:upper:]' '[:lower:]' | sort)
  [ "$found" = "$(tr '[:upper:]' '[:lower:]' <<<"$names" | sort)" ] || wrong "conf/$1 has not each of the gate's headers once: $2"
}
expect apache/gate.conf 'Use ConsentgateHeader ([A-Z][A-Za-z-]+) +CONSENTGATE_'
expect nginx/protect.conf 'proxy_set_header Consentgate-([A-Z][A-Za-z-]+)'
for name in $(tr 'A-Z-' 'a-z_' <<<"$names"); do
  grep -qE "^auth_request_set .*[$]upstream_http_consentgate_$name;" conf/nginx/protect.conf || wrong "conf/nginx/protect.conf does not take $name from the gate"
done
expect shared-hosting/gate.htaccess 'RequestHeader set Consentgate-([A-Z][A-Za-z-]+) '
# By RFC 9110 section 5.6.2 a name may have these signs beside letters, digits and -. CGI reads each
# of them as _.
signs='! # $ % & '"'"' * + . ^ _ ` | ~'
set -f
for sign in $signs; do
  grep -qF "RequestHeader unset \"\$first$sign\$second\"" conf/apache/gate.conf || wrong "conf/apache/gate.conf lets names with $sign through"
  for name in $names; do
    grep -qF "RequestHeader unset \"Consentgate$sign$name\"" conf/shared-hosting/gate.htaccess || wrong "conf/shared-hosting/gate.htaccess lets Consentgate$sign$name through"
  done
done
set +f
for pattern in 'Header unset Variable-CONSENTGATE_' 'Header always unset Variable-CONSENTGATE_'; do
  for name in $(tr 'a-z-' 'A-Z_' <<<"$names") AUTHORIZATION KEY KEY_HEADER PASSED CALL AGAIN; do
    grep -qx "$pattern$name" conf/shared-hosting/gate.htaccess || wrong "conf/shared-hosting/gate.htaccess shows clients $name"
  done
done
# A refusal that mod_fcgid takes for a yes is one only where the file refuses it itself.
grep -qx 'Require env CONSENTGATE_PASSED' conf/shared-hosting/gate.htaccess || wrong "conf/shared-hosting/gate.htaccess lets refused calls pass"
# nginx puts the gate's words into its own answers.
for name in status error say call again; do
  grep -qE "^auth_request_set .*[$]upstream_http_consentgate_$name;" conf/nginx/protect.conf || wrong "conf/nginx/protect.conf does not take the gate's $name"
done
lua=$(sed -nE 's/.*ipairs\(\{ (.*) \}\).*/\1/p' conf/lighttpd/gate.lua | tr -d '" ' | tr ',' '\n' | sort)
[ "$lua" = "$names" ] || wrong "conf/lighttpd/gate.lua has not each of the gate's headers once"

# What each file says in numbers: the longest line of the gate's answer, and an hour of silence.
says() { grep -qE "^ *$2" "conf/$1" || wrong "conf/$1 does not say $2"; }
says apache/gate.conf 'SetEnvIf Request_URI \. CONSENTGATE_LINE_LIMIT=8100$'
says shared-hosting/gate.htaccess 'SetEnvIf Request_URI \. CONSENTGATE_LINE_LIMIT=8100$'
says lighttpd/gate.lua 'facts\["CONSENTGATE_LINE_LIMIT"\] = "60000"$'
says nginx/gate.conf 'fastcgi_param CONSENTGATE_LINE_LIMIT 64000;$'
says nginx/gate.conf 'fastcgi_buffer_size 64k;$'
says apache/gate.conf 'ProxyPass .* timeout=3600$'
says lighttpd/protect.conf 'server\.max-write-idle = 3600$'
says nginx/protect.conf 'proxy_read_timeout 1h;$'
exit $status
