// consentgate-admin doctor in front of sound and of really broken set-ups: what is fail-open is
// found, and the line to change is named.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import http2 from 'node:http2';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { send } from './support/browser.mjs';
import { fronts, startFront } from './support/fronts.mjs';
import { journey } from './support/journey.mjs';
import { startServerBehind } from './support/mcp_behind.mjs';
import { makeCertificates } from './support/metadata_host.mjs';
import { freePort, plainFolder, until } from './support/server.mjs';

const options = { timeout: 120000 };
const front = (name) => fronts.find((one) => one.name === name);
let behind;
before(async () => { behind = await startServerBehind(); });
after(async () => { await behind?.stop(); });

// A front whose files were spoilt by hand, and what the doctor says of it.
async function examine(name, spoil = () => {}, afterStart = () => {}, env = {}) {
  const spoilt = { ...front(name), write(folder, ...rest) { front(name).write(folder, ...rest); spoil(folder); } };
  const server = await startFront(spoilt, { guards: [{ at: '/mcp', port: behind.port }, { at: '/other', port: behind.port }], env });
  try {
    const more = await afterStart(server);
    try {
      const findings = await server.admin('doctor', '--json', ...(more?.words ?? []));
      return { code: 0, findings, text: JSON.stringify(findings) };
    } catch (error) {
      const findings = JSON.parse(error.stdout);
      return { code: error.code, findings, text: JSON.stringify(findings) };
    } finally { await more?.stop(); }
  } finally { await server.stop(); }
}

// The doctor asks in absolute form, too (RFC 9112 3.2.2), which a proxy must take.
const pathOf = (request) => request.url.replace(/^https?:\/\/[^/]*/, '');

const change = (file, ...pairs) => {
  const text = fs.readFileSync(file, 'utf8');
  const [from, to] = pairs;
  assert.ok(text.includes(from), `${file} has no ${from}`);
  fs.writeFileSync(file, text.replaceAll(from, to));
};

for (const { name } of fronts) {
  test(`RS11: the doctor finds nothing wrong with ${name} as it is shipped`, options, async () => {
    const { code, findings, text } = await examine(name);
    assert.deepEqual(findings.filter(({ verdict }) => verdict === 'broken'), [], text);
    assert.equal(code, 0);
    assert.ok(findings.length > 15, text);
  });
}

for (const name of ['lighttpd', 'Apache', 'nginx']) {
  test(`XF3: the doctor finds nothing wrong behind ${name} with an issuer that has a path`, options, async () => {
    const server = await startFront(front(name), { guards: [{ at: '/mcp', port: behind.port }], issuerPath: '/t1' });
    try {
      const findings = await server.admin('doctor', '--json');
      assert.ok(findings.some(({ finding }) => finding === `${server.base}/.well-known/oauth-authorization-server/t1 is ours`), JSON.stringify(findings));
      assert.ok(findings.some(({ finding }) => finding === `clients are sent to ${server.base}/t1`), JSON.stringify(findings));
      assert.deepEqual(findings.filter(({ verdict }) => verdict !== 'ok').map(({ finding }) => finding).filter((one) => !/anyone|ANYONE on/i.test(one)), []);
    } finally { await server.stop(); }
  });
}

test('RS11 F2: the doctor finds that lighttpd asks nobody, when mod_proxy stands before mod_fastcgi', options, async () => {
  const { code, findings } = await examine('lighttpd', (folder) => {
    for (const line of ['server.modules += (', 'server.modules := (']) change(path.join(folder, 'lighttpd/modules.conf'), line, `# ${line}`);
    change(path.join(folder, 'front.conf'), 'server.port =', 'server.modules = ( "mod_proxy", "mod_magnet", "mod_fastcgi" )\nserver.port =');
  });
  assert.equal(code, 1);
  assert.match(findings[0].finding, /ANYONE can call/);
  assert.match(findings[0].fix, /mod_fastcgi before mod_proxy/);
});

test('RS11: the doctor finds a server that Apache passes on to beside the guard', options, async () => {
  const { code, text } = await examine('Apache', (folder) => change(path.join(folder, 'apache2/sites-available/000-default.conf'), 'Use ConsentgateProtect /other', 'ProxyPass /other'));
  assert.equal(code, 1);
  assert.match(text, /ANYONE can call http:[^ ]*\/other without signing in/);
  assert.doesNotMatch(text, /ANYONE can call http:[^ ]*\/mcp/);
});

test('RS11 F10: the doctor finds that Apache keeps Authorization to itself', options, async () => {
  const { code, text } = await examine('Apache', (folder) => {
    for (const name of ['consentgate.conf', 'consentgate-gate.conf']) change(path.join(folder, 'apache2/conf-available', name), 'CGIPassAuth On', 'CGIPassAuth Off');
  });
  assert.equal(code, 1);
  assert.match(text, /does not see the token[^}]*CGIPassAuth On/);
});

