// The server takes what real clients do oddly and harm nobody by, and refuses its neighbours.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Browser, form, postForm, postJson, query, send } from './support/browser.mjs';
import { assertGatewayError, assertNoRedirect, assertOauthError, assertPage } from './support/checks.mjs';
import { api, authorize, authorizeParameters, choose, codeFor, https, journey, loopback, pkce, post, redeem, register, startFlow, submit, tokenParameters, whoami } from './support/journey.mjs';
import { readsDocuments, startMetadataHosts } from './support/metadata_host.mjs';
import { startServer } from './support/server.mjs';

let host; // of documents
let server;
let asking; // a resource server
before(async () => {
  const hosts = await startMetadataHosts('localhost');
  [host] = hosts.hosts;
  server = await startServer({ env: {
    CONSENTGATE_SCOPES: 'mcp=Use the tools; profile=See your name',
    ...readsDocuments(hosts.ca, [host]),
  } });
  asking = await server.admin('resource', 'add', server.resource, '--json');
}, { timeout: 240000 });
after(async () => { await server?.stop(); await host?.stop(); }, { timeout: 120000 });

const types = {
  json: { good: ['application/json, application/json', 'text/plain, application/json;charset=utf-8', 'application/json,text/plain'],
    bad: [undefined, 'text/plain', 'text/plain, text/html', 'text/plain; a="x, application/json"', 'application/jsonx, xapplication/json'] },
  form: { good: ['application/x-www-form-urlencoded, application/x-www-form-urlencoded', 'text/plain, application/x-www-form-urlencoded; charset=utf-8'],
    bad: [undefined, 'application/json', 'text/plain, application/json', 'application/x-www-form-urlencodedx, multipart/form-data'] },
};
const sendAs = (type, target, body, headers = {}) => send(server.base, 'POST', target, { headers: { ...headers, ...(type === undefined ? {} : { 'Content-Type': type }) }, body });

test('XE6: a registration is read under a list of types with JSON in it, and under no other', async () => {
  const body = JSON.stringify({ redirect_uris: [loopback], token_endpoint_auth_method: 'none' });
  for (const type of types.json.good) assert.equal((await sendAs(type, `${api}/register`, body)).status, 201, type);
  for (const type of types.json.bad) assertOauthError(await sendAs(type, `${api}/register`, body), 400, 'invalid_client_metadata');
});

test('XE6: every endpoint that takes a form takes it under a list of types with a form in it, and under no other', async () => {
  const basic = { Authorization: `Basic ${Buffer.from(`${asking.id}:${asking.secret}`).toString('base64')}` };
  for (const type of types.form.good) {
    const flow = await startFlow(server);
    assert.equal((await post(flow, 'skip', {}, { 'Content-Type': type })).status, 302, type);
    const submitted = await post(flow, 'submit', {}, { 'Content-Type': type });
    assert.equal(submitted.status, 302, submitted.text);
    const answer = await sendAs(type, `${api}/token`, form(tokenParameters(flow, submitted.sent().get('code'))));
    assert.equal(answer.status, 200, answer.text);
    const { access_token: token } = answer.json();
    assert.equal((await sendAs(type, `${api}/introspect`, form({ token }), basic)).json().active, true);
    assert.equal((await sendAs(type, `${api}/revoke`, form({ token, client_id: flow.client.client_id }))).status, 200);
    assert.equal((await sendAs(type, `${api}/introspect`, form({ token }), basic)).json().active, false);
  }
  for (const type of types.form.bad) {
    const flow = await codeFor(server);
    assertOauthError(await sendAs(type, `${api}/token`, form(tokenParameters(flow, flow.code))), 400, 'invalid_request');
    assertOauthError(await sendAs(type, `${api}/introspect`, form({ token: 'x' }), basic), 400, 'invalid_request');
    assertOauthError(await sendAs(type, `${api}/revoke`, form({ token: 'x', client_id: flow.client.client_id })), 400, 'invalid_request');
    assert.equal((await redeem(server, flow, flow.code)).status, 200, 'the code was not spent');
    const open = await startFlow(server);
    const headers = { ...open.browser.headers({ Origin: server.issuer, Accept: 'application/json' }) };
    assertGatewayError(await sendAs(type, `${api}/consent/skip`, form({ flow_id: open.flowId }), headers), 400, 'missing_flow_id');
  }
});

