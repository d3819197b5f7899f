// Documents as ChatGPT has them: every form in which a document declares how its client proves
// itself, and what comes of signed, forged, missing and replayed assertions at each endpoint.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { assertion, forgeries, keySet, makeKey } from './support/assertions.mjs';
import { Browser, postForm, query } from './support/browser.mjs';
import { assertNoRedirect, assertOauthError, assertPage } from './support/checks.mjs';
import { api, authorize, authorizeParameters, choose, pkce, redeem, rpc, submit } from './support/journey.mjs';
import { readsDocuments, startMetadataHosts } from './support/metadata_host.mjs';
import { startServer } from './support/server.mjs';

const options = { timeout: 120000 };
const callback = 'https://chatgpt.com/connector/oauth/abc';
let host;
let server;
before(async () => {
  let ca;
  ({ ca, hosts: [host] } = await startMetadataHosts('localhost'));
  server = await startServer({ env: {
    ...readsDocuments(ca, [host]),
    CONSENTGATE_FAILED_AUTHENTICATIONS_PER_MINUTE: '0',
  } });
}, { timeout: 240000 });
after(async () => { await server?.stop(); await host?.stop(); }, options);

// ---- the table ---------------------------------------------------------------------------------

const none = 'none';
const keyed = 'private_key_jwt';
const method = (name) => ({ token_endpoint_auth_method: name });
const methods = (...names) => ({ token_endpoint_auth_methods_supported: names });

// takes: the ways in which the client may prove itself; none of them: the document is refused
const forms = [
  { form: 'the method none', declares: method(none), takes: [none] },
  { form: 'the method private_key_jwt', declares: method(keyed), takes: [keyed] },
  { form: 'the supported method none', declares: methods(none), takes: [none] },
  { form: 'the supported method private_key_jwt', declares: methods(keyed), takes: [keyed] },
  { form: 'both methods as supported', declares: methods(none, keyed), takes: [none, keyed] },
  { form: 'both as supported among others', declares: methods('client_secret_basic', keyed, 'tls_client_auth', none), takes: [none, keyed] },
  { form: 'the method none, and both as supported', declares: { ...method(none), ...methods(none, keyed) }, takes: [none, keyed] },
  { form: 'the method private_key_jwt, and both as supported', declares: { ...method(keyed), ...methods(keyed, none) }, takes: [none, keyed] },
  { form: 'the method none, and private_key_jwt as supported', declares: { ...method(none), ...methods(keyed) }, takes: [none, keyed] },
  { form: 'the method and the supported method private_key_jwt', declares: { ...method(keyed), ...methods(keyed) }, takes: [keyed] },
  { form: 'neither, with keys', declares: {}, takes: [none] },
  { form: 'an empty list', declares: methods(), takes: [none] },
  { form: 'methods that are not ours', declares: methods('tls_client_auth'), takes: [] },
  { form: 'a shared secret', declares: { ...method('client_secret_post'), ...methods(none) }, takes: [] },
];
// Keys that cannot be used take nothing from a client that need not prove itself.
const unusable = {
  'no keys': {},
  'keys at an inner address': { jwks_uri: 'https://10.0.0.1/jwks' },
  'keys at another host': { jwks_uri: 'https://keys.example.test/jwks' },
  'keys that are none': { jwks: { keys: [{ kty: 'oct', k: 'c2VjcmV0' }] } },
};

// The two places where keys are.
const inline = (key) => ({ jwks: keySet(key) });
function atAddress(key) {
  const target = `/keys/${key.kid}`;
  return { jwks_uri: host.put(target, (request, response) => response.writeHead(200, { 'Content-Type': 'application/jwk-set+json' }).end(JSON.stringify(keySet(key)))) };
}

// ---- a client with such a document -------------------------------------------------------------

let documents = 0;
const documentOf = (declares, keys) => host.document(`/chatgpt/${documents += 1}/client.json`,
  { client_name: 'ChatGPT', redirect_uris: [callback], token_endpoint_auth_method: undefined, ...declares, ...keys });

// Reads the document, which a person's press allows. out: the answer to the form
async function readDocument(id, browser) {
  const parameters = authorizeParameters(server, { client_id: id }, pkce(), { redirect_uri: callback });
  assertPage(await browser.get(query(`${api}/authorize`, parameters)), 200);
  return browser.post(`${api}/consent/client`, { request: new URLSearchParams(parameters).toString() });
}

async function codeFor(id) {
  const flow = await authorize(server, new Browser(server.base, server.issuer), { client_id: id }, { redirect_uri: callback });
  assert.ok(flow.flowId, flow.answer.text);
  await choose(flow, { skip: true });
  const submitted = await submit(flow);
  assert.ok(submitted.location?.startsWith(callback), submitted.text);
  return { ...flow, code: submitted.sent().get('code') };
}

const works = async (token) => (await rpc(server, token, 'tools/list')).status === 200;

// Everything that proves nothing is refused and spends nothing; then `proof` does it.
// in: ask(more)  sends the request with these parameters
//     bad        what is refused, by its name
// out: the answer
async function onlyWith(proof, bad, ask, what) {
  for (const [name, more] of Object.entries(bad)) {
    const answer = await ask(more);
    assert.equal(answer.status, 401, `${what} ${name}: ${answer.text}`);
    assertOauthError(answer, 401, 'invalid_client');
  }
  const answer = await ask(proof());
  assert.equal(answer.status, 200, `${what}: ${answer.text}`);
  return answer;
}

