// A server behind each web server reads who a person is, and verifies it with the libraries of
// others; files of web servers from before the facts let nobody forge them.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { createLocalJWKSet, createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import { postForm, send } from './support/browser.mjs';
import { fronts, startFront } from './support/fronts.mjs';
import { startIdentityProvider } from './support/identity_provider.mjs';
import { api, https, journey, register } from './support/journey.mjs';
import { startServerBehind } from './support/mcp_behind.mjs';
import { root, until } from './support/server.mjs';
import { addProvider, finish, letIn, Person } from './support/signin.mjs';

const run = promisify(execFile);
const options = { timeout: 240000 };
const many = Array.from({ length: 200 }, (_, at) => `group-${at}`);
const anna = { name: 'Anna Müller', email: 'anna@example.org', email_verified: true, groups: [...many, 'a,admin', 'eng'] };
const ben = { name: 'Ben', email: 'ben@example.org', email_verified: false, groups: ['x'.repeat(100), 'y'.repeat(100)] };
const carl = { name: 'Carl', groups: Array.from({ length: 300 }, (_, at) => `group-${at}`) };
let behind, corp;

before(async () => {
  behind = await startServerBehind();
  corp = await startIdentityProvider({ people: { anna, ben, carl }, inUserinfo: true });
}, options);
after(async () => { await behind?.stop(); await corp?.stop(); }, options);

const paths = { '/mcp': [], '/all': ['--tell-groups', 'all'], '/none': ['--tell-groups', 'none'], '/signed': ['--assertion', 'header'], '/bearer': ['--assertion', 'bearer'] };
const guards = () => Object.entries(paths).map(([at, more]) => ({ at, port: behind.port, words: more.length ? more : undefined }));

async function start(front, more = {}) {
  const server = await startFront(front, { guards: guards(), env: { IDENTITIES: 'any', ...more.env }, ...more });
  await addProvider(server, corp, 'corp', 'Example Corp');
  for (const group of ['eng', 'a,admin', 'nobody']) await server.admin('access', 'allow', `corp/group:${group}`, '--resource', `${server.base}/unknown`, '--force');
  return server;
}

