// Broken set-ups, each really set up: the doctor's first line names the one cause, and the line of
// the web server's files to change where that is the cause. Each web server has one server, and
// from one case to the next only its files change.
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { fronts, startFront } from './support/fronts.mjs';
import { startServerBehind } from './support/mcp_behind.mjs';
import { makeCertificates } from './support/metadata_host.mjs';
import { freePort, plainFolder, root, until } from './support/server.mjs';

const run = promisify(execFile);
const options = { timeout: 240000 };
const build = process.env.BUILD || 'build/asan';
const asRoot = process.getuid() === 0;

// A server behind whose streams do not end, and which every address of this machine reaches.
async function startOpenServer() {
  const server = http.createServer((request, response) => {
    if (request.method === 'GET') { response.writeHead(200, { 'Content-Type': 'text/event-stream' }); response.flushHeaders(); } else response.writeHead(200, { 'Content-Type': 'application/json' }).end('{"jsonrpc":"2.0","id":1,"result":{}}');
  });
  await new Promise((resolve) => { server.listen(0, '0.0.0.0', resolve); });
  return { port: server.address().port, stop: () => { server.close(); server.closeAllConnections(); } };
}

// Whoever the web server of a front is, its files are in the server's folder.
class Site {
  constructor(name, server, behind) {
    Object.assign(this, { name, server, behind, folder: server.var });
    this.main = path.join(this.folder, name === 'Apache' ? 'apache2/apache2.conf' : 'front.conf');
  }

  files(folder = this.folder) {
    return fs.readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
      const name = path.join(folder, entry.name);
      if (entry.isDirectory()) return this.files(name);
      return entry.isFile() && /\.(conf|load|lua)$/.test(name) && entry.name !== 'consentgate.conf' || name.endsWith('apache2/conf-available/consentgate.conf') ? [name] : [];
    });
  }

  remember() { this.kept = new Map(this.files().map((file) => [file, fs.readFileSync(file, 'utf8')])); }
  restore() { for (const [file, text] of this.kept) if (fs.readFileSync(file, 'utf8') !== text) fs.writeFileSync(file, text); }

  // Puts a text in the place of another one, wherever it stands.
  change(from, to) {
    const found = this.files().filter((file) => { const text = fs.readFileSync(file, 'utf8'); return typeof from === 'string' ? text.includes(from) : from.test(text); });
    assert.ok(found.length > 0, `no file of ${this.name} has ${from}`);
    for (const file of found) fs.writeFileSync(file, fs.readFileSync(file, 'utf8').replaceAll(from, to));
  }
  append(text) { fs.appendFileSync(this.main, text); }
  // A server block of nginx beside the site's own.
  serve(block) { this.change(/^http \{$/gm, `http {\n${block}`); }

  async startWeb() {
    this.server.web = this.server.front.start(this.folder);
    const { port } = new URL(this.server.base);
    const opens = () => new Promise((done) => { const probe = net.connect(Number(port), '127.0.0.1', () => { probe.destroy(); done(true); }); probe.on('error', () => done(false)); });
    await until(async () => this.server.web.ended || opens(), `${this.name} to open its port or to end`);
  }

  async doctor({ words = [], env = {} } = {}) {
    const asking = ['doctor', '--json', '--web-config', this.main, ...words];
    const asked = run(path.resolve(root, build, 'consentgate-admin'), asking, { cwd: this.folder, env: { ...this.server.environment(), ...env } });
    const { stdout, code } = await asked.then((answer) => ({ ...answer, code: 0 }), (error) => error);
    return { code, findings: JSON.parse(stdout) };
  }
}

