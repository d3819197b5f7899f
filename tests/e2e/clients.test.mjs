// Programs that people run, unmodified, as processes of their own: mcp-remote, the MCP Inspector's
// command line, and the official conformance suite. The person's clicks and the browser are ours.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { endAccessTokens, forgetEveryone, personAt, revoke } from './support/app.mjs';
import { postForm } from './support/browser.mjs';
import { api, clientName, journey, register, rpc } from './support/journey.mjs';
import { freePort, plainFolder, root, startServer, until } from './support/server.mjs';
import { startStdio } from './support/stdio.mjs';

const options = { timeout: 120000 };
const old = Number(process.versions.node.split('.')[0]) < 20 && 'needs Node.js 20';
const installed = (file) => path.join(root, 'tests/e2e/node_modules', file);
let server;
let folder;
before(async () => { server = await startServer(); folder = plainFolder(); }, { timeout: 240000 });
after(async () => { await server?.stop(); fs.rmSync(folder, { recursive: true, force: true }); }, { timeout: 120000 });

// ---- mcp-remote: what hosts that only know local servers put between ----------------------------

const initialize = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'host', version: '1' } };

function startRemote(home, port) {
  return startStdio([installed('mcp-remote/dist/proxy.js'), server.resource, String(port), '--transport', 'http-only'], home);
}

const keptBy = (home, what) => {
  const base = path.join(home, '.mcp-auth');
  const name = fs.readdirSync(base, { recursive: true }).find((file) => String(file).endsWith(`_${what}.json`));
  return name && JSON.parse(fs.readFileSync(path.join(base, String(name)), 'utf8'));
};


// The browser comes back to the program. It may not listen yet when it has only just asked.
async function comeBack(location) {
  const page = await until(() => fetch(location).catch(() => undefined), `the callback at ${location}`, 10000);
  assert.equal(page.status, 200);
  await page.text();
}

async function remoteWhoami(remote) {
  const answer = await remote.ask('tools/call', { name: 'whoami', arguments: {} });
  return answer.result?.structuredContent ?? answer;
}

test('I1: mcp-remote signs in, calls, refreshes, registers anew when it was forgotten, and is out when it was revoked', { ...options, skip: old }, async () => {
  const home = path.join(folder, 'remote');
  fs.mkdirSync(home);
  const port = await freePort();
  const remote = await startRemote(home, port);
  try {
    const hello = remote.ask('initialize', initialize);
    const asked = new URL(await remote.nextAddress());
    assert.deepEqual(['resource', 'scope', 'redirect_uri'].map((name) => asked.searchParams.get(name)), [server.resource, 'mcp', `http://localhost:${port}/oauth/callback`]);
    await comeBack(await personAt(server, asked, { userId: 'ada' }));
    assert.equal((await hello).result?.serverInfo.name, 'consentgate-whoami', remote.said());
    remote.tell({ method: 'notifications/initialized' });
    const client = keptBy(home, 'client_info');
    assert.deepEqual(await remoteWhoami(remote), { client_id: client.client_id, identity_kind: 'user_id', identity: 'ada' });
    assert.equal(await clientName(server, client.client_id), 'MCP CLI Proxy');

    const first = keptBy(home, 'tokens');
    endAccessTokens(server, client.client_id);
    assert.equal((await remoteWhoami(remote)).identity, 'ada');
    assert.notEqual(keptBy(home, 'tokens').refresh_token, first.refresh_token);
    assert.equal(remote.addresses().length, 1, 'a refresh needs no person');

    forgetEveryone(server);
    const waiting = remoteWhoami(remote);
    const again = new URL(await remote.nextAddress(1));
    assert.notEqual(again.searchParams.get('client_id'), client.client_id);
    await comeBack(await personAt(server, again, { userId: 'bob' }));
    assert.deepEqual([(await waiting).identity, keptBy(home, 'client_info').client_id], ['bob', again.searchParams.get('client_id')]);
  } finally { await remote.stop(); }

  const next = await startRemote(home, port); // the host starts it again tomorrow
  try {
    assert.equal((await next.ask('initialize', initialize)).result?.serverInfo.name, 'consentgate-whoami', next.said());
    assert.equal((await remoteWhoami(next)).identity, 'bob');
    assert.equal(next.addresses().length, 0, 'what it kept is still good');
    const kept = keptBy(home, 'tokens');
    await revoke(server, keptBy(home, 'client_info').client_id, kept.refresh_token);
    let answered = false;
    remoteWhoami(next).then(() => { answered = true; });
    await next.nextAddress();
    assert.equal(answered, false, 'the call waits for the person');
    assert.equal((await rpc(server, kept.access_token, 'tools/list')).status, 401);
  } finally { await next.stop(); }
});