test('XE6: parameters that nobody reads may come twice, those that count may not', async () => {
  const client = await register(server, { grant_types: ['authorization_code', 'refresh_token'] });
  const proof = pkce();
  const asked = query(`${api}/authorize`, authorizeParameters(server, client, proof));
  const browser = new Browser(server.base, server.issuer);
  const started = await browser.get(`${asked}&nonce=a&nonce=b&ui_locales=de&ui_locales=en&audience=x&audience=y`);
  assert.match(started.location ?? '', /^\/oauth\/consent\?flow_id=/, started.text);
  for (const name of ['scope', 'code_challenge', 'response_type', 'prompt']) {
    const answer = await new Browser(server.base).get(`${asked}&${name}=a&${name}=b`);
    assert.equal(new URL(answer.location).searchParams.get('error'), 'invalid_request', name);
  }
  for (const name of ['client_id', 'redirect_uri']) assertNoRedirect(await new Browser(server.base).get(`${asked}&${name}=${encodeURIComponent(authorizeParameters(server, client, proof)[name])}`));

  const flow = { browser, flowId: new URL(started.location, server.base).searchParams.get('flow_id'), client, proof, parameters: authorizeParameters(server, client, proof) };
  const own = (step, more) => browser.post(`${api}/consent/${step}`, `flow_id=${flow.flowId}&${more}`, { Accept: 'application/json' });
  assertGatewayError(await own('user-id', 'user_id=a&user_id=b'), 400, 'invalid_request');
  assertGatewayError(await own('skip', `flow_id=${flow.flowId}`), 400, 'invalid_request');
  assert.equal((await own('skip', 'x=1&x=2')).status, 302);
  const submitted = await own('submit', 'x=1&x=2');
  assert.equal(submitted.status, 302, submitted.text);

  const code = form(tokenParameters(flow, submitted.sent().get('code')));
  const token = (body) => postForm(server.base, `${api}/token`, body);
  for (const twice of ['code=x', 'code_verifier=x', 'redirect_uri=x', 'client_id=x', 'grant_type=x']) assertOauthError(await token(`${code}&${twice}`), 400, 'invalid_request');
  const granted = await token(`${code}&scope=mcp&scope=x&refresh_token=a&refresh_token=b&audience=x&audience=y`);
  assert.equal(granted.status, 200, granted.text);
  const refresh = form({ grant_type: 'refresh_token', refresh_token: granted.json().refresh_token, client_id: client.client_id });
  for (const twice of ['refresh_token=x', 'scope=mcp&scope=mcp', 'client_id=x']) assertOauthError(await token(`${refresh}&${twice}`), 400, 'invalid_request');
  const refreshed = await token(`${refresh}&redirect_uri=a&redirect_uri=b&code=x&code=y`);
  assert.equal(refreshed.status, 200, refreshed.text);
  const revoke = form({ token: refreshed.json().refresh_token, client_id: client.client_id });
  assertOauthError(await postForm(server.base, `${api}/revoke`, `${revoke}&token=x`), 400, 'invalid_request');
  assert.equal((await postForm(server.base, `${api}/revoke`, `${revoke}&token_type_hint=a&token_type_hint=b`)).status, 200);
});

const odd = ['javascript:alert(1)', 'data:text/html,x', 'http://evil.test/cb', 'https://client.example.test/cb#x', '/cb', '', null, 7];
const ask = (more) => postJson(server.base, `${api}/register`, { client_name: 'Odd app', token_endpoint_auth_method: 'none', redirect_uris: [loopback], ...more });

