// The store is missing, locked, read-only, or its disk is full: 503, nothing half done, and the
// same workers go on afterwards.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Browser, postForm, postJson, send } from './support/browser.mjs';
import { assertGatewayError, assertPage } from './support/checks.mjs';
import { api, authorize, choose, codeFor, journey, loopback, pkce, post, redeem, register, rpc, startFlow, submit } from './support/journey.mjs';
import { fillUp, ignoringSizeSignal, limitGrowth, lock, makeReadOnly, moveAway, smallDisk } from './support/faults.mjs';
import { startServer, until } from './support/server.mjs';

const long = { timeout: 240000 };
const asProgram = { Accept: 'application/json' };
const disk = smallDisk();
let server;
const count = (table) => server.sql(`SELECT count(*) AS n FROM ${table}`)[0].n;
const isSound = () => assert.equal(server.sql('PRAGMA integrity_check')[0].integrity_check, 'ok');

before(async () => {
  server = await startServer({ folder: disk.folder, before: ignoringSizeSignal, workers: 2, env: { CONSENTGATE_DATABASE_TIMEOUT_MS: '300' } });
}, long);
after(async () => { try { await server?.stop(); } finally { disk.unmount(); } }, { timeout: 120000 });

function assertUnavailable(answer, what) {
  assert.equal(answer.status, 503, `${what}: ${answer.status} ${answer.location ?? ''} ${answer.text.slice(0, 300)}`);
  assert.ok(Number(answer.headers['retry-after']) > 0, `${what} says when to come again`);
  assert.doesNotMatch(answer.text, /sqlite|disk|locked|readonly|I\/O|SQL|Poco/i, what);
}

// Everything a person and a client can be in the middle of.
async function halfway() {
  return { client: await register(server), fresh: await startFlow(server), chosen: await startFlow(server), coded: await codeFor(server), browser: new Browser(server.base) };
}

// Every request that must write, several times so that each worker is hit; page loads must not be
// 500 either.
async function assertWritesRefused(state, { rounds = 4 } = {}) {
  for (let round = 0; round < rounds; round += 1) {
    assertGatewayError(await submit(state.chosen, asProgram), 503, 'store_unavailable');
    assertUnavailable(await submit(state.chosen), 'submit on a page');
    assertUnavailable(await post(state.fresh, 'user-id', { user_id: 'ada' }), 'user-id');
    assertUnavailable(await post(state.fresh, 'deny'), 'deny');
    const exchange = await redeem(server, state.coded, state.coded.code);
    assertUnavailable(exchange, 'token');
    assert.equal(typeof exchange.json().error, 'string');
    assertUnavailable(await postJson(server.base, `${api}/register`, { redirect_uris: [loopback] }), 'register');
    const started = (await authorize(server, new Browser(server.base), state.client)).answer;
    if (started.status === 302) {
      assert.ok(started.location.startsWith(loopback), started.location);
      assert.ok(['server_error', 'temporarily_unavailable'].includes(started.sent().get('error')));
    } else assertUnavailable(started, 'authorize');
    const shown = await state.fresh.browser.get(`/oauth/consent?flow_id=${state.fresh.flowId}`);
    assert.ok([200, 503].includes(shown.status), String(shown.status));
    assertPage(shown, shown.status);
  }
}

// Flows that were halfway go on as before.
async function assertGoesOn(state, pids, before_) {
  await until(async () => (await send(server.base, 'GET', '/readyz')).status === 200, 'the server to find its store again');
  isSound();
  assert.deepEqual([count('session'), count('code'), count('flow')], before_);
  assert.equal((await submit(state.chosen)).status, 302);
  await choose(state.fresh, { userId: 'ada' });
  assert.equal((await submit(state.fresh)).status, 302);
  assert.equal((await redeem(server, state.coded, state.coded.code)).status, 200);
  for (let round = 0; round < 4; round += 1) await journey(server, { identity: { userId: 'ada' } });
  assert.deepEqual(server.workerPids(), pids, 'the same workers go on');
}

// Readiness tells of it too, once a request has met the fault; liveness does not.
async function assertNotReady(status) {
  const health = await send(server.base, 'GET', '/readyz');
  assert.equal(health.status, 503, health.text);
  assert.match(health.json().status, status);
  assert.equal((await send(server.base, 'GET', '/healthz')).status, 200);
}

