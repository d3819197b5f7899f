// Sites in a web server beside consentgate, or in its virtual host, as administrators
// write them: what the tests of mounting put around the files as shipped.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { fronts } from './fronts.mjs';

// A site behind the web server: it has an OAuth server, too, as GitLab
// has, and says what reached it.
export async function startSite() {
  const site = http.createServer(async (request, response) => {
    let body = '';
    for await (const part of request) body += part;
    const { connection, ...headers } = request.headers;
    response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify({ site: true, method: request.method, url: request.url, headers, body }));
  });
  await new Promise((resolve) => { site.listen(0, '127.0.0.1', resolve); });
  return { port: site.address().port, stop: () => new Promise((resolve) => { site.close(resolve); site.closeAllConnections(); }) };
}

// The folder of a site, with certbot's challenge and a page for everything.
export function makeFolder(folder) {
  const www = path.join(folder, 'www');
  fs.mkdirSync(path.join(www, '.well-known/acme-challenge'), { recursive: true });
  fs.writeFileSync(path.join(www, '.well-known/acme-challenge/token'), 'challenge');
  fs.writeFileSync(path.join(www, 'index.html'), 'front controller');
  fs.writeFileSync(path.join(www, 'page.css'), 'a page of the site');
  execFileSync('chmod', ['-R', 'a+rX', www]);
  return www;
}

// ---- Apache -------------------------------------------------------------------------------------
// in: port, www, to  the web server's port, the site's folder, the address of the site behind
const apacheOthers = ({ port, www, to }) => `
<VirtualHost *:${port}>
    ServerName gitlab.example
    ProxyPass / ${to}/
</VirtualHost>
<VirtualHost *:${port}>
    ServerName plain.example
    RewriteEngine On
    RewriteCond %{REQUEST_URI} !^/\\.well-known/acme-challenge/
    RewriteRule ^ https://plain.example%{REQUEST_URI} [R=301,L]
    DocumentRoot ${www}
    <Directory ${www}>
        Require all granted
    </Directory>
</VirtualHost>
<VirtualHost *:${port}>
    ServerName files.example
    DocumentRoot ${www}
    CustomLog \${APACHE_LOG_DIR}/files.log combined
    <Directory ${www}>
        Require all granted
    </Directory>
</VirtualHost>
`;
const apacheFolder = (www) => `DocumentRoot ${www}\n<Directory ${www}>\nRequire all granted\n</Directory>`;
const apacheSites = {
  'that passes everything on, but for certbot, and hides names with a dot': ({ www, to }) => `${apacheFolder(www)}
    RedirectMatch 404 /\\.(?!well-known/acme)
    <LocationMatch "/\\.(?!well-known/acme)">
        Require all denied
    </LocationMatch>
    Alias /.well-known/acme-challenge/ ${www}/.well-known/acme-challenge/
    ProxyPass /.well-known/ !
    ProxyPass / ${to}/`,
  'with a front controller and another handler for everything': ({ www }) => `${apacheFolder(www)}
    <Location "/">
        SetHandler default-handler
    </Location>
    RewriteEngine On
    RewriteCond %{REQUEST_URI} !^/(index\\.html|page\\.css|\\.well-known/acme-challenge/.*)$
    RewriteRule ^ /index.html [L]`,
  'that is closed, and passes on from a section': ({ to }) => `
    <Location "/">
        ProxyPass ${to}/
        AuthType Basic
        AuthName "The site"
        AuthUserFile /dev/null
        Require valid-user
    </Location>`,
  'that is closed in the words of Apache 2.2, with its rewriting off': ({ www }) => `${apacheFolder(www)}
    RewriteEngine Off
    <Location "/">
        Order deny,allow
        Deny from all
    </Location>`,
  'that lets everybody in': ({ www }) => `${apacheFolder(www)}
    <Location "/">
        Require all granted
        Order allow,deny
        Allow from all
        Satisfy Any
    </Location>`,
};
const apache = {
  sites: apacheSites,
  write(folder, mounted, site, facts) {
    const file = path.join(folder, 'apache2/sites-available/000-default.conf');
    facts.apache ??= fs.readFileSync(file, 'utf8');
    const ours = mounted ? facts.apache : facts.apache.replace(/^ *Use Consentgate.*\n/gm, '');
    execFileSync('a2enmod', ['-q', 'rewrite', 'alias', 'access_compat', 'auth_basic', 'authn_file'], { env: { ...process.env, APACHE_CONFDIR: path.join(folder, 'apache2') }, stdio: 'pipe' });
    fs.writeFileSync(file, ours.replace(/^ *DocumentRoot .*\n/m, '').replace('</VirtualHost>', `${site?.(facts) ?? ''}\n</VirtualHost>${apacheOthers(facts)}`));
  },
};