test('RS11: the doctor finds an nginx location that asks nobody', options, async () => {
  const { code, text } = await examine('nginx', (folder) => change(path.join(folder, 'consentgate/protect.conf'), 'auth_request /_consentgate_gate;', ''));
  assert.equal(code, 1);
  assert.match(text, /ANYONE[^}]*protect\.conf/);
});

for (const line of ['ignore_invalid_headers off;', 'underscores_in_headers on;']) {
  test(`XB2: the doctor finds an nginx with ${line} and the gate refuses names that nginx itself would drop`, options, async () => {
    const { code, text } = await examine('nginx', (folder) => change(path.join(folder, 'front.conf'), 'server {', `server {\n${line}`), async (server) => {
      const { token } = await journey(server);
      const reached = behind.seen.length;
      const answer = await send(server.base, 'POST', '/mcp', { headers: { Authorization: `Bearer ${token}`, 'Consentgate.User': 'mallory' }, body: '{}' });
      assert.equal(answer.status, line.startsWith('ignore') ? 400 : 200);
      assert.equal(behind.seen.length, reached + (line.startsWith('ignore') ? 0 : 1));
    });
    assert.equal(code, 1);
    assert.match(text, /names like Consentgate_User reach the server behind[^}]*ignore_invalid_headers off/);
  });
}

test('P19: the doctor finds a folder on shared hosting that lets people pass who lack a right', options, async () => {
  const { code, text } = await examine('Apache on shared hosting', (folder) => {
    for (const at of ['mcp', 'other']) for (const line of ['Require env CONSENTGATE_PASSED', 'RewriteRule ^ - [F]']) change(path.join(folder, 'site', at, '.htaccess'), line, '');
  });
  assert.equal(code, 1);
  assert.match(text, /people who lack a right[^}]*can call it all the same[^}]*Require env CONSENTGATE_PASSED/);
});

test('P19: the doctor notes files of a version before, which keep the gate\'s words to themselves', options, async () => {
  const { code, text } = await examine('nginx', (folder) => change(path.join(folder, 'consentgate/protect.conf'), 'auth_request_set $consentgate_error         $upstream_http_consentgate_error;', 'set $consentgate_error "";'));
  assert.equal(code, 0);
  assert.match(text, /do not learn it \(answered 403 without the gate's words\)[^}]*nginx\/protect\.conf/);
});

test('XB2: the doctor finds a lighttpd that runs no gate.lua', options, async () => {
  const { code, text } = await examine('lighttpd', (folder) => change(path.join(folder, 'lighttpd/protect.conf'), 'magnet.attract-raw-url-to := ( var.consentgate_lua + "/gate.lua" )', ''));
  assert.equal(code, 1);
  assert.match(text, /names like Consentgate_User[^}]*magnet\.attract-raw-url-to/);
});

const withHttp2 = (folder) => change(path.join(folder, 'lighttpd/modules.conf'), '    server.feature-flags', '    # server.feature-flags');
test('XB10: the doctor finds a lighttpd that speaks HTTP/2', options, async () => {
  const { code, text } = await examine('lighttpd', withHttp2);
  assert.equal(code, 1);
  assert.match(text, /speaks HTTP\/2, and lighttpd\/1\.4\.69 gives the body[^}]*server\.h2proto/);
});

test('XB10: the doctor sees HTTP/2 behind TLS, too', options, async () => {
  const { ca, certificates } = makeCertificates(plainFolder(), ['localhost']);
  const port = await freePort();
  const { text } = await examine('lighttpd', undefined, async (server) => {
    const secure = http2.createSecureServer({ ...certificates.localhost, allowHTTP1: true }, (request, response) => {
      const passed = http.request(`${server.base}${pathOf(request)}`, { method: request.method, headers: { 'content-type': request.headers['content-type'] ?? '', host: new URL(server.base).host } }, (answer) => {
        response.writeHead(answer.statusCode, { server: answer.headers.server });
        answer.pipe(response);
      });
      request.pipe(passed);
    });
    await new Promise((resolve) => { secure.listen(port, '127.0.0.1', resolve); });
    return { words: ['--url', `https://localhost:${port}`], stop: () => new Promise((resolve) => { secure.close(resolve); }) };
  }, { CONSENTGATE_SERVICE_CA: ca });
  assert.match(text, /https:[^ ]* speaks HTTP\/2, and lighttpd/);
});

test('RS11: the doctor finds a gate that is not there, and a key file that others may read', options, async () => {
  const { code, text } = await examine('lighttpd', undefined, async (server) => {
    await server.gate.stop();
    fs.chmodSync(server.keyFile, 0o644);
    await until(() => server.gate.ended, 'the gate to end');
  });
  assert.equal(code, 1);
  assert.match(text, /is the gate running/);
  assert.match(text, /chmod 600/);
});

