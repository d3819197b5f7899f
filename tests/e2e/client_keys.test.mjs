// Clients whose public keys stand at a jwks_uri, through lighttpd: a real HTTPS host on this
// machine, kind and hostile.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { after, before, test } from 'node:test';
import { postForm, send } from './support/browser.mjs';
import { assertOauthError } from './support/checks.mjs';
import { api, codeFor, inLanes, loopback, redeem, register } from './support/journey.mjs';
import { readsDocuments, startCanary, startMetadataHosts } from './support/metadata_host.mjs';
import { startServer } from './support/server.mjs';

let host;
let server;
before(async () => {
  let ca;
  ({ ca, hosts: [host] } = await startMetadataHosts('localhost'));
  server = await startServer({ workers: 4, env: {
    ...readsDocuments(ca, [host]),
    CONSENTGATE_FAILED_AUTHENTICATIONS_PER_MINUTE: '0',
  } });
}, { timeout: 240000 });
after(async () => {
  await server?.stop();
  await host?.stop();
}, { timeout: 120000 });

const makeKey = (kid) => ({ kid, ...crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' }) });
const setOf = (...keys) => ({ keys: keys.map(({ kid, publicKey }) => ({ ...publicKey.export({ format: 'jwk' }), kid, use: 'sig' })) });
const publish = (target, ...keys) => host.put(target, (request, response) => response.writeHead(200, { 'Content-Type': 'application/jwk-set+json' }).end(JSON.stringify(setOf(...keys))));
const registered = (uri) => register(server, { token_endpoint_auth_method: 'private_key_jwt', jwks_uri: uri });

function assertion(client, { kid, privateKey }) {
  const now = Math.floor(Date.now() / 1000);
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const id = client.client_id;
  const text = `${part({ alg: 'ES256', typ: 'JWT', kid })}.${part({ iss: id, sub: id, aud: server.issuer, iat: now, exp: now + 60, jti: crypto.randomUUID() })}`;
  const signature = crypto.sign('sha256', Buffer.from(text), { key: privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url');
  return { client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer', client_assertion: `${text}.${signature}` };
}
// An authenticated client with an invalid code gets invalid_grant.
const prove = (client, key) => postForm(server.base, `${api}/token`, { grant_type: 'authorization_code', code: 'x'.repeat(43), redirect_uri: loopback, code_verifier: 'v'.repeat(43), client_id: client.client_id, ...assertion(client, key) });

test('R38 T11: a client with a jwks_uri redeems its code, and a key that is new at the host is followed within one request', async () => {
  const [one, two] = [makeKey('one'), makeKey('two')];
  const client = await registered(publish('/jwks', one));
  assert.equal(client.jwks_uri, host.url('/jwks'));
  assert.equal(client.jwks, undefined);
  assert.equal(host.asked('/jwks'), 0);
  const flow = await codeFor(server, { client });
  assertOauthError(await redeem(server, flow, flow.code), [401], 'invalid_client');
  assert.equal(host.asked('/jwks'), 0);
  assert.equal((await redeem(server, flow, flow.code, assertion(client, one))).status, 200);
  publish('/jwks', two);
  const later = await codeFor(server, { client });
  assert.equal((await redeem(server, later, later.code, assertion(client, two))).status, 200);
  assert.equal(host.asked('/jwks'), 2);
  assertOauthError(await prove(client, one), [401], 'invalid_client'); // the old one is gone
});

test('RS10 R38: a hundred assertions with random key ids have the host asked twice at most', async () => {
  const client = await registered(publish('/random', makeKey('real')));
  const answers = await inLanes(8, Array.from({ length: 100 }, () => () => prove(client, makeKey(crypto.randomUUID()))));
  for (const answer of answers) assert.ok([401, 503].includes(answer.status), answer.text);
  assert.ok(host.asked('/random') <= 2, `${host.asked('/random')}`);
});

test('R38 R30: an operator adds such a client', async () => {
  const key = makeKey('k');
  const client = await server.admin('client', 'add', 'Backend', '--redirect-uri', loopback, '--keys-uri', publish('/operator', key), '--json');
  assert.equal(client.jwks_uri, host.url('/operator'));
  const flow = await codeFor(server, { client });
  assert.equal((await redeem(server, flow, flow.code, assertion(client, key))).status, 200);
});

test('R38 R31: a redirect, a body of 70 KiB, a slow drip and a wrong type give no keys, and none of it is kept', { timeout: 120000 }, async () => {
  const key = makeKey('k');
  const target = publish('/elsewhere', key);
  const json = { 'Content-Type': 'application/json' };
  const hostile = {
    '/redirect': (request, response) => response.writeHead(302, { Location: target }).end(),
    '/huge': (request, response) => response.writeHead(200, json).end(JSON.stringify({ ...setOf(key), padding: 'x'.repeat(70 * 1024) })),
    '/html': (request, response) => response.writeHead(200, { 'Content-Type': 'text/html' }).end(JSON.stringify(setOf(key))),
    '/drip': (request, response) => {
      response.writeHead(200, json);
      const timer = setInterval(() => response.write(' '), 200);
      response.on('close', () => clearInterval(timer));
    },
  };
  for (const [path, answer] of Object.entries(hostile)) {
    const client = await registered(host.put(path, answer));
    const begun = Date.now();
    assert.equal((await prove(client, key)).status, 503, path);
    assert.ok(Date.now() - begun < 8000, path);
    publish(path, key);
    assertOauthError(await prove(client, key), [400], 'invalid_grant');
  }
  assert.equal(host.asked('/elsewhere'), 0);
});

test('K26 R38 R30: a jwks_uri at an inner address is refused, or never connected to', async () => {
  const canary = await startCanary();
  try {
    const attempt = (uri) => send(server.base, 'POST', `${api}/register`, { headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ redirect_uris: [loopback], token_endpoint_auth_method: 'private_key_jwt', jwks_uri: uri }) });
    for (const uri of ['https://10.0.0.1/jwks', 'https://127.0.0.1/jwks', 'https://[::1]/jwks', 'https://169.254.169.254/latest', 'https://2130706433/jwks', 'http://localhost/jwks',
      `https://127.0.0.1:${canary.port}/jwks`, `https://localhost:${canary.port}/jwks`, `https://u@localhost:${host.port}/jwks`]) {
      assertOauthError(await attempt(uri), [400], 'invalid_client_metadata');
    }
    // A name that the rules let pass and that leads to this machine; and a row that is older than
    // the rules.
    const named = await registered('https://localhost/jwks');
    assert.equal((await prove(named, makeKey('k'))).status, 503);
    server.sql(`UPDATE client SET jwks_uri = CAST('https://127.0.0.1:${canary.port}/jwks' AS BLOB) WHERE id = '${named.client_id}'`);
    assertOauthError(await prove(named, makeKey('k')), [401], 'invalid_client');
    assert.equal(canary.hits, 0);
  } finally { canary.stop(); }
});
