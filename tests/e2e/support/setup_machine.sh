#!/bin/bash
# A machine that systemd runs (throwaway.sh --systemd) with one of Debian's web servers and several
# sites: tools.example.org, where README's lines put an MCP server; a redirect to it on port 80,
# with certbot's address; a stand-in for GitLab, which has addresses like ours; and one that passes
# everything on. Types README's lines and prints a line `FACT=VALUE` for each observation.
#   setup_machine.sh PACKAGE README FILE   the name of FILE is apache, nginx or lighttpd
set -u
package=$1 readme=$2 server=$(basename "$3")
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C ASAN_OPTIONS=detect_leaks=0 HOME=/root
home=/srv/machine site=https://tools.example.org api=/api/oauth/per-user
mkdir -p $home/build $home/www && cp "$package" $home/build/ && cd $home || exit 1
fact() { printf '%s=%s\n' "$1" "$2"; }
yes_no() { if "$@" >/dev/null 2>&1; then echo yes; else echo no; fi; }
until_ok() { local i; for ((i = 0; i < 100; i++)); do "$@" && return; sleep 0.1; done; return 1; }
status() { curl -s -o /dev/null -w '%{http_code}' "$@"; }
note() { awk '{ print "# " $0 }'; }

# ---- the machine ---------------------------------------------------------------------------------
make_certificate() {
  echo '127.0.0.1 tools.example.org gitlab.example.org app.example.org' >>/etc/hosts
  openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj '/CN=An authority' -keyout ca.key \
    -out /usr/local/share/ca-certificates/authority.crt
  openssl req -newkey rsa:2048 -nodes -subj /CN=machine -keyout machine.key -out machine.csr
  echo subjectAltName=DNS:tools.example.org,DNS:gitlab.example.org,DNS:app.example.org >san
  openssl x509 -req -in machine.csr -CA /usr/local/share/ca-certificates/authority.crt -CAkey ca.key \
    -days 2 -extfile san -out machine.crt
  cat machine.crt machine.key >machine.pem
  update-ca-certificates
}

# The MCP server, which says who calls; and what the other sites pass on to.
start_behind() {
  cat >behind.py <<'PYTHON'
import http.server, json, sys, threading

class Mcp(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or "{}")
        result = {"protocolVersion": "2025-06-18", "capabilities": {}, "serverInfo": {
            "name": self.headers.get("Consentgate-User", ""), "version": "1"}}
        self.say(200, "application/json", json.dumps({"jsonrpc": "2.0", "id": asked.get("id"), "result": result}))
    def do_GET(self):
        self.say(405, "text/plain", "POST alone")
    do_DELETE = do_GET
    def say(self, status, kind, body):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())
    def log_message(self, *words): pass

class Site(Mcp):
    def do_GET(self):
        self.say(200, "text/plain", "app " + self.path + "\n")
    do_POST = do_GET

servers = [http.server.ThreadingHTTPServer(("127.0.0.1", port), kind) for port, kind in ((3001, Mcp), (3002, Site))]
threading.Thread(target=servers[0].serve_forever, daemon=True).start()
servers[1].serve_forever()
PYTHON
  python3 behind.py >behind.log 2>&1 &
  mkdir -p www/{tools,gitlab}/.well-known/acme-challenge www/gitlab/oauth
  echo 'tools home' >www/tools/index.html
  echo 'a challenge' >www/tools/.well-known/acme-challenge/x
  echo 'gitlab asks who you are' >www/gitlab/oauth/authorize
  echo 'gitlab knows itself' >www/gitlab/.well-known/oauth-authorization-server
  chmod -R a+rX www machine.pem machine.crt machine.key && chmod a+x $home
}

make_apache() {
  printf 'Listen 127.0.0.1:80\nListen 127.0.0.1:443\n' >/etc/apache2/ports.conf
  a2dissite -q 000-default
  local tls="SSLEngine On
    SSLCertificateFile $home/machine.crt
    SSLCertificateKeyFile $home/machine.key"
  cat >/etc/apache2/sites-available/tools.conf <<SITE
<VirtualHost *:80>
    ServerName tools.example.org
    Alias /.well-known/acme-challenge/ $home/www/tools/.well-known/acme-challenge/
    RewriteEngine On
    RewriteCond %{REQUEST_URI} !^/\.well-known/acme-challenge/
    RewriteRule ^ $site%{REQUEST_URI} [R=301,L]
</VirtualHost>
<IfModule mod_ssl.c>
<VirtualHost *:443>
    ServerName tools.example.org
    DocumentRoot $home/www/tools
    $tls
    # A front controller, as many sites have one.
    RewriteEngine On
    RewriteCond %{REQUEST_URI} !^/\.well-known/acme-challenge/
    RewriteRule ^ /index.html [L]
</VirtualHost>
</IfModule>
SITE
  cat >/etc/apache2/sites-available/others.conf <<SITE
<Directory $home/www>
    Require all granted
</Directory>
<VirtualHost *:443>
    ServerName gitlab.example.org
    DocumentRoot $home/www/gitlab
    $tls
</VirtualHost>
<VirtualHost *:443>
    ServerName app.example.org
    $tls
    ProxyPass / http://127.0.0.1:3002/
</VirtualHost>
SITE
  a2enmod -q ssl rewrite proxy proxy_http
  a2ensite -q tools others
  site_file=/etc/apache2/sites-available/tools.conf service=apache2
}

