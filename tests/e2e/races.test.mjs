// Exactly one: of many submits of one flow, of many redemptions of one code, and of a submit against a late identity.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { choose, codeFor, inLanes, loopback, post, redeem, register, startFlow, submit } from './support/journey.mjs';
import { startServer } from './support/server.mjs';

const long = { timeout: 400000 };
let server;
let client;
const count = (table) => server.sql(`SELECT count(*) AS n FROM ${table}`)[0].n;
const tally = (answers) => {
  const all = {};
  for (const { status } of answers) all[status] = (all[status] ?? 0) + 1;
  return all;
};
const times = (number, task) => Array.from({ length: number }, () => task);

before(async () => { server = await startServer({ workers: 8 }); client = await register(server); assert.equal(server.workerPids().length, 8); }, { timeout: 240000 });
after(async () => { await server?.stop(); }, { timeout: 120000 });

test('exactly one: 500 flows, each submitted 8 times at once and again later, give 500 codes and no 5xx', long, async () => {
  const before_ = { session: count('session'), code: count('code') };
  const flows = await inLanes(8, times(500, () => startFlow(server, { client })));
  const raced = await inLanes(2, flows.map((flow) => () => Promise.all(times(8, flow).map((one) => submit(one)))));
  assert.deepEqual(tally(raced.flat()), { 302: 500, 409: 3500 });
  for (const answers of raced) assert.equal(answers.filter((answer) => answer.status === 302).length, 1);
  const later = await inLanes(8, flows.map((flow) => () => submit(flow)));
  assert.deepEqual(tally(later), { 409: 500 });
  const codes = new Set(raced.flat().filter((answer) => answer.status === 302).map((answer) => answer.sent().get('code')));
  assert.equal(codes.size, 500);
  assert.equal(count('session') - before_.session, 500);
  assert.equal(count('code') - before_.code, 500);
  assert.equal(count('flow'), 0);
});

test('T17: 200 codes redeemed 8 times at once give one token each', long, async () => {
  const flows = await inLanes(8, times(200, () => codeFor(server, { client })));
  const answers = await inLanes(2, flows.map((flow) => () => Promise.all(times(8, flow).map((one) => redeem(server, one, one.code)))));
  assert.deepEqual(tally(answers.flat()), { 200: 200, 400: 1400 });
  for (const of of answers) assert.equal(of.filter((answer) => answer.status === 200).length, 1);
  const errors = new Set(answers.flat().filter((answer) => answer.status === 400).map((answer) => answer.json().error));
  assert.deepEqual([...errors], ['invalid_grant']);
});

test('exactly one: an identity that races a submit never brings the flow back', long, async () => {
  const key = await server.addKey('racer');
  const flows = await inLanes(8, times(100, () => startFlow(server, { client })));
  const sessionsBefore = count('session');
  const outcomes = await inLanes(2, flows.map((flow, at) => async () => {
    const tries = [() => post(flow, 'user-id', { user_id: `late-${at}` }), () => submit(flow), () => post(flow, 'vk', { vk: key.virtual_key }), () => submit(flow), () => post(flow, 'skip')];
    for (let turn = at % tries.length; turn > 0; turn -= 1) tries.push(tries.shift());
    return Promise.all(tries.map((one) => one()));
  }));
  for (const answers of outcomes) {
    for (const answer of answers) assert.ok([302, 409].includes(answer.status), `${answer.status} ${answer.text}`);
    assert.equal(answers.filter((answer) => answer.location?.startsWith(loopback)).length, 1);
  }
  assert.equal(count('session') - sessionsBefore, 100);
  assert.equal(count('flow'), 0);
  const after_ = await inLanes(8, flows.map((flow) => async () => [await submit(flow), await post(flow, 'user-id', { user_id: 'x' }), await flow.browser.get(`/oauth/consent?flow_id=${flow.flowId}`)]));
  assert.deepEqual(tally(after_.flat()), { 409: 300 });
  assert.equal(count('session') - sessionsBefore, 100);
});

test('exactly one: of a submit and a denial at the same moment one wins', long, async () => {
  const flows = await inLanes(8, times(60, () => startFlow(server, { client })));
  const sessionsBefore = count('session');
  const outcomes = await inLanes(2, flows.map((flow, at) => () => Promise.all(at % 2 ? [submit(flow), post(flow, 'deny')] : [post(flow, 'deny'), submit(flow)])));
  let submitted = 0;
  for (const answers of outcomes) {
    const won = answers.filter((answer) => answer.status === 302);
    assert.equal(won.length, 1, answers.map((answer) => answer.status).join());
    if (won[0].sent().has('code')) submitted += 1;
  }
  assert.equal(count('session') - sessionsBefore, submitted);
  assert.equal(count('flow'), 0);
});

test('contract 1: an identity chosen before the submit is the one in the session, under load too', long, async () => {
  const flows = await inLanes(8, times(60, () => startFlow(server, { client })));
  const done = await inLanes(8, flows.map((flow, at) => async () => {
    await choose(flow, { userId: `user-${at}` });
    return submit(flow);
  }));
  assert.deepEqual(tally(done), { 302: 60 });
  const kept = server.sql(`SELECT CAST(identity_value AS TEXT) AS who FROM session WHERE flow_id IN (${flows.map((flow) => `'${flow.flowId}'`).join()})`).map((row) => row.who).sort();
  assert.deepEqual(kept, flows.map((_, at) => `user-${at}`).sort());
});
