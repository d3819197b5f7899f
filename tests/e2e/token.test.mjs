// The token endpoint with the authorization_code grant.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { olderRedemption } from './support/aging.mjs';
import { form, postForm, postJson, send } from './support/browser.mjs';
import { assertOauthError } from './support/checks.mjs';
import { api, codeFor, journey, loopback, pkce, redeem, register, rpc, tokenParameters } from './support/journey.mjs';
import { startServer } from './support/server.mjs';

const target = `${api}/token`;
let server;
let client;
const coded = (more = {}) => codeFor(server, { client, ...more });
const ask = (pairs, headers) => postForm(server.base, target, pairs, headers);
const works = async (token) => (await rpc(server, token, 'tools/list')).status === 200;

before(async () => { server = await startServer(); client = await register(server); }, { timeout: 240000 });
after(async () => { await server?.stop(); }, { timeout: 120000 });

test('T1: only POST is taken', async () => {
  for (const method of ['GET', 'PUT', 'DELETE', 'HEAD']) {
    const answer = await send(server.base, method, target);
    assert.equal(answer.status, 405, method);
    assert.match(answer.headers.allow, /POST/);
  }
});

test('T1: JSON and other content types are 400 invalid_request, and the code still works', async () => {
  const flow = await coded();
  assertOauthError(await postJson(server.base, target, tokenParameters(flow, flow.code)), 400, 'invalid_request');
  for (const type of ['text/plain', 'multipart/form-data; boundary=x', '', 'application/x-www-form-urlencoded-not', ';;;']) {
    assertOauthError(await ask(tokenParameters(flow, flow.code), { 'Content-Type': type }), 400, 'invalid_request');
  }
  assert.equal((await redeem(server, flow, flow.code)).status, 200);
});

test('T1: parameters in the address are not read', async () => {
  const flow = await coded();
  const inAddress = `${target}?${form(tokenParameters(flow, flow.code))}`;
  assertOauthError(await postForm(server.base, inAddress, ''), 400, 'invalid_request');
  assertOauthError(await postForm(server.base, `${target}?${form({ code: flow.code })}`, tokenParameters(flow, undefined)), 400, 'invalid_request');
  assert.equal((await redeem(server, flow, flow.code)).status, 200);
});

test('T2 T3: a success is JSON, never stored, with a Bearer token, a number of seconds, the scope and no null', async () => {
  const { answer, token } = await journey(server, { client });
  assert.match(answer.headers['content-type'], /^application\/json/);
  assert.match(answer.headers['cache-control'], /no-store/);
  assert.equal(answer.headers.pragma, 'no-cache');
  const body = answer.json();
  assert.deepEqual(Object.keys(body).sort(), ['access_token', 'expires_in', 'scope', 'token_type']);
  assert.match(token, /^cgs_[A-Za-z0-9_-]{43}$/);
  assert.equal(body.token_type, 'Bearer');
  assert.equal(typeof body.expires_in, 'number');
  assert.ok(body.expires_in > 86000 && body.expires_in <= 86400);
  assert.equal(body.scope, 'mcp');
});

test('T4 T28 T35: other grants are unsupported_grant_type, and a missing one is invalid_request', async () => {
  const flow = await coded();
  for (const grant of ['foo', 'password', 'implicit', 'client_credentials', 'urn:ietf:params:oauth:grant-type:jwt-bearer', 'AUTHORIZATION_CODE']) {
    assertOauthError(await redeem(server, flow, flow.code, { grant_type: grant, refresh_token: 'x', username: 'a', password: 'b' }), 400, 'unsupported_grant_type');
  }
  for (const grant of [undefined, '']) assertOauthError(await redeem(server, flow, flow.code, { grant_type: grant }), 400, 'invalid_request');
  assert.equal((await redeem(server, flow, flow.code)).status, 200);
});

test('T28: a refresh token, made up or real, never gives a 401 without JSON or a 5xx', async () => {
  for (const token of ['x', 'cgs_'.padEnd(47, 'A'), '', 'é']) {
    assertOauthError(await ask({ grant_type: 'refresh_token', refresh_token: token, client_id: client.client_id }), 400, ['unauthorized_client', 'invalid_request']);
  }
});

test('T5: a repeated parameter is invalid_request, an empty one is absent, an unknown one is ignored', async () => {
  const flow = await coded();
  const pairs = Object.entries(tokenParameters(flow, flow.code));
  for (const name of ['code', 'client_id', 'redirect_uri', 'code_verifier', 'grant_type']) {
    assertOauthError(await ask([...pairs, pairs.find(([key]) => key === name)]), 400, 'invalid_request');
  }
  assertOauthError(await ask([...pairs.filter(([key]) => key !== 'code_verifier'), ['code_verifier', '']]), 400, ['invalid_request', 'invalid_grant']);
  assert.equal((await ask([...pairs, ['scope', ''], ['client_secret', ''], ['foo', 'bar'], ['foo', 'baz']])).status, 200);
});

