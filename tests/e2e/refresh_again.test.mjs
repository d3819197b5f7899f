// One client in several processes that share a store of tokens, or lose what the other wrote there.
// They refresh at once, late, in a chain, and while workers are killed, and redeem a code twice.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { olderRedemption, olderRefreshes } from './support/aging.mjs';
import { postForm } from './support/browser.mjs';
import { assertOauthError } from './support/checks.mjs';
import { api, codeFor, pkce, redeem, register, rpc } from './support/journey.mjs';
import { startServer, until } from './support/server.mjs';

const options = { timeout: 120000 };
const hour = 3600;
let server;
let client;
before(async () => {
  server = await startServer({ workers: 4 });
  client = await register(server, { grant_types: ['authorization_code', 'refresh_token'] });
}, { timeout: 240000 });
after(async () => { await server?.stop(); }, options);

const refresh = (token, more = {}) => postForm(server.base, `${api}/token`, { grant_type: 'refresh_token', client_id: client.client_id, refresh_token: token, ...more });
const works = async (token) => (await rpc(server, token, 'tools/list')).status === 200;
const pairOf = (answer) => { assert.equal(answer.status, 200, answer.text); return [answer.json().refresh_token, answer.json().access_token]; };

// Signs in. out: the flow with its session's id and its first tokens
async function signedIn() {
  const flow = await codeFor(server, { client });
  const answer = await redeem(server, flow, flow.code);
  assert.equal(answer.status, 200, answer.text);
  const [{ id }] = server.sql(`SELECT id FROM session WHERE flow_id = '${flow.flowId}'`);
  return { ...flow, session: id, tokens: answer.json() };
}
const older = (flow, seconds) => server.sql(olderRefreshes(flow, seconds));
const audited = (what, flow) => (server.logs().match(new RegExp(`what=${what} .*session=${flow.session} `, 'g')) ?? []).length;

test('XE4: a process that slept with a used token gets its successor, and both processes go on', options, async () => {
  const flow = await signedIn();
  const old = flow.tokens.refresh_token;
  const pair = pairOf(await refresh(old)); // the first process
  older(flow, 1800);
  const late = await refresh(old); // the second one wakes up
  assert.deepEqual(pairOf(late), pair);
  assert.equal(late.headers['cache-control'], 'no-store');
  assert.ok(late.json().expires_in <= 86400 - 1800 && late.json().expires_in > 86400 - 1900, `${late.json().expires_in}`);
  assert.equal(audited('refresh_repeated', flow), 1);
  const [next] = pairOf(await refresh(pair[0])); // either of them, and a moment later the other
  assert.equal(pairOf(await refresh(pair[0]))[0], next);
  older(flow, 60);
  assert.equal(pairOf(await refresh(pair[0]))[0], next);
  const [newest, access] = pairOf(await refresh(next));
  assert.ok(await works(access));
  assert.equal(pairOf(await refresh(newest)).length, 2);
  assert.equal(audited('token_replayed', flow), 0);
});

test('XE4 T22 K14: the sixth time, a used successor and the end of the hour end the session', options, async () => {
  const cases = {
    'the sixth time': async (flow, [next]) => { for (let i = 0; i < 5; i += 1) assert.equal(pairOf(await refresh(flow.tokens.refresh_token))[0], next); },
    'a used successor': async (flow, [next]) => { pairOf(await refresh(next)); },
    'the end of the hour': async (flow) => { older(flow, hour - 30); },
  };
  for (const [what, spoil] of Object.entries(cases)) {
    const flow = await signedIn();
    const pair = pairOf(await refresh(flow.tokens.refresh_token));
    older(flow, 30);
    await spoil(flow, pair);
    assert.ok(await works(pair[1]), what);
    assertOauthError(await refresh(flow.tokens.refresh_token), 400, 'invalid_grant');
    assert.equal(await works(pair[1]), false, what);
    assertOauthError(await refresh(pair[0]), 400, 'invalid_grant');
    assert.equal(audited('token_replayed', flow), 1, what);
  }
});

test('XE4 T20 T18 T24: a late repeat is for its own client, resource and scope, and what is refused counts and ends nothing', options, async () => {
  const flow = await signedIn();
  const old = flow.tokens.refresh_token;
  const [next] = pairOf(await refresh(old));
  older(flow, 60);
  const other = await register(server, { grant_types: ['authorization_code', 'refresh_token'] });
  for (let i = 0; i < 6; i += 1) {
    assertOauthError(await refresh(old, { client_id: other.client_id }), 400, 'invalid_grant');
    assertOauthError(await refresh(old, { resource: 'https://else.example/mcp' }), 400, 'invalid_target');
    assertOauthError(await refresh(old, { scope: 'mcp profile' }), 400, 'invalid_scope');
  }
  assert.equal(audited('refresh_repeated', flow), 0);
  for (let i = 0; i < 5; i += 1) assert.equal(pairOf(await refresh(old))[0], next);
});

