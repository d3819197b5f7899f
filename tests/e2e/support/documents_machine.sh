#!/bin/bash
# Types what the documents tell an operator to type, on a machine that systemd runs (throwaway.sh
# --systemd). The machine is tools.example.org with Debian's Apache; mcp.notion.com and
# mcp.company.example are two more consentgates behind nginx, as services with their own OAuth;
# db.example.org is Debian's PostgreSQL with a certificate; the identity providers of
# docs/signin.md are the documents that each publishes, behind nginx.
#   documents_machine.sh PACKAGE STEPS
# STEPS is a script of calls `step PLACE KIND`, each with a block of a document as its input. Prints
# `PLACE=0` for each block whose every command succeeded, else what failed.
set -u
package=$1 steps=$2
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C ASAN_OPTIONS=detect_leaks=0 HOME=/root
home=/srv/machine site=https://tools.example.org api=/api/oauth/per-user
nginx_files=/usr/share/consentgate/conf/nginx
mkdir -p $home/build && cp "$package" $home/build/ && cd $home || exit 1
declare -A issuers=(
  [sso.example.org]=/realms/staff
  [login.microsoftonline.com]=/72f988bf-86f1-41af-91ab-2d7cd011db47/v2.0
  [accounts.google.com]='' [org.okta.com]='' [gitlab.com]='' [zitadel.example.org]=''
  [example.eu.auth0.com]=/ [auth.example.org]=/application/o/consentgate/
  [auth.example.com]='' [github.com]='' [api.github.com]='')
note() { awk '{ print "# " $0 }'; }

# ---- the machine: names, certificates, the site that is there already ----------------------------
make_certificates() {
  cat >>/etc/hosts <<'HOSTS'
127.0.0.1 tools.example.org
127.0.0.2 mcp.notion.com mcp.company.example
127.0.0.3 db.example.org
HOSTS
  echo "127.0.0.4 ${!issuers[*]}" >>/etc/hosts
  openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj '/CN=An authority' -keyout ca.key \
    -out /usr/local/share/ca-certificates/authority.crt
  openssl req -newkey rsa:2048 -nodes -subj /CN=machine -keyout machine.key -out machine.csr
  { printf 'subjectAltName=DNS:tools.example.org,DNS:mcp.notion.com,DNS:mcp.company.example'
    printf ',DNS:%s' db.example.org "${!issuers[@]}"; } >san
  openssl x509 -req -in machine.csr -CA /usr/local/share/ca-certificates/authority.crt -CAkey ca.key \
    -days 2 -extfile san -out machine.crt
  update-ca-certificates
}

make_site() {
  mkdir -p behind && echo behind >behind/mcp
  printf '%s\n' 'server.bind = "127.0.0.1"' 'server.port = 3001' \
    "server.document-root = \"$home/behind\"" \
    '$SERVER["socket"] == "127.0.0.1:3002" { }' >behind.conf
  lighttpd -D -f behind.conf >behind.log 2>&1 &
  printf 'Listen 127.0.0.1:80\nListen 127.0.0.1:443\n' >/etc/apache2/ports.conf
  cat >/etc/apache2/sites-available/000-default.conf <<SITE
<VirtualHost *:80>
    RewriteEngine On
    RewriteRule ^ $site%{REQUEST_URI} [R=301,L]
</VirtualHost>
<VirtualHost *:443>
    ServerName $site
    SSLEngine On
    SSLCertificateFile $home/machine.crt
    SSLCertificateKeyFile $home/machine.key
</VirtualHost>
SITE
  a2enmod -q ssl rewrite
  # A build with sanitizers looks for leaks by tracing itself, which the units forbid.
  for unit in consentgate.service consentgate-gate@.service; do
    mkdir -p "/etc/systemd/system/$unit.d"
    printf '[Service]\nEnvironment=ASAN_OPTIONS=detect_leaks=0\n' \
      >"/etc/systemd/system/$unit.d/sanitizer.conf"
  done
  systemctl daemon-reload
}