test('T6: a Basic header from a public client is a clean 401, and the code works on the next try', async () => {
  const flow = await coded();
  for (const text of [`${client.client_id}:`, `${client.client_id}:secret`, 'x:y', ':', '', 'no colon']) {
    const answer = await redeem(server, flow, flow.code, { client_id: undefined }, { Authorization: `Basic ${Buffer.from(text).toString('base64')}` });
    assertOauthError(answer, 401, 'invalid_client');
    assert.match(answer.headers['www-authenticate'], /^Basic/);
  }
  assert.equal((await redeem(server, flow, flow.code)).status, 200);
});

test('T8 T11: two ways to authenticate, or one that is not offered, do not pass', async () => {
  const flow = await coded();
  const basic = `Basic ${Buffer.from(`${client.client_id}:secret`).toString('base64')}`;
  assertOauthError(await redeem(server, flow, flow.code, { client_secret: 'secret' }, { Authorization: basic }), [400, 401], ['invalid_request', 'invalid_client']);
  const assertion = { client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer', client_assertion: 'a.b.c' };
  assertOauthError(await redeem(server, flow, flow.code, assertion), [400, 401], ['invalid_client', 'invalid_request']);
  assert.equal((await redeem(server, flow, flow.code)).status, 200);
});

test('T7 T9 T10: an unknown, missing or malformed client is invalid_client and learns nothing about codes', async () => {
  const flow = await coded();
  const real = await redeem(server, flow, flow.code, { client_id: 'unknown' });
  const made = await redeem(server, flow, 'x'.repeat(43), { client_id: 'unknown' });
  for (const answer of [real, made]) assertOauthError(answer, [400, 401], 'invalid_client');
  assert.deepEqual([real.status, real.text], [made.status, made.text]);
  assertOauthError(await redeem(server, flow, flow.code, { client_id: undefined }), [400, 401], ['invalid_client', 'invalid_request']);
  for (const header of ['Basic !!!', 'Basic', 'Basic  ', 'Basic =', `Basic ${'A'.repeat(4000)}`, `Basic ${Buffer.from([0xff, 0x3a, 0xfe]).toString('base64')}`]) {
    const answer = await redeem(server, flow, flow.code, {}, { Authorization: header });
    assertOauthError(answer, 401, 'invalid_client');
    assert.match(answer.headers['www-authenticate'], /^Basic/);
  }
  assert.equal((await redeem(server, flow, flow.code)).status, 200);
});

test('T12 T13: a wrong verifier is invalid_grant and the code still works', async () => {
  const flow = await coded();
  assertOauthError(await redeem(server, flow, flow.code, { code_verifier: pkce().verifier }), 400, 'invalid_grant');
  assert.equal((await redeem(server, flow, flow.code)).status, 200);
});

test('T12 T13: a wrong client or address is invalid_grant and the code still works', async () => {
  const flow = await coded();
  const other = await register(server);
  assertOauthError(await redeem(server, flow, flow.code, { client_id: other.client_id }), 400, 'invalid_grant');
  for (const uri of [`${loopback}/`, 'http://127.0.0.1:53112/callback', 'https://evil.test/', 'x']) assertOauthError(await redeem(server, flow, flow.code, { redirect_uri: uri }), 400, 'invalid_grant');
  assert.equal((await redeem(server, flow, flow.code)).status, 200);
});

test('T12 K37: another resource is invalid_target and the code still works; a left-out one is inherited', async () => {
  const flow = await coded();
  for (const resource of ['https://evil.test/mcp', `${server.resource}/x`, 'relative']) assertOauthError(await redeem(server, flow, flow.code, { resource }), 400, 'invalid_target');
  assert.equal((await redeem(server, flow, flow.code, { resource: undefined })).status, 200);
});

test('T13: a code that never was is invalid_grant', async () => {
  const flow = await coded();
  for (const code of ['x', 'A'.repeat(43), `${flow.code}x`, flow.code.slice(1), flow.code.toLowerCase() === flow.code ? 'y' : flow.code.toLowerCase(), flow.flowId, 'é']) {
    assertOauthError(await redeem(server, flow, code), 400, 'invalid_grant');
  }
  assertOauthError(await redeem(server, flow, undefined), 400, 'invalid_request');
});

test('T14: a missing or malformed verifier does not pass and the code still works', async () => {
  const flow = await coded();
  for (const verifier of [undefined, '', 'a'.repeat(42), 'a'.repeat(129), `${flow.proof.verifier}=`, `${flow.proof.verifier} `, `${flow.proof.verifier.slice(1)}+`, flow.proof.challenge]) {
    assertOauthError(await redeem(server, flow, flow.code, { code_verifier: verifier }), 400, ['invalid_grant', 'invalid_request']);
  }
  assert.equal((await redeem(server, flow, flow.code)).status, 200);
});

test('T14: a verifier of 128 characters with every allowed sign is good', async () => {
  const verifier = 'aZ09-._~'.repeat(16);
  const { createHash } = await import('node:crypto');
  const challenge = createHash('sha256').update(verifier).digest('base64url');
  const flow = await coded({ more: { code_challenge: challenge } });
  assert.equal((await redeem(server, flow, flow.code, { code_verifier: verifier })).status, 200);
});

test('T15: the address may be left out, and if it is sent it must be the one that was asked for', async () => {
  const flow = await coded();
  assertOauthError(await redeem(server, flow, flow.code, { redirect_uri: 'http://127.0.0.1:1/callback' }), 400, 'invalid_grant');
  assert.equal((await redeem(server, flow, flow.code, { redirect_uri: undefined })).status, 200);
});

test('T16 K18 XE4: a code used again is refused, and after half a minute takes its session with it', async () => {
  const done = await journey(server, { client });
  assertOauthError(await redeem(server, done, done.code), 400, 'invalid_grant');
  assert.ok(await works(done.token));
  server.sql(olderRedemption(done));
  assertOauthError(await redeem(server, done, done.code), 400, 'invalid_grant');
  assert.equal(await works(done.token), false);
  assertOauthError(await redeem(server, done, done.code), 400, 'invalid_grant');
});

test('T16 K18: a stranger who replays a code without its secrets cannot end the session', async () => {
  const done = await journey(server, { client });
  const other = await register(server);
  assertOauthError(await redeem(server, done, done.code, { code_verifier: pkce().verifier }), 400, 'invalid_grant');
  assertOauthError(await redeem(server, done, done.code, { client_id: other.client_id }), 400, 'invalid_grant');
  assertOauthError(await redeem(server, done, done.code, { redirect_uri: 'https://evil.test/' }), 400, 'invalid_grant');
  assertOauthError(await redeem(server, done, done.code, { code_verifier: undefined }), 400, ['invalid_grant', 'invalid_request']);
  assert.ok(await works(done.token));
});

test('T17 K19 XE4: twenty redemptions of one code at once give exactly one token, which the others do not end', async () => {
  const flow = await coded();
  const answers = await Promise.all(Array.from({ length: 20 }, () => redeem(server, flow, flow.code)));
  const good = answers.filter((answer) => answer.status === 200);
  assert.equal(good.length, 1, answers.map((answer) => answer.status).join());
  for (const answer of answers) if (answer.status !== 200) assertOauthError(answer, 400, 'invalid_grant');
  assert.equal(await works(good[0].json().access_token), true);
  const [{ id }] = server.sql(`SELECT id FROM session WHERE flow_id = '${flow.flowId}'`);
  assert.equal(server.logs().match(new RegExp(`what=code_repeated .*session=${id} `, 'g')).length, 19);
});

test('T13 K4: code and verifier of two sign-ins do not fit together', async () => {
  const [one, two] = [await coded(), await coded()];
  assertOauthError(await redeem(server, one, one.code, { code_verifier: two.proof.verifier }), 400, 'invalid_grant');
});

test('T34: whatever is sent, a refusal is a JSON object with an error', async () => {
  const bodies = ['', 'x', '&&&', '=', 'grant_type', 'grant_type=authorization_code', 'grant_type=%', 'grant_type=%ff', '{"grant_type":"authorization_code"}', 'a=b'.repeat(2000)];
  for (const body of bodies) {
    const answer = await ask(body);
    assert.ok(answer.status >= 400 && answer.status < 500, `${body.slice(0, 40)}: ${answer.status}`);
    assert.equal(typeof answer.json().error, 'string');
    assert.match(answer.headers['content-type'], /^application\/json/);
    assert.match(answer.headers['cache-control'], /no-store/);
  }
});

test('T34: a body over 64 KiB is 413 in JSON', async () => {
  const answer = await ask({ grant_type: 'authorization_code', code: 'x'.repeat(70000) });
  assert.equal(answer.status, 413);
  assert.equal(typeof answer.json().error, 'string');
});