// in: broken  the function that breaks it, which may give back what to tell the doctor and how to
//             undo what is none of the web server's files
//     first   what the first finding says; fix: its remedy; note: it is no more than a note
function cases(name, guards, table) {
  describe(name, options, () => {
    let behind; let site;
    before(async () => {
      behind = await startServerBehind();
      const server = await startFront(fronts.find((one) => one.name === name), { guards: guards.map((at) => ({ at, port: behind.port })) });
      site = new Site(name, server, behind);
      site.remember();
    });
    after(async () => { await site?.server.stop(); await behind?.stop(); });

    test(`XF3: the doctor calls nothing wrong with ${name} as it is set up`, options, async () => {
      const { code, findings } = await site.doctor();
      const said = findings.filter(({ verdict, finding }) => verdict !== 'ok' && !/Anyone who can open|anyone on the Internet/.test(finding));
      assert.deepEqual([code, said], [0, []]);
      assert.ok(findings.some(({ finding }) => /a call of [^ ]*\/mcp with a session arrives at its server/.test(finding)), JSON.stringify(findings));
      assert.deepEqual(site.server.sql('SELECT id FROM session WHERE revoked_at IS NULL'), [], 'the doctor ends its sessions');
    });

    for (const { right, made, notes } of table.filter((one) => one.right)) {
      test(`XF3: the doctor calls nothing wrong with ${right}`, options, async () => {
        let given;
        try {
          given = await made(site);
          await site.server.web.stop();
          await site.startWeb();
          const { code, findings } = await site.doctor(given);
          const said = findings.filter(({ verdict, finding }) => verdict !== 'ok' && !/Anyone who can open|anyone on the Internet/.test(finding) && !notes?.test(finding));
          assert.deepEqual([code, said], [0, []]);
        } finally {
          await given?.undo?.();
          site.restore();
          await site.server.web.stop();
          await site.server.startWeb();
        }
      });
    }

    for (const { wrong, broken, first, fix = /./, note = false, skip = false } of table.filter((one) => one.wrong)) {
      test(`XF3: ${wrong}`, { ...options, skip }, async () => {
        let given;
        try {
          given = await broken(site);
          await site.server.web.stop();
          await site.startWeb();
          const { code, findings } = await site.doctor(given);
          const shown = JSON.stringify(findings.filter(({ verdict }) => verdict !== 'ok'), null, 1);
          assert.match(findings[0].finding, first, shown);
          assert.match(findings[0].fix, fix, shown);
          assert.equal(findings[0].verdict, note ? 'note' : 'broken', shown);
          assert.equal(code, note ? 0 : 1, shown);
          assert.equal(findings.filter(({ verdict, follows }) => verdict === 'broken' && !follows).length, note ? 0 : 1, `one cause, and the rest follows from it: ${shown}`);
        } finally {
          await given?.undo?.();
          site.restore();
          await site.server.web.stop();
          await site.server.startWeb();
        }
      });
    }
  });
}

const elsewhere = (site, socket) => site.change(`${site.folder}/${socket}`, `${site.folder}/elsewhere.sock`);
const rights = (file, mode, then) => { fs.chmodSync(file, mode); return { undo: () => fs.chmodSync(file, then) }; };

// An https front before the site, by nginx itself.
async function withTls(site, certificate, key, ca) {
  const port = await freePort();
  site.serve(`server { listen 127.0.0.1:${port} ssl; ssl_certificate ${certificate}; ssl_certificate_key ${key}; location / { proxy_pass ${site.server.base}; proxy_set_header Host $proxy_host; } }\n`);
  return { words: ['--url', `https://localhost:${port}`], env: { CONSENTGATE_SERVICE_CA: ca } };
}
const openssl = (...args) => execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] });
// A certificate of localhost with an authority between its own and the one that is known.
function makeChain(folder) {
  const file = (name) => path.join(folder, name);
  makeCertificates(folder, ['between', 'localhost']);
  fs.writeFileSync(file('between.ext'), 'basicConstraints=critical,CA:TRUE\n');
  openssl('x509', '-req', '-days', '2', '-in', file('between.csr'), '-CA', file('ca.pem'), '-CAkey', file('ca.key'), '-CAcreateserial', '-extfile', file('between.ext'), '-out', file('between.pem'));
  openssl('x509', '-req', '-days', '2', '-in', file('localhost.csr'), '-CA', file('between.pem'), '-CAkey', file('between.key'), '-CAcreateserial', '-extfile', file('localhost.ext'), '-out', file('leaf.pem'));
  return file;
}