// ---- the Inspector's command line: it takes a token, so signing in is another program's part ----
// Version 1 is the last whose command line runs below Node.js 22.19.

const run = promisify(execFile);
const inspector = installed('@modelcontextprotocol/inspector-cli/build'); // it looks for its package.json from where it stands
const inspect = (...args) => run(process.execPath, ['index.js', server.resource, '--transport', 'http', ...args], { cwd: inspector, timeout: 30000 })
  .then(({ stdout }) => ({ code: 0, text: stdout }), (error) => ({ code: error.code, text: error.stdout + error.stderr }));

test('I1: the Inspector lists and calls whoami with a token, and is refused without one, with one that is over, and with one that was revoked', options, async () => {
  const client = await register(server, { client_name: 'Inspector', grant_types: ['authorization_code', 'refresh_token'] });
  const session = await journey(server, { client, identity: { userId: 'ada' } });
  const bearer = (token) => ['--header', `Authorization: Bearer ${token}`];
  const listed = await inspect('--method', 'tools/list', ...bearer(session.token));
  assert.deepEqual(JSON.parse(listed.text).tools.map((tool) => tool.name), ['whoami', 'profile'], listed.text);
  const call = (token) => inspect('--method', 'tools/call', '--tool-name', 'whoami', ...(token ? bearer(token) : []));
  assert.equal(JSON.parse((await call(session.token)).text).structuredContent.identity, 'ada');
  const refused = async (token) => assert.match((await call(token)).text, /"error":"(unauthorized|invalid_token)"/);
  await refused();

  endAccessTokens(server, client.client_id);
  await refused(session.token);
  const answer = await postForm(server.base, `${api}/token`, { grant_type: 'refresh_token', client_id: client.client_id, refresh_token: session.answer.json().refresh_token });
  const { access_token: token, refresh_token: refreshToken } = answer.json();
  assert.equal(JSON.parse((await call(token)).text).structuredContent.identity, 'ada');
  await revoke(server, client.client_id, refreshToken);
  await refused(token);
});

// ---- the conformance suite ----------------------------------------------------------------------

// Its scenarios for servers of MCP and for clients do not concern an authorization server; those
// for one are all run.
const suite = (...args) => [`--import=${path.join(root, 'tests/e2e/support/old_node_fs.mjs')}`, installed('@modelcontextprotocol/conformance/dist/index.js'), ...args];

// The documents of clients are announced when they are understood; until then the suite only warns,
// and so do we.
const mayWarn = (check) => check.id === 'authorization-server-metadata-cimd' && check.details.client_id_metadata_document_supported === undefined;

test('I1: every scenario for authorization servers passes', { ...options, skip: old }, async () => {
  const { stdout: list } = await run(process.execPath, suite('list', '--authorization'));
  const scenarios = [...list.matchAll(/^ +- (\S+)/gm)].map(([, name]) => name);
  assert.ok(scenarios.length >= 2, list);

  const port = await freePort();
  const results = path.join(folder, 'conformance');
  const client = await register(server, { redirect_uris: [`http://127.0.0.1:${port}/callback`] });
  const child = spawn(process.execPath, suite('authorization', '--url', server.issuer, '--client-id', client.client_id, '--resource', server.resource, '-p', String(port), '-o', results), { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes) => { said += bytes; });
  const ended = once(child, 'close');
  try {
    const address = await until(() => /^http:\S+\/authorize\?\S+/m.exec(said)?.[0], 'the suite asks for a sign-in', 20000);
    await comeBack(await personAt(server, address, { skip: true }));
  } catch (error) {
    child.kill(); // it would wait five minutes for its callback
    throw new Error(said, { cause: error });
  }
  const [code] = await ended;

  const checks = fs.readdirSync(results, { recursive: true }).filter((file) => path.basename(String(file)) === 'checks.json')
    .flatMap((file) => JSON.parse(fs.readFileSync(path.join(results, String(file)), 'utf8')));
  const bad = checks.filter((check) => !['SUCCESS', 'INFO'].includes(check.status) && !(check.status === 'WARNING' && mayWarn(check)));
  assert.deepEqual(bad, [], said);
  assert.equal(code, 0, said);
  const folders = fs.readdirSync(results).join(' ');
  for (const scenario of scenarios) assert.ok(folders.includes(scenario), `${scenario} did not run: ${folders}`);
  assert.ok(checks.filter((check) => check.status === 'SUCCESS').length >= scenarios.length);
});