make_nginx() {
  rm -f /etc/nginx/sites-enabled/default
  local tls="ssl_certificate $home/machine.crt; # managed by Certbot
    ssl_certificate_key $home/machine.key;"
  cat >/etc/nginx/sites-available/tools <<SITE
server {
    listen 127.0.0.1:80;
    server_name tools.example.org;
    location /.well-known/acme-challenge/ { root $home/www/tools; }
    location / { return 301 https://\$host\$request_uri; }
}
server {
    listen 127.0.0.1:443 ssl;
    server_name tools.example.org;
    root $home/www/tools;
    $tls
    location ^~ /.well-known/ { allow all; }
    location ~ /\. { deny all; }
    location ~* \.(css|js|svg|png)\$ { expires 30d; }
    location / { try_files \$uri /index.html; }
}
SITE
  cat >/etc/nginx/sites-available/others <<SITE
server {
    listen 127.0.0.1:443 ssl;
    server_name gitlab.example.org;
    root $home/www/gitlab;
    $tls
}
server {
    listen 127.0.0.1:443 ssl;
    server_name app.example.org;
    $tls
    location / { proxy_pass http://127.0.0.1:3002; }
}
SITE
  ln -s ../sites-available/tools ../sites-available/others /etc/nginx/sites-enabled/
  site_file=/etc/nginx/sites-available/tools service=nginx
}

make_lighttpd() {
  rm -f /etc/lighttpd/conf-enabled/*
  cat >/etc/lighttpd/conf-available/50-sites.conf <<SITE
server.modules += ( "mod_openssl" )
server.modules += ( "mod_proxy" )
server.bind = "127.0.0.1"
\$SERVER["socket"] == "127.0.0.1:443" {
    ssl.engine = "enable"
    ssl.pemfile = "$home/machine.pem"
}
\$HTTP["scheme"] == "http" {
    \$HTTP["host"] == "tools.example.org" {
        server.document-root = "$home/www/tools"
        \$HTTP["url"] !~ "^/\.well-known/acme-challenge/" {
            url.redirect = ( "^/(.*)" => "$site/\$1" )
        }
    }
}
else \$HTTP["host"] == "tools.example.org" {
    server.document-root = "$home/www/tools"
    url.rewrite-if-not-file = ( "^/(?!\.well-known/acme-challenge/)" => "/index.html" )
}
\$HTTP["host"] == "gitlab.example.org" {
    server.document-root = "$home/www/gitlab"
}
\$HTTP["host"] == "app.example.org" {
    proxy.server = ( "" => (( "host" => "127.0.0.1", "port" => 3002 )) )
}
SITE
  # The site's rewrites need a module that Debian does not load by itself.
  sed -i 's/"mod_redirect",/"mod_redirect", "mod_rewrite",/' /etc/lighttpd/lighttpd.conf
  lighty-enable-mod sites
  site_file=/etc/lighttpd/conf-available/50-sites.conf service=lighttpd
}

# ---- what is observed ----------------------------------------------------------------------------
# The answers of the sites whom nobody asked to change.
other_sites() {
  local url
  for url in https://gitlab.example.org/oauth/authorize https://app.example.org/mcp \
    https://gitlab.example.org/.well-known/oauth-authorization-server \
    https://app.example.org/oauth/consent https://app.example.org/api/oauth/per-user/register \
    https://gitlab.example.org/api/oauth/x https://gitlab.example.org/mcp $site/ \
    $site/.well-known/acme-challenge/x http://tools.example.org/.well-known/acme-challenge/x; do
    curl -s -w "%{http_code} $url\n" "$url" | sed 's/<hr>.*//'
  done
  curl -s -o /dev/null -w '%{http_code} %{redirect_url}\n' http://tools.example.org/any/page
}
everything() { find /etc /var/lib/consentgate -type f ! -path '/etc/ssl/*' ! -name '*.db*' -exec md5sum '{}' + | sort -k 2; }

location() { tr -d '\r' | sed -n 's/^[Ll]ocation: //p'; }
parameter() { sed -n "s/.*[?&]$1=\([^&]*\).*/\1/p"; }
member() { sed -n "s/.*\"$1\": *\"\([^\"]*\)\".*/\1/p" | head -n 1; }
initialize='{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"test","version":"1"}}}'
call() { curl -s -X POST -H 'Content-Type: application/json' -H 'Accept: application/json, text/event-stream' -d "$initialize" "$@" $site/mcp; }
# A client registers, its person types the key, the client calls. Prints whom the MCP server saw.
signed_in_call() { # signed_in_call KEY
  local redirect=http://127.0.0.1:53111/callback client verifier challenge flow code token
  client=$(curl -s -H 'Content-Type: application/json' $site$api/register \
    -d "{\"redirect_uris\":[\"$redirect\"],\"token_endpoint_auth_method\":\"none\"}" | member client_id)
  verifier=$(openssl rand -hex 32)
  challenge=$(printf %s "$verifier" | openssl dgst -sha256 -binary | base64 | tr '+/' '-_' | tr -d '=')
  flow=$(curl -s -c jar -D - -o /dev/null -G $site$api/authorize -d response_type=code \
    -d client_id="$client" -d redirect_uri=$redirect -d code_challenge="$challenge" \
    -d code_challenge_method=S256 -d resource=$site/mcp | location | parameter flow_id)
  curl -s -b jar -o /dev/null -d flow_id="$flow" -d vk="$1" $site$api/consent/vk
  code=$(curl -s -b jar -D - -o /dev/null -d flow_id="$flow" $site$api/consent/submit |
    location | parameter code)
  token=$(curl -s $site$api/token -d grant_type=authorization_code -d client_id="$client" \
    -d code="$code" -d code_verifier="$verifier" | member access_token)
  call -H "Authorization: Bearer $token" | member name
}

# The web server's unit fails while the site has lines of ours.
refuse_to_reload() {
  local unless="/bin/sh -c '! grep -qi consentgate $site_file'" lines
  case $server in
  apache) lines="ExecReload=\nExecReload=$unless\nExecReload=/usr/sbin/apachectl graceful" ;;
  nginx) lines="ExecReload=\nExecReload=$unless\nExecReload=/usr/sbin/nginx -s reload" ;;
  lighttpd) lines="ExecStartPre=$unless" ;; # setup restarts it
  esac
  mkdir -p "/etc/systemd/system/$service.service.d"
  printf "[Service]\n$lines\n" >"/etc/systemd/system/$service.service.d/refuses.conf"
  systemctl daemon-reload
}

