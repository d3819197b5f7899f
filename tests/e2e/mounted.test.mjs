// consentgate in a web server that has sites already, as they are written: each other site answers
// exactly as it did before, the site in consentgate's own host too, and consentgate works there.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { send } from './support/browser.mjs';
import { Child, startFront } from './support/fronts.mjs';
import { api, journey, post, register, startFlow } from './support/journey.mjs';
import { startServerBehind } from './support/mcp_behind.mjs';
import { freePort, root, until } from './support/server.mjs';
import { frontsWithSites, makeFolder, startSite } from './support/sites.mjs';

const options = { timeout: 240000 };
const frontNamed = (name) => frontsWithSites.find((front) => front.name === name);
const wellKnown = '/.well-known/oauth-authorization-server';
let behind;
let site;
before(async () => { [behind, site] = await Promise.all([startServerBehind(), startSite()]); }, options);
after(async () => { await behind?.stop(); await site?.stop(); }, options);

// out: what a program reads of an answer, without what differs from one to the next
async function seen(base, host, method, target) {
  const headers = { Host: host, Authorization: 'Bearer of-somebody', 'Content-Type': 'application/json', ...(method === 'POST' ? { 'Content-Length': '2' } : {}) };
  const { status, location, text, headers: answered } = await send(base, method, target, { headers, body: method === 'POST' ? '{}' : undefined });
  return { status, location, text, type: answered['content-type'], challenge: answered['www-authenticate'] };
}
const targets = [['GET', '/'], ['GET', '/page.css'], ['GET', '/no/such/page?a=%2F'], ['GET', '/a%2Fb'], ['GET', '/.well-known/acme-challenge/token']];
const ours = [['GET', '/oauth/authorize?client_id=x'], ['GET', '/oauth/consent'], ['POST', '/oauth/token'], ['POST', `${api}/token`], ['GET', wellKnown], ['GET', '/.well-known/oauth-protected-resource/mcp'],
  ['POST', '/mcp'], ['GET', '/mcp/files'], ['GET', '/authorize'], ['GET', '/healthz'], ['GET', '/metrics']];
// out: what the other hosts answer at all addresses, and our own host at those that stay the site's
async function answers(server, others) {
  const all = {};
  for (const host of others) for (const [method, target] of [...targets, ...ours]) all[`${host} ${method} ${target}`] = await seen(server.base, host, method, target);
  const here = new URL(server.base).host;
  // Apache answers 404 itself to %2F in a path, unless a virtual host wants it otherwise.
  for (const [method, target] of targets.filter(([, one]) => !one.includes('%2Fb'))) all[`${method} ${target}`] = await seen(server.base, here, method, target);
  return all;
}

async function restart(server, front) {
  await server.web.stop();
  server.web = front.start(server.var);
  await until(async () => {
    if (server.web.ended) throw new Error(`${front.name} ended: ${server.web.said} ${fs.readFileSync(path.join(server.var, 'front.log'), 'utf8').slice(-2000)}`);
    return send(server.base, 'GET', '/').then(() => true, () => false);
  }, `${front.name} to answer`);
}

async function works(server) {
  const metadata = await send(server.base, 'GET', wellKnown);
  assert.equal(metadata.status, 200, metadata.text);
  assert.equal(metadata.json().issuer, server.base);
  for (const target of ['/oauth/style.css', '/oauth/icon.svg', '/.well-known/oauth-protected-resource/mcp', '/.well-known/oauth-protected-resource/mcp/']) {
    assert.equal((await send(server.base, 'GET', target)).status, 200, target);
  }
  // A hoster's Apache answers that itself.
  if (server.front.socket !== 'none') assert.equal((await send(server.base, 'GET', '/oauth/no%2Fsuch%3Fpage')).headers['cache-control'], 'no-store', 'a path that is none comes to us, too');
  const { token } = await journey(server);
  const call = (headers) => send(server.base, 'POST', '/mcp', { headers: { 'Content-Type': 'application/json', ...headers }, body: '{}' });
  const passed = await call({ Authorization: `Bearer ${token}` });
  assert.equal(passed.status, 200, passed.text);
  assert.equal(passed.json().headers['consentgate-identity'], 'skipped', 'the server behind has it from the gate');
  const before = behind.seen.length;
  for (const headers of [{}, { Authorization: 'Bearer of-nobody' }, { Authorization: 'Basic YW5uYTp4' }]) {
    const refused = await call(headers);
    assert.equal(refused.status, 401, refused.text);
    assert.match(refused.headers['www-authenticate'], /^Bearer .*resource_metadata=/);
  }
  assert.equal(behind.seen.length, before, 'nobody else comes to the server behind');
}