test('XE6: odd addresses beside good ones are dropped, any number of them, and alone refused', async () => {
  const many = Array.from({ length: 100 }, (_, at) => `javascript:${at}`);
  for (const uris of [[...odd, loopback, https], [loopback, ...many, https], [loopback, https, ...odd, ...many]]) {
    const answer = await ask({ redirect_uris: uris });
    assert.equal(answer.status, 201, answer.text);
    assert.deepEqual(answer.json().redirect_uris, [loopback, https]);
  }
  for (const uri of odd) assertOauthError(await ask({ redirect_uris: [uri] }), 400, 'invalid_redirect_uri');
  assertOauthError(await ask({ redirect_uris: odd }), 400, 'invalid_redirect_uri');
  const client = (await ask({ redirect_uris: [...odd, loopback] })).json();
  for (const uri of odd.filter((one) => typeof one === 'string')) {
    const flow = await authorize(server, new Browser(server.base), client, { redirect_uri: uri === '' ? undefined : uri });
    assertNoRedirect(flow.answer);
  }
  assert.ok((await authorize(server, new Browser(server.base), client, { redirect_uri: loopback })).flowId);
});

test('XE6 A10: an address sent again counts once, and one that was dropped counts among those sent', async () => {
  const started = async (uris) => (await authorize(server, new Browser(server.base), (await ask({ redirect_uris: uris })).json(), { redirect_uri: undefined })).flowId;
  assert.ok(await started([loopback]));
  assert.ok(await started([loopback, loopback, loopback]));
  assert.equal(await started([loopback, 'javascript:x']), undefined);
  assert.equal(await started([loopback, https]), undefined);
  const sixteen = Array.from({ length: 16 }, (_, at) => `https://client.example.test/${at}`);
  assert.deepEqual((await ask({ redirect_uris: [...sixteen, ...sixteen, ...odd] })).json().redirect_uris, sixteen);
  assertOauthError(await ask({ redirect_uris: [...sixteen, https] }), 400, 'invalid_redirect_uri');
});

test('XE6 R16: decorations that cannot be kept are dropped, what a client works with is not', async () => {
  const bad = { logo_uri: 'data:image/png;base64,x', client_uri: 'javascript:alert(1)', tos_uri: 7, policy_uri: `https://x.test/${'a'.repeat(2048)}`, contacts: 'me', software_id: {}, software_version: 1, jwks_uri: 'nowhere' };
  const answer = await ask(bad);
  assert.equal(answer.status, 201, answer.text);
  for (const name of Object.keys(bad)) assert.ok(!(name in answer.json()), name);
  const good = { logo_uri: 'https://x.test/logo', client_uri: 'http://x.test/', contacts: ['me@x.test'], software_version: '1' };
  const kept = (await ask(good)).json();
  for (const [name, value] of Object.entries(good)) assert.deepEqual(kept[name], value);
  for (const more of [{ client_name: 7 }, { scope: ['mcp'] }, { grant_types: ['implicit'] }, { token_endpoint_auth_method: 7 }, { token_endpoint_auth_method: 'private_key_jwt', jwks_uri: 'nowhere' }]) {
    assertOauthError(await ask(more), 400, 'invalid_client_metadata');
  }
});

test('N10: the application type is kept, returned and shown, and forbids nothing', async () => {
  for (const [type, uri] of [['web', 'cursor://x/cb'], ['native', https], ['other', loopback], [undefined, loopback]]) {
    const answer = await ask({ application_type: type, redirect_uris: [uri] });
    assert.equal(answer.status, 201, answer.text);
    assert.equal(answer.json().application_type, type);
    assert.equal((await server.admin('client', 'show', answer.json().client_id, '--json')).application_type, type);
  }
});