# README's lines for this web server; a terminal answers the question of `setup` with yes.
readme_lines() {
  local kind=machine
  [ "$server" = apache ] || kind=$server-machine
  awk -v open="\`\`\`sh $kind" '$0 == open { on = 1; next } /^```/ { on = 0 } on' "$readme"
}
type_line() {
  case $1 in
  *'-admin setup '*) echo y | script -qec "$1" /dev/null ;;
  *) eval "$1" ;;
  esac
}

{ make_certificate; start_behind; "make_$server"; } >made 2>&1 || note <made
# A build with sanitizers looks for leaks by tracing itself, which the units forbid.
for unit in consentgate.service consentgate-gate@.service; do
  mkdir -p "/etc/systemd/system/$unit.d"
  printf '[Service]\nEnvironment=ASAN_OPTIONS=detect_leaks=0\n' >"/etc/systemd/system/$unit.d/sanitizer.conf"
done
# nginx and lighttpd start when the machine is online, for which systemd waits two minutes here.
systemctl -q mask systemd-networkd-wait-online.service
systemctl daemon-reload
systemctl restart "$service" >out 2>&1 || note <out
until_ok curl -sf -o /dev/null https://app.example.org/
other_sites >before
note <before
setup=$(readme_lines | grep -e '-admin setup ')
fact typed_lines "$(readme_lines | grep -c .)"

