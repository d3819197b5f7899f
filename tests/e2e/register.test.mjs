// Dynamic registration and the clients an operator adds.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Browser, postForm, postJson, query, send } from './support/browser.mjs';
import { assertNoRedirect, assertOauthError } from './support/checks.mjs';
import { api, authorize, authorizeParameters, codeFor, https, journey, loopback, pkce, redeem, register, scheme } from './support/journey.mjs';
import { startServer } from './support/server.mjs';

let server;
let closed; // registration is off
const ask = (body, headers) => postJson(server.base, `${api}/register`, body, headers);
const metadata = (more) => ({ client_name: 'x', redirect_uris: [loopback], ...more });

before(async () => {
  server = await startServer();
  closed = await startServer({ env: { CONSENTGATE_REGISTRATION_ENABLED: 'false', CONSENTGATE_CLIENT_DOCUMENTS_ENABLED: 'false' } });
}, { timeout: 240000 });
after(async () => { await closed?.stop(); await server?.stop(); }, { timeout: 120000 });

test('R1: a client the operator added signs in while registration is off', async () => {
  const client = await closed.admin('client', 'add', 'Desk app', '--redirect-uri', 'https://desk.example.test/cb', '--json');
  assert.equal((await postJson(closed.base, `${api}/register`, metadata())).status, 404);
  const { token } = await journey(closed, { client: { ...client, redirect_uris: ['https://desk.example.test/cb'] } });
  assert.match(token, /^cgs_[A-Za-z0-9_-]{43}$/);
  assert.ok((await closed.admin('client', 'list')).includes('Desk app'));
});

test('R1 R23: a client id that is an address is refused while documents are switched off', async () => {
  const flow = await authorize(closed, new Browser(closed.base), { client_id: 'https://client.example.test/metadata.json', redirect_uris: [https] });
  assertNoRedirect(flow.answer);
});

test('R7 R8: a registration is answered 201, not to be stored, with what was really kept', async () => {
  const answer = await ask({ client_name: 'Mein Gerät', redirect_uris: [loopback, https], grant_types: ['authorization_code'], response_types: ['code'], token_endpoint_auth_method: 'none', scope: 'mcp' });
  assert.equal(answer.status, 201);
  assert.match(answer.headers['content-type'], /^application\/json/);
  assert.match(answer.headers['cache-control'], /no-store/);
  const client = answer.json();
  assert.equal(typeof client.client_id, 'string');
  assert.equal(client.client_name, 'Mein Gerät');
  assert.deepEqual(client.redirect_uris, [loopback, https]);
  assert.deepEqual(client.grant_types, ['authorization_code']);
  assert.deepEqual(client.response_types, ['code']);
  assert.equal(client.token_endpoint_auth_method, 'none');
  assert.equal(client.scope, 'mcp');
  assert.ok(Number.isInteger(client.client_id_issued_at));
  assert.ok(Math.abs(client.client_id_issued_at - Date.now() / 1000) < 86400);
});

test('R9 R10: a minimal registration of a public client has no null, no empty text and no secret', async () => {
  const client = (await ask({ redirect_uris: [loopback], token_endpoint_auth_method: 'none' })).json();
  for (const [name, value] of Object.entries(client)) {
    assert.notEqual(value, null, name);
    assert.notEqual(value, '', name);
  }
  assert.ok(!('client_secret' in client));
  assert.ok(!('client_secret_expires_at' in client));
});

test('R20: neither half of the client configuration protocol is offered', async () => {
  const client = await register(server);
  assert.ok(!('registration_client_uri' in client) && !('registration_access_token' in client));
});

test('R2 R3 R4 K30: addresses that must never be a redirect target are refused', async () => {
  const bad = ['https://client.example.test/cb#x', 'https://client.example.test/cb#', 'http://evil.test/cb', 'http://localhost.evil.test/cb', 'http://foo.localhost/cb',
    'javascript:alert(1)', 'JavaScript://x/%0aalert(1)', 'data:text/html,x', 'file:///etc/passwd', 'vbscript:x', 'blob:https://x/1', 'about:blank', 'ws://x.test/', 'wss://x.test/',
    'mailto:a@b.test', 'https://user:pw@client.example.test/cb', 'https://user@client.example.test/cb', 'http://a@127.0.0.1/cb', '/relative', 'cb', '', ' ', 'https://', 'https:///cb',
    'https://client.example.test/c b', 'https://client.example.test/\u0001', 'https://client.example.test/é', 'https://client.example.test/\\x', 'https://client.example.test:99999/cb', 'https://x.test/"><script>', 'https://*.example.test/cb', `https://x.test/${'a'.repeat(2048)}`];
  for (const uri of bad) {
    assertOauthError(await ask(metadata({ redirect_uris: [uri] })), 400, 'invalid_redirect_uri');
    assert.deepEqual((await ask(metadata({ redirect_uris: [loopback, uri] }))).json().redirect_uris, [loopback]); // XE6
  }
});