// The page of a document's client, its form, and the flow that begins then.
async function flowOfDocument(id, more = {}) {
  const browser = new Browser(server.base, server.issuer);
  const parameters = authorizeParameters(server, { client_id: id }, pkce(), { redirect_uri: loopback, ...more });
  const page = await browser.get(query(`${api}/authorize`, parameters));
  assertPage(page, 200);
  const request = /name="request" value="([^"]*)"/.exec(page.text)[1].replaceAll('&amp;', '&');
  const answer = await browser.post(`${api}/consent/client`, { request });
  if (answer.status !== 302) return { answer };
  return authorize(server, browser, { client_id: id }, { redirect_uri: loopback, ...more });
}

// A path that makes a client_id of so many bytes.
const pathOf = (bytes) => `/${'a'.repeat(bytes - host.url('/').length)}`;

test('N8 XE6: a client_id of 1,500 bytes goes the whole way, and one byte other is unknown', async () => {
  const id = host.document(pathOf(1500), { redirect_uris: [loopback], application_type: 'native' });
  assert.equal(id.length, 1500);
  const flow = await flowOfDocument(id);
  assert.ok(flow.flowId, flow.answer.text);
  assertPage(await flow.browser.get(`/oauth/consent?flow_id=${flow.flowId}`), 200);
  await choose(flow, { userId: 'ada' });
  const code = (await submit(flow)).sent().get('code');
  const other = `${id.slice(0, -1)}b`;
  assertOauthError(await redeem(server, flow, code, { client_id: other }), 401, 'invalid_client');
  const key = server.sql(`SELECT id FROM client WHERE client_url = CAST('${id}' AS BLOB)`)[0].id;
  assert.match(key, /^cgd_[A-Za-z0-9_-]{43}$/);
  assertOauthError(await redeem(server, flow, code, { client_id: key }), 401, 'invalid_client');
  const granted = await redeem(server, flow, code);
  assert.equal(granted.status, 200, granted.text);
  const { access_token: token, refresh_token: refresh } = granted.json();
  assert.equal((await whoami(server, token)).client_id, id);
  const basic = { Authorization: `Basic ${Buffer.from(`${asking.id}:${asking.secret}`).toString('base64')}` };
  assert.equal((await postForm(server.base, `${api}/introspect`, { token }, basic)).json().client_id, id);
  assert.match((await flow.browser.get('/oauth/sessions')).text, /Documented app/);
  assert.equal((await server.admin('client', 'show', id, '--json')).application_type, 'native');
  const listed = await server.admin('session', 'list', '--client', id, '--json');
  assert.deepEqual(listed.map(({ client_id: of }) => of), [id]);
  for (const stranger of [other, key]) await assert.rejects(server.admin('session', 'list', '--client', stranger), /there is no client/);
  const refreshed = await postForm(server.base, `${api}/token`, { grant_type: 'refresh_token', refresh_token: refresh, client_id: id });
  assert.equal(refreshed.status, 200, refreshed.text);
  assert.equal((await postForm(server.base, `${api}/revoke`, { token: refreshed.json().refresh_token, client_id: id })).status, 200);
  assert.deepEqual(await server.admin('session', 'list', '--client', id, '--json'), []);
  assert.ok(!server.logs().includes(key), 'the key stays in the database');
});

test('N8 XE6: ids of up to 190 bytes are their own key, URLs have 2,048 bytes at most, other ids 190', async () => {
  for (const [bytes, own] of [[190, true], [191, false], [2048, false]]) {
    const id = host.document(pathOf(bytes), { redirect_uris: [loopback] });
    assert.ok((await flowOfDocument(id)).flowId, `${bytes} bytes`);
    assert.equal(server.sql(`SELECT id FROM client WHERE id = '${id}'`).length, own ? 1 : 0);
  }
  for (const id of [host.document(pathOf(2049)), 'a'.repeat(191)]) assertNoRedirect((await authorize(server, new Browser(server.base), { client_id: id, redirect_uris: [loopback] })).answer);
});

