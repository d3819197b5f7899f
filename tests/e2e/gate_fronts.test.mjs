// A web server could obey the answers of a server behind, cut it off, trust an impostor, lose a
// body, or take an empty answer of the gate for a yes. With the shipped files none does.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import http2 from 'node:http2';
import net from 'node:net';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { send } from './support/browser.mjs';
import { record } from './support/fastcgi.mjs';
import { fronts, startFront } from './support/fronts.mjs';
import { journey } from './support/journey.mjs';
import { startServerBehind } from './support/mcp_behind.mjs';
import { makeCertificates } from './support/metadata_host.mjs';
import { freePort, plainFolder, until } from './support/server.mjs';

const run = promisify(execFile);
const options = { timeout: 240000 };
const named = (name) => fronts.find((front) => front.name === name);
const [lighttpd, apache, nginx, hosting] = ['lighttpd', 'Apache', 'nginx', 'Apache on shared hosting'].map(named);
const site = (folder) => path.join(folder, 'apache2/sites-available/000-default.conf');
let behind;
before(async () => { behind = await startServerBehind(); }, options);
after(async () => { await behind?.stop(); });

function change(file, from, to) {
  const text = fs.readFileSync(file, 'utf8');
  assert.ok(text.includes(from), `${file} has no ${from}`);
  fs.writeFileSync(file, text.replaceAll(from, to));
}

// A front whose files an administrator has added to.
const changed = (front, more) => ({ ...front, write(folder, ...rest) { front.write(folder, ...rest); more(folder, ...rest); } });

async function withFront(front, guards, use) {
  const server = await startFront(front, { guards });
  try { return await use(server); } finally { await server.stop(); }
}

const call = (server, token, at = '/mcp', more = {}) => send(server.base, 'POST', at, { headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token}`, ...more }, body: '{}' });

for (const front of fronts) {
  test(`XB3: a server behind ${front.name} cannot have it answer with a file or with another server`, options, async () => {
    await withFront(front, [{ at: '/mcp', port: behind.port }, { at: '/other', port: behind.port }], async (server) => {
      const { token } = await journey(server);
      const before = behind.seen.length;
      const answer = await call(server, token, '/mcp', { 'X-Answer': 'steer' });
      assert.deepEqual([answer.status, answer.text], [200, 'its own words']);
      assert.deepEqual(behind.seen.slice(before).map(({ url }) => url), ['/mcp']);
      // Nor one that stands in front of it.
      if (front !== lighttpd) for (const name of ['x-accel-redirect', 'x-sendfile', 'x-lighttpd-send-file']) assert.equal(answer.headers[name], undefined, name);
    });
  });
}

// The site's own limits, two seconds of silence, and an address that nobody guards.
const impatient = [
  [lighttpd, (folder, port, guards) => fs.appendFileSync(path.join(folder, 'front.conf'), `server.max-write-idle = 2\n$HTTP["url"] =~ "^/plain" { server.stream-response-body = 1 proxy.server = ( "" => (( "host" => "127.0.0.1", "port" => ${guards[0].port} )) ) }\n`)],
  [apache, (folder, port, guards) => change(site(folder), 'ServerName 127', `Timeout 2\n    ProxyTimeout 2\n    ProxyPass /plain http://127.0.0.1:${guards[0].port}/plain\n    ServerName 127`)],
  [nginx, (folder, port, guards) => change(path.join(folder, 'front.conf'), 'include consentgate/pages.conf', `proxy_read_timeout 2s;\nlocation /plain { proxy_pass http://127.0.0.1:${guards[0].port}; }\ninclude consentgate/pages.conf`)],
];
for (const [front, more] of impatient) {
  test(`XB9: behind ${front.name} a server may be silent longer than the site allows others`, options, async () => {
    await withFront(changed(front, more), [{ at: '/mcp', port: behind.port }], async (server) => {
      const { token } = await journey(server);
      const ask = (at, more) => call(server, token, at, { 'X-Silence': '8000', ...more }).then(({ status, text }) => (/length|after/.test(text) ? 'whole' : status), () => 'cut');
      const answers = await Promise.all([ask('/mcp'), ask('/mcp', { 'X-Answer': 'pause' }), ask('/plain', { 'X-Answer': 'pause' })]);
      assert.deepEqual(answers.slice(0, 2), ['whole', 'whole']);
      assert.notEqual(answers[2], 'whole', 'elsewhere the limit of the site holds');
    });
  });
}