test('R4: a star in a path is a star and matches nothing else', async () => {
  const answer = await ask(metadata({ redirect_uris: ['https://x.test/*'] }));
  if (answer.status === 201) {
    const flow = await authorize(server, new Browser(server.base), answer.json(), { redirect_uri: 'https://x.test/other' });
    assertNoRedirect(flow.answer);
  } else assertOauthError(answer, 400, 'invalid_redirect_uri');
});

test('R5: no minted client id looks like an address, and no two are alike', async () => {
  const ids = new Set();
  for (let count = 0; count < 40; count += 1) ids.add((await register(server)).client_id);
  assert.equal(ids.size, 40);
  for (const id of ids) assert.match(id, /^[A-Za-z0-9_-]{16,}$/);
});

test('R6 T6 T10: a client registered without a secret cannot come with one, and its code outlives the attempt', async () => {
  const flow = await codeFor(server);
  const basic = `Basic ${Buffer.from(`${flow.client.client_id}:`).toString('base64')}`;
  assertOauthError(await redeem(server, flow, flow.code, {}, { Authorization: basic }), 401, 'invalid_client');
  assertOauthError(await redeem(server, flow, flow.code, { client_secret: 'guess' }), [400, 401], 'invalid_client');
  assert.equal((await redeem(server, flow, flow.code)).status, 200);
});

test('R11: what is asked for is given, nothing is a secret, and what we do not have is none', async () => {
  for (const [method, given] of [['client_secret_post'], ['client_secret_basic'], ['none'], [undefined, 'client_secret_basic'], ['tls_client_auth', 'none']]) {
    const answer = await ask(metadata({ token_endpoint_auth_method: method }));
    assert.equal(answer.status, 201, answer.text);
    const client = answer.json();
    assert.equal(client.token_endpoint_auth_method, given ?? method);
    assert.equal('client_secret' in client, client.token_endpoint_auth_method !== 'none');
    assert.equal('client_secret_expires_at' in client, 'client_secret' in client);
  }
  assert.equal((await ask(metadata({ token_endpoint_auth_method: 'private_key_jwt' }))).json().error, 'invalid_client_metadata'); // without its keys
});

test('R12: unknown members are ignored and not echoed', async () => {
  const answer = await ask(metadata({ resource: server.resource, foo: { bar: [1, null] }, client_id: 'chosen', client_secret: 'chosen', id: 7, token_endpoint_auth_method: 'none' }));
  assert.equal(answer.status, 201);
  assert.notEqual(answer.json().client_id, 'chosen');
  for (const name of ['foo', 'client_secret', 'id']) assert.ok(!(name in answer.json()), name);
});

test('R13: broken requests are 400 with the right word', async () => {
  const cases = [['{', 'invalid_client_metadata'], ['', 'invalid_client_metadata'], ['[]', 'invalid_client_metadata'], ['"x"', 'invalid_client_metadata'], ['null', 'invalid_client_metadata'],
    [{ client_name: 'x' }, ['invalid_redirect_uri', 'invalid_client_metadata']], [metadata({ redirect_uris: 'str' }), ['invalid_redirect_uri', 'invalid_client_metadata']],
    [metadata({ redirect_uris: [] }), ['invalid_redirect_uri', 'invalid_client_metadata']], [metadata({ redirect_uris: [7] }), ['invalid_redirect_uri', 'invalid_client_metadata']],
    [metadata({ jwks: { keys: [] }, jwks_uri: 'https://x.test/jwks' }), 'invalid_client_metadata'], [metadata({ client_name: 7 }), 'invalid_client_metadata'],
    [metadata({ scope: ['mcp'] }), 'invalid_client_metadata'], [metadata({ grant_types: 'authorization_code' }), 'invalid_client_metadata']];
  for (const [body, error] of cases) assertOauthError(await ask(body), 400, error);
});

test('R13: a form instead of JSON is refused as JSON', async () => {
  const answer = await postForm(server.base, `${api}/register`, { client_name: 'x', redirect_uris: loopback });
  assertOauthError(answer, [400, 415], ['invalid_client_metadata', 'invalid_request']);
  assert.equal((await send(server.base, 'GET', `${api}/register`)).status, 405);
});