test('XE6: a document is read as tolerantly as a registration', async () => {
  const id = host.document('/odd', { redirect_uris: [...odd, loopback, loopback], logo_uri: 'data:x', contacts: 7, grant_types: ['authorization_code', null] });
  assert.ok((await flowOfDocument(id)).flowId);
  assert.deepEqual((await server.admin('client', 'show', id, '--json')).redirect_uris, [loopback]);
  assertNoRedirect((await flowOfDocument(host.document('/none', { redirect_uris: odd }))).answer);
});

test('XE6 D10: well-known addresses answer with a slash behind them, and others do not', async () => {
  for (const target of ['/.well-known/oauth-authorization-server', '/.well-known/oauth-protected-resource/mcp', '/.well-known/oauth-protected-resource']) {
    const [plain, slash, two] = await Promise.all(['', '/', '//'].map((end) => send(server.base, 'GET', target + end)));
    assert.deepEqual([plain.status, slash.status, two.status], [200, 200, 404], target);
    assert.equal(slash.text, plain.text);
    assert.equal(slash.headers['access-control-allow-origin'], '*');
  }
  for (const target of ['/.well-known/openid-configuration/', '/.well-known/oauth-protected-resource/other/', '/.well-known/oauth-authorization-server/mcp/', '/.well-known/']) assert.equal((await send(server.base, 'GET', target)).status, 404, target);
});

test('XE6 N3: preflights name the headers that were asked for, unless one of them cannot be named', async () => {
  const asked = (target, names) => send(server.base, 'OPTIONS', target, { headers: { Origin: 'https://app.example', 'Access-Control-Request-Method': 'POST', 'Access-Control-Request-Headers': names } });
  for (const target of [`${api}/register`, `${api}/token`, `${api}/revoke`, '/.well-known/oauth-authorization-server', '/mcp']) {
    const named = async (names) => (await asked(target, names)).headers['access-control-allow-headers'].split(', ');
    const ours = await named('authorization');
    assert.ok(ours.includes('MCP-Protocol-Version') && ours.includes('authorization'), target);
    for (const name of ['mcp-param-region', 'x-b3-traceid', 'a'.repeat(1000)]) assert.ok((await named(name)).includes(name), name);
    assert.ok((await named('mcp-param-a,dpop')).includes('dpop'));
    for (const bad of ['x"y', 'a'.repeat(1001), 'dpop,x y', 'X-Upper', '*']) assert.deepEqual(await named(bad), ours.slice(0, -1), bad);
  }
});

test('N5 N6: scopes of an identity provider are as if not asked for, and offline_access is nowhere', async () => {
  for (const scope of ['openid profile email', 'offline_access', 'openid email', 'address phone', undefined]) {
    const { answer } = await journey(server, { more: { scope } });
    assert.equal(answer.json().scope, scope?.includes('profile') ? 'profile' : 'mcp', scope); // the catalogue has that one
  }
  const client = await register(server, { scope: 'openid offline_access', grant_types: ['authorization_code', 'refresh_token'] });
  assert.equal(client.scope, undefined);
  const first = await journey(server, { client, more: { scope: 'mcp profile offline_access' } });
  assert.equal(first.answer.json().scope, 'mcp profile');
  for (const [scope, granted] of [['offline_access', 'mcp profile'], ['openid mcp offline_access', 'mcp']]) {
    const flow = await journey(server, { client, more: { scope: 'mcp profile' } });
    const again = await postForm(server.base, `${api}/token`, { grant_type: 'refresh_token', refresh_token: flow.answer.json().refresh_token, client_id: client.client_id, scope });
    assert.equal(again.json().scope, granted);
  }
  const malformed = await authorize(server, new Browser(server.base), client, { scope: 'openid "x"' });
  assert.equal(malformed.answer.sent().get('error'), 'invalid_scope');
  for (const target of ['/.well-known/oauth-authorization-server', '/.well-known/oauth-protected-resource/mcp']) assert.doesNotMatch((await send(server.base, 'GET', target)).text, /offline_access/);
  assert.doesNotMatch((await postJson(server.base, '/mcp', {})).headers['www-authenticate'], /offline_access/);
});