test('XE4 V4: nothing that was revoked comes back with a late repeat', options, async () => {
  const flow = await signedIn();
  const old = flow.tokens.refresh_token;
  const [next, access] = pairOf(await refresh(old));
  older(flow, 60);
  await postForm(server.base, `${api}/revoke`, { client_id: client.client_id, token: access });
  await server.admin('sweep');
  const again = pairOf(await refresh(old));
  assert.deepEqual(again, [next, access]);
  assert.equal(await works(access), false);
  const [last, alive] = pairOf(await refresh(next)); // the client finds out, and goes on
  assert.ok(await works(alive));
  await postForm(server.base, `${api}/revoke`, { client_id: client.client_id, token: last });
  older(flow, 60);
  assertOauthError(await refresh(next), 400, 'invalid_grant');
  assert.equal(audited('token_replayed', flow), 0, 'a session that ended is not ended again');
});

test('XE4 T23: two and then ten processes that come late at once: five answers, the same ones', options, async () => {
  for (let round = 0; round < 10; round += 1) {
    const flow = await signedIn();
    const old = flow.tokens.refresh_token;
    const pair = pairOf(await refresh(old));
    older(flow, 100);
    for (const answer of await Promise.all([refresh(old), refresh(old)])) assert.deepEqual(pairOf(answer), pair);
    const many = await Promise.all(Array.from({ length: 10 }, () => refresh(old)));
    const good = many.filter(({ status }) => status === 200);
    assert.equal(good.length, 3);
    for (const answer of good) assert.deepEqual(pairOf(answer), pair);
    assert.equal(audited('refresh_repeated', flow), 5);
    assert.equal(await works(pair[1]), false);
  }
});

// Whatever the answer was, or that there was none: the process tries again with the token it has.
async function refreshUntilAnswered(token) {
  for (let tried = 0; tried < 100; tried += 1) {
    const answer = await refresh(token).catch(() => undefined);
    if (answer?.status === 200) return answer.json();
    assert.ok(answer === undefined || answer.status >= 500, `${answer?.status} ${answer?.text}`);
    await new Promise((done) => { setTimeout(done, 50); });
  }
  throw new Error('no answer');
}

test('XE4 S1: workers are killed while processes refresh at once and late, and no chain breaks', { timeout: 300000 }, async () => {
  const flow = await signedIn();
  let token = flow.tokens.refresh_token;
  let access;
  let kills = 0;
  for (let round = 0; round < 20; round += 1) {
    const victims = server.workerPids();
    const racing = Promise.all([refreshUntilAnswered(token), refreshUntilAnswered(token)]);
    process.kill(victims[round % victims.length], 'SIGKILL');
    kills += 1;
    const [one, two] = await racing;
    assert.equal(one.refresh_token, two.refresh_token);
    older(flow, 90);
    const late = refreshUntilAnswered(token);
    const next = server.workerPids()[0];
    if (next) { process.kill(next, 'SIGKILL'); kills += 1; }
    assert.equal((await late).refresh_token, one.refresh_token);
    [token, access] = [one.refresh_token, one.access_token];
    await until(() => server.workerPids().length === 4, 'four workers');
  }
  assert.ok(kills >= 30, `${kills} kills`);
  assert.ok(await works(access));
  assert.equal(audited('token_replayed', flow), 0);
  const [{ most }] = server.sql(`SELECT max(late_repeats) AS most FROM refresh_token WHERE session_id = '${flow.session}'`);
  assert.ok(most >= 1 && most <= 5, `${most}`);
});

test('XE4 T17: of eight that redeem one code at once one gets tokens, which go on, and the others stand in the audit log', options, async () => {
  for (let round = 0; round < 10; round += 1) {
    const flow = await codeFor(server, { client });
    const answers = await Promise.all(Array.from({ length: 8 }, () => redeem(server, flow, flow.code)));
    const good = answers.filter(({ status }) => status === 200);
    assert.equal(good.length, 1);
    for (const answer of answers) if (answer.status !== 200) assertOauthError(answer, 400, 'invalid_grant');
    const [{ id: session }] = server.sql(`SELECT id FROM session WHERE flow_id = '${flow.flowId}'`);
    assert.equal(audited('code_repeated', { session }), 7);
    const [token, access] = pairOf(good[0]);
    assert.ok(await works(access));
    pairOf(await refresh(token));
  }
});

test('XE4 T16 K18: a code that comes again within half a minute, right or wrong, ends nothing; later a right one alone does', options, async () => {
  const other = await register(server);
  const wrong = [{ code_verifier: pkce().verifier }, { client_id: other.client_id }, { redirect_uri: 'https://evil.test/' }, { resource: 'https://else.example/mcp' }];
  const flow = await signedIn();
  const tryAll = async () => { for (const more of wrong) assertOauthError(await redeem(server, flow, flow.code, more), 400, ['invalid_grant', 'invalid_target']); };
  await tryAll();
  assert.equal(audited('code_repeated', flow), 0, 'who cannot prove anything is not in the log as the client');
  assertOauthError(await redeem(server, flow, flow.code), 400, 'invalid_grant');
  assert.equal(audited('code_repeated', flow), 1);
  server.sql(olderRedemption(flow, 60));
  await tryAll();
  assert.ok(await works(flow.tokens.access_token));
  assertOauthError(await redeem(server, flow, flow.code), 400, 'invalid_grant');
  assert.equal(await works(flow.tokens.access_token), false);
  assertOauthError(await refresh(flow.tokens.refresh_token), 400, 'invalid_grant');
  assert.equal(audited('token_replayed', flow), 1);
});
