// Programs that people run, unmodified, as processes of their own: mcp-remote and the MCP
// Inspector's command line. The person's clicks and the browser are ours. client_journeys.test.mjs
// takes them through what every client must be able to do.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { endAccessTokens, forgetEveryone, personAt, revoke } from './support/app.mjs';
import { postForm } from './support/browser.mjs';
import { api, clientName, journey, register, rpc } from './support/journey.mjs';
import { comeBack, initialize, inspector, inspectorCommand, keptByRemote as keptBy, mcpRemote, startRemote } from './support/real_clients.mjs';
import { freePort, plainFolder, startServer } from './support/server.mjs';

const options = { timeout: 120000 };
let server;
let folder;
before(async () => { server = await startServer(); folder = plainFolder(); }, { timeout: 240000 });
after(async () => { await server?.stop(); fs.rmSync(folder, { recursive: true, force: true }); }, { timeout: 120000 });

// ---- mcp-remote ---------------------------------------------------------------------------------

async function remoteWhoami(remote) {
  const answer = await remote.ask('tools/call', { name: 'whoami', arguments: {} });
  return answer.result?.structuredContent ?? answer;
}

test('I1: mcp-remote signs in, calls, refreshes, registers anew when it was forgotten, and is out when it was revoked', { ...options, skip: mcpRemote.skip }, async () => {
  const home = path.join(folder, 'remote');
  fs.mkdirSync(home);
  const port = await freePort();
  const remote = await startRemote(server, home, port);
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

  const next = await startRemote(server, home, port); // the host starts it again tomorrow
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

// ---- the Inspector's command line with a token that another program got -------------------------

const run = promisify(execFile);
const inspect = (...args) => run(process.execPath, [...inspectorCommand(server), '--stored-auth-only', ...args], { cwd: folder, env: { ...process.env, HOME: folder }, timeout: 30000 })
  .then(({ stdout }) => ({ code: 0, text: stdout }), (error) => ({ code: error.code, text: error.stdout + error.stderr }));

test('I1: the Inspector lists and calls whoami with a token, and is refused without one, with one that is over, and with one that was revoked', { ...options, skip: inspector.skip }, async () => {
  const client = await register(server, { client_name: 'Inspector', grant_types: ['authorization_code', 'refresh_token'] });
  const session = await journey(server, { client, identity: { userId: 'ada' } });
  const bearer = (token) => ['--header', `Authorization: Bearer ${token}`];
  const listed = await inspect(...bearer(session.token));
  assert.deepEqual(JSON.parse(listed.text).tools.map((tool) => tool.name), ['whoami', 'profile'], listed.text);
  const call = (token) => inspect('--method', 'tools/call', '--tool-name', 'whoami', ...(token ? bearer(token) : []));
  assert.equal(JSON.parse((await call(session.token)).text).structuredContent.identity, 'ada');
  const refused = async (token) => assert.match((await call(token)).text, /"code":"auth_required".*\berror\b.*\b(unauthorized|invalid_token)\b/);
  await refused();

  endAccessTokens(server, client.client_id);
  await refused(session.token);
  const answer = await postForm(server.base, `${api}/token`, { grant_type: 'refresh_token', client_id: client.client_id, refresh_token: session.answer.json().refresh_token });
  const { access_token: token, refresh_token: refreshToken } = answer.json();
  assert.equal(JSON.parse((await call(token)).text).structuredContent.identity, 'ada');
  await revoke(server, client.client_id, refreshToken);
  await refused(token);
});