const call = (server, at, token, headers = {}) => send(server.base, 'POST', at, { headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token}`, ...headers }, body: '{}' });
// out: what the server behind reads, without headers that are empty
async function read(server, at, token) {
  const answer = await call(server, at, token);
  assert.equal(answer.status, 200, answer.text);
  for (const name of Object.keys(answer.headers)) assert.doesNotMatch(name, /consentgate/i, 'the caller learns nothing of it');
  return Object.fromEntries(Object.entries(answer.json().headers).filter(([name, value]) => /^consentgate-|^authorization$/.test(name) && value.trim() !== ''));
}

const signIn = async (server, user, at) => {
  const person = new Person(server, { corp }, user);
  const flow = await person.begin(await register(server, { redirect_uris: [https] }), { resource: `${server.base}${at}` });
  await person.signIn(flow);
  return finish(flow);
};

for (const front of fronts) {
  test(`SI73 SI74 SI75 (behind ${front.name}): the server behind reads who a person is, and as much of their groups as it may`, options, async () => {
    const server = await start(front);
    try {
      const tokens = Object.fromEntries(await Promise.all(Object.keys(paths).map(async (at) => [at, await signIn(server, 'anna', at)])));
      const plain = await read(server, '/mcp', tokens['/mcp']);
      assert.equal(plain['consentgate-user'], 'Anna%20M%C3%BCller');
      assert.equal(plain['consentgate-identity'], 'verified_user');
      assert.match(plain['consentgate-subject'], /^user:[0-9a-f]{64}$/);
      assert.equal(plain['consentgate-email'], 'anna@example.org');
      assert.equal(plain['consentgate-groups'], 'a%2Cadmin,eng');
      assert.equal(plain['consentgate-provider'], 'corp');
      assert.equal(plain['consentgate-groups-omitted'], undefined);
      assert.equal(plain['consentgate-assertion'], undefined);
      assert.equal(plain.authorization, undefined);
      const all = (await read(server, '/all', tokens['/all']))['consentgate-groups'].split(',');
      assert.deepEqual(all.map(decodeURIComponent).sort(), [...anna.groups].sort());
      const none = await read(server, '/none', tokens['/none']);
      assert.deepEqual([none['consentgate-groups'], none['consentgate-groups-omitted']], [undefined, '1']);
      const tooMany = await read(server, '/all', await signIn(server, 'carl', '/all'));
      assert.deepEqual([tooMany['consentgate-groups'], tooMany['consentgate-groups-omitted']], [undefined, '1'], 'never a part of them');
      // An address that nobody verified does not count, and no group that counts means none.
      const other = await read(server, '/mcp', await signIn(server, 'ben', '/mcp'));
      assert.deepEqual([other['consentgate-user'], other['consentgate-email'], other['consentgate-groups'], other['consentgate-groups-omitted']], ['Ben', undefined, undefined, undefined]);
      const typed = await read(server, '/mcp', (await journey(server, { identity: { userId: 'anna' } })).token);
      assert.deepEqual(Object.keys(typed).filter((name) => /email|groups|provider|assertion/.test(name)), []);
      const keys = createRemoteJWKSet(new URL(`${server.base}/oauth/jwks.json`));
      const verified = (assertion, at) => jwtVerify(assertion, keys, { issuer: server.issuer, audience: `${server.base}${at}`, algorithms: ['ES256'], typ: 'at+jwt' });
      const signed = await read(server, '/signed', tokens['/signed']);
      const { payload } = await verified(signed['consentgate-assertion'], '/signed');
      assert.deepEqual({ ...payload, iat: 0, exp: 0, auth_time: 0, client_id: '' }, { iss: server.issuer, aud: `${server.base}/signed`, sub: signed['consentgate-subject'], iat: 0, exp: 0, client_id: '', scope: 'mcp',
        session: signed['consentgate-session'], identity: 'verified_user', name: 'Anna Müller', idp: 'corp', email: 'anna@example.org', email_verified: true, groups: ['a,admin', 'eng'], auth_time: 0 });
      assert.equal(payload.exp - payload.iat, 300);
      assert.equal(signed.authorization, undefined);
      const bearer = await read(server, '/bearer', tokens['/bearer']);
      assert.equal((await verified(bearer.authorization.replace('Bearer ', ''), '/bearer')).payload.name, 'Anna Müller');
      assert.equal(bearer['consentgate-assertion'], undefined);
      // Whatever a caller sends by these names never arrives.
      for (const name of ['Consentgate-Email', 'consentgate-groups', 'Consentgate-Groups-Omitted', 'CONSENTGATE-PROVIDER', 'Consentgate-Assertion']) {
        const seen = behind.seen.length;
        const forged = await call(server, '/mcp', tokens['/mcp'], { [name]: 'boss@example.org' });
        assert.equal(forged.status, front.name === 'Apache on shared hosting' ? 401 : 400, name);
        assert.equal(behind.seen.length, seen, 'it reached nobody');
      }
    } finally { await server.stop(); }
  });

  test(`SI78 SA14 (behind ${front.name} with files of before): a caller who says who they are is refused, and others are served as before`, options, async () => {
    const server = await start(front, { old: true });
    try {
      const token = await signIn(server, 'anna', '/mcp');
      const facts = await read(server, '/mcp', token);
      assert.deepEqual(Object.keys(facts).sort(), ['client', 'identity', 'scope', 'session', 'subject', 'user'].map((name) => `consentgate-${name}`));
      for (const name of ['Consentgate-Email', 'Consentgate-Groups', 'Consentgate-Groups-Omitted', 'Consentgate-Provider', 'Consentgate-Assertion']) {
        const seen = behind.seen.length;
        assert.equal((await call(server, '/mcp', token, { [name]: 'boss' })).status, front.name === 'Apache on shared hosting' ? 401 : 400, name);
        assert.equal(behind.seen.length, seen, 'it reached nobody');
      }
      // mod_fcgid would show an assertion to the caller.
      const signed = await call(server, '/signed', await signIn(server, 'anna', '/signed'));
      assert.equal(signed.status, front.name === 'Apache on shared hosting' ? 401 : 200, signed.text);
      assert.doesNotMatch(JSON.stringify(signed.headers), /eyJ/);
    } finally { await server.stop(); }
  });
}

// The blocks of docs/gate.md, for this server in place of the one there.
function shown(kind, server, at) {
  const block = new RegExp(`\`\`\`${kind}\n([^]*?)\`\`\``).exec(fs.readFileSync(path.join(root, 'docs/gate.md'), 'utf8'))[1];
  return block.replaceAll('https://tools.example.org/mcp', `${server.base}${at}`).replaceAll('https://tools.example.org', server.base);
}
const python = (text, ...words) => run('/usr/bin/python3', ['-c', text, ...words]);
const authlib = `
import json, sys, urllib.request
from authlib.jose import JsonWebKey, JsonWebToken
keys = JsonWebKey.import_key_set(json.load(urllib.request.urlopen(sys.argv[2])))
claims = JsonWebToken(["ES256"]).decode(sys.argv[1], keys, claims_options={"iss": {"essential": True, "value": sys.argv[3]}, "aud": {"essential": True, "value": sys.argv[4]}})
claims.validate()
print(json.dumps(claims))`;

