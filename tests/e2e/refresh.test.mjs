// Staying connected and being disconnected, through lighttpd: refresh as real hosts do it, and
// revocation.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { olderRedemption } from './support/aging.mjs';
import { Browser, send } from './support/browser.mjs';
import { assertOauthError } from './support/checks.mjs';
import { codeFor, register, tokenParameters } from './support/journey.mjs';
import { startServer } from './support/server.mjs';

const api = '/api/oauth/per-user';
const form = { 'content-type': 'application/x-www-form-urlencoded' };
let server;
let client;
before(async () => {
  server = await startServer({ env: { CONSENTGATE_REFRESH_GRACE_SECONDS: '2' } });
  client = await register(server, { grant_types: ['authorization_code', 'refresh_token'] });
}, { timeout: 240000 });
after(async () => { await server?.stop(); }, { timeout: 120000 });

const ask = (path, fields) => send(server.base, 'POST', `${api}/${path}`, { headers: form, body: new URLSearchParams(fields).toString() });
const refresh = (token, more = {}) => ask('token', { grant_type: 'refresh_token', client_id: client.client_id, refresh_token: token, ...more });
const revoke = (token, more = {}) => ask('revoke', { client_id: client.client_id, token, ...more });
const pause = (ms) => new Promise((done) => { setTimeout(done, ms); });

async function signedIn() {
  const flow = await codeFor(server, { client, browser: new Browser(server.base) });
  const answer = await ask('token', tokenParameters(flow, flow.code));
  assert.equal(answer.status, 200, answer.text);
  return answer.json();
}

async function works(token) {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' });
  const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream', authorization: `Bearer ${token}` };
  const { status } = await send(server.base, 'POST', '/mcp', { headers, body });
  assert.ok([200, 401].includes(status), `/mcp answered ${status}`);
  return status === 200;
}

test('T3 T21 T26: a client that registered the grant gets a refresh token, and a new pair for it', async () => {
  const first = await signedIn();
  assert.match(first.refresh_token, /^cgr_[A-Za-z0-9_-]{43}$/);
  const answer = await refresh(first.refresh_token);
  assert.equal(answer.status, 200, answer.text);
  assert.equal(answer.headers['cache-control'], 'no-store');
  const second = answer.json();
  assert.deepEqual(Object.keys(second).sort(), ['access_token', 'expires_in', 'refresh_token', 'scope', 'token_type']);
  assert.notEqual(second.refresh_token, first.refresh_token);
  assert.ok(await works(second.access_token) && await works(first.access_token));
});

test('T17 T22 T23 K14 K19: 5 refreshes at once with one token, 100 rounds: one chain lives and no family dies', { timeout: 180000 }, async () => {
  let { refresh_token: token } = await signedIn();
  for (let round = 0; round < 100; round += 1) {
    const answers = await Promise.all(Array.from({ length: 5 }, () => refresh(token)));
    assert.deepEqual(answers.map((answer) => answer.status), [200, 200, 200, 200, 200], `round ${round}`);
    const pairs = new Set(answers.map((answer) => `${answer.json().refresh_token} ${answer.json().access_token}`));
    assert.equal(pairs.size, 1, `round ${round}: more than one successor`);
    token = answers[0].json().refresh_token;
  }
  const used = token;
  const last = (await refresh(token)).json();
  await pause(3100);
  assertOauthError(await refresh(used), 400, 'invalid_grant'); // too late: somebody has a copy
  assertOauthError(await refresh(last.refresh_token), 400, 'invalid_grant');
  assert.equal(await works(last.access_token), false);
});

test('T16: a code that comes back later ends its session with all that was refreshed from it', async () => {
  const flow = await codeFor(server, { client, browser: new Browser(server.base) });
  const first = (await ask('token', tokenParameters(flow, flow.code))).json();
  const second = (await refresh(first.refresh_token)).json();
  assertOauthError(await ask('token', tokenParameters(flow, flow.code)), 400, 'invalid_grant');
  assert.equal(await works(second.access_token), true);
  server.sql(olderRedemption(flow));
  assertOauthError(await ask('token', tokenParameters(flow, flow.code)), 400, 'invalid_grant');
  assert.equal(await works(second.access_token), false);
  assertOauthError(await refresh(second.refresh_token), 400, 'invalid_grant');
});

test('T20 T24 T28 K36 K37: what is not this client\'s, or more than was granted, or made up, is refused and rotates nothing', async () => {
  const first = await signedIn();
  const other = await register(server, { grant_types: ['authorization_code', 'refresh_token'] });
  assertOauthError(await refresh(first.refresh_token, { client_id: other.client_id }), 400, 'invalid_grant');
  assertOauthError(await refresh(first.refresh_token, { scope: 'mcp profile' }), 400, 'invalid_scope');
  assertOauthError(await refresh(first.refresh_token, { resource: 'https://else.example/mcp' }), 400, 'invalid_target');
  for (const token of ['x', 'cgr_'.padEnd(47, 'A'), 'é']) assertOauthError(await refresh(token), 400, 'invalid_grant');
  assert.equal((await refresh(first.refresh_token)).status, 200);
});

test('V1 V4 V5: revoking the refresh token disconnects at once, revoking an access token ends that one', async () => {
  const first = await signedIn();
  assert.equal((await revoke(first.access_token)).status, 200);
  assert.equal(await works(first.access_token), false);
  const second = (await refresh(first.refresh_token)).json();
  assert.ok(await works(second.access_token));
  assert.equal((await revoke(second.refresh_token, { token_type_hint: 'nonsense' })).status, 200);
  assert.equal(await works(second.access_token), false);
  assertOauthError(await refresh(second.refresh_token), 400, 'invalid_grant');
});

test('V2 V3 V6 K38: another client\'s token stays, the answer does not tell, and browsers may ask', async () => {
  const first = await signedIn();
  const other = await register(server);
  for (const token of [first.access_token, first.refresh_token, 'garbage']) {
    const answer = await revoke(token, { client_id: other.client_id });
    assert.deepEqual([answer.status, answer.text], [200, '']);
  }
  assert.ok(await works(first.access_token));
  assertOauthError(await ask('revoke', { client_id: client.client_id }), 400, 'invalid_request');
  assertOauthError(await ask('revoke', { client_id: 'cgc_nobody', token: 'x' }), 401, 'invalid_client');
  const preflight = await send(server.base, 'OPTIONS', `${api}/revoke`, { headers: { origin: 'https://app.example', 'access-control-request-method': 'POST' } });
  assert.equal(preflight.status, 204);
  assert.equal(preflight.headers['access-control-allow-origin'], '*');
});

test('T25: a disabled client or virtual key ends its families', async () => {
  const doomed = await register(server, { grant_types: ['authorization_code', 'refresh_token'] });
  const flow = await codeFor(server, { client: doomed, browser: new Browser(server.base) });
  const { refresh_token: token } = (await ask('token', tokenParameters(flow, flow.code))).json();
  await server.admin('client', 'disable', doomed.client_id);
  assertOauthError(await refresh(token, { client_id: doomed.client_id }), 401, 'invalid_client');
});