# A service with an OAuth of its own. Only when the package is there: it is a consentgate itself.
services_started=no
start_services() {
  [ $services_started = no ] || return 0
  services_started=yes
  local host
  echo 'events {} http { access_log off;' >nginx.conf
  mkdir -p consentgate && sed 's#fastcgi_keep_conn off;#&\nfastcgi_pass unix:$service_socket;#' \
    $nginx_files/fastcgi.conf >consentgate/fastcgi.conf
  for host in mcp.notion.com mcp.company.example; do
    mkdir -p "$host"
    printf '%s = %s\n' issuer "https://$host" resources "https://$host/mcp" \
      database "$home/$host/db" key_file "$home/$host/key" pages /usr/share/consentgate/pages \
      workers 1 >"$host/conf"
    consentgate-admin migrate --config "$host/conf"
    CONSENTGATE_CONFIG=$home/$host/conf spawn-fcgi -n -s "$home/$host/socket" -M 0666 -- \
      /usr/bin/consentgate >"$host/log" 2>&1 &
    cat >>nginx.conf <<NGINX
server {
    listen 127.0.0.2:443 ssl;
    server_name $host;
    ssl_certificate $home/machine.crt;
    ssl_certificate_key $home/machine.key;
    set \$service_socket $home/$host/socket;
    if (\$http_x_api_key) { return 401; } # nobody has made a key there
    location / { include $home/consentgate/fastcgi.conf; }
}
NGINX
  done
  echo '}' >>nginx.conf
  nginx -c $home/nginx.conf
  until_ok curl -sf -o /dev/null https://mcp.company.example/.well-known/oauth-authorization-server
  install -m 0600 /dev/stdin FILE <<<'a secret' # the FILE of docs/services.md
}

# Identity providers: what each publishes, and a token endpoint that refuses every code.
providers_started=no
start_providers() {
  [ $providers_started = no ] || return 0
  providers_started=yes
  local host issuer folder modulus
  modulus=$(openssl rsa -in machine.key -noout -modulus | cut -d = -f 2 |
    perl -ne 'chomp; print pack "H*", $_' | base64 -w 0 | tr '+/' '-_' | tr -d '=')
  for host in "${!issuers[@]}"; do
    issuer=https://$host${issuers[$host]}
    folder=providers/$host${issuers[$host]%/}/.well-known
    mkdir -p "$folder"
    printf '{"%s":"%s","%s":"%s","%s":"%s","%s":"%s","%s":["code"]}' issuer "$issuer" \
      authorization_endpoint "https://$host/authorize" token_endpoint "https://$host/token" \
      jwks_uri "https://$host/keys" response_types_supported >"$folder/openid-configuration"
    printf '{"keys":[{"kty":"RSA","kid":"1","use":"sig","n":"%s","e":"AQAB"}]}' "$modulus" \
      >"providers/$host/keys"
  done
  cat >providers.conf <<NGINX
pid $home/providers.pid;
events {}
http {
    access_log off;
    default_type application/json;
    ssl_certificate $home/machine.crt;
    ssl_certificate_key $home/machine.key;
    server {
        listen 127.0.0.4:443 ssl;
        root $home/providers/\$host;
        location = /token { return 400 '{"error":"invalid_grant"}'; }
        location = /user { return 401 '{"message":"Requires authentication"}'; }
        location = /authorize {
            return 302 $site/oauth/signin/corp/callback?error=login_required&state=\$arg_state;
        }
    }
}
NGINX
  nginx -c $home/providers.conf
  chmod -R a+rX providers
  until_ok curl -sf -o /dev/null https://sso.example.org/keys
  install -m 0600 /dev/stdin FILE <<<'a secret'
}

postgres_started=no
start_postgres() {
  [ $postgres_started = no ] || return 0
  postgres_started=yes
  install -o postgres -g postgres -m 0600 machine.key /etc/postgresql/15/main/machine.key
  cp machine.crt /etc/postgresql/15/main/machine.crt
  cat >/etc/postgresql/15/main/conf.d/documents.conf <<'CONF'
listen_addresses = '127.0.0.3'
ssl = on
ssl_cert_file = '/etc/postgresql/15/main/machine.crt'
ssl_key_file = '/etc/postgresql/15/main/machine.key'
CONF
  sed -i '1i hostssl consentgate consentgate 127.0.0.0/8 scram-sha-256' \
    /etc/postgresql/15/main/pg_hba.conf
  pg_ctlcluster 15 main start
}

until_ok() { local i; for ((i = 0; i < 100; i++)); do "$@" && return; sleep 0.1; done; return 1; }

# ---- the variables that commands name ------------------------------------------------------------
location() { tr -d '\r' | sed -n 's/^[Ll]ocation: //p'; }
parameter() { sed -n "s/.*[?&]$1=\([^&]*\).*/\1/p"; }
member() { sed -n "s/.*\"$1\": *\"\([^\"]*\)\".*/\1/p" | head -n 1; }
ID='' SECRET='' TOKEN='' OLD_KEY=''

