// The protected MCP server: the gate's challenge, and a real tool call behind it.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { olderRedemption } from './support/aging.mjs';
import { postForm, send } from './support/browser.mjs';
import { challengeOf } from './support/checks.mjs';
import { clientName, journey, redeem, register, rpc, whoami } from './support/journey.mjs';
import { startServer } from './support/server.mjs';

let server;
let session;
const call = (headers, body = '{"jsonrpc":"2.0","id":1,"method":"tools/list"}') => send(server.base, 'POST', '/mcp', { headers: { 'Content-Type': 'application/json', Accept: 'application/json, text/event-stream', ...headers }, body });

before(async () => {
  server = await startServer();
  session = await journey(server, { client: await register(server, { client_name: 'Garden tool' }), identity: { userId: 'ada' } });
}, { timeout: 240000 });
after(async () => { await server?.stop(); }, { timeout: 120000 });

test('C1 C2 C3 C4: without a token the answer is 401 with the address of the metadata, the scope, and no error', async () => {
  const answer = await call({});
  assert.equal(answer.status, 401);
  assert.match(answer.headers['www-authenticate'], /resource_metadata="[^"]+"/);
  const challenge = challengeOf(answer);
  assert.equal(challenge.resource_metadata, `${server.base}/.well-known/oauth-protected-resource/mcp`);
  assert.equal(challenge.scope, 'mcp');
  assert.ok(!('error' in challenge));
});

test('C2: the metadata that the challenge names is there and names the called address', async () => {
  const { resource_metadata: address } = challengeOf(await call({}));
  const answer = await send(server.base, 'GET', new URL(address).pathname);
  assert.equal(answer.status, 200);
  assert.equal(answer.json().resource, server.resource);
});

test('C1 C5: a made-up, malformed or half token is 401 invalid_token', async () => {
  for (const token of ['x', 'cgs_'.padEnd(47, 'A'), `${session.token}x`, session.token.slice(0, -1), session.token.slice(4), session.code, session.token.toUpperCase(), 'a.b.c', 'sk-bf-x', 'x'.repeat(4000)]) {
    const answer = await call({ Authorization: `Bearer ${token}` });
    assert.equal(answer.status, 401, token.slice(0, 50));
    const challenge = challengeOf(answer);
    assert.equal(challenge.error, 'invalid_token');
    assert.ok(challenge.resource_metadata);
  }
});

test('C9 K47: a token in the address is no token', async () => {
  const answer = await send(server.base, 'POST', `/mcp?access_token=${session.token}`, { headers: { 'Content-Type': 'application/json' }, body: '{}' });
  assert.equal(answer.status, 401);
  assert.equal((await postForm(server.base, '/mcp', { access_token: session.token })).status, 401);
});

test('C10: the word Bearer counts in any case', async () => {
  for (const word of ['bearer', 'BEARER', 'bEaReR']) assert.equal((await call({ Authorization: `${word} ${session.token}` })).status, 200);
});

test('C11: the second call needs the token as much as the first', async () => {
  assert.equal((await rpc(server, session.token, 'tools/list')).status, 200);
  assert.equal((await rpc(server, undefined, 'tools/list')).status, 401);
});