readme_lines >lines
typed=0
while IFS= read -r line; do
  case $line in
  *'-admin setup '*)
    # First what must change nothing: a look, a no, and web server files that are wrong already.
    everything >whole
    eval "$setup --dry-run" >dry 2>&1; fact dry_run $?
    note <dry
    echo n | script -qec "$setup" /dev/null >out 2>&1; fact says_no "$(tail -n 1 out | tr -d '\r' | sed 's|.*\[y/N\] ||')"
    cp "$site_file" kept && echo 'nonsense {' >>"$site_file"
    eval "$setup --yes" >out 2>&1; fact wrong_already "$? $(grep -c 'before setup has changed anything' out)"
    cp kept "$site_file"
    # Now one that is wrong with our lines alone.
    case $server in
    apache) spoiled=/etc/apache2/conf-available/consentgate-gate.conf ;;
    nginx) spoiled=/usr/share/consentgate/conf/nginx/http.conf ;;
    lighttpd) spoiled=/usr/share/consentgate/conf/lighttpd/modules.conf ;;
    esac
    everything >whole_again
    fact nothing_changed "$(yes_no cmp whole whole_again)"
    cp "$spoiled" shipped && echo 'nonsense {' >>"$spoiled"
    eval "$setup --yes" >out 2>&1; fact wrong_with_ours "$? $(grep -c 'files are as they were' out)"
    note <out
    fact site_file_taken_back "$(yes_no cmp "$site_file" kept)"
    cp shipped "$spoiled"
    # And one whose files are right, but which does not take them.
    refuse_to_reload
    eval "$setup --yes" >out 2>&1; fact reload_fails "$? $(grep -c 'and it goes on with them' out) $(grep -c "journalctl -n 20 -u $service" out)"
    note <out
    fact taken_back_after_that "$(yes_no cmp "$site_file" kept) $(until_ok curl -sf -o /dev/null https://app.example.org/; status https://app.example.org/)"
    rm "/etc/systemd/system/$service.service.d/refuses.conf"; systemctl daemon-reload
    ;;
  esac
  type_line "$line" >out 2>&1 </dev/null; result=$?
  echo "\$ $line" | note; note <out
  [ $result = 0 ] || typed="$typed $line"
  case $line in *'key add'*) key=$(grep -o 'sk-bf-[A-Za-z0-9_-]*' out | head -n 1) ;; esac
done <lines
fact typed "$typed"

until_ok curl -sf -o /dev/null $site/.well-known/oauth-authorization-server
diff kept "$site_file" | note
fact lines "$(diff kept "$site_file" | sed -n 's/^> *//p' | tr '\n' ' ')"
fact guarded "$(status -X POST -H 'Content-Type: application/json' -d "$initialize" $site/mcp)"
fact signed_in_call "$(signed_in_call "${key:-}")"
other_sites >after
fact others_as_before "$(yes_no cmp before after)"; diff before after | note
consentgate-admin doctor >said 2>&1; fact doctor "$? $(grep -c '^broken' said)"
grep -v "^ok" said | note
everything >whole
eval "$setup" >again 2>&1; fact second_time "$? $(grep -c 'nothing changes' again)"
note <again
everything >whole_again
fact second_time_changed_nothing "$(yes_no cmp whole whole_again)"
eval "$setup --protect /more=http://127.0.0.1:3001/more --yes" >out 2>&1; fact another "$?"
note <out
fact another_is_guarded "$(status -X POST -H 'Content-Type: application/json' -d "$initialize" $site/more)"
# Types the doctor's first remedy as it stands. systemd may have given up both sockets meanwhile,
# which the doctor finds one after the other.
fixed_by_the_doctor() {
  for _ in 1 2 3 4; do
    eval "$(consentgate-admin doctor 2>/dev/null | sed -nE '2s/^ *((systemctl|chown) [^;]*).*/\1/p')"
    systemctl try-reload-or-restart consentgate.service 'consentgate-gate@*.service'
    until_ok curl -sf -o /dev/null $site/.well-known/oauth-authorization-server # lighttpd takes a while
    consentgate-admin doctor >said 2>&1 && break
  done
  note <said >&2
  tail -n 1 said
}
systemctl stop 'consentgate-gate@*.service' 'consentgate-gate@*.socket'; fact fixes_a_gate "$(fixed_by_the_doctor)"
systemctl stop consentgate.service consentgate.socket; fact fixes_pages "$(fixed_by_the_doctor)"
chown root: /var/lib/consentgate/consentgate.db; systemctl restart consentgate.service; curl -s -o out $site/oauth/sessions; sleep 1; fact fixes_an_owner "$(fixed_by_the_doctor)"
fact for_others "$(runuser -u nobody -- consentgate-admin check 2>&1 | sed 's/.* //' | tr '\n' ' ')"
# A command that stays root, and is the first to write to the audit file.
echo 'audit_file = /var/lib/consentgate/audit.log' >>/etc/consentgate/consentgate.conf
consentgate-admin client add Tool --redirect-uri http://127.0.0.1/callback >out 2>&1
fact audit_file "$(stat -c '%U %a' /var/lib/consentgate/audit.log) $(consentgate-admin key add Cleo >out 2>&1; echo $?)"
fact owner "$(stat -c '%U %a' /var/lib/consentgate/consentgate.db /var/lib/consentgate/consentgate.key | tr '\n' ' ')"
fact not_the_services "$(find /var/lib/consentgate ! -user consentgate)"
chown root: /var/lib/consentgate
consentgate-admin migrate >out 2>&1; fact folder_of_root "$? $(grep -c 'run: install -d -o consentgate' out)"
journalctl -u 'consentgate*' -o cat --no-pager | tail -n 20 | note