cases('nginx', ['/mcp', '/other'], [
  { right: 'a proxy in front that ends TLS', made: (site) => { const folder = plainFolder(); const { ca } = makeCertificates(folder, ['localhost']); return withTls(site, path.join(folder, 'localhost.pem'), path.join(folder, 'localhost.key'), ca); } },
  { right: 'a resource that the web server does not have yet', notes: /the web server has nothing at [^ ]*\/other yet/, made: (site) => site.change(/^location \^~ \/other .*$/gm, '') },
  { right: 'a server behind that wants the Accept of a client, and answers in a stream', made: async (site) => {
    const strict = await startServerBehind();
    strict.server.removeAllListeners('request');
    strict.server.on('request', (request, response) => {
      const takes = /application\/json/.test(request.headers.accept ?? '') && /text\/event-stream/.test(request.headers.accept ?? '');
      if (request.method !== 'POST') response.writeHead(405).end();
      else if (!takes) response.writeHead(406).end();
      else response.writeHead(200, { 'Content-Type': 'text/event-stream' }).end('data: {"jsonrpc":"2.0","id":1,"result":{}}\n\n');
    });
    site.change(`127.0.0.1:${site.behind.port}`, `127.0.0.1:${strict.port}`);
    return { undo: () => strict.stop() };
  } },
  { wrong: 'a location of nginx that asks nobody', first: /ANYONE can call [^ ]*\/(mcp|other) without signing in/, fix: /front\.conf:\d+: `proxy_pass [^`]*`: .*protect\.conf/,
    broken: (site) => site.change(/^(location (?:\^~ )?\/other \{ )include consentgate\/protect\.conf;/gm, '$1') },
  { wrong: 'a catch-all that reaches the server in capitals', first: /ANYONE can call the server behind as [^ ]*\/MCP /, fix: /front\.conf:\d+: `proxy_pass/,
    broken: (site) => site.change(/^(location (?:\^~ )?\/mcp )/gm, `location ~ ^/MCP { proxy_pass http://127.0.0.1:${site.behind.port}; }\n$1`) },
  { wrong: 'a socket of the pages that is not there', first: /pages do not run: there is no socket [^ ]*elsewhere\.sock, which the web server asks \([^ )]*:\d+\)/, fix: /consentgate\.socket/, broken: (site) => elsewhere(site, 'consentgate.sock') },
  { wrong: 'a gate that is not there', first: /the gate do not run|the gate does not run/, fix: /consentgate-gate@/, broken: (site) => elsewhere(site, 'gate.sock') },
  { wrong: 'neither pages nor gate', first: /consentgate does not run/, fix: /journalctl/, broken: (site) => { elsewhere(site, 'consentgate.sock'); elsewhere(site, 'gate.sock'); } },
  { wrong: 'a socket of the pages that the web server may not use', skip: !asRoot, first: /www-data may not use [^ ]*consentgate\.sock \(mode 0600\)/, fix: /chmod 0660/, broken: (site) => rights(path.join(site.folder, 'consentgate.sock'), 0o600, 0o666) },
  { wrong: 'a socket of the gate that the web server may not use', skip: !asRoot, first: /www-data may not use [^ ]*gate\.sock \(mode 0600\)/, fix: /SocketGroup=www-data/, broken: (site) => rights(path.join(site.folder, 'gate.sock'), 0o600, 0o666) },
  { wrong: 'a folder of the sockets that the web server may not enter', skip: !asRoot, first: /www-data may not use [^ ]* \(mode 0700\)/, fix: /chmod o\+x/, broken: (site) => rights(site.folder, 0o700, 0o711) },
  { wrong: 'an nginx with ignore_invalid_headers off', first: /names like Consentgate_User reach the server behind/, fix: /front\.conf:\d+: `ignore_invalid_headers off`/, broken: (site) => site.change('server {\n', 'server {\nignore_invalid_headers off;\n') },
  { wrong: 'an nginx that takes smaller bodies than we do', first: /body of 60 KiB: answered 413/, fix: /:\d+: `client_max_body_size 8k`/, broken: (site) => site.change('client_max_body_size 1m', 'client_max_body_size 8k') },
  { wrong: 'a site that answers the well-known addresses itself', first: /\.well-known\/oauth-protected-resource\/mcp is answered by something else/, fix: /front\.conf:\d+: `return 200 /,
    broken: (site) => site.change('server {\n', 'server {\nlocation = /.well-known/oauth-protected-resource/mcp { return 200 "{}"; }\nlocation = /.well-known/oauth-protected-resource/other { return 200 "{}"; }\n') },
  { wrong: 'a resource that the servers do not know yet', first: /the servers do not know [^ ]*\/new yet/, fix: /try-reload-or-restart/,
    broken: async (site) => { await site.server.admin('resource', 'add', `${site.server.base}/new`); return { undo: () => site.server.admin('resource', 'remove', `${site.server.base}/new`, '--yes') }; } },
  { wrong: 'servers that run with another issuer than the configuration has', first: /is of the issuer http:[^ ]*, and the configuration here says https:\/\/tools\.example\.org/, fix: /try-reload-or-restart/,
    broken: (site) => ({ words: ['--url', site.server.base], env: { CONSENTGATE_ISSUER: 'https://tools.example.org', CONSENTGATE_RESOURCES: 'https://tools.example.org/mcp' } }) },
  { wrong: 'a database that was never made', first: /elsewhere\.db|does not exist/, broken: (site) => ({ env: { CONSENTGATE_DATABASE: path.join(site.folder, 'elsewhere.db') } }) },
  { wrong: 'a key file of another database', first: /the key file|server key/, fix: /^/, broken: async (site) => {
    const other = path.join(plainFolder(), 'other.key');
    await run(path.resolve(root, build, 'consentgate-admin'), ['migrate'], { env: { ...site.server.environment(), CONSENTGATE_KEY_FILE: other, CONSENTGATE_DATABASE: `${other}.db` } });
    return { env: { CONSENTGATE_KEY_FILE: other } };
  } },
  { wrong: 'a key file that others may read', first: /others of this machine may read the key file/, fix: /chmod 600/, broken: (site) => rights(site.server.keyFile, 0o644, 0o600) },
  { wrong: 'a database that root made for the services', skip: !asRoot, first: /the services run as www-data, who may not (read|write) /, fix: /^chown www-data: /, broken: () => ({ words: ['--user', 'www-data'] }) },
  { wrong: 'a server behind that does not run', first: /nothing listens at http:\/\/127\.0\.0\.1:9/, fix: /:\d+: .*start the MCP server/, broken: (site) => site.change(/^(location \^~ \/other .*proxy_pass http:\/\/127\.0\.0\.1:)\d+/gm, (all, line) => `${line}9`) },
  { wrong: 'a server behind that others reach, too', first: /listens on every address of this machine, port \d+/, fix: /127\.0\.0\.1/, note: true, broken: async (site) => {
    const open = await startOpenServer();
    site.change(/proxy_pass http:\/\/127\.0\.0\.1:\d+/g, `proxy_pass http://127.0.0.1:${open.port}`);
    return { undo: open.stop };
  } },
  { wrong: 'a proxy in front that buffers streams', first: /a stream of [^ ]*\/mcp does not begin/, fix: /buffer/, note: true, broken: async (site) => {
    const open = await startServerBehind();
    open.server.removeAllListeners('request');
    open.server.on('request', (request, response) => { if (request.method === 'GET') { response.writeHead(200, { 'Content-Type': 'text/event-stream' }); response.flushHeaders(); } else response.writeHead(200, { 'Content-Type': 'application/json' }).end('{}'); });
    site.change(`127.0.0.1:${site.behind.port}`, `127.0.0.1:${open.port}`);
    // It waits for the whole answer, as a CDN does that compresses or scans.
    const slow = http.createServer((request, response) => {
      const passed = http.request(`${site.server.base}${request.url.replace(/^http:\/\/[^/]*/, '')}`, { method: request.method, headers: { ...request.headers, host: new URL(site.server.base).host } }, (answer) => {
        const parts = [];
        answer.on('data', (part) => parts.push(part));
        answer.on('end', () => { const body = Buffer.concat(parts); const headers = { ...answer.headers, 'content-length': body.length }; delete headers['transfer-encoding']; response.writeHead(answer.statusCode, headers); response.end(body); });
      });
      passed.on('error', () => response.destroy());
      response.on('close', () => passed.destroy());
      request.pipe(passed);
    });
    await new Promise((resolve) => { slow.listen(0, '127.0.0.1', resolve); });
    return { words: ['--url', `http://127.0.0.1:${slow.address().port}`], undo: async () => { slow.close(); slow.closeAllConnections(); await open.stop(); } };
  } },
  { wrong: 'a certificate that has expired', first: /no answer: its TLS certificate is not good now/, fix: /certbot renew/, broken: (site) => {
    const folder = plainFolder();
    makeCertificates(folder, ['localhost']);
    const file = (name) => path.join(folder, name);
    openssl('x509', '-req', '-days', '-1', '-in', file('localhost.csr'), '-CA', file('ca.pem'), '-CAkey', file('ca.key'), '-CAcreateserial', '-extfile', file('localhost.ext'), '-out', file('past.pem'));
    return withTls(site, file('past.pem'), file('localhost.key'), file('ca.pem'));
  } },
  { wrong: 'a certificate of another host', first: /its TLS certificate is not for localhost/, fix: /ssl_certificate/, broken: (site) => {
    const folder = plainFolder();
    makeCertificates(folder, ['elsewhere.example']);
    return withTls(site, path.join(folder, 'elsewhere.example.pem'), path.join(folder, 'elsewhere.example.key'), path.join(folder, 'ca.pem'));
  } },
  { wrong: 'a certificate without its chain', first: /its TLS certificate comes without the chain/, fix: /fullchain\.pem/, broken: (site) => { const file = makeChain(plainFolder()); return withTls(site, file('leaf.pem'), file('localhost.key'), file('ca.pem')); } },
  { wrong: 'an address that nobody serves', first: /no answer: nothing listens there/, fix: /nginx -t/, broken: async () => ({ words: ['--url', `http://127.0.0.1:${await freePort()}`] }) },
  { wrong: 'a redirect of port 80 that loses the method', first: /makes GET of its POST/, fix: /return 308/, note: true, broken: async (site) => {
    const port = await freePort();
    site.serve(`server { listen 127.0.0.1:${port}; return 301 https://tools.example.org$request_uri; }\n`);
    return { words: ['--http-url', `http://127.0.0.1:${port}`] };
  } },
  { wrong: 'pages that are served without TLS', first: /can be read on the way/, fix: /return 308 https/, broken: (site) => ({ words: ['--http-url', site.server.base] }) },
  { wrong: 'a cache in front that keeps what is nobody else\'s', first: /answered from a cache on the way/, fix: /`proxy_ignore_headers Cache-Control/, broken: async (site) => {
    const port = await freePort();
    site.serve(`proxy_cache_path ${site.folder}/cache keys_zone=site:1m;\nserver { listen 127.0.0.1:${port}; location / { proxy_pass ${site.server.base}; proxy_set_header Host $proxy_host; proxy_cache site; proxy_cache_valid any 10m; proxy_ignore_headers Cache-Control Set-Cookie; } }\n`);
    return { words: ['--url', `http://127.0.0.1:${port}`] };
  } },
  { wrong: 'documents of clients that cannot be fetched', first: /clients that describe themselves in a document cannot sign in/, fix: /client_documents_enabled = false/, note: true, broken: () => ({ words: ['--client-document', 'https://documents.invalid/client.json'] }) },
  { wrong: 'an entrance that nobody can use', first: /Nobody can come in/, fix: /key add/, broken: () => ({ env: { CONSENTGATE_IDENTITIES: 'virtual_key' } }) },
]);