for (const front of frontsWithSites) {
  const others = front.socket === 'none' ? [] : ['gitlab.example', 'plain.example', 'files.example'];
  let server;
  const facts = {};
  test(`XF1: ${front.name} starts with consentgate in one of its hosts`, options, async () => {
    const withSites = { ...front, write(folder, port, ...rest) {
      front.write(folder, port, ...rest);
      Object.assign(facts, { port, www: makeFolder(folder), to: `http://127.0.0.1:${site.port}`, site: site.port });
      front.around(folder, true, undefined, facts);
    } };
    server = await startFront(withSites, { guards: [{ at: '/mcp', port: behind.port }] });
    await works(server);
  });
  for (const [what, lines] of Object.entries(front.sites)) {
    test(`XF1: behind ${front.name}, a site ${what} stays as it was, and so do the others, and consentgate works in it`, options, async () => {
      front.around(server.var, false, lines, facts);
      await restart(server, front);
      const as = await answers(server, others);
      front.around(server.var, true, lines, facts);
      await restart(server, front);
      assert.deepEqual(await answers(server, others), as);
      await works(server);
      if (others.length > 0) assert.equal(JSON.parse(as['gitlab.example GET /oauth/authorize?client_id=x'].text).site, true, 'the other site has its own OAuth');
    });
  }
  test(`XF1: ${front.name} stops cleanly`, options, async () => { await server?.stop(); });
}

// lighttpd takes these lines without a word, whether they count or not.
const lighttpd = frontNamed('lighttpd');
const inHost = {
  'all of it inside a host\'s block guards as it does outside': { host: (modules, lines) => ['', modules + lines], open: false },
  'a site\'s own server.modules inside a host\'s block in place of ours count for nothing, and the doctor finds the open server': {
    host: (modules, lines) => ['server.modules = ( "mod_magnet" )\nvar.consentgate_socket = "S"\nvar.consentgate_gate = "G"\nvar.consentgate_lua = "L"\n', `server.modules += ( "mod_fastcgi" )\n${lines}`], open: true },
};
for (const [what, { host, open }] of Object.entries(inHost)) {
  test(`XF1: in lighttpd ${what}`, options, async () => {
    const facts = {};
    const spoilt = { ...lighttpd, write(folder, port, ...rest) {
      lighttpd.write(folder, port, ...rest);
      Object.assign(facts, { port, www: makeFolder(folder), site: site.port });
      lighttpd.around(folder, true, undefined, facts);
    } };
    const server = await startFront(spoilt, { guards: [{ at: '/mcp', port: behind.port }] });
    try {
      const variables = (text) => text.replace('"S"', `"${server.var}/consentgate.sock"`).replace('"G"', `"${server.var}/gate.sock"`).replace('"L"', `"${server.var}/lighttpd"`);
      lighttpd.around(server.var, true, undefined, facts, (...given) => host(...given).map(variables));
      execFileSync('lighttpd', ['-tt', '-f', path.join(server.var, 'front.conf')], { stdio: 'pipe' });
      await restart(server, lighttpd);
      if (!open) { await works(server); return; }
      assert.equal((await send(server.base, 'POST', '/mcp', { headers: { 'Content-Type': 'application/json' }, body: '{}' })).status, 200, 'ANYONE can call');
      const found = await server.admin('doctor', '--json').then(() => 'nothing', (error) => error.stdout);
      assert.match(found, /ANYONE can call/);
    } finally { await server.stop(); }
  });
}

