#!/bin/bash
# Sourced by run.sh: the three web servers with their gates, by the files in conf/ as they are
# shipped, in front of one server behind that answers at once. Each has /open without a gate,
# /nothing with an authorizer that does nothing, /mcp with the gate.
#   start_gates   prints nothing; leaves the words for `bench gate` in FRONTS
start_gates() {
  local behind gate_port nothing_port port
  behind=$("$BUILD/bench" free-port) && start_behind "$behind"
  gate_port=$("$BUILD/bench" free-port)
  start spawn-fcgi -n -a 127.0.0.1 -p "$gate_port" -- "$BUILD/consentgate" --gate; local gate_tcp=$!
  sleep 0.3 # a port is free until it is listened on
  nothing_port=$("$BUILD/bench" free-port)
  start spawn-fcgi -n -a 127.0.0.1 -p "$nothing_port" -- "$BUILD/bench" authorize; local nothing_tcp=$!
  start spawn-fcgi -n -s "$VAR/gate.sock" -M 0666 -- "$BUILD/consentgate" --gate; local gate=$!
  start spawn-fcgi -n -s "$VAR/nothing.sock" -M 0666 -- "$BUILD/bench" authorize; local nothing=$!
  until_there "$VAR/gate.sock"; until_there "$VAR/nothing.sock"
  chmod 0711 "$VAR"
  FRONTS=()
  port=$("$BUILD/bench" free-port) && lighttpd_front "$port" "$behind" && FRONTS+=(lighttpd "$port" "$nothing" "$gate")
  port=$("$BUILD/bench" free-port) && apache_front "$port" "$behind" "$gate_port" "$nothing_port" && FRONTS+=(Apache "$port" "$nothing_tcp" "$gate_tcp")
  port=$("$BUILD/bench" free-port) && nginx_front "$port" "$behind" && FRONTS+=(nginx "$port" "$nothing" "$gate")
  for ((i = 1; i < ${#FRONTS[@]}; i += 4)); do until_answers "http://127.0.0.1:${FRONTS[i]}/open"; done
}

until_answers() { for ((n = 0; n < 100; n++)); do curl -sf -o "$VAR/answer" "$1" && return; sleep 0.05; done; fail "$1 did not answer"; }

# nginx_conf FILE TEXT PORT HTTP: what any nginx of ours needs, in its one server block the text,
# the port of the server behind, and lines for outside of the server block
nginx_conf() {
  local user=; ((UID == 0)) && user='user www-data;'
  mkdir -p "$1.d"; ((UID == 0)) && chown www-data "$1.d"
  cat >"$1" <<CONF
daemon off; $user pid $1.d/pid; error_log $1.d/log; worker_processes 2;
events { worker_connections 512; }
http { access_log off; client_body_temp_path $1.d/a; proxy_temp_path $1.d/b; fastcgi_temp_path $1.d/c; uwsgi_temp_path $1.d/d; scgi_temp_path $1.d/e;
${4:-}
upstream behind { server 127.0.0.1:$3; keepalive 32; }
server { $2 } }
CONF
}

start_behind() { nginx_conf "$VAR/behind.conf" "listen 127.0.0.1:$1; keepalive_requests 1000000; location / { default_type text/plain; return 200 'behind\n'; }" 9; start nginx -c "$VAR/behind.conf" -e "$VAR/servers.log"; }

nginx_front() {
  local conf=$HOME_DIR/conf
  mkdir -p "$VAR/consentgate"
  cp "$conf"/nginx/*.conf "$VAR/consentgate"
  sed -i "s#/run/consentgate/#$VAR/#" "$VAR"/consentgate/*.conf
  sed 's#_consentgate_gate#_nothing#' "$conf/nginx/protect.conf" >"$VAR/consentgate/nothing.conf"
  nginx_conf "$VAR/nginx.conf" "listen 127.0.0.1:$1; keepalive_requests 1000000;
    $(sed "s#/run/consentgate/#$VAR/#" "$conf"/nginx/{pages,gate}.conf)
    location = /_nothing { internal; include consentgate/fastcgi.conf; fastcgi_pass_request_body off; fastcgi_param CONTENT_LENGTH ''; fastcgi_pass unix:$VAR/nothing.sock; }
    location /open { proxy_http_version 1.1; proxy_set_header Connection ''; proxy_buffering off; proxy_pass http://behind; }
    location /nothing { include consentgate/nothing.conf; proxy_pass http://behind; }
    location /mcp { include consentgate/protect.conf; proxy_pass http://behind; }" "$2" \
    'include consentgate/http.conf;'
  start nginx -p "$VAR" -c "$VAR/nginx.conf" -e "$VAR/servers.log"
}

lighttpd_front() {
  local block
  block="\$HTTP[\"url\"] =~ \"^/mcp(/|\$)\" {
$(sed "s#/usr/bin/consentgate-admin#$BUILD/consentgate-admin#" "$HOME_DIR/conf/lighttpd/protect.conf")
    proxy.server = ( \"/\" => (( \"host\" => \"127.0.0.1\", \"port\" => $2 )) )
}"
  { cat <<CONF
server.port = $1
server.bind = "127.0.0.1"
server.document-root = "$HOME_DIR/examples/www"
server.max-keep-alive-requests = 1000000
CONF
    sed "s#/usr/share/consentgate/conf#$HOME_DIR/conf#" "$HOME_DIR/conf/lighttpd/modules.conf"
    sed "s#var.consentgate_gate#\"$VAR/gate.sock\"#" <<<"$block"
    sed "s#var.consentgate_gate#\"$VAR/nothing.sock\"#; s#\^/mcp#^/nothing#" <<<"$block"
    grep -v -e fastcgi.server -e magnet <<<"$block" | sed 's#\^/mcp#^/open#'; } >"$VAR/front.conf"
  start lighttpd -D -f "$VAR/front.conf"
}

apache_front() {
  local user= name gate
  ((UID == 0)) && user=$'User www-data\nGroup www-data'
  gate=$(sed "s/127.0.0.1:9008/127.0.0.1:$3/; s#/usr/bin/consentgate-admin#$BUILD/consentgate-admin#" \
    "$HOME_DIR/conf/apache/gate.conf")
  { for name in mpm_event authn_core authz_core authz_user proxy proxy_http authnz_fcgi headers macro; do echo "LoadModule ${name}_module /usr/lib/apache2/modules/mod_$name.so"; done
    cat <<CONF
ServerRoot "$VAR"
ServerName 127.0.0.1
Listen 127.0.0.1:$1
PidFile "$VAR/apache.pid"
ErrorLog "$VAR/apache.log"
DocumentRoot "$HOME_DIR/examples/www"
MaxKeepAliveRequests 0
$user
$gate
$(sed "s/127.0.0.1:$3/127.0.0.1:$4/; s/ConsentgateProtect/NothingProtects/; s/authn consentgate/authn nothing/; s/Provider consentgate/Provider nothing/" <<<"$gate")
Use ConsentgateProtect /mcp http://127.0.0.1:$2/mcp
Use NothingProtects /nothing http://127.0.0.1:$2/nothing
<Location /open>
ProxyPass http://127.0.0.1:$2/open flushpackets=on
</Location>
CONF
  } >"$VAR/apache.conf"
  start apache2 -D FOREGROUND -f "$VAR/apache.conf"
}