cases('lighttpd', ['/mcp'], [
  { right: 'a lighttpd whose site loads mod_proxy before our modules.conf', made: (site) => fs.writeFileSync(site.main, `server.modules += ( "mod_proxy" )\n${fs.readFileSync(site.main, 'utf8')}`) },
  { wrong: 'a lighttpd with mod_proxy before mod_fastcgi', first: /mod_proxy before mod_fastcgi \([^)]*front\.conf:1\)/, fix: /front\.conf:1: mod_fastcgi before mod_proxy/,
    broken: (site) => { site.change(/^( *server\.modules) := (\(.*\)) \+ server\.modules$/gm, '$1 += $2'); fs.writeFileSync(site.main, `server.modules += ( "mod_proxy" )\n${fs.readFileSync(site.main, 'utf8')}`); } },
  { wrong: 'a lighttpd whose modules stand inside of a condition', first: /lighttpd ignores server\.modules inside of a condition \([^)]*:\d+\)/, fix: /:\d+: load the modules at the top level/,
    broken: (site) => { site.change('global {', '$$HTTP["host"] =~ "." {'); fs.writeFileSync(site.main, `server.modules += ( "mod_proxy" )\n${fs.readFileSync(site.main, 'utf8')}`); } },
  { wrong: 'a lighttpd that speaks HTTP/2', first: /speaks HTTP\/2, and lighttpd/, fix: /feature-flags := \( "server\.h2proto"/, broken: (site) => site.change(/^ *server\.feature-flags := .*$/gm, '') },
  { wrong: 'a lighttpd that runs no gate.lua', first: /names like Consentgate_User/, fix: /magnet\.attract-raw-url-to/, broken: (site) => site.change(/^magnet\.attract-raw-url-to := .*gate\.lua.*$/gm, '') },
  { wrong: 'a lighttpd that passes another path to the server', first: /ANYONE can call the server behind as [^ ]*\/MCP /, fix: /front\.conf:\d+: `proxy\.server/,
    broken: (site) => site.append(`\n$HTTP["url"] =~ "^/MCP" {\n    proxy.server = ( "/" => (( "host" => "127.0.0.1", "port" => ${site.behind.port} )) )\n}\n`) },
  { wrong: 'a gate that does not run', first: /the gate does not run: nobody listens|the gate does not run: there is no socket/, fix: /consentgate-gate@/,
    broken: async (site) => { await site.server.gate.stop(); return { undo: async () => { await site.server.startGate(); if (asRoot) fs.chmodSync(path.join(site.folder, 'gate.sock'), 0o666); } }; } },
]);

cases('Apache', ['/mcp', '/other'], [
  { wrong: 'an Apache that passes a server on beside the guard', first: /ANYONE can call [^ ]*\/other without signing in/, fix: /000-default\.conf:\d+: `ProxyPass \/other [^`]*`/, broken: (site) => site.change('Use ConsentgateProtect /other', 'ProxyPass /other') },
  { wrong: 'an Apache that keeps Authorization to itself', first: /does not see (the token|Authorization)/, fix: /CGIPassAuth/, broken: (site) => site.change('CGIPassAuth On', 'CGIPassAuth Off') },
  { wrong: 'an Apache without mod_proxy_fcgi', first: /Apache lacks modules: proxy_fcgi$/, fix: /^a2enmod proxy_fcgi && systemctl restart apache2$/, broken: (site) => withoutModule(site, 'proxy_fcgi') },
  { wrong: 'an Apache that does not start for want of a module', first: /Apache lacks modules: headers$/, fix: /^a2enmod headers && /, broken: (site) => withoutModule(site, 'headers') },
  { wrong: 'an Apache that asks for the gate at another port', first: /the gate does not run: nobody listens at 127\.0\.0\.1:9,/, fix: /consentgate-gate@/, broken: (site) => site.change(/fcgi:\/\/127\.0\.0\.1:\d+\//g, 'fcgi://127.0.0.1:9/') },
  { wrong: 'a site that answers preflights itself', first: /programs in a browser cannot call/, fix: /000-default\.conf:\d+: `/, broken: (site) => site.change('</VirtualHost>', '    <If "%{REQUEST_METHOD} == \'OPTIONS\'">\n        Require all denied\n    </If>\n</VirtualHost>') },
  { wrong: 'an Apache that puts a challenge of its own before ours', first: /401 without our challenge/, fix: /AuthType Bearer/, broken: (site) => site.change('AuthType Bearer', 'AuthType Basic') },
]);

function withoutModule(site, name) {
  const link = path.join(site.folder, 'apache2/mods-enabled', `${name}.load`);
  const target = fs.readlinkSync(link);
  fs.unlinkSync(link);
  return { undo: () => fs.symlinkSync(target, link) };
}