// Answers that no gate of ours gives, from a program on the gate's socket.
test('XB7: lighttpd lets nobody pass on an authorizer\'s answer without its mark', options, async () => {
  await withFront(lighttpd, [{ at: '/mcp', port: behind.port }], async (server) => {
    const { token } = await journey(server);
    await server.gate.stop();
    const socket = path.join(server.var, 'gate.sock');
    fs.rmSync(socket, { force: true });
    let say = '';
    const odd = net.createServer((peer) => {
      peer.on('error', () => {});
      peer.once('data', () => peer.end(Buffer.concat([...(say ? [record('stdout', say)] : []), record('stdout'), record('end', Buffer.alloc(8))])));
    });
    await new Promise((done) => { odd.listen(socket, done); });
    fs.chmodSync(socket, 0o666);
    try {
      const before = behind.seen.length;
      const answers = ['', '\r\n', 'Status: 200 OK\r\n\r\n', 'X-Odd: 1\r\n\r\n', 'Variable-REMOTE_USER: mallory\r\n\r\n', 'Status: 200 OK\r\nVariable-CONSENTGATE_USER: mallory\r\n\r\n', 'Status: 200 OK\r\nVariable-CONSENTGATE_SESSION: s\r\n\r\n', 'junk'];
      for (say of answers) {
        const answer = await call(server, token);
        assert.ok(answer.status >= 500, `${JSON.stringify(say)}: ${answer.status}`);
      }
      assert.equal(behind.seen.length, before);
      say = 'Status: 200 OK\r\nVariable-CONSENTGATE_PASSED: 1\r\n\r\n';
      assert.equal((await call(server, token)).status, 200, 'a yes with the mark is one');
    } finally { await new Promise((done) => { odd.close(done); }); }
  });
});

const forged = Object.fromEntries(['consentgate-user', 'consentgate_user', 'consentgate.user', 'consentgate-client'].map((name) => [name, 'mallory']));

// HTTP/2 over this address: the bodies arrive with their heads. out: the statuses
async function callsOverHttp2(base, token, times) {
  const session = http2.connect(base);
  session.on('error', () => {});
  try {
    return await Promise.all(Array.from({ length: times }, () => new Promise((done) => {
      const stream = session.request({ ':method': 'POST', ':path': '/mcp', authorization: `Bearer ${token}`, 'content-type': 'application/json', ...forged });
      stream.setTimeout(10000, () => { stream.close(); done('nothing'); });
      stream.on('response', (headers) => { stream.resume(); done(headers[':status']); });
      stream.on('error', () => done('nothing'));
      stream.end(JSON.stringify({ filling: 'x'.repeat(2000) }));
    })));
  } finally { session.destroy(); }
}

const speaking = [
  [apache, (folder) => { fs.copyFileSync('/etc/apache2/mods-available/http2.load', path.join(folder, 'apache2/mods-enabled/http2.load')); change(site(folder), 'ServerName 127', 'Protocols h2c http/1.1\n    ServerName 127'); }],
  [hosting, (folder) => fs.appendFileSync(path.join(folder, 'front.conf'), 'LoadModule http2_module /usr/lib/apache2/modules/mod_http2.so\nProtocols h2c http/1.1\n')],
  [nginx, (folder) => change(path.join(folder, 'front.conf'), 'listen 127.0.0.1:', `listen unix:${folder}/h2.sock http2;\nlisten 127.0.0.1:`)],
];
for (const [front, more] of speaking) {
  test(`XB10: behind ${front.name} no body is lost over HTTP/2, and no fact can be forged there`, options, async () => {
    await withFront(changed(front, more), [{ at: '/mcp', port: behind.port }], async (server) => {
      const { token, client } = await journey(server);
      let { base } = server;
      const relay = front === nginx ? net.createServer((peer) => { const to = net.connect(path.join(server.var, 'h2.sock')); for (const one of [peer, to]) one.on('error', () => {}); peer.pipe(to).pipe(peer); }) : undefined;
      if (relay) {
        const port = await freePort();
        await new Promise((done) => { relay.listen(port, '127.0.0.1', done); });
        base = `http://127.0.0.1:${port}`;
      }
      try {
        const before = behind.seen.length;
        assert.deepEqual(await callsOverHttp2(base, token, 20), Array(20).fill(200));
        assert.deepEqual(behind.seen.slice(before).map(({ body }) => body.length), Array(20).fill(2014));
        assert.equal(behind.last().headers['consentgate-client'], client.client_id);
        assert.ok(!behind.last().rawHeaders.includes('mallory'), JSON.stringify(behind.last().rawHeaders));
      } finally { relay?.close(); }
    });
  });
}

