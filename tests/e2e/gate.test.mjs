// The gate behind each web server, with the files as they are shipped: which calls pass, which
// headers the server behind receives, and that the gate closes.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js';
import { App } from './support/app.mjs';
import { postForm, send } from './support/browser.mjs';
import { assertOauthError, challengeOf } from './support/checks.mjs';
import { Child, fronts, startFront } from './support/fronts.mjs';
import { journey } from './support/journey.mjs';
import { startServerBehind } from './support/mcp_behind.mjs';
import { freePort, root, sleep, until } from './support/server.mjs';

const options = { timeout: 120000 };
const facts = ['subject', 'user', 'identity', 'client', 'scope', 'session'];
// These are of people who sign in at a provider. Where a web server sets each header, the others'
// are empty, so that nothing of a caller's is left in them.
const ofPeople = ['assertion', 'email', 'groups', 'groups-omitted', 'provider'];
const forged = Object.fromEntries(facts.flatMap((name) => [[`Consentgate-${name}`, 'mallory'], [`consentgate_${name}`, 'mallory'], [`CONSENTGATE_${name.toUpperCase()}`, 'mallory']]));
const text = { 'Content-Type': 'application/json', Accept: 'application/json' };

let behind; // tells what it was called with
let everything; // the reference server of the protocol's makers
let everythingPort;

before(async () => {
  behind = await startServerBehind();
  everythingPort = await freePort();
  everything = new Child(process.execPath, [path.join(root, 'tests/e2e/node_modules/@modelcontextprotocol/server-everything/dist/index.js'), 'streamableHttp'],
    { env: { ...process.env, PORT: String(everythingPort) } });
  await until(() => send(`http://127.0.0.1:${everythingPort}`, 'GET', '/mcp').then(() => true, () => false), 'the reference server');
}, options);
after(async () => { await everything?.stop('SIGKILL'); await behind?.stop(); }, options);

// Each part of a response as it came, with its time.
function parts(server, target, headers) {
  return new Promise((done, fail) => {
    const came = [];
    http.get(`${server.base}${target}`, { headers }, (response) => {
      response.on('data', (bytes) => came.push({ at: Date.now(), text: String(bytes) }));
      response.on('end', () => done(came));
    }).on('error', fail);
  });
}

// Sends another spelling of a server's path as it is written: Node's own client would normalise it.
function raw(server, target, headers = '') {
  return new Promise((done, fail) => {
    const socket = http.request({ host: '127.0.0.1', port: new URL(server.base).port, path: '/', method: 'POST', agent: false });
    socket.on('error', fail);
    socket.path = target;
    for (const line of headers.split('\n').filter(Boolean)) socket.setHeader(...line.split(/: (.*)/).slice(0, 2));
    socket.on('response', (response) => { response.resume(); done(response.statusCode); });
    socket.end('{}');
  });
}

