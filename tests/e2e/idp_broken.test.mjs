// Set-ups that operators get wrong: for each, a command names the cause. The provider is a real one
// (oidc-provider) that is set up wrong, or one whose documents and tokens are.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import fs from 'node:fs';
import https from 'node:https';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { Browser } from './support/browser.mjs';
import { startFalseProvider } from './support/false_provider.mjs';
import { AtProvider, startIdentityProvider } from './support/identity_provider.mjs';
import { listen, makeCertificates } from './support/metadata_host.mjs';
import { Child } from './support/fronts.mjs';
import { freePort, plainFolder, root, startServer, until } from './support/server.mjs';

const options = { timeout: 180000 };
let server, corp, odd;
before(async () => {
  corp = await startIdentityProvider({ people: { anna: { name: 'Anna', email: 'anna@example.org', groups: ['eng'] } } });
  odd = await startFalseProvider();
  server = await startServer({ env: { IDENTITIES: '' } });
  await add('corp', corp.issuer, corp.admit(server, 'corp'), corp.secret);
  await add('odd', odd.issuer, 'consentgate', odd.secret, '--userinfo', 'never');
}, { timeout: 240000 });
after(async () => { await server?.stop(); await corp?.stop(); await odd?.stop(); }, options);

const secretFile = (text) => { const file = path.join(server.var, 'any.secret'); fs.writeFileSync(file, text, { mode: 0o600 }); return file; };
const add = (id, issuer, client, secret, ...more) => server.admin('idp', 'add', id, '--issuer', issuer, '--client-id', client, '--client-secret-file', secretFile(secret), ...more);

// All that a command says, good or bad.
const said = (...args) => server.admin(...args).then((out) => `0 ${JSON.stringify(out)}`, ({ code, stdout, stderr }) => `${code} ${stdout} ${stderr}`);
const tested = (id) => said('idp', 'test', id);
const examined = async (id) => {
  const found = await server.admin('doctor', '--json').catch(({ stdout }) => JSON.parse(stdout));
  return found.filter(({ finding, verdict }) => verdict !== 'ok' && finding.includes(`identity provider ${id}`)).map(({ verdict, finding, fix }) => `${verdict} ${finding} ${fix ?? ''}`).join('\n');
};

// `idp try`, with somebody who signs in. steps: from the provider's address to our callback
async function tried(id, steps) {
  const child = spawn(path.resolve(root, process.env.BUILD || 'build/asan', 'consentgate-admin'), ['idp', 'try', id], { cwd: server.var, env: server.environment() });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes) => { text += bytes; });
  const done = new Promise((end) => { child.on('close', (status) => end(`${status} ${text}`)); });
  const link = await until(() => /\/oauth\/signin\/try\?link=\S+/.exec(text)?.[0], 'the link');
  const browser = new Browser(server.base, server.issuer);
  await browser.get(await steps((await browser.get(link)).location));
  return done;
}
const asAnna = (location) => new AtProvider(corp).signIn(location, 'anna');
const straight = async (location) => {
  const back = new URL((await fetch(location, { redirect: 'manual' })).headers.get('location'));
  return back.pathname + back.search;
};
const triedAtOdd = async (make) => {
  odd.make = make;
  const text = await tried('odd', straight);
  odd.make = (claims) => odd.sign(claims);
  return text;
};

// Answers of the metadata and of the keys are changed for the time of one question.
async function withDocuments(change, question) {
  const { answer } = Object.getPrototypeOf(odd);
  odd.answer = async (request, response) => {
    const end = response.end.bind(response);
    response.end = (text) => end(text ? JSON.stringify(change(JSON.parse(text), request.url, response)) : text);
    const head = response.writeHead.bind(response);
    response.writeHead = (status, headers) => head(status, { ...headers, ...(odd.date ? { Date: odd.date } : {}) });
    return answer.call(odd, request, response);
  };
  try { return await question(); } finally { delete odd.answer; delete odd.date; }
}
const metadata = (more) => (document, url) => (url.includes('well-known') ? { ...document, ...more } : document);

test('SI8 SI9 SI13: a set-up that works is called so by each command', options, async () => {
  assert.match(await tested('corp'), /^0 /);
  assert.equal(await examined('corp'), '');
  assert.match(await tried('corp', asAnna), /^0 /);
  assert.match(await triedAtOdd((claims) => odd.sign(claims)), /^0 /);
});