// ---- nginx --------------------------------------------------------------------------------------
const nginxOthers = ({ port, www, to }) => `
server { listen 127.0.0.1:${port}; server_name gitlab.example; location / { proxy_pass ${to}; } }
server {
    listen 127.0.0.1:${port};
    server_name plain.example;
    location ^~ /.well-known/acme-challenge/ { root ${www}; }
    location / { return 301 https://plain.example$request_uri; }
}
server { listen 127.0.0.1:${port}; server_name files.example; root ${www}; }
`;
const nginxSites = {
  'that passes everything on, but for certbot, and hides names with a dot': ({ www, to }) => `
    location ~ /\\. { deny all; }
    location ^~ /.well-known/ { root ${www}; }
    location ~* \\.(css|js|svg|json)$ { root ${www}; }
    location / { proxy_pass ${to}; }`,
  'with a front controller': ({ www }) => `
    root ${www};
    location / { try_files $uri /index.html; }`,
  'that rewrites in its server block': ({ www }) => `
    root ${www};
    if ($uri ~ ^/mcp(/|$)) { break; }
    if (!-e $request_filename) { rewrite ^ /index.html last; }`,
  'that is closed but for this machine, which needs no password': ({ www }) => `
    root ${www};
    satisfy any;
    allow 127.0.0.1;
    deny all;
    auth_basic "The site";
    auth_basic_user_file /dev/null;`,
};
const nginx = {
  sites: nginxSites,
  write(folder, mounted, site, facts) {
    const file = path.join(folder, 'front.conf');
    facts.nginx ??= fs.readFileSync(file, 'utf8');
    const ours = mounted ? facts.nginx : facts.nginx.replace(/^(include consentgate|location \^~ \/mcp).*\n/gm, '');
    const end = ours.lastIndexOf('}', ours.lastIndexOf('}') - 1);
    fs.writeFileSync(file, `${ours.slice(0, end)}${site?.(facts) ?? ''}\n}\n${nginxOthers(facts)}}\n`.replace('server {', 'server {\nserver_name 127.0.0.1;'));
  },
};

// ---- lighttpd -----------------------------------------------------------------------------------
const lighttpdModules = 'server.modules += ( "mod_redirect", "mod_rewrite", "mod_access", "mod_alias", "mod_auth", "mod_authn_file", "mod_proxy" )\nindex-file.names = ( "index.html" )\nmimetype.assign = ( "" => "text/plain" )\n';
const lighttpdOthers = ({ www, site }) => `
$HTTP["host"] == "gitlab.example" { proxy.server = ( "" => (( "host" => "127.0.0.1", "port" => ${site} )) ) }
$HTTP["host"] == "plain.example" {
    server.document-root = "${www}"
    $HTTP["url"] !~ "^/\\.well-known/acme-challenge/" { url.redirect = ( "" => "https://plain.example\${url.path}" ) }
}
$HTTP["host"] == "files.example" { server.document-root = "${www}" }
`;
const lighttpdSites = {
  'that passes everything on, but for certbot, and hides names with a dot': ({ www, site }) => `
    alias.url = ( "/.well-known/acme-challenge/" => "${www}/.well-known/acme-challenge/" )
    $HTTP["url"] =~ "/\\.(?!well-known/acme)" { url.access-deny = ( "" ) }
    $HTTP["url"] !~ "^/\\.well-known/acme" { proxy.server = ( "" => (( "host" => "127.0.0.1", "port" => ${site} )) ) }`,
  'with a front controller': ({ www }) => `
    server.document-root = "${www}"
    url.rewrite-once = ( "^/(index\\.html|page\\.css|\\.well-known/acme-challenge/.*)$" => "$0", "" => "/index.html" )`,
  'that is closed': ({ www }) => `
    server.document-root = "${www}"
    auth.backend = "htpasswd"
    auth.backend.htpasswd.userfile = "/dev/null"
    auth.require = ( "" => ( "method" => "basic", "realm" => "The site", "require" => "valid-user" ) )
    url.redirect = ( "^/(oauth|mcp)" => "/elsewhere" )`,
};
const lighttpd = {
  sites: lighttpdSites,
  // in: host  makes of the lines for a host's block what stands in it
  write(folder, mounted, site, facts, host = (modules, lines) => [modules, lines]) {
    const file = path.join(folder, 'front.conf');
    facts.lighttpd ??= fs.readFileSync(file, 'utf8');
    const [, head, modules, lines] = /^([^]*?)(include "[^"]*modules\.conf"\n)([^]*)$/.exec(facts.lighttpd);
    const [top, block] = mounted ? host(modules, lines) : ['', ''];
    fs.writeFileSync(file, `${head}${top}${lighttpdModules}${lighttpdOthers(facts)}$HTTP["host"] =~ "^127\\.0\\.0\\.1" {${site?.(facts) ?? ''}\n${block}}\n`);
  },
};

// ---- shared hosting -----------------------------------------------------------------------------
const hosting = {
  // As WordPress writes them below what is there.
  sites: { 'with a front controller': () => 'RewriteEngine On\nRewriteCond %{REQUEST_FILENAME} !-f\nRewriteRule . /index.html [L]\n' },
  write(folder, mounted, site, facts) {
    const file = path.join(folder, 'site/.htaccess');
    facts.hosting ??= fs.readFileSync(file, 'utf8');
    fs.cpSync(facts.www, path.join(folder, 'site'), { recursive: true });
    fs.writeFileSync(file, `${mounted ? facts.hosting : ''}${site?.(facts) ?? ''}`);
  },
};

const of = { Apache: apache, nginx, lighttpd, 'Apache on shared hosting': hosting };
// Each front with `sites`, by what is said of them, and `around(folder, mounted, site, facts)`:
// the web server with a site in consentgate's host and others beside it, with
// consentgate mounted or not.
export const frontsWithSites = fronts.map((front) => ({ ...front, sites: of[front.name].sites, around: of[front.name].write }));