# A person signs in to the resource whose server asks. Sets ID, SECRET and TOKEN.
sign_in() {
  [ -z "$TOKEN" ] || return 0
  local resource=$site/mcp redirect=http://127.0.0.1:53111/callback jar=jar
  local made client verifier challenge flow code
  made=$(as_user resource set $resource --service notion --rotate-secret --yes --json) # README added it
  SECRET=$(member after <<<"$made")
  ID=$(as_user resource list --json |
    sed -n "s#.*\"id\": *\"\([^\"]*\)\", *\"resource\": *\"$resource\".*#\1#p")
  # `server-key rotate --wait` waits for codes to expire.
  write_keys /etc/consentgate/consentgate.conf 'code_lifetime_seconds = 10'
  systemctl reload consentgate.service
  until_ok curl -sf -o /dev/null $site/.well-known/oauth-protected-resource/mcp
  client=$(curl -s -H 'Content-Type: application/json' $site$api/register \
    -d "{\"redirect_uris\":[\"$redirect\"],\"token_endpoint_auth_method\":\"none\"}" | member client_id)
  verifier=$(openssl rand -hex 32)
  challenge=$(printf %s "$verifier" | openssl dgst -sha256 -binary | base64 | tr '+/' '-_' | tr -d '=')
  flow=$(curl -s -c $jar -D - -o /dev/null -G $site$api/authorize -d response_type=code \
    -d client_id="$client" -d redirect_uri=$redirect -d code_challenge="$challenge" \
    -d code_challenge_method=S256 -d resource=$resource | location | parameter flow_id)
  curl -s -b $jar -o /dev/null -d flow_id="$flow" -d vk="$(as_user key add Somebody --json 2>/dev/null | member virtual_key)" \
    $site$api/consent/vk
  code=$(curl -s -b $jar -D - -o /dev/null -d flow_id="$flow" $site$api/consent/submit |
    location | parameter code)
  TOKEN=$(curl -s $site$api/token -d grant_type=authorization_code -d client_id="$client" \
    -d code="$code" -d code_verifier="$verifier" | member access_token)
  [ -n "$TOKEN" ] && [ -n "$ID" ] && [ -n "$SECRET" ]
}
as_user() { runuser -u consentgate -- consentgate-admin "$@"; }

prepare() { # what a block needs that is there before its reader comes
  case $1 in *mcp.notion.com* | *mcp.company.example*) start_services ;; esac
  case $1 in *'-admin idp add'*) start_providers ;; esac
  case $1 in *'$TOKEN'*) sign_in ;; esac
  # Keys as `server-key list --json` names them; the old one is no longer the last.
  # shellcheck disable=SC2034 # the command that is typed reads it
  case $1 in *'$OLD_KEY'*) OLD_KEY=$(as_user server-key list --json | tr -d '\n ' | tr '{' '\n' |
    grep '"state":"old"' | member id) ;; esac
  case $1 in *company-ca.pem*) cp /usr/local/share/ca-certificates/authority.crt company-ca.pem ;; esac
  case $1 in *db.example.org* | *'CREATE ROLE'*) start_postgres ;; esac
}

# ---- the kinds of blocks -------------------------------------------------------------------------
# Each command as it stands; a command line that goes on after a backslash is one.
type_commands() {
  local command='' line bad=0
  while IFS= read -r line; do
    command+=$line
    if [[ $line == *\\ ]]; then command=${command%\\}; continue; fi
    if [ -n "$command" ]; then
      echo "\$ $command" | note
      type_one "$command" >$home/out 2>&1 </dev/null
      check_answer "$command" $? || bad=1
      note <$home/out
    fi
    command=''
  done <<<"$1"
  return $bad
}

# A terminal answers the question of `setup` with yes.
type_one() {
  case $1 in
  *'-admin setup '*) echo y | script -qec "$1" /dev/null ;;
  *) eval "$1" ;;
  esac
}

# The answers that the documents promise. curl succeeds whatever it is answered.
check_answer() {
  case $1 in
  *introspect*) grep -q '"active":true' $home/out ;;
  *token-exchange*) grep -q '"connect_uri":"https://tools.example.org/' $home/out ;;
  *'-admin key add'*) grep -q 'sk-bf-' $home/out ;;
  *journalctl*) grep -q 'event=started' $home/out ;;
  *' &') sleep 0.2; kill -0 $! ;;
  # The signal is sent; the workers are new a moment later.
  *try-reload-or-restart*) sleep 2; [ "$2" = 0 ] ;;
  *) [ "$2" = 0 ] ;;
  esac
}

# Keys of the block replace those that are there.
write_keys() { # write_keys FILE BLOCK
  local key
  while IFS= read -r key; do sed -i "/^${key%% *} *=/d" "$1"; done <<<"$2"
  printf '%s\n' "$2" >>"$1"
}

