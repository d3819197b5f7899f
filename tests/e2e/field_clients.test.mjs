// Requests of clients in the field, written down from their sources and from reports: each
// registers with its own words and signs in at each of its addresses. The libraries themselves run
// in clients.test.mjs, sdk_client.test.mjs and oauth_libraries.test.mjs.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Browser, postForm, postJson, send } from './support/browser.mjs';
import { api, authorizeParameters, clientName, codeFor, pkce, register, rpc, tokenParameters, whoami } from './support/journey.mjs';
import { startServer } from './support/server.mjs';

const options = { timeout: 120000 };
const codes = ['authorization_code', 'refresh_token'];
let server;
before(async () => { server = await startServer(); }, { timeout: 240000 });
after(async () => { await server?.stop(); }, { timeout: 120000 });

const field = {
  claudeCode: { client_name: 'Claude Code (tools)', redirect_uris: ['http://localhost:3118/callback'], grant_types: codes, response_types: ['code'], token_endpoint_auth_method: 'none' },
  claudeAi: { client_name: 'Claude', redirect_uris: ['https://claude.ai/api/mcp/auth_callback'], grant_types: codes, response_types: ['code'], token_endpoint_auth_method: 'client_secret_post', scope: 'mcp' },
  cursor: { client_name: 'Cursor', application_type: 'web', redirect_uris: ['cursor://anysphere.cursor-mcp/oauth/callback', 'https://www.cursor.com/agents/mcp/oauth/callback', 'http://localhost:8787/callback'], grant_types: codes, response_types: ['code'], token_endpoint_auth_method: 'none' },
  vsCode: { client_name: 'Visual Studio Code', application_type: 'native', redirect_uris: ['https://insiders.vscode.dev/redirect', 'https://vscode.dev/redirect', 'http://127.0.0.1/', 'http://127.0.0.1:33418/'],
    grant_types: [...codes, 'urn:ietf:params:oauth:grant-type:device_code'], response_types: ['code'], token_endpoint_auth_method: 'none' },
  inspector: { client_name: 'MCP Inspector', application_type: 'native', redirect_uris: ['http://localhost:6274/oauth/callback', 'http://localhost:6274/oauth/callback/debug'], grant_types: codes, response_types: ['code'], client_uri: 'https://github.com/modelcontextprotocol/inspector', token_endpoint_auth_method: 'none', scope: '' },
  mcpRemote: { client_name: 'MCP CLI Proxy', redirect_uris: ['http://localhost:3334/oauth/callback'], grant_types: codes, response_types: ['code'], client_uri: 'https://github.com/modelcontextprotocol/mcp-cli', software_id: '2e6dc280-f3c3-4e01-99a7-8181dbd1d23d', software_version: '0.1.0', token_endpoint_auth_method: 'none' },
  chatGpt: { client_name: 'ChatGPT', redirect_uris: ['https://chatgpt.com/connector/oauth/abc', 'https://chatgpt.com/connector_platform_oauth_redirect'], grant_types: codes, token_endpoint_auth_methods_supported: ['private_key_jwt', 'none'] },
  openCode: { client_name: 'OpenCode', redirect_uris: ['http://127.0.0.1/callback', 'http://localhost/callback', 'http://127.0.0.1/mcp/oauth/callback'], grant_types: codes, response_types: ['code'], token_endpoint_auth_method: 'none' },
};

// A client authenticates as its registration's answer says, and not as it had asked.
function credentials(client) {
  const method = client.token_endpoint_auth_method;
  assert.ok(['none', 'client_secret_post', 'client_secret_basic'].includes(method), method);
  if (method === 'none') { assert.ok(!('client_secret' in client)); return [{}, {}]; }
  assert.ok(Number.isInteger(client.client_secret_expires_at), 'a secret comes with its expiry');
  if (method === 'client_secret_post') return [{ client_secret: client.client_secret }, {}];
  return [{ client_id: undefined }, { Authorization: `Basic ${Buffer.from(`${client.client_id}:${client.client_secret}`).toString('base64')}` }];
}

