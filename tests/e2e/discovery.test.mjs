// The two well-known documents, the health answer, and what is served nowhere.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { postForm, postJson, query, send } from './support/browser.mjs';
import { api, loopback, startFlow, register, codeFor, submit, tokenParameters } from './support/journey.mjs';
import { refusesToStart, startServer } from './support/server.mjs';

const resourceDocument = '/.well-known/oauth-protected-resource';
const serverDocument = '/.well-known/oauth-authorization-server';
const openid = '/.well-known/openid-configuration';
let server;
let other; // an issuer with a path, two resources, no registration
const get = (target, headers) => send(server.base, 'GET', target, { headers });
const metadata = async () => (await get(serverDocument)).json();

before(async () => {
  server = await startServer();
  other = await startServer({ env: ({ base }) => ({ CONSENTGATE_ISSUER: `${base}/t1`, CONSENTGATE_RESOURCES: `${base}/mcp ${base}/a/b`, CONSENTGATE_REGISTRATION_ENABLED: 'false' }) });
}, { timeout: 240000 });
after(async () => { await other?.stop(); await server?.stop(); }, { timeout: 120000 });

test('D1 D4: the document of /mcp names exactly the address that clients call', async () => {
  const answer = await get(`${resourceDocument}/mcp`);
  assert.equal(answer.status, 200);
  assert.match(answer.headers['content-type'], /^application\/json/);
  assert.equal(answer.json().resource, server.resource);
});