async function overcomes(fault, { samePids = true, readiness } = {}) {
  const state = await halfway();
  const before_ = [count('session'), count('code'), count('flow')];
  let pids = server.workerPids();
  const undo = await fault();
  if (!samePids) pids = server.workerPids();
  try {
    await assertWritesRefused(state);
    if (readiness) await assertNotReady(readiness);
  } finally { await undo(); }
  await assertGoesOn(state, pids, before_);
}

test('S15 A28: a locked store gives 503 after the wait, and all goes on when it is free', long, async () => {
  await overcomes(() => lock(server));
});

test('S15: a lock shorter than the wait is waited for', long, async () => {
  const flow = await startFlow(server);
  const release = await lock(server);
  const answer = submit(flow);
  await new Promise((done) => { setTimeout(done, 50); });
  await release();
  assert.equal((await answer).status, 302);
});

test('S15: reads go on while another program writes', long, async () => {
  const done = await journey(server);
  const flow = await startFlow(server);
  const release = await lock(server);
  try {
    assert.equal((await flow.browser.get(`/oauth/consent?flow_id=${flow.flowId}`)).status, 200);
    assert.equal((await send(server.base, 'GET', '/readyz')).status, 200);
    assert.equal((await postJson(server.base, '/mcp', { jsonrpc: '2.0', id: 1, method: 'tools/list' }, { Authorization: `Bearer ${done.token}` })).status, 200);
  } finally { await release(); }
});

test('S15 A28: a missing database gives 503, health included, and all goes on when it is back', long, async () => {
  await overcomes(async () => {
    const undo = moveAway(server);
    const health = await send(server.base, 'GET', '/readyz');
    assert.equal(health.status, 503, health.text);
    assert.equal((await send(server.base, 'GET', '/healthz')).status, 200, 'the workers live all the same');
    return undo;
  });
});

test('S15 A28 XF4: a full disk gives 503, readiness included, and all goes on when there is room', long, async () => {
  await overcomes(() => fillUp(server, disk), { readiness: /^store_not_writable$/ });
});

test('S15 A28 XF4: a store whose files may not grow gives 503, readiness included, and all goes on when they may', long, async () => {
  await overcomes(async () => limitGrowth(server), { readiness: /^store_not_writable$/ });
});

test('S15 A28 XF4: a read-only store gives 503, readiness included, and all goes on when it can be written', long, async () => {
  await overcomes(() => makeReadOnly(server), { samePids: false, readiness: /^store_not_writable$/ });
});

test('S15: a wrong verifier is still answered otherwise than a store that is away', long, async () => {
  const flow = await codeFor(server);
  const undo = moveAway(server);
  try { assertUnavailable(await redeem(server, flow, flow.code, { code_verifier: pkce().verifier }), 'token'); } finally { await undo(); }
  await until(async () => (await send(server.base, 'GET', '/readyz')).status === 200, 'the store');
  assert.equal((await redeem(server, flow, flow.code, { code_verifier: pkce().verifier })).json().error, 'invalid_grant');
  assert.equal((await redeem(server, flow, flow.code)).status, 200);
});

test('T29 V11: while the store is busy or away a refresh is answered 503 with Retry-After and the gate is closed, and then both go on', long, async () => {
  const client = await register(server, { grant_types: ['authorization_code', 'refresh_token'] });
  const { token, answer } = await journey(server, { client });
  const refresh = () => postForm(server.base, `${api}/token`, { grant_type: 'refresh_token', client_id: client.client_id, refresh_token: answer.json().refresh_token });
  for (const fault of [lock, moveAway]) {
    const undo = await fault(server);
    try {
      for (let round = 0; round < 4; round += 1) { // both workers, so that none remembers
        const refused = await refresh();
        assertUnavailable(refused, 'refresh');
        assert.notEqual(refused.json().error, 'invalid_grant');
        if (fault === moveAway) assertUnavailable(await rpc(server, token, 'tools/list'), 'the gate');
      }
    } finally { await undo(); }
    await until(async () => (await rpc(server, token, 'tools/list')).status === 200, 'the gate to open again');
  }
  assert.equal((await refresh()).status, 200);
});