test('SI75 SI76 SI79: what the documentation shows verifies an assertion, and so does Authlib; each refuses another server\'s', options, async () => {
  const server = await start(fronts[0]);
  try {
    const assertion = (await read(server, '/signed', await signIn(server, 'anna', '/signed')))['consentgate-assertion'];
    const inPython = (at) => python(`${shown('python server', server, at)}\nimport json, sys\nprint(json.dumps(caller(sys.argv[1])))`, assertion);
    const file = path.join(root, 'tests/e2e', `.shown-${process.pid}.mjs`);
    fs.writeFileSync(file, shown('js server', server, '/signed'));
    const { caller } = await import(pathToFileURL(file)).finally(() => fs.rmSync(file));
    const claims = await caller(assertion);
    assert.equal(claims.email, 'anna@example.org');
    assert.deepEqual(JSON.parse((await inPython('/signed')).stdout), claims);
    const inAuthlib = (at) => python(authlib, assertion, `${server.base}/oauth/jwks.json`, server.issuer, `${server.base}${at}`);
    assert.deepEqual(JSON.parse((await inAuthlib('/signed')).stdout), claims);
    const [head, , signature] = assertion.split('.');
    const boss = [head, Buffer.from(JSON.stringify({ ...claims, name: 'Boss' })).toString('base64url'), signature].join('.');
    await assert.rejects(caller(boss), /signature/);
    await assert.rejects(inPython('/mcp'), /InvalidAudienceError/);
    await assert.rejects(inAuthlib('/mcp'), /invalid_claim/);
    const foreign = await import(`data:text/javascript,${encodeURIComponent(shown('js server', server, '/mcp').replace(/'jose'/, `'${import.meta.resolve('jose')}'`))}`);
    await assert.rejects(foreign.caller(assertion), /"aud" claim/);
    // Programs in a browser may read the keys.
    const published = await send(server.base, 'GET', '/oauth/jwks.json');
    assert.equal(published.headers['access-control-allow-origin'], '*');
    assert.equal(published.headers['cache-control'], 'public, max-age=300');
    assert.equal((await send(server.base, 'GET', '/.well-known/oauth-authorization-server')).json().jwks_uri, `${server.base}/oauth/jwks.json`);
  } finally { await server.stop(); }
});