// Signs in at one address, uses the token, refreshes it and uses that.
async function signsInAt(client, redirect) {
  const [more, headers] = credentials(client);
  const flow = await codeFor(server, { client, more: { redirect_uri: redirect }, identity: { userId: 'ada' } });
  assert.ok(flow.submitted.location.startsWith(redirect), flow.submitted.location);
  const answer = await postForm(server.base, `${api}/token`, tokenParameters(flow, flow.code, more), headers);
  assert.equal(answer.status, 200, answer.text);
  const { access_token: token, refresh_token: refreshToken } = answer.json();
  assert.equal((await whoami(server, token)).client_id, client.client_id);
  assert.equal(await clientName(server, client.client_id), client.client_name);
  const again = await postForm(server.base, `${api}/token`, { grant_type: 'refresh_token', client_id: client.client_id, refresh_token: refreshToken, resource: server.resource, ...more }, headers);
  assert.equal(again.status, 200, again.text);
  assert.equal((await whoami(server, again.json().access_token)).identity, 'ada');
}

// Registers, checks that what counts came back, and signs in at every address. out: the
// registration
async function registersAndSignsIn(body) {
  const client = await register(server, { token_endpoint_auth_method: undefined, ...body }); // what it leaves out stays out
  assert.deepEqual(client.redirect_uris, body.redirect_uris);
  assert.deepEqual(client.grant_types, codes);
  assert.deepEqual(client.response_types, ['code']);
  for (const [name, value] of Object.entries(client)) assert.ok(value !== null && value !== '', name);
  for (const redirect of body.redirect_uris) await signsInAt(client, redirect);
  return client;
}

test('R7 R8 A7 A8: Claude Code registers one port and comes back at another', options, async () => {
  const client = await registersAndSignsIn(field.claudeCode);
  await signsInAt(client, 'http://localhost:49152/callback');
  await signsInAt(await register(server, { ...field.claudeCode, redirect_uris: ['http://localhost/callback', 'http://127.0.0.1/callback'] }), 'http://localhost:51234/callback');
});

test('R10 R11: claude.ai asks for client_secret_post and signs in with whatever it is given', options, async () => {
  await registersAndSignsIn(field.claudeAi);
  await registersAndSignsIn({ ...field.claudeAi, redirect_uris: ['https://claude.com/api/mcp/auth_callback'] });
});

test('R3 R15: Cursor registers a private scheme, a website and a loopback address at once, as a web application, and all three work', options, async () => {
  await registersAndSignsIn(field.cursor);
});

test('R14 A6: VS Code registers the device grant too, does not get it, and signs in without it, from any port of the bare loopback address', options, async () => {
  const client = await registersAndSignsIn(field.vsCode);
  await signsInAt(client, 'http://127.0.0.1:60123/');
});

test('R8 R9: the Inspector registers with an empty scope and gets no empty one back', options, async () => {
  const client = await registersAndSignsIn(field.inspector);
  assert.notEqual(client.scope, '');
});

test('R12 R16: mcp-remote tells its software id and home page, and signs in', options, async () => {
  await registersAndSignsIn(field.mcpRemote);
});

test('R11 R12: ChatGPT names the methods it knows in place of one, and is given none', options, async () => {
  assert.equal((await registersAndSignsIn(field.chatGpt)).token_endpoint_auth_method, 'none');
});

test('A6 A7: opencode registers addresses without a port and comes back at one with', options, async () => {
  const client = await registersAndSignsIn(field.openCode);
  for (const redirect of ['http://127.0.0.1:19876/mcp/oauth/callback', 'http://localhost:19876/callback']) await signsInAt(client, redirect);
});

test('R22: mcp-remote\'s old guess at scopes, openid email profile, registers and signs in with those that are known', options, async () => {
  const client = await register(server, { ...field.mcpRemote, scope: 'openid email profile' });
  assert.equal(client.scope, 'profile');
  const flow = await codeFor(server, { client, more: { redirect_uri: client.redirect_uris[0], scope: 'openid email profile' } });
  assert.equal((await postForm(server.base, `${api}/token`, tokenParameters(flow, flow.code))).json().scope, 'profile');
});

// ---- what a page in a browser needs -------------------------------------------------------------