test('C12: nothing from a token gets into the challenge', async () => {
  for (const token of ['a"\\b', 'a, error="x"', 'x y', '<b>', 'é']) {
    const answer = await call({ Authorization: Buffer.from(`Bearer ${token}`, 'utf8').toString('latin1') });
    assert.ok([400, 401].includes(answer.status));
    assert.doesNotMatch(answer.headers['www-authenticate'] ?? '', /a"\\b|error="x"|<b>/);
  }
});

test('C14: GET, HEAD and DELETE without a token are challenged too', async () => {
  for (const method of ['GET', 'HEAD', 'DELETE']) {
    const answer = await send(server.base, method, '/mcp');
    assert.equal(answer.status, 401, method);
    assert.ok(challengeOf(answer).resource_metadata, method);
  }
});

test('C15: the token is asked for before the body is read', async () => {
  for (const body of ['{{{', '', '\u0000', '['.repeat(10000)]) assert.equal((await call({}, body)).status, 401);
});

test('C1: neither another spelling of the path nor another address opens the MCP server', async () => {
  for (const target of ['/mcp/', '/mcp/x', '//mcp', '/./mcp', '/%6dcp', '/x/../mcp', '/MCP', '/mcpX', '/mcp?x=1', '/mcp%00']) {
    const answer = await send(server.base, 'POST', target, { headers: { 'Content-Type': 'application/json' }, body: '{"jsonrpc":"2.0","id":1,"method":"tools/list"}' });
    assert.ok([400, 401, 404].includes(answer.status), `${target}: ${answer.status}`);
  }
});

test('C1: with a token, whoami names the client and the identity of its session', async () => {
  const said = await whoami(server, session.token);
  assert.deepEqual(said, { client_id: session.client.client_id, identity_kind: 'user_id', identity: 'ada' });
  const other = await journey(server, { client: await register(server, { client_name: 'Other' }), identity: { skip: true } });
  assert.equal((await whoami(server, other.token)).client_id, other.client.client_id);
  assert.deepEqual([await clientName(server, session.client.client_id), await clientName(server, other.client.client_id)], ['Garden tool', 'Other']);
  const text = (await rpc(server, session.token, 'tools/call', { name: 'whoami', arguments: {} })).json().result.content[0].text;
  assert.ok(text.includes(session.client.client_id), text);
  assert.match(text, /ada/);
});

test('C1: the MCP server speaks the protocol: initialize, tools/list, unknown method, unknown tool, broken JSON', async () => {
  const hello = await rpc(server, session.token, 'initialize', { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'x', version: '1' } });
  assert.equal(hello.status, 200);
  assert.equal(hello.json().result.protocolVersion, '2025-06-18');
  assert.ok(hello.json().result.serverInfo.name);
  const { tools } = (await rpc(server, session.token, 'tools/list')).json().result;
  assert.deepEqual(tools.map((tool) => tool.name), ['whoami', 'profile']);
  assert.equal(tools[0].inputSchema.type, 'object');
  assert.equal((await rpc(server, session.token, 'no/such')).json().error.code, -32601);
  const unknown = (await rpc(server, session.token, 'tools/call', { name: 'nope' })).json();
  assert.ok(unknown.error || unknown.result.isError);
  const broken = await call({ Authorization: `Bearer ${session.token}` }, '{{{');
  assert.ok(broken.status < 500 && broken.json().error.code === -32700, broken.text);
});

test('T16 C5 K9: a session that was revoked is out at the next call', async () => {
  const done = await journey(server);
  assert.equal((await rpc(server, done.token, 'tools/list')).status, 200);
  server.sql(olderRedemption(done)); // a moment after the first time it would end nothing
  await redeem(server, done, done.code);
  const answer = await rpc(server, done.token, 'tools/list');
  assert.equal(answer.status, 401);
  assert.equal(challengeOf(answer).error, 'invalid_token');
});

test('C5 K8 K25: a token for one resource does not open another', { timeout: 240000 }, async () => {
  const two = await startServer({ env: ({ base }) => ({ CONSENTGATE_RESOURCES: `${base}/mcp ${base}/other` }) });
  try {
    const foreign = await journey(two, { more: { resource: `${two.base}/other` } });
    assert.equal((await rpc(two, foreign.token, 'tools/list')).status, 401);
    const own = await journey(two);
    assert.equal((await rpc(two, own.token, 'tools/list')).status, 200);
  } finally { await two.stop(); }
});

test('C6 K49: a tool that takes another scope is refused with all it takes at once, and one round of consent suffices', async () => {
  const profile = (token) => rpc(server, token, 'tools/call', { name: 'profile', arguments: {} });
  const refused = await profile(session.token);
  assert.equal(refused.status, 403);
  const challenge = challengeOf(refused);
  assert.deepEqual([challenge.error, challenge.scope], ['insufficient_scope', 'mcp profile']);
  assert.ok(challenge.resource_metadata.startsWith(server.issuer));
  const { token } = await journey(server, { more: { scope: challenge.scope } });
  const allowed = await profile(token);
  assert.equal(allowed.status, 200, allowed.text);
  assert.equal(allowed.json().result.structuredContent.scope, 'mcp profile');
  assert.equal((await rpc(server, session.token, 'tools/call', { name: 'whoami', arguments: {} })).status, 200);
});

test('C8: an Authorization header that is not Bearer and one token is 400 invalid_request', async () => {
  for (const header of ['Bearer', `Bearer ${session.token}, Bearer ${session.token}`, `Bearer ${session.token} x`]) {
    const answer = await call({ Authorization: header }, '{"jsonrpc":"2.0","id":1,"method":"tools/list"}');
    assert.equal(answer.status, 400, header);
    assert.equal(challengeOf(answer).error, 'invalid_request');
  }
});