// A sign-in, a refresh and a revocation, each by the one way, each after all that must be refused.
async function lives(id, key, takes, way) {
  const proof = () => (way === keyed ? assertion(server, id, key) : {});
  const flow = await codeFor(id);
  const replayed = assertion(server, id, key);
  if (takes.includes(keyed)) assertOauthError(await redeem(server, flow, 'x'.repeat(43), replayed), 400, 'invalid_grant'); // it did prove the client
  const bad = () => ({ ...forgeries(server, id, key), replayed, ...(takes.includes(none) ? {} : { missing: {} }), ...(takes.includes(keyed) ? {} : { 'that is signed': assertion(server, id, key) }) });
  const first = (await onlyWith(proof, bad(), (more) => redeem(server, flow, flow.code, more), 'code')).json();
  const refresh = (more) => postForm(server.base, `${api}/token`, { grant_type: 'refresh_token', client_id: id, refresh_token: first.refresh_token, ...more });
  const second = (await onlyWith(proof, bad(), refresh, 'refresh')).json();
  assert.ok(await works(second.access_token));
  const revoke = (more) => postForm(server.base, `${api}/revoke`, { client_id: id, token: second.refresh_token, ...more });
  for (const more of Object.values(bad())) await revoke(more);
  assert.ok(await works(second.access_token), 'what proved nothing revoked nothing');
  await onlyWith(proof, bad(), revoke, 'revoke');
  assert.equal(await works(second.access_token), false);
  const introspect = await postForm(server.base, `${api}/introspect`, { client_id: id, token: second.access_token, ...proof() });
  assertOauthError(introspect, [400, 401], ['invalid_client', 'invalid_request']); // for resource servers alone
}

for (const alg of ['RS256', 'ES256']) {
  for (const [place, keysOf] of [['in the document', inline], ['at its own host', atAddress]]) {
    test(`XE1 T11 R28 K41: ${alg} keys ${place}: every form of declaration takes what it offers, and nothing forged, missing or replayed beside it`, options, async () => {
      for (const { form, declares, takes } of forms) {
        const key = makeKey(alg, `${alg}-${documents}`);
        const id = documentOf(declares, keysOf(key));
        const read = await readDocument(id, new Browser(server.base, server.issuer));
        if (takes.length === 0) { assertNoRedirect(read); assert.equal(read.status, 400, form); continue; }
        assert.equal(read.status, 302, `${form}: ${read.text}`);
        for (const way of takes) await lives(id, key, takes, way).catch((error) => { throw new Error(`${form}, by ${way}: ${error.message}`, { cause: error }); });
      }
    });
  }
}

test('XE1 R28: with keys that cannot be used a client that offers both is public alone, and one that must prove itself is refused', options, async () => {
  for (const [what, keys] of Object.entries(unusable)) {
    const open = documentOf(methods(keyed, none), keys);
    assert.equal((await readDocument(open, new Browser(server.base, server.issuer))).status, 302, what);
    await lives(open, makeKey('ES256'), [none], none).catch((error) => { throw new Error(`${what}: ${error.message}`, { cause: error }); });
    for (const declares of [method(keyed), methods(keyed)]) {
      const read = await readDocument(documentOf(declares, keys), new Browser(server.base, server.issuer));
      assertNoRedirect(read);
      assert.equal(read.status, 400, what);
    }
  }
});

test('XE1 R38: keys whose host is away cost a client that offers both only what it signs', options, async () => {
  const key = makeKey('ES256', 'away');
  const keys = atAddress(key);
  const id = documentOf(methods(none, keyed), keys);
  assert.equal((await readDocument(id, new Browser(server.base, server.issuer))).status, 302);
  host.put('/keys/away', (request, response) => response.writeHead(500).end());
  const flow = await codeFor(id);
  assert.equal((await redeem(server, flow, flow.code, assertion(server, id, key))).status, 503, 'it cannot be verified, and counts as nothing less');
  assert.equal((await redeem(server, flow, flow.code)).status, 200);
});

test('XE1 T6: two ways at once are refused, whichever the document offers', options, async () => {
  const key = makeKey('ES256');
  const id = documentOf(methods(none, keyed), inline(key));
  assert.equal((await readDocument(id, new Browser(server.base, server.issuer))).status, 302);
  const flow = await codeFor(id);
  const basic = { Authorization: `Basic ${Buffer.from(`${encodeURIComponent(id)}:x`).toString('base64')}` };
  assertOauthError(await redeem(server, flow, flow.code, assertion(server, id, key), basic), 400, 'invalid_request');
  assertOauthError(await redeem(server, flow, flow.code, { ...assertion(server, id, key), client_secret: 'x' }), 400, 'invalid_request');
  assertOauthError(await redeem(server, flow, flow.code, { client_secret: 'x' }), 401, 'invalid_client');
  assert.equal((await redeem(server, flow, flow.code, assertion(server, id, key))).status, 200);
});