test('SI76 SA31: a server that keeps the key set never refuses while keys change, and refuses an assertion of a removed key', options, async () => {
  const server = await start(fronts[0], { env: { CONSENTGATE_ASSERTION_SECONDS: '4', CONSENTGATE_REFRESH_IDLE_DAYS: '0' } });
  const set = async () => (await send(server.base, 'GET', '/oauth/jwks.json')).json();
  const ids = async () => (await set()).keys.map(({ kid }) => kid);
  async function reload() {
    const reloads = () => server.logs().split('event=reloaded').length;
    const before = [reloads(), server.gate.said.split('event=reloaded').length];
    process.kill(server.masterPid(), 'SIGHUP');
    const gate = Number((await run('pgrep', ['-P', String(server.gate.pid)]).catch(() => ({ stdout: '' }))).stdout.split('\n')[0] || server.gate.pid);
    for (const pid of new Set([gate, server.gate.pid])) try { process.kill(pid, 'SIGHUP'); } catch { /* only the master obeys */ }
    await until(() => reloads() > before[0] && server.gate.said.split('event=reloaded').length > before[1], 'both programs to reload');
  }
  try {
    const token = await signIn(server, 'anna', '/signed');
    const first = (await read(server, '/signed', token))['consentgate-assertion'];
    const { kid: old } = decodeProtectedHeader(first);
    assert.deepEqual(await ids(), [old]);
    // A server keeps the key set of after `add`, and must never meet a key that is not in it.
    await server.admin('server-key', 'add');
    await reload();
    await until(async () => (await ids()).length === 2, 'the workers of before to end');
    const cached = createLocalJWKSet(await set());
    let going = true;
    let calls = 0;
    const used = new Set();
    const load = Promise.all(Array.from({ length: 4 }, async () => {
      while (going) {
        const { 'consentgate-assertion': assertion } = await read(server, '/signed', token);
        await jwtVerify(assertion, cached, { issuer: server.issuer, audience: `${server.base}/signed`, algorithms: ['ES256'], typ: 'at+jwt' });
        used.add(decodeProtectedHeader(assertion).kid);
        calls += 1;
      }
    }));
    await server.admin('server-key', 'rotate');
    await reload();
    await until(() => used.size === 2, 'the new key to sign');
    going = false;
    await load;
    assert.ok(calls > 10);
    // Four times no: at our gate, elsewhere, too late, and with a withdrawn key.
    const last = (await read(server, '/signed', token))['consentgate-assertion'];
    assert.equal((await call(server, '/signed', last)).status, 401, 'it is no session token');
    await assert.rejects(jwtVerify(last, cached, { audience: `${server.base}/mcp` }), /"aud" claim/);
    await assert.rejects(jwtVerify(first, cached, { currentDate: new Date(Date.now() + 10000) }), /"exp" claim/);
    const past = new Date(JSON.parse(Buffer.from(first.split('.')[1], 'base64url')).iat * 1000);
    assert.ok(await jwtVerify(first, cached, { currentDate: past }), 'within its time');
    server.sql('UPDATE code SET expires_at = 1'); // five minutes later
    await server.admin('server-key', 'remove', old, '--yes');
    await reload();
    await until(async () => (await ids()).length === 1, 'the workers of before to end');
    assert.deepEqual(await ids(), [decodeProtectedHeader(last).kid]);
    await assert.rejects(jwtVerify(first, createLocalJWKSet(await set()), { currentDate: past }), /no applicable key/);
  } finally { await server.stop(); }
});

test('SI80: introspection says who a person is, with the scopes that rules leave, and of a refused person nothing', options, async () => {
  const server = await start(fronts[0]);
  try {
    const asking = await server.admin('resource', 'add', `${server.base}/asked`, '--json');
    process.kill(server.masterPid(), 'SIGHUP');
    await until(() => server.logs().split('event=reloaded').length > 2, 'the reload');
    const introspect = async (token) => (await postForm(server.base, `${api}/introspect`, { token, client_id: asking.id, client_secret: asking.secret })).json();
    const token = await signIn(server, 'anna', '/asked');
    const said = await introspect(token);
    assert.deepEqual([said.active, said.name, said.username, said.email, said.email_verified, said.idp], [true, 'Anna Müller', 'Anna Müller', 'anna@example.org', true, 'corp']);
    assert.deepEqual(said.groups, ['a,admin', 'eng']);
    assert.equal(said.scope, 'mcp');
    assert.doesNotMatch(JSON.stringify(said), new RegExp(corp.issuer), 'the provider\'s issuer is nobody\'s business');
    const listed = (await server.admin('session', 'list', '--json')).find(({ resource }) => resource.endsWith('/asked'));
    assert.equal(listed.identity, 'Anna Müller');
    await server.admin('user', 'disable', 'corp/anna');
    assert.deepEqual(await introspect(token), { active: false });
    await server.admin('user', 'enable', 'corp/anna');
    assert.equal((await introspect(token)).active, true);
    await server.admin('access', 'deny', 'corp/group:eng', '--resource', `${server.base}/asked`);
    assert.deepEqual(await introspect(token), { active: false });
  } finally { await server.stop(); }
});