// As a browser does it: asks first, and lets the page see the answer only when both say so.
async function fromPage(method, target, { headers = {}, body } = {}) {
  const Origin = 'http://localhost:6274';
  const names = Object.keys(headers).map((name) => name.toLowerCase());
  const asked = await send(server.base, 'OPTIONS', target, { headers: { Origin, 'Access-Control-Request-Method': method, 'Access-Control-Request-Headers': names.join(',') } });
  assert.ok([200, 204].includes(asked.status), `${target}: ${asked.status}`);
  const list = (name) => (asked.headers[name] ?? '').toLowerCase().split(/\s*,\s*/);
  assert.equal(asked.headers['access-control-allow-origin'], '*', target);
  assert.ok(list('access-control-allow-methods').includes(method.toLowerCase()), `${method} ${target}`);
  for (const name of names) assert.ok(list('access-control-allow-headers').includes(name), `${name} for ${target}`);
  const answer = await send(server.base, method, target, { headers: { Origin, ...headers }, body });
  assert.equal(answer.headers['access-control-allow-origin'], '*', target);
  assert.equal(answer.headers['access-control-allow-credentials'], undefined, 'cookies are never wanted');
  return answer;
}

test('D9 D27 R21 T32 V6 C13: the Inspector\'s page in a browser may ask for all that a sign-in needs, and see the challenge', options, async () => {
  const version = { 'MCP-Protocol-Version': '2025-11-25' };
  const json = { 'Content-Type': 'application/json' };
  const call = { method: 'POST', body: '{"jsonrpc":"2.0","id":1,"method":"tools/list"}' };
  const refused = await fromPage('POST', '/mcp', { headers: { ...json, ...version, 'Mcp-Session-Id': 'x', 'Last-Event-ID': '1', 'Mcp-Method': 'tools/list' }, body: call.body });
  assert.equal(refused.status, 401);
  assert.match(refused.headers['access-control-expose-headers'], /\bWWW-Authenticate\b/i);
  assert.equal((await fromPage('GET', '/.well-known/oauth-protected-resource/mcp', { headers: version })).status, 200);
  assert.equal((await fromPage('GET', '/.well-known/oauth-authorization-server', { headers: version })).status, 200);
  const client = (await fromPage('POST', `${api}/register`, { headers: { ...json, ...version }, body: JSON.stringify(field.inspector) })).json();
  const flow = await codeFor(server, { client });
  const form = { 'Content-Type': 'application/x-www-form-urlencoded', ...version };
  const token = await fromPage('POST', `${api}/token`, { headers: form, body: new URLSearchParams(tokenParameters(flow, flow.code)).toString() });
  assert.equal(token.status, 200, token.text);
  assert.equal((await fromPage('POST', '/mcp', { headers: { ...json, ...version, Authorization: `Bearer ${token.json().access_token}` }, body: call.body })).status, 200);
  assert.equal((await fromPage('POST', `${api}/revoke`, { headers: form, body: new URLSearchParams({ client_id: client.client_id, token: token.json().refresh_token }).toString() })).status, 200);
});

test('A2 T32: the pages and forms that a person uses are for no other origin, whatever a preflight asks', options, async () => {
  const client = await register(server);
  const Origin = 'https://app.example.test';
  const browser = new Browser(server.base);
  const started = await browser.get(`${api}/authorize?${new URLSearchParams(authorizeParameters(server, client, pkce()))}`, { Origin });
  const answers = [started, await browser.get(started.location, { Origin })];
  for (const step of ['user-id', 'vk', 'skip', 'submit', 'deny']) {
    answers.push(await send(server.base, 'OPTIONS', `${api}/consent/${step}`, { headers: { Origin, 'Access-Control-Request-Method': 'POST' } }));
  }
  for (const answer of answers) assert.equal(answer.headers['access-control-allow-origin'], undefined);
  assert.equal((await rpc(server, undefined, 'tools/list', {}, { Origin })).headers['access-control-allow-origin'], '*');
  assert.equal((await postJson(server.base, `${api}/register`, field.cursor, { Origin })).headers['access-control-allow-origin'], '*');
});
