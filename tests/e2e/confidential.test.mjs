// Clients with a secret or a key of their own, and resource servers that ask about tokens, through
// lighttpd.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { assertOauthError } from './support/checks.mjs';
import { postForm } from './support/browser.mjs';
import { api, codeFor, journey, loopback, redeem, register, rpc } from './support/journey.mjs';
import { root, startServer } from './support/server.mjs';

const program = path.resolve(root, process.env.BUILD || 'build/asan', 'consentgate-admin');
let server;

const admin = (words, { input = '', of = server } = {}) => execFileSync(program, words, { input, encoding: 'utf8', stdio: 'pipe', cwd: of.var, env: of.environment() });
const basic = (id, secret) => ({ Authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}` });
const withSecret = (more = {}) => register(server, { token_endpoint_auth_method: 'client_secret_post', grant_types: ['authorization_code', 'refresh_token'], ...more });
const refresh = (pairs, headers) => postForm(server.base, `${api}/token`, { grant_type: 'refresh_token', ...pairs }, headers);
const introspect = (token, pairs, headers) => postForm(server.base, `${api}/introspect`, { token, ...pairs }, headers);

before(async () => {
  server = await startServer({ workers: 2, env: { CONSENTGATE_FAILED_AUTHENTICATIONS_PER_MINUTE: '0' } });
}, { timeout: 240000 });
after(async () => { await server?.stop(); }, { timeout: 120000 });

test('R10 R11 T7: a client that asks for a secret gets one, and redeems its code with it in the body or in the header', async () => {
  const client = await withSecret();
  assert.equal(client.token_endpoint_auth_method, 'client_secret_post');
  assert.match(client.client_secret, /^[A-Za-z0-9_-]{43}$/);
  assert.equal(client.client_secret_expires_at, 0);
  const posted = await codeFor(server, { client });
  assert.equal((await redeem(server, posted, posted.code, { client_secret: client.client_secret })).status, 200);
  const headed = await codeFor(server, { client });
  assert.equal((await redeem(server, headed, headed.code, { client_id: undefined }, basic(client.client_id, client.client_secret))).status, 200);
  for (const file of server.files()) assert.ok(!fs.readFileSync(file, 'latin1').includes(client.client_secret), file);
});

test('T9 T10 K39: without its secret, or with a wrong one, it is invalid_client, and the code outlives the attempts', async () => {
  const client = await withSecret();
  const flow = await codeFor(server, { client });
  const token = (more, headers) => redeem(server, flow, flow.code, more, headers);
  assertOauthError(await token(), [401], 'invalid_client');
  assertOauthError(await token({ client_secret: 'wrong' }), [401], 'invalid_client');
  const refused = await token({ client_id: undefined }, basic(client.client_id, 'wrong'));
  assertOauthError(refused, [401], 'invalid_client');
  assert.match(refused.headers['www-authenticate'], /^Basic /);
  assertOauthError(await token({}, { Authorization: 'Basic %%%' }), [401], 'invalid_client');
  assertOauthError(await token({ client_id: 'cgc_unknown', client_secret: 'x' }), [401], 'invalid_client');
  assert.equal((await token({ client_secret: client.client_secret })).status, 200);
});

test('T20 V3: refreshing and revoking ask for the secret too', async () => {
  const client = await withSecret();
  const flow = await codeFor(server, { client });
  const secret = { client_id: client.client_id, client_secret: client.client_secret };
  const first = (await redeem(server, flow, flow.code, secret)).json();
  assertOauthError(await refresh({ client_id: client.client_id, refresh_token: first.refresh_token }), [401], 'invalid_client');
  const second = await refresh({ ...secret, refresh_token: first.refresh_token });
  assert.equal(second.status, 200, second.text);
  const revoke = (pairs) => postForm(server.base, `${api}/revoke`, { token: second.json().access_token, ...pairs });
  assertOauthError(await revoke({ client_id: client.client_id, client_secret: 'wrong' }), [401], 'invalid_client');
  assert.equal((await rpc(server, second.json().access_token, 'tools/list')).status, 200);
  assert.equal((await revoke(secret)).status, 200);
  assert.equal((await rpc(server, second.json().access_token, 'tools/list')).status, 401);
});

for (const [alg, options] of [['RS256', ['rsa', { modulusLength: 2048 }]], ['ES256', ['ec', { namedCurve: 'P-256' }]]]) {
  test(`T11 R38 K41: a client with a ${alg} key proves itself anew with each request, and no assertion works twice`, async () => {
    const { publicKey, privateKey } = crypto.generateKeyPairSync(...options);
    const client = await register(server, { token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [{ ...publicKey.export({ format: 'jwk' }), use: 'sig' }] } });
    const assertion = (more = {}) => {
      const now = Math.floor(Date.now() / 1000);
      const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
      const text = `${part({ alg, typ: 'JWT' })}.${part({ iss: client.client_id, sub: client.client_id, aud: server.issuer, iat: now, exp: now + 60, jti: crypto.randomUUID(), ...more })}`;
      const signature = crypto.sign('sha256', Buffer.from(text), { key: privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url');
      return { client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer', client_assertion: `${text}.${signature}` };
    };
    const flow = await codeFor(server, { client });
    assertOauthError(await redeem(server, flow, flow.code), [401], 'invalid_client');
    assertOauthError(await redeem(server, flow, flow.code, assertion({ aud: 'https://else.example' })), [401], 'invalid_client');
    const once = assertion();
    assert.equal((await redeem(server, flow, 'x'.repeat(43), once)).json().error, 'invalid_grant'); // it did prove the client
    assertOauthError(await redeem(server, flow, flow.code, once), [401], 'invalid_client');
    const answers = await Promise.all(Array.from({ length: 8 }, ((one) => () => redeem(server, flow, flow.code, one))(assertion())));
    assert.equal(answers.filter(({ status }) => status === 200).length, 1, answers.map(({ status }) => status).join());
    assert.ok(answers.every(({ status }) => [200, 401].includes(status)));
  });
}

test('R1 R6: an operator registers a client with a secret, or with its keys', async () => {
  const made = JSON.parse(admin(['client', 'add', 'Backend', '--redirect-uri', loopback, '--secret', '--json']));
  const flow = await codeFor(server, { client: made });
  assert.equal((await redeem(server, flow, flow.code, {}, basic(made.client_id, made.client_secret))).status, 200);
  assert.match(admin(['client', 'add', 'Backend', '--redirect-uri', loopback, '--secret']), /^client id      cgc_[\w-]{22}\nclient secret  [\w-]{43}\n$/);
  const file = path.join(server.var, 'keys.json');
  fs.writeFileSync(file, JSON.stringify({ keys: [crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' })] }));
  const keyed = JSON.parse(admin(['client', 'add', 'Keyed', '--redirect-uri', loopback, '--keys-file', file, '--json']));
  assert.equal(keyed.token_endpoint_auth_method, 'private_key_jwt');
  assert.equal(JSON.parse(admin(['client', 'show', keyed.client_id, '--json'])).token_endpoint_auth_method, 'private_key_jwt');
});

test('V7 V8 V9 V10: a resource server learns about tokens of its own resource, and nothing about others', async () => {
  const asking = JSON.parse(admin(['resource', 'add', server.resource, '--json']));
  const { token } = await journey(server, { identity: { userId: 'anna' } });
  const answer = await introspect(token, {}, basic(asking.id, asking.secret));
  assert.equal(answer.status, 200, answer.text);
  assert.equal(answer.headers['cache-control'], 'no-store');
  const said = answer.json();
  assert.deepEqual([said.active, said.scope, said.aud, said.iss, said.token_type, said.username], [true, 'mcp', server.resource, server.issuer, 'Bearer', 'anna']);
  assert.ok(said.exp - said.iat === 86400 && said.sub && said.jti && said.client_id);
  assert.deepEqual((await introspect('cgs_unknown', { client_id: asking.id, client_secret: asking.secret })).json(), { active: false });
  const { refresh_token } = (await journey(server, { client: await register(server, { grant_types: ['authorization_code', 'refresh_token'] }) })).answer.json();
  assert.deepEqual((await introspect(refresh_token, {}, basic(asking.id, asking.secret))).json(), { active: false });

  for (const headers of [{}, basic(asking.id, 'wrong'), basic('cgrs_unknown', asking.secret), { Authorization: `Bearer ${token}` }]) assertOauthError(await introspect(token, {}, headers), [401], 'invalid_client');
  const client = await withSecret(); // a client is no resource server
  assertOauthError(await introspect(token, {}, basic(client.client_id, client.client_secret)), [401], 'invalid_client');
  assertOauthError(await postForm(server.base, `${api}/introspect`, {}, basic(asking.id, asking.secret)), [400], 'invalid_request');

  admin(['resource', 'disable', asking.id]);
  assertOauthError(await introspect(token, {}, basic(asking.id, asking.secret)), [401], 'invalid_client');
});

test('V8 RS4 RS8 A18 T18 T19: with several resources a token is for one of them and inactive for the others', async () => {
  const two = await startServer({ workers: 1, env: ({ base }) => ({ CONSENTGATE_RESOURCES: `${base}/mcp ${base}/mcp/inner` }) });
  try {
    const inner = `${two.issuer}/mcp/inner`;
    const { token } = await journey(two, { more: { resource: inner } });
    const active = async (resource) => {
      const asking = JSON.parse(admin(['resource', 'add', resource, '--json'], { of: two }));
      return (await postForm(two.base, `${api}/introspect`, { token }, basic(asking.id, asking.secret))).json();
    };
    assert.equal((await active(inner)).aud, inner);
    assert.deepEqual(await active(`${two.issuer}/mcp`), { active: false });
    assert.equal((await rpc(two, token, 'tools/list')).status, 401);
    assert.throws(() => admin(['resource', 'add', 'http://tools.example/else'], { of: two }), /must be https/);
    assert.throws(() => admin(['resource', 'add', `${two.issuer}/else`, '--scopes', 'mcp nothing'], { of: two }), /names a scope/);
    assert.throws(() => admin(['resource', 'add', `${two.issuer}/else`, '--service', 'nowhere'], { of: two }), /no service 'nowhere'/);
  } finally { await two.stop(); }
});

test('O1: a session is shown by its token and revoked, and both are said plainly', async () => {
  const { token } = await journey(server, { identity: { userId: 'berta' } });
  const shown = JSON.parse(admin(['token', 'introspect', '--json'], { input: `${token}\n` }));
  assert.deepEqual([shown.active, shown.identity, shown.resource], [true, 'berta', server.resource]);
  assert.match(admin(['token', 'introspect'], { input: token }), /^active +yes\n[^]*identity +berta\n/);
  admin(['session', 'revoke', shown.session_id]);
  assert.equal((await rpc(server, token, 'tools/list')).status, 401);
  assert.match(admin(['token', 'introspect'], { input: token }), /^active +no\nreason +revoked\n/);
  assert.throws(() => admin(['session', 'revoke', shown.session_id]), /there is no living session/);
  assert.match(admin(['token', 'introspect'], { input: 'cgs_unknown' }), /^active +no\nreason +unknown token\n$/);
});

test('T36: guessing secrets is answered 429 after a while, and the right secret still counts', async () => {
  const limited = await startServer({ workers: 2, env: { CONSENTGATE_FAILED_AUTHENTICATIONS_PER_MINUTE: '5' } });
  try {
    const client = await register(limited, { token_endpoint_auth_method: 'client_secret_post' });
    const flow = await codeFor(limited, { client });
    const answers = [];
    for (let i = 0; i < 12; i++) answers.push(await redeem(limited, flow, flow.code, { client_secret: `guess ${i}` }));
    assert.equal(answers[0].status, 401);
    assert.equal(answers.at(-1).status, 429);
    assert.ok(Number(answers.at(-1).headers['retry-after']) > 0);
    assert.equal((await redeem(limited, flow, flow.code, { client_secret: client.client_secret })).status, 200);
  } finally { await limited.stop(); }
});