const cases = [
  ['a wrong secret', async () => {
    await server.admin('idp', 'set', 'corp', '--client-secret-file', secretFile('another'));
    const texts = [await tested('corp'), await examined('corp'), await tried('corp', asAnna)];
    await server.admin('idp', 'set', 'corp', '--client-secret-file', secretFile(corp.secret));
    return texts;
  }, [/^1 [^]*does not take client id and secret \(status 401 invalid_client\)/, /^broken .*does not take our client and secret: status 401 invalid_client/m, /^1 [^]*signing in did not work: status 401, invalid_client/]],
  ['a redirect address that the provider does not know', async () => {
    const [client] = corp.clients;
    const [right] = client.redirect_uris;
    client.redirect_uris = [`${server.issuer}/oauth/signin/other/callback`];
    corp.make();
    const texts = [await tested('corp'), await examined('corp')];
    client.redirect_uris = [right];
    corp.make();
    return texts;
  }, [/^1 [^]*does not send people back \(status 400\): enter the redirect address \S+\/oauth\/signin\/corp\/callback there/, /^broken .*does not take our question: status 400 .*enter the redirect address \S+\/oauth\/signin\/corp\/callback/m]],
  ['a scope that the provider refuses', async () => {
    const [client] = corp.clients;
    client.scope = 'openid profile';
    corp.make();
    const texts = [await tested('corp'), await tried('corp', asAnna)];
    delete client.scope;
    corp.make();
    return texts;
  }, [/^1 [^]*sends people back with an error \(status 303, error invalid_scope\)/, /^1 [^]*sent the person back with the error invalid_scope/]],
  ['a clock that is five minutes ahead', async () => {
    const ahead = (claims, now) => odd.sign({ ...claims, iat: now + 300, exp: now + 900 });
    odd.date = new Date(Date.now() + 300000).toUTCString();
    const date = odd.date;
    const text = await withDocuments((document) => document, () => tested('odd'));
    odd.date = date;
    return [text, await withDocuments((document) => document, () => examined('odd')), await triedAtOdd(ahead)];
  }, [/^1 [^]*its clock and ours are (2[89]|30)\d seconds apart, and at more than 120 nobody can sign in/, /^note .*clock of the identity provider odd and ours are (2[89]|30)\d seconds apart/m, /^1 [^]*iat is (2[89]|30)\d seconds ahead of our clock/]],
  ['ID tokens that are signed with the client secret', async () => [
    await withDocuments(metadata({ id_token_signing_alg_values_supported: ['HS256'] }), () => tested('odd')), await triedAtOdd((claims) => odd.hmac(claims, odd.secret))],
  [/^1 [^]*signed with the client secret: choose a signing key there/, /^1 [^]*alg is HS256/]],
  ['an issuer that differs by a slash', async () => [
    await withDocuments(metadata({ issuer: `${odd.issuer}/` }), () => tested('odd')), await triedAtOdd((claims) => odd.sign({ ...claims, iss: `${claims.iss}/` }))],
  [/^1 [^]*of the issuer \S+\/, not of \S+[^/]: give it as the provider writes it/, /^1 [^]*iss is another issuer/]],
  ['groups that no mapper puts into the token', async () => [await triedAtOdd((claims) => odd.sign({ ...claims, groups: undefined, realm_access: { roles: ['admin'] } }))],
    [/^0 [^]*No claim groups came[^]*--groups-claim \/realm_access\/roles/]],
  ['keys none of which can be used', async () => [
    await withDocuments((document, url) => (url === '/jwks' ? { keys: document.keys.filter(({ kid }) => kid === 'enc') } : document), () => tested('odd')),
    await withDocuments((document, url) => (url === '/jwks' ? { keys: [] } : document), () => examined('odd'))],
  [/^1 [^]*\/jwks: none of its keys can be used to verify ID tokens/, /^broken .*none of its keys can be used/m]],
  ['an endpoint that has moved', async () => [
    await withDocuments(metadata({ token_endpoint: `${odd.issuer}/elsewhere` }), () => tested('odd')), await withDocuments(metadata({ token_endpoint: `${odd.issuer}/elsewhere` }), () => examined('odd'))],
  [/^1 [^]*token_endpoint: kept '[^']*\/token', now '[^']*\/elsewhere'[^]*differs from what is stored/, /^note .*publishes other data than what is stored: token_endpoint/m]],
  ['encrypted ID tokens', async () => [await triedAtOdd(() => 'a.b.c.d.e')], [/^1 [^]*the ID token is encrypted: turn encryption off at the provider/]],
  ['a secret that ends soon', async () => {
    await server.admin('idp', 'set', 'corp', '--secret-expires', new Date(Date.now() + 10 * 86400000).toISOString().slice(0, 10));
    const text = await examined('corp');
    await server.admin('idp', 'set', 'corp', '--secret-expires', 'never');
    return [text];
  }, [/^note .*the client secret at the identity provider corp ends in (9|10) days/m]],
  ['a provider that does not answer', async () => {
    corp.away = true;
    const texts = [await tested('corp'), await examined('corp')];
    corp.away = false;
    corp.failNext('/token', [503, {}]);
    return [...texts, await tried('corp', asAnna)];
  }, [/^1 [^]*openid-configuration: status 503/, /^broken .*status 503/m, /^1 [^]*signing in did not work: status 503/]],
];