for (const front of fronts) {
  let server;
  const knowsOneNo = front.socket === 'none'; // mod_fcgid makes 401 of every answer but 200, and a 403 takes the way that its file has
  const call = (token, target = '/behind', more = {}, body = '{}') => send(server.base, 'POST', target, { headers: { ...text, ...(token ? { Authorization: `Bearer ${token}` } : {}), ...more }, body });
  const signIn = (at, identity) => journey(server, { identity, more: { resource: `${server.base}${at}` } });

  test(`C1: ${front.name} starts with the gate`, { timeout: 240000 }, async () => {
    server = await startFront(front, { guards: [{ at: '/mcp', port: everythingPort }, { at: '/behind', port: behind.port }, { at: '/behind/inner', port: behind.port, scopes: 'mcp profile' }] });
  });

  test(`C1 C2 C3 C4 C14 C15 RS12: behind ${front.name} nobody passes without a token, whatever the method and the body`, options, async () => {
    const before = behind.seen.length;
    for (const method of ['GET', 'HEAD', 'POST', 'DELETE', 'PUT']) {
      const answer = await send(server.base, method, '/behind', { headers: { ...text, 'X-Forwarded-Host': 'evil.example', 'X-Forwarded-Proto': 'gopher' }, body: method === 'POST' ? '{{{' : undefined });
      assert.equal(answer.status, 401, method);
      const challenge = challengeOf(answer);
      assert.equal(challenge.resource_metadata, `${server.base}/.well-known/oauth-protected-resource/behind`);
      assert.equal(challenge.scope, 'mcp');
      assert.ok(!('error' in challenge));
    }
    const document = await send(server.base, 'GET', '/.well-known/oauth-protected-resource/behind/inner');
    assert.deepEqual([document.json().resource, document.json().scopes_supported], [`${server.base}/behind/inner`, ['mcp', 'profile']]);
    assert.equal(behind.seen.length, before, 'none of these reached the server behind');
  });

  test(`S14: behind ${front.name} a body over the limit is our 413, in the shape that programs read`, options, async () => {
    assertOauthError(await postForm(server.base, '/api/oauth/per-user/token', { grant_type: 'x'.repeat(70000) }), 413, 'invalid_request');
  });

  test(`RS11: behind ${front.name} what the server behind refuses itself stays as it said it`, options, async () => {
    const { token } = await signIn('/behind', { skip: true });
    const answer = await call(token, '/behind', { 'X-Answer': '404' });
    assert.deepEqual([answer.status, answer.headers['content-type'], answer.text], [404, 'text/plain', 'not here']);
    assert.match((await call(undefined)).headers['content-type'], /json/);
  });

  test(`C5 C8 C9 C10 RS4 RS8: behind ${front.name} a token is for its own resource, once, and in the header`, options, async () => {
    const { token } = await signIn('/behind', { userId: 'ada' });
    const before = behind.seen.length;
    for (const bad of ['x', `${token}x`, token.slice(1)]) {
      const answer = await call(bad);
      assert.equal(answer.status, 401);
      assert.equal(challengeOf(answer).error, 'invalid_token');
    }
    assert.equal((await call(token, '/behind/inner')).status, 401);
    assert.equal((await call(token, '/mcp')).status, 401);
    assert.equal((await call(undefined, `/behind?access_token=${token}`)).status, 401);
    assert.ok([400, 401].includes((await call(token, `/behind?access_token=${token}`)).status));
    assert.equal(behind.seen.length, before);
    for (const word of ['bearer', 'BEARER']) assert.equal((await call(undefined, '/behind', { Authorization: `${word} ${token}` })).status, 200);
  });

  test(`C6: behind ${front.name} a resource asks for its own scopes, all at once`, options, async () => {
    const { token } = await signIn('/behind/inner', { skip: true });
    const answer = await call(token, '/behind/inner');
    assert.equal(answer.status, 403);
    assert.deepEqual([challengeOf(answer).error, challengeOf(answer).scope], ['insufficient_scope', 'mcp profile']);
    const wide = await journey(server, { identity: { skip: true }, more: { resource: `${server.base}/behind/inner`, scope: 'mcp profile' } });
    assert.equal((await call(wide.token, '/behind/inner')).status, 200);
  });

  test(`C13 XE6 N3: behind ${front.name} a browser's preflight is answered, and the challenge is readable to it`, options, async () => {
    const before = behind.seen.length;
    const preflight = await send(server.base, 'OPTIONS', '/behind', { headers: { Origin: 'https://app.example', 'Access-Control-Request-Method': 'POST' } });
    assert.equal(preflight.status, knowsOneNo ? 401 : 204); // there, browser programs cannot come in
    for (const name of ['Authorization', 'Mcp-Session-Id', 'Last-Event-ID']) if (!knowsOneNo) assert.match(preflight.headers['access-control-allow-headers'], new RegExp(name));
    const named = async (asked) => (await send(server.base, 'OPTIONS', '/behind', { headers: { Origin: 'https://app.example', 'Access-Control-Request-Method': 'POST', 'Access-Control-Request-Headers': asked } })).headers['access-control-allow-headers'];
    const ours = preflight.headers['access-control-allow-headers'];
    for (const name of ['mcp-param-region', 'dpop,x-b3-traceid', 'a'.repeat(1000)]) if (!knowsOneNo) assert.equal((await named(name)).replaceAll(' ', ''), `${ours}, ${name}`.replaceAll(' ', ''));
    for (const bad of ['x"y', 'a'.repeat(1001), 'dpop,x y', 'X-Upper', '*']) if (!knowsOneNo) assert.equal(await named(bad), ours, bad);
    assert.equal(behind.seen.length, before, 'the server behind is not asked');
    const denied = await call(undefined, '/behind', { Origin: 'https://app.example' });
    assert.equal(denied.headers['access-control-allow-origin'], '*');
    assert.match(denied.headers['access-control-expose-headers'], /WWW-Authenticate/);
  });

  test(`RS6 RS7 RS11: behind ${front.name} the server learns from the gate alone who calls`, options, async () => {
    const [ada, bob] = [await signIn('/behind', { userId: 'ada' }), await signIn('/behind', { skip: true })];
    const body = JSON.stringify({ long: 'x'.repeat(30000) });
    const answer = await call(ada.token, '/behind/x?y=1', { ...forged, Cookie: 'a=b' }, body);
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.json().length, body.length, 'the whole body arrived');
    const { headers, names, url } = behind.last();
    assert.equal(url, '/behind/x?y=1');
    assert.deepEqual(['user', 'identity', 'client', 'scope'].map((name) => headers[`consentgate-${name}`]), ['ada', 'user_id', ada.client.client_id, 'mcp']);
    assert.match(headers['consentgate-subject'], /^session:/);
    assert.ok(headers['consentgate-session']);
    assert.ok(!JSON.stringify(behind.last()).includes(ada.token), 'the session token ended at the gate');
    assert.ok(!JSON.stringify(behind.last()).includes('mallory'), JSON.stringify(names));
    assert.deepEqual([headers.authorization, headers.cookie], [undefined, undefined]);
    const ours = names.map((name) => name.toLowerCase()).filter((name) => name.startsWith('consentgate')).sort();
    const written = (all) => all.map((name) => `consentgate-${name}`).sort();
    assert.deepEqual(ours.filter((name) => headers[name] !== ''), written(facts));
    assert.deepEqual(ours.filter((name) => headers[name] === ''), front.name === 'nginx' ? [] : written(ofPeople));
    // A person who skipped has no name, and cannot borrow one.
    await call(bob.token, '/behind', forged);
    assert.deepEqual([behind.last().headers['consentgate-user'], behind.last().headers['consentgate-identity']], [front.name === 'nginx' ? undefined : '', 'skipped']);
    assert.notEqual(behind.last().headers['consentgate-subject'], headers['consentgate-subject']);
    for (const name of Object.keys(answer.headers)) assert.doesNotMatch(name, /consentgate|variable|remote/i, 'the client sees nothing of it');
  });

  test(`C11: behind ${front.name} every call needs the token, and an ended session is out at once`, options, async () => {
    const { token } = await signIn('/behind', { skip: true });
    assert.equal((await call(token)).status, 200);
    assert.equal((await call(undefined)).status, 401);
    const [{ id }] = server.sql('SELECT id FROM session ORDER BY created_at DESC, rowid DESC LIMIT 1');
    await server.admin('session', 'revoke', id);
    assert.equal((await call(token)).status, 401);
  });

  test(`RS8 RS11: behind ${front.name} no spelling of a path leads around the gate`, options, async () => {
    const { token } = await signIn('/behind', { skip: true });
    const before = behind.seen.length;
    for (const target of ['//behind', '/./behind', '/%62ehind', '/x/../behind', '/behind/../behind', '/behind%2Finner', '/behind/%2e%2e/mcp', '/BEHIND', '/behindx', '/behind;x', '/behind%00', '/behind\\x', '/_consentgate_gate']) {
      const status = await raw(server, target);
      assert.ok(status >= 400 && status < 500, `${target}: ${status}`);
    }
    assert.equal(behind.seen.length, before, 'none of these reached the server behind');
    // With a token for /behind nothing inside /behind/inner is reached.
    for (const target of ['/behind//inner', '/behind/./inner', '/behind/x/../inner', '/behind/%69nner', '/behind%2Finner', '/behind/x/%2e%2e/inner', '/behind;x/inner', '/behind/inner;x']) {
      const status = await raw(server, target, `Authorization: Bearer ${token}`);
      assert.ok(status >= 400 && status < 500, `${target}: ${status}`);
    }
    assert.equal(behind.seen.length, before, 'nor did these');
  });

  test(`RS11: behind ${front.name} what the server streams is streamed`, options, async () => {
    const { token } = await signIn('/behind', { skip: true });
    const came = await parts(server, '/behind', { Accept: 'text/event-stream', Authorization: `Bearer ${token}` });
    assert.equal(came.map(({ text: one }) => one).join(''), [0, 1, 2, 3, 4].map((i) => `data: ${i}\n\n`).join(''));
    assert.ok(came.length >= 3, `came in ${came.length} parts`);
  });

  test(`I1: behind ${front.name} the SDK signs in and calls tools of the reference server, which knows nothing of OAuth`, options, async () => {
    const app = new App(server);
    const transport = () => new StreamableHTTPClientTransport(new URL(`${server.base}/mcp`), { authProvider: app });
    const first = transport();
    await assert.rejects(new Client({ name: 'e2e', version: '1' }).connect(first), UnauthorizedError);
    await first.finishAuth((await app.answer({ userId: 'ada' })).get('code'));
    const client = new Client({ name: 'e2e', version: '1' });
    await client.connect(transport());
    const { tools } = await client.listTools();
    assert.ok(tools.some(({ name }) => name === 'echo'), JSON.stringify(tools.map(({ name }) => name)));
    const said = await client.callTool({ name: 'echo', arguments: { message: 'through the gate' } });
    assert.match(said.content[0].text, /through the gate/);
    await client.close();
  });

  test(`RS11: behind ${front.name} the gate closes with its database, and with itself`, options, async () => {
    const { token } = await signIn('/behind', { skip: true });
    const before = behind.seen.length;
    fs.renameSync(server.database, `${server.database}.away`);
    try {
      const answer = await call(token);
      assert.ok(answer.status >= 500 || (knowsOneNo && answer.status === 401), String(answer.status));
      assert.ok((await call(undefined)).status >= 400);
    } finally { fs.renameSync(`${server.database}.away`, server.database); }
    await until(async () => (await call(token)).status === 200, 'the gate to open again');
    if (knowsOneNo) return; // it is Apache's to keep alive
    const reached = behind.seen.length;
    assert.equal(reached, before + 1);
    await server.gate.stop('SIGKILL');
    await sleep(200);
    for (const bearer of [token, undefined]) assert.ok((await call(bearer)).status >= 500);
    assert.equal(behind.seen.length, reached);
    await server.startGate();
    if (process.getuid() === 0 && front.socket === 'gate.sock') fs.chmodSync(path.join(server.var, 'gate.sock'), 0o666);
    await until(async () => (await call(token)).status === 200, 'the gate to be back');
  });

  test(`C1: ${front.name} and the gate stop cleanly`, options, async () => { await server.stop(); });
}