// nginx as docs/sites.md writes it, in front of Apache with the lines of docs/operating.md for the
// callers' addresses.
test('XF1: behind a balancer, people sign in and call, streams come as they are sent, and each caller has an address', options, async () => {
  const block = (name, kind, having) => [...fs.readFileSync(path.join(root, name), 'utf8').matchAll(/```(.*)\n([^]*?)```/g)].find(([, one, text]) => one === kind && text.includes(having))[2];
  const port = await freePort();
  const base = `http://127.0.0.1:${port}`;
  const apache = frontNamed('Apache');
  const inFront = { ...apache, write(folder, webPort, ...rest) {
    apache.write(folder, webPort, ...rest);
    execFileSync('a2enmod', ['-q', 'remoteip'], { env: { ...process.env, APACHE_CONFDIR: path.join(folder, 'apache2') }, stdio: 'pipe' });
    const file = path.join(folder, 'apache2/sites-available/000-default.conf');
    fs.writeFileSync(file, fs.readFileSync(file, 'utf8').replace('</VirtualHost>', `${block('docs/operating.md', 'apache vhost', 'RemoteIPHeader').replace('10.0.0.0/8', '127.0.0.0/8')}</VirtualHost>`));
    const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder}/temp_${name};`).join(' ');
    fs.writeFileSync(path.join(folder, 'balancer.conf'), `daemon off; pid ${folder}/balancer.pid; error_log ${folder}/balancer.log; events {}
http { access_log off; ${temp} upstream web_machines { server 127.0.0.1:${webPort}; }
server { listen 127.0.0.1:${port}; ${block('docs/sites.md', 'nginx balancer', 'proxy_pass').replace('$host;', '$http_host;')} } }`);
  } };
  const server = await startFront(inFront, { guards: [{ at: '/mcp', port: behind.port }], env: { CONSENTGATE_ISSUER: base, CONSENTGATE_RESOURCES: `${base}/mcp` } });
  const balancer = new Child('nginx', ['-p', server.var, '-c', path.join(server.var, 'balancer.conf'), '-e', path.join(server.var, 'balancer.log')]);
  try {
    Object.assign(server, { base, issuer: base, resource: `${base}/mcp` });
    await until(() => send(base, 'GET', wellKnown).then(({ status }) => status === 200, () => false), 'the balancer');
    await works(server);
    const { token } = await journey(server);
    const times = await new Promise((resolve, reject) => {
      http.get(`${base}/mcp`, { headers: { Authorization: `Bearer ${token}`, Accept: 'text/event-stream' } }, (answer) => {
        const all = [];
        answer.on('data', () => all.push(performance.now()));
        answer.on('end', () => resolve(all));
      }).on('error', reject);
    });
    assert.ok(times.length >= 4, `${times.length} parts of five events`);
    for (const address of ['192.0.2.9', '192.0.2.10']) {
      const flow = await startFlow(server, { client: await register(server) });
      await post(flow, 'vk', { vk: 'sk-bf-wrong' }, { 'X-Forwarded-For': address });
      assert.match(server.logs(), new RegExp(`what=virtual_key_refused .*address=${address}`));
    }
  } finally { await balancer.stop(); await server.stop(); }
});

// Set-ups from before.
const apache = frontNamed('Apache');
test('XF1: in Apache a virtual host from before, which protects a server and does not say Use Consentgate, has the pages', options, async () => {
  const before = { ...apache, write(folder, ...rest) {
    apache.write(folder, ...rest);
    const file = path.join(folder, 'apache2/sites-available/000-default.conf');
    const text = fs.readFileSync(file, 'utf8');
    assert.match(text, /^ *Use Consentgate\n/m);
    fs.writeFileSync(file, text.replace(/^ *Use Consentgate\n/m, ''));
  } };
  const server = await startFront(before, { guards: [{ at: '/mcp', port: behind.port }] });
  try { await works(server); } finally { await server.stop(); }
});

test('XF1: in Apache pages.conf inside of a virtual host, where it mounted something before, is refused by name and line', options, () => {
  const folder = fs.mkdtempSync('/tmp/consentgate-e2e-');
  try {
    const module = (name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`;
    const file = path.join(folder, 'front.conf');
    const pages = path.join(root, 'conf/apache/pages.conf');
    const test = (lines) => {
      fs.writeFileSync(file, [`ServerRoot "${folder}"`, 'ServerName x', `ErrorLog ${folder}/log`, 'Listen 127.0.0.1:9', ...['mpm_event', 'authz_core', 'macro', 'proxy', 'proxy_fcgi'].map(module), ...lines, ''].join('\n'));
      try { execFileSync('apache2', ['-t', '-f', file], { stdio: 'pipe' }); return ''; } catch (error) { return error.stderr.toString(); }
    };
    const host = (...lines) => ['<VirtualHost *:9>', ...lines, '</VirtualHost>'];
    assert.equal(test([`Include ${pages}`, ...host('Use Consentgate')]), '');
    const [, line] = /on line (\d+) of .*\/pages\.conf/.exec(test(host(`Include ${pages}`))) ?? [];
    assert.match(fs.readFileSync(pages, 'utf8').split('\n').slice(line - 4, line - 1).join(' '), /include the file outside, and write `Use Consentgate` there/);
  } finally { fs.rmSync(folder, { recursive: true }); }
});