for (const [what, texts, patterns] of cases) {
  test(`SI8 SI9 SI13: ${what} is named`, options, async () => {
    const found = await texts();
    assert.equal(found.length, patterns.length);
    patterns.forEach((pattern, at) => assert.match(found[at], pattern));
    assert.match(await tested('corp'), /^0 /, 'the set-up is good again');
  });
}

// A real nginx in front of everything, which wants a sign-in of its own below some addresses.
async function closedAt(locations, question) {
  const folder = plainFolder();
  const port = await freePort();
  fs.writeFileSync(path.join(folder, 'users'), 'anna:{PLAIN}secret\n');
  const closed = locations.map((at) => `location ${at} { auth_basic closed; auth_basic_user_file ${folder}/users; proxy_pass ${server.base}; }`).join('\n');
  fs.writeFileSync(path.join(folder, 'nginx.conf'), `daemon off; ${process.getuid() === 0 ? 'user root; ' : ''}pid ${folder}/pid; error_log ${folder}/log; events {}
http { access_log off; ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder}/${name};`).join(' ')}
server { listen 127.0.0.1:${port}; ${closed} location / { proxy_pass ${server.base}; } } }`);
  const nginx = new Child('nginx', ['-c', path.join(folder, 'nginx.conf'), '-e', path.join(folder, 'log')]);
  try {
    await until(() => fetch(`http://127.0.0.1:${port}/`, { redirect: 'manual' }).then(() => true, () => false), 'nginx');
    return await question(`http://127.0.0.1:${port}`);
  } finally { await nginx.stop(); fs.rmSync(folder, { recursive: true, force: true }); }
}
const seenFrom = async (base) => {
  const found = await server.admin('doctor', '--json', '--url', base).catch(({ stdout }) => JSON.parse(stdout));
  return found.filter(({ finding }) => /logouts of the provider|people come back/.test(finding)).map(({ verdict, finding, fix }) => `${verdict} ${finding} ${fix ?? ''}`);
};

test('SI13: an address for the provider that stands behind the sign-in of the web server is named', options, async () => {
  assert.deepEqual((await closedAt([], seenFrom)).filter((line) => !line.startsWith('ok ')), [], 'an nginx that passes all on');
  const logout = await closedAt(['~ /backchannel$'], seenFrom);
  const broken = logout.filter((line) => line.startsWith('broken '));
  assert.equal(broken.length, 2, logout.join('\n'));
  for (const id of ['corp', 'odd'])
    assert.ok(broken.some((line) => line.includes(`logouts of the provider come to ${server.issuer}/oauth/signin/${id}/backchannel, and the web server answers it with status 401: it wants a sign-in first let the web server pass /oauth/signin/ on, without a sign-in of its own`)), broken.join('\n'));
  assert.equal((await closedAt(['/oauth/signin/'], seenFrom)).filter((line) => line.startsWith('broken ')).length, 4);
});

test('SI35: a provider whose certificate nobody here trusts is asked nothing, and one of the named authority is', options, async () => {
  const folder = plainFolder();
  const { ca, certificates } = makeCertificates(folder, ['localhost']);
  const port = await freePort();
  const secure = await startFalseProvider();
  Object.assign(secure, { origin: `https://localhost:${port}`, issuer: `https://localhost:${port}` });
  const seen = [];
  const host = https.createServer(certificates.localhost, (request, response) => { seen.push(request.url); secure.answer(request, response); });
  await listen(host, port);
  const words = ['idp', 'add', 'secure', '--issuer', secure.issuer, '--client-id', 'consentgate', '--client-secret-file', secretFile(secure.secret)];
  assert.match(await said(...words), /^1 [^]*certificate/i);
  assert.deepEqual(seen, []);
  const { stdout } = await promisify(execFile)(path.resolve(root, process.env.BUILD || 'build/asan', 'consentgate-admin'), [...words, '--json'], { cwd: server.var, env: { ...server.environment(), CONSENTGATE_SERVICE_CA: ca } });
  assert.equal(JSON.parse(stdout).issuer, secure.issuer);
  assert.deepEqual(seen, ['/.well-known/openid-configuration', '/jwks']);
  host.close();
  host.closeAllConnections();
  await secure.stop();
  fs.rmSync(folder, { recursive: true, force: true });
});