into_virtual_host() {
  local line text='' file=/etc/apache2/sites-available/000-default.conf
  # A line that README's setup wrote already is not written a second time.
  while IFS= read -r line; do grep -qxF "    $line" $file || text+="    $line\\n"; done <<<"$1"
  sed -i "\$s#</VirtualHost>#$text</VirtualHost>#" $file
  # Before the package's configuration is enabled Apache cannot know its words.
  if [ -e /etc/apache2/conf-enabled/consentgate-gate.conf ]; then
    apache2ctl configtest && systemctl restart apache2
  fi
}

block() { # block KIND TEXT
  case $1 in
  'sh machine') type_commands "$2" ;;
  'sh old-machine')
    type_commands "$2"
    local status=$?
    systemctl start consentgate.socket consentgate-gate@tcp.socket
    return $status
    ;;
  'sh unix-gate') # for other web servers; this machine's Apache then gets its port back
    type_commands "$2"
    local status=$?
    [ -S /run/consentgate/gate.sock ] || status=1
    systemctl disable -q --now consentgate-gate@unix.socket
    systemctl enable -q --now consentgate-gate@tcp.socket
    return $status
    ;;
  'sh no-systemd')
    systemctl stop consentgate.socket 'consentgate-gate@*.socket' consentgate.service \
      'consentgate-gate@*.service'
    type_commands "$2"
    local status=$?
    until_ok curl -sf -o /dev/null $site/.well-known/oauth-authorization-server || status=1
    [ "$(curl -s -o /dev/null -w '%{http_code}' $site/mcp)" = 401 ] || status=1
    local masters
    masters=$(pgrep -f '^/usr/bin/consentgate( --gate)?$' -P $$)
    # shellcheck disable=SC2086
    kill $masters && wait $masters
    systemctl start consentgate.socket consentgate-gate@tcp.socket
    return $status
    ;;
  'apache vhost') into_virtual_host "$2" ;;
  'apache example') # in a virtual host of its own, which is gone afterwards
    printf '<VirtualHost 127.0.0.9:80>\n%s\n</VirtualHost>\n' "$2" \
      >/etc/apache2/sites-enabled/example.conf
    apache2ctl configtest
    local status=$?
    rm /etc/apache2/sites-enabled/example.conf
    return $status
    ;;
  'nginx balancer') # between machines that do not exist
    printf 'events {} http { upstream web_machines { server 10.0.0.2; server 10.0.0.3; }
      server {\n%s\n} }\n' "$2" >/etc/nginx/documents.conf
    nginx -t -c /etc/nginx/documents.conf
    ;;
  'ini consentgate.conf')
    write_keys /etc/consentgate/consentgate.conf "$2"
    as_user check
    ;;
  'ini example')
    install -m 0640 -o root -g consentgate /etc/consentgate/consentgate.conf example.conf
    write_keys example.conf "$2"
    consentgate-admin check --config example.conf
    ;;
  'lighttpd example')
    # Includes of the package's stand in a host's block; modules.conf comes first.
    case $2 in
    *consentgate*) lines='include "/usr/share/consentgate/conf/lighttpd/modules.conf"' in_host=$2 ;;
    *) lines=$2 in_host= ;;
    esac
    printf 'server.document-root = "/tmp"\n%s\n$HTTP["host"] == "tools.example.org" {\n%s\n}\n' \
      "$lines" "$in_host" >lighttpd.conf
    lighttpd -tt -f lighttpd.conf
    ;;
  'nginx example')
    # The line for outside of the server block is needed by those that protect a location.
    case $2 in
    *consentgate/http.conf*) printf '%s\n' "$2" >http_lines; return ;;
    esac
    lines=
    case $2 in *consentgate/protect.conf*) lines=$(cat http_lines) ;; esac
    printf 'events {} http {\n%s\nserver {\n%s\n} }\n' "$lines" "$2" >/etc/nginx/documents.conf
    nginx -t -c /etc/nginx/documents.conf
    ;;
  'sql postgresql') runuser -u postgres -- psql -v ON_ERROR_STOP=1 <<<"$2" ;;
  *) return 1 ;;
  esac
}

step() { # step PLACE KIND <BLOCK
  local text status
  text=$(cat)
  prepare "$text" >$home/prepared 2>&1 || note <$home/prepared
  block "$2" "$text" >$home/shown 2>&1 </dev/null
  status=$?
  grep -q '^# ' $home/shown && cat $home/shown || note <$home/shown
  printf '%s=%s\n' "$1" $status
}

{ make_certificates && make_site; } >$home/made 2>&1 || note <$home/made
# shellcheck source=/dev/null
. "$steps"
journalctl -u 'consentgate*' -o cat --no-pager | tail -n 40 | note