test('D12: the doctor finds a site that answers the well-known addresses itself', options, async () => {
  const { code, text } = await examine('nginx', (folder) => change(path.join(folder, 'consentgate/pages.conf'), 'location ^~ /oauth/', `location ^~ /.well-known/oauth-protected { return 200 "{}"; }\nlocation ^~ /oauth/`));
  assert.equal(code, 1);
  assert.match(text, /answered by something else/);
});

test('SI13: the doctor finds keys of our assertions that do not come, and those of another key file', options, async () => {
  const hidden = await examine('nginx', (folder) => change(path.join(folder, 'consentgate/pages.conf'), 'location ^~ /oauth/', 'location = /oauth/jwks.json { return 404; }\nlocation ^~ /oauth/'));
  assert.equal(hidden.code, 1);
  assert.match(hidden.text, /\/oauth\/jwks\.json: answered 404/);
  const older = await examine('nginx', undefined, async (server) => { await server.admin('server-key', 'add'); });
  assert.equal(older.code, 1);
  assert.match(older.text, /\/oauth\/jwks\.json has other keys than the key file[^}]*reload the servers/);
});

test('D12: the doctor finds a web server that takes smaller bodies than we do', options, async () => {
  const { code, text } = await examine('nginx', (folder) => change(path.join(folder, 'consentgate/page.conf'), '\nclient_max_body_size 1m;', '\nclient_max_body_size 8k;'));
  assert.equal(code, 1);
  assert.match(text, /body of 60 KiB: answered 413; it does not reach consentgate[^}]*client_max_body_size 1m/);
});

test('D10: the doctor finds a site that answers preflights itself', options, async () => {
  const { code, text } = await examine('Apache', (folder) => change(path.join(folder, 'apache2/sites-available/000-default.conf'), '</VirtualHost>', '    <If "%{REQUEST_METHOD} == \'OPTIONS\'">\n        Require all denied\n    </If>\n</VirtualHost>'), async (server) => {
    assert.equal((await send(server.base, 'OPTIONS', '/api/oauth/per-user/token')).status, 403);
  });
  assert.equal(code, 1);
  assert.match(text, /programs in a browser cannot call [^ ]*per-user\/token \(answered 403/);
});

test('D12: the doctor finds a clock that is not the one everybody has', options, async () => {
  // The web server's own clock is this machine's; what stands before it says another time.
  const { code, text } = await examine('lighttpd', undefined, async (server) => {
    const before = http.createServer((request, response) => {
      const passed = http.request(`${server.base}${pathOf(request)}`, { method: request.method, headers: { ...request.headers, host: new URL(server.base).host } }, (answer) => {
        response.writeHead(answer.statusCode, { ...answer.headers, date: new Date(Date.now() - 300000).toUTCString() });
        answer.pipe(response);
      });
      request.pipe(passed);
    });
    await new Promise((resolve) => { before.listen(0, '127.0.0.1', resolve); });
    return { words: ['--url', `http://127.0.0.1:${before.address().port}`], stop: () => new Promise((resolve) => { before.close(resolve); before.closeAllConnections(); }) };
  });
  assert.equal(code, 1);
  assert.match(text, /the clock here is (299|300|301|302) seconds ahead of http[^}]*set-ntp/);
});

test('D15: the doctor finds a door without TLS, and redirects that forget it', options, async () => {
  const issuer = 'https://tools.example.org';
  const env = { CONSENTGATE_ISSUER: issuer, CONSENTGATE_RESOURCES: `${issuer}/mcp` };
  let answer = { status: 200, location: '' };
  const door = http.createServer((request, response) => { response.writeHead(answer.status, answer.location ? { Location: `${answer.location}${request.url}` } : {}); response.end(); });
  await new Promise((resolve) => { door.listen(0, '127.0.0.1', resolve); });
  const plain = `http://127.0.0.1:${door.address().port}`;
  const ask = async (spoil) => (await examine('nginx', spoil, (server) => ({ words: ['--url', server.base, '--http-url', plain], stop: () => {} }), env)).text;
  try {
    assert.match(await ask(), /can be read on the way[^}]*return 308 https:/);
    answer = { status: 301, location: issuer };
    const text = await ask((folder) => change(path.join(folder, 'front.conf'), 'include consentgate/pages.conf;', 'include consentgate/pages.conf;\nlocation = /mcp { return 301 http://tools.example.org/mcp/; }'));
    assert.match(text, /leads to https/);
    assert.match(text, /tools\.example\.org\/mcp is sent on without TLS, to http:[^}]*absolute_redirect off/);
    } finally { door.close(); }
});

test('D12: the doctor finds a service that is away', options, async () => {
  const { code, text } = await examine('lighttpd', undefined, async (server) => {
    await server.admin('service', 'add', 'gone', '--url', 'http://127.0.0.1:9/mcp', '--authorization-endpoint', 'http://127.0.0.1:9/authorize', '--token-endpoint', 'http://127.0.0.1:9/token', '--client-id', 'us');
  });
  assert.equal(code, 1);
  assert.match(text, /the service gone: [^}]*service test gone/);
});