test('R14: grants that are not offered are dropped, not refused', async () => {
  const answer = await ask(metadata({ grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code', 'urn:ietf:params:oauth:grant-type:jwt-bearer'], response_types: ['code'] }));
  assert.equal(answer.status, 201, answer.text);
  assert.deepEqual(answer.json().grant_types, ['authorization_code', 'refresh_token']);
});

test('R14: a client that wants only what is not offered is refused or gets the code grant', async () => {
  for (const more of [{ grant_types: ['implicit'], response_types: ['token'] }, { grant_types: ['password'] }]) {
    const answer = await ask(metadata(more));
    if (answer.status === 201) {
      assert.deepEqual(answer.json().grant_types, ['authorization_code']);
      assert.deepEqual(answer.json().response_types, ['code']);
    } else assertOauthError(answer, 400, 'invalid_client_metadata');
  }
});

test('R15: the application type, given or not, never forbids a loopback or private scheme', async () => {
  for (const type of [undefined, 'web', 'native']) {
    assert.equal((await ask(metadata({ application_type: type, redirect_uris: [loopback, scheme, https] }))).status, 201);
  }
});

test('R16: an address to show that is no web address is dropped', async () => {
  for (const name of ['client_uri', 'logo_uri', 'tos_uri', 'policy_uri']) {
    const answer = await ask(metadata({ [name]: 'javascript:alert(1)' }));
    assert.equal(answer.status, 201, answer.text);
    assert.ok(!(name in answer.json()), name);
  }
  assert.equal((await ask(metadata({ client_uri: 'https://client.example.test/' }))).status, 201);
});

test('R17: a body over 64 KiB is 413, and sixteen addresses are taken where seventeen are not', async () => {
  const body = JSON.stringify(metadata({ software_statement_note: 'a'.repeat(65536) }));
  assert.equal((await ask(body)).status, 413);
  const uris = (count) => Array.from({ length: count }, (_, at) => `https://client.example.test/${at}`);
  assert.equal((await ask(metadata({ redirect_uris: uris(16) }))).status, 201);
  assertOauthError(await ask(metadata({ redirect_uris: uris(17) })), 400, ['invalid_redirect_uri', 'invalid_client_metadata']);
});

test('R17: a name of 200 characters is kept and one of 201 is refused or cut', async () => {
  assert.equal((await register(server, { client_name: 'é'.repeat(200) })).client_name, 'é'.repeat(200));
  const answer = await ask(metadata({ client_name: 'é'.repeat(201) }));
  if (answer.status === 201) assert.equal([...answer.json().client_name].length, 200);
  else assertOauthError(answer, 400, 'invalid_client_metadata');
});

test('R18: a disabled client gets invalid_client at the token endpoint and a page at authorize', async () => {
  const flow = await codeFor(server);
  await server.admin('client', 'disable', flow.client.client_id);
  assertOauthError(await redeem(server, flow, flow.code), [400, 401], 'invalid_client');
  const again = await flow.browser.get(query(`${api}/authorize`, authorizeParameters(server, flow.client, pkce())));
  assertNoRedirect(again);
});

test('R21: registration answers the preflight of a page of any origin', async () => {
  const headers = { Origin: 'http://localhost:6274', 'Access-Control-Request-Method': 'POST', 'Access-Control-Request-Headers': 'content-type,mcp-protocol-version' };
  const asked = await send(server.base, 'OPTIONS', `${api}/register`, { headers });
  assert.ok([200, 204].includes(asked.status));
  assert.equal(asked.headers['access-control-allow-origin'], '*');
  assert.match(asked.headers['access-control-allow-methods'], /POST/);
  for (const name of ['content-type', 'mcp-protocol-version']) assert.match(asked.headers['access-control-allow-headers'], new RegExp(name, 'i'));
  assert.equal((await ask(metadata(), { Origin: 'http://localhost:6274' })).headers['access-control-allow-origin'], '*');
});

test('R22: unknown scopes are dropped from the registration', async () => {
  assert.equal((await ask(metadata({ scope: 'mcp nonsense' }))).json().scope, 'mcp');
});

test('R17 K28: registrations over the limit are 429 with Retry-After, and so are authorizations', { timeout: 240000 }, async () => {
  const strict = await startServer({ env: { CONSENTGATE_REGISTRATIONS_PER_MINUTE: '3', CONSENTGATE_AUTHORIZATIONS_PER_MINUTE: '3' } });
  try {
    const client = await register(strict);
    const answers = [];
    for (let count = 0; count < 8; count += 1) answers.push(await postJson(strict.base, `${api}/register`, metadata()));
    const refused = answers.filter((answer) => answer.status === 429);
    assert.ok(refused.length >= 2, answers.map((answer) => answer.status).join());
    for (const answer of refused) assert.ok(Number(answer.headers['retry-after']) > 0);
    const flows = [];
    for (let count = 0; count < 8; count += 1) flows.push((await authorize(strict, new Browser(strict.base), client)).answer);
    const late = flows.filter((answer) => answer.status === 429);
    assert.ok(late.length >= 2, flows.map((answer) => answer.status).join());
    for (const answer of late) assert.ok(Number(answer.headers['retry-after']) > 0 && answer.location === undefined);
  } finally { await strict.stop(); }
});