test('D5 D15: issuer, authorization_servers and the iss of a redirect are one and the same string', async () => {
  const { issuer } = await metadata();
  assert.deepEqual((await get(`${resourceDocument}/mcp`)).json().authorization_servers, [issuer]);
  assert.equal(issuer, server.issuer);
  assert.doesNotMatch(issuer, /[?#]|\/$/);
  assert.deepEqual((await codeFor(server)).submitted.sent().getAll('iss'), [issuer]);
});

test('D2: the well-known part stands between host and path, not after it', async () => {
  const answer = await send(other.base, 'GET', `${resourceDocument}/a/b`);
  assert.equal(answer.status, 200);
  assert.equal(answer.json().resource, `${other.base}/a/b`);
  assert.notEqual((await get(`/mcp${resourceDocument}`)).status, 200);
});

test('D3: the root form serves the only resource, and with two resources names neither as if it covered all', async () => {
  assert.equal((await get(resourceDocument)).json().resource, server.resource);
  assert.equal((await send(other.base, 'GET', resourceDocument)).status, 404);
});

test('D6 D7 K49: the resource asks for the small default scope, by header only', async () => {
  const document = (await get(`${resourceDocument}/mcp`)).json();
  assert.deepEqual(document.scopes_supported, ['mcp']);
  assert.deepEqual(document.bearer_methods_supported, ['header']);
});

test('D8: a resource with a fragment is refused at start', { timeout: 240000 }, async () => {
  assert.match(await refusesToStart({ CONSENTGATE_RESOURCES: 'http://127.0.0.1:1/mcp#part' }), /resources/);
});

test('D15: an issuer with a query is refused at start', { timeout: 240000 }, async () => {
  assert.match(await refusesToStart({ CONSENTGATE_ISSUER: 'http://127.0.0.1:1?x=1' }), /issuer/);
});

for (const target of [`${resourceDocument}/mcp`, serverDocument]) {
  test(`D9 D27: ${target} answers a page of any origin and its preflight, without a token`, async () => {
    const asked = await send(server.base, 'OPTIONS', target, { headers: { Origin: 'https://app.example.test', 'Access-Control-Request-Method': 'GET', 'Access-Control-Request-Headers': 'mcp-protocol-version' } });
    assert.ok(asked.status === 200 || asked.status === 204, String(asked.status));
    assert.equal(asked.headers['access-control-allow-origin'], '*');
    assert.match(asked.headers['access-control-allow-headers'], /mcp-protocol-version|\*/i);
    const answer = await get(target, { Origin: 'https://app.example.test' });
    assert.equal(answer.headers['access-control-allow-origin'], '*');
    assert.equal(answer.headers['access-control-allow-credentials'], undefined);
  });

  test(`D27: ${target} may be kept for an hour at most and sets no cookie`, async () => {
    const answer = await get(target);
    const age = Number(/max-age=(\d+)/.exec(answer.headers['cache-control'] ?? '')?.[1]);
    assert.ok(age >= 0 && age <= 3600, answer.headers['cache-control']);
    assert.equal(answer.headers['set-cookie'], undefined);
  });

  test(`D29: ${target} is the same whatever protocol version, query and Accept come with it`, async () => {
    const plain = await get(target);
    const odd = await get(`${target}?x=1`, { 'MCP-Protocol-Version': '1999-01-01', Accept: 'image/png' });
    assert.equal(odd.status, 200);
    assert.equal(odd.text, plain.text);
  });

  test(`D11: ${target} does not depend on Host or X-Forwarded headers`, async () => {
    const plain = await get(target);
    for (const headers of [{ Host: 'evil.test' }, { 'X-Forwarded-Host': 'evil.test', 'X-Forwarded-Proto': 'https', Forwarded: 'host=evil.test' }]) {
      const answer = await get(target, headers);
      assert.equal(answer.status, 200);
      assert.equal(answer.text, plain.text);
    }
  });

  test(`D1 D12: ${target} is read only: HEAD has no body, POST is 405`, async () => {
    const head = await send(server.base, 'HEAD', target);
    assert.equal(head.status, 200);
    assert.equal(head.text, '');
    assert.equal((await send(server.base, 'POST', target, { body: 'x' })).status, 405);
  });
}

test('D10: unknown well-known addresses are 404 and no HTML', async () => {
  for (const target of [`${resourceDocument}/nope`, `${resourceDocument}/mcp/more`, `${resourceDocument}x`, `${serverDocument}/nope`, `${serverDocument}/t1`, '/.well-known/nope']) {
    const answer = await get(target);
    assert.equal(answer.status, 404, target);
    assert.match(answer.headers['content-type'] ?? '', /json|text\/plain/, target);
    assert.equal(answer.location, undefined);
  }
});

test('D12 D14: an issuer with a path is found at the inserted place and nowhere else', async () => {
  const answer = await send(other.base, 'GET', `${serverDocument}/t1`);
  assert.equal(answer.status, 200);
  assert.equal(answer.json().issuer, `${other.base}/t1`);
  assert.equal((await send(other.base, 'GET', serverDocument)).status, 404);
  assert.deepEqual((await send(other.base, 'GET', `${resourceDocument}/mcp`)).json().authorization_servers, [`${other.base}/t1`]);
});

test('D13 D26: OpenID Connect documents are not served', async () => {
  for (const target of [openid, `${openid}/mcp`, `/mcp${openid}`]) assert.notEqual((await get(target)).status, 200, target);
  assert.equal((await get(openid)).status, 404);
  assert.equal((await send(other.base, 'GET', `${openid}/t1`)).status, 404);
  assert.equal((await send(other.base, 'GET', `/t1${openid}`)).status, 404);
});

test('D16 D17 D19 D25: one response type, one mode, S256 only, codes and refreshing only', async () => {
  const document = await metadata();
  assert.equal(document.authorization_endpoint, `${server.base}${api}/authorize`);
  assert.equal(document.token_endpoint, `${server.base}${api}/token`);
  assert.deepEqual(document.response_types_supported, ['code']);
  assert.deepEqual(document.response_modes_supported, ['query']);
  assert.deepEqual(document.code_challenge_methods_supported, ['S256']);
  assert.deepEqual(document.grant_types_supported, ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:token-exchange']);
});

const methods = ['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt'];

test('D18: the token endpoint says how clients may prove themselves, and with which signatures', async () => {
  const document = await metadata();
  assert.deepEqual(document.token_endpoint_auth_methods_supported, methods);
  assert.deepEqual(document.token_endpoint_auth_signing_alg_values_supported, ['RS256', 'ES256']);
});

test('D20 D24 D26: nothing is advertised that is not there, and nothing is null', async () => {
  const document = await metadata();
  for (const name of ['userinfo_endpoint', 'pushed_authorization_request_endpoint']) assert.ok(!(name in document), name);
  assert.equal(document.client_id_metadata_document_supported, true);
  for (const [name, value] of Object.entries(document)) assert.notEqual(value, null, name);
  assert.equal(document.revocation_endpoint, `${server.base}${api}/revoke`);
  assert.deepEqual(document.revocation_endpoint_auth_methods_supported, methods);
  assert.equal(document.introspection_endpoint, `${server.base}${api}/introspect`);
  assert.deepEqual(document.introspection_endpoint_auth_methods_supported, ['client_secret_basic', 'client_secret_post']);
});

test('D21: the registration endpoint is named when registration is on and absent when it is off', async () => {
  assert.equal((await metadata()).registration_endpoint, `${server.base}${api}/register`);
  const document = (await send(other.base, 'GET', `${serverDocument}/t1`)).json();
  assert.ok(!('registration_endpoint' in document));
});

test('D22 D23: the document promises iss and lists the scopes without offline_access', async () => {
  const document = await metadata();
  assert.equal(document.authorization_response_iss_parameter_supported, true);
  assert.deepEqual([...document.scopes_supported].sort(), ['mcp', 'profile']);
});

test('D23: an unasked offline_access with prompt=consent leads to the consent page all the same', async () => {
  const flow = await startFlow(server, { client: await register(server), more: { scope: 'mcp offline_access', prompt: 'consent' } });
  assert.equal((await flow.browser.get(flow.answer.location)).status, 200);
});

test('XE6: the demo serves the default addresses of 2025-03-26, and the metadata names the real ones', async () => {
  const client = await postJson(server.base, '/register', { redirect_uris: [loopback], token_endpoint_auth_method: 'none' });
  assert.equal(client.status, 201, client.text);
  const flow = await startFlow(server, { client: client.json() });
  const parameters = query('', flow.parameters);
  const begun = await get(`/authorize${parameters}`);
  assert.deepEqual([begun.status, begun.location], [302, `${api}/authorize${parameters}`]);
  const code = (await submit(flow)).sent().get('code');
  const answer = await postForm(server.base, '/token', tokenParameters(flow, code));
  assert.equal(answer.status, 200, answer.text);
  for (const target of ['/authorize/', '/authorized', '/token/x', '/registered', '/x/authorize']) assert.equal((await get(target)).status, 404, target);
  const document = await metadata();
  for (const [name, step] of [['authorization', 'authorize'], ['token', 'token'], ['registration', 'register']]) assert.equal(document[`${name}_endpoint`], `${server.base}${api}/${step}`);
});

test('D10: addresses that only begin like ours are 404', async () => {
  for (const target of ['/oauthX', '/oauth', '/oauth/', '/oauth/consent/', '/oauth/consent/mcpsX', '/api/oauth', `${api}/authorizeX`, `${api}/consent/`, '/healthzX', '//oauth/consent', '/oauth/../oauth/nope']) {
    assert.equal((await get(target)).status, 404, target);
  }
});

test('O6: the answer says that a worker is there', async () => {
  const answer = await get('/healthz');
  assert.equal(answer.status, 200);
  assert.deepEqual(answer.json(), { status: 'ok' });
});

test('O6: the answer says that the store is there and which schema it has', async () => {
  const answer = await get('/readyz');
  assert.equal(answer.status, 200);
  assert.equal(answer.json().status, 'ok');
  assert.ok(Number.isInteger(answer.json().schema_version) && answer.json().schema_version > 0);
});