test('XB10: lighttpd speaks no HTTP/2, by which it would lose bodies, and clients go on without it', options, async () => {
  await withFront(lighttpd, [{ at: '/mcp', port: behind.port }], async (server) => {
    const { token } = await journey(server);
    assert.deepEqual(await callsOverHttp2(server.base, token, 1), ['nothing']);
    for (let i = 0; i < 20; i += 1) {
      const { stdout } = await run('curl', ['-s', '--http2', '-m', '10', '-o', '/dev/null', '-w', '%{http_code} %{http_version}', '-H', `Authorization: Bearer ${token}`, '-H', 'Content-Type: application/json', '-d', '{}', `${server.base}/mcp`]);
      assert.equal(stdout, '200 1.1');
    }
  });
});

for (const front of [apache, nginx]) {
  test(`XB6: ${front.name} gives a person's call to no impostor of a server behind TLS`, options, async () => {
    const good = makeCertificates(plainFolder(), ['localhost', 'elsewhere.example']);
    fs.chmodSync(path.dirname(good.ca), 0o755);
    const strange = makeCertificates(plainFolder(), ['localhost']);
    const names = [];
    const SNICallback = (name, done) => { names.push(name); done(null); };
    const servers = [];
    for (const tls of [good.certificates.localhost, strange.certificates.localhost, good.certificates['elsewhere.example']]) servers.push(await startServerBehind({ tls: { ...tls, SNICallback } }));
    const at = ['/mcp', '/strange', '/elsewhere'];
    const guards = servers.map((one, i) => ({ at: at[i], port: one.port, to: `https://localhost:${one.port}${front === apache ? at[i] : ''}`, ca: good.ca }));
    try {
      await withFront(changed(front, front === apache ? (folder) => change(site(folder), 'ServerName 127', 'ProxyPreserveHost On\n    ServerName 127') : () => {}), guards, async (server) => {
        const tokens = [];
        for (const one of at) tokens.push((await journey(server, { more: { resource: `${server.base}${one}` } })).token);
        assert.equal((await call(server, tokens[0])).status, 200);
        assert.equal(servers[0].last().headers.host, `localhost:${servers[0].port}`, 'the Host header is its own');
        assert.ok(names.includes('localhost'), 'TLS asked for it by name');
        for (const i of [1, 2]) {
          const answer = await call(server, tokens[i], at[i]);
          assert.ok(answer.status >= 500, `${at[i]}: ${answer.status}`);
          assert.equal(servers[i].seen.length, 0, at[i]);
        }
      });
    } finally { for (const one of servers) await one.stop(); }
  });
}

// A CGI program in the folder that .htaccess guards, in place of a server elsewhere.
test('XB2 XB3: on shared hosting a CGI program reads the gate\'s facts alone, and leads no call elsewhere', options, async () => {
  const withProgram = changed(hosting, (folder) => {
    const guarded = path.join(folder, 'site/mcp');
    const file = path.join(guarded, '.htaccess');
    const text = fs.readFileSync(file, 'utf8');
    fs.writeFileSync(file, `${text.slice(0, text.indexOf('RewriteEngine On'))}Options +ExecCGI\nAddHandler cgi-script .cgi\n`);
    fs.writeFileSync(path.join(guarded, 'env.cgi'), '#!/bin/sh\nprintf "Content-Type: text/plain\\r\\n\\r\\n"\nexec env\n', { mode: 0o755 });
    fs.writeFileSync(path.join(guarded, 'jump.cgi'), '#!/bin/sh\nprintf "Location: /other/x\\r\\n\\r\\n"\n', { mode: 0o755 });
    fs.appendFileSync(path.join(folder, 'front.conf'), 'LoadModule cgi_module /usr/lib/apache2/modules/mod_cgi.so\n');
  });
  await withFront(withProgram, [{ at: '/mcp', port: behind.port }, { at: '/other', port: behind.port }], async (server) => {
    const { token, client } = await journey(server);
    const forged = Object.fromEntries([...'!.-_~'].flatMap((sign) => ['User', 'Client'].map((fact) => [`Consentgate${sign}${fact}`, 'mallory'])));
    const answer = await call(server, token, '/mcp/env.cgi', forged);
    assert.equal(answer.status, 200, answer.text);
    assert.ok(answer.text.includes(`\nCONSENTGATE_CLIENT=${client.client_id}\n`) && answer.text.includes(`\nHTTP_CONSENTGATE_CLIENT=${client.client_id}\n`), answer.text);
    assert.match(answer.text, /\nHTTP_CONSENTGATE_USER=\n/);
    assert.doesNotMatch(answer.text, /mallory/);
    const before = behind.seen.length;
    const led = await call(server, token, '/mcp/jump.cgi');
    assert.ok(led.status >= 400, String(led.status));
    assert.equal(behind.seen.length, before);
    await until(async () => (await call(server, token, '/mcp/env.cgi')).status === 200, 'the gate to serve again');
  });
});
