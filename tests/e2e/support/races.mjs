// The races of which exactly one wins, over one web machine or several, whatever the database.
// machines: an array of servers over one database, with number(statement) (machines.mjs)
import assert from 'node:assert/strict';
import { choose, codeFor, inLanes, loopback, post, redeem, startFlow, submit, whoami } from './journey.mjs';
import { via } from './machines.mjs';

export const tally = (answers) => {
  const all = {};
  for (const { status } of answers) all[status] = (all[status] ?? 0) + 1;
  return all;
};
const numbers = (length) => Array.from({ length }, (_, at) => at);
const count = (machines, table) => machines.number(`SELECT count(*) FROM ${table}`);
const countOpen = (machines) => machines.number('SELECT count(*) FROM flow WHERE denied_at IS NULL');
const wonBy = (answers) => answers.filter((answer) => answer.status === 302);
// Counts what is there now, to compare with later.
const counts = async (machines) => ({ flow: await countOpen(machines), session: await count(machines, 'session'), code: await count(machines, 'code') });
// Every flow of a race is gone, and so many sessions came of them, each with its code.
async function assertGrown(machines, before, sessions) {
  assert.deepEqual(await counts(machines), { flow: before.flow, session: before.session + sessions, code: before.code + sessions });
}
// The machines in turn, so that the requests of one race go to all of them.
const turn = (machines, at) => machines[at % machines.length];
const someFlows = (machines, flows, client) => inLanes(8, numbers(flows).map((at) => () => startFlow(turn(machines, at), { client })));
// A list of statuses names who lost: a 5xx shows with its text.
const assertTally = (answers, wanted) => assert.deepEqual(tally(answers), wanted, answers.find((answer) => answer.status >= 500)?.text);

// Each flow is submitted `atOnce` times in parallel, and once more later.
export async function raceSubmits(machines, { client, flows, atOnce = 8 }) {
  const before = await counts(machines);
  const started = await someFlows(machines, flows, client);
  const raced = await inLanes(2, started.map((flow) => () => Promise.all(numbers(atOnce).map((at) => submit(via(turn(machines, at), flow))))));
  assertTally(raced.flat(), { 302: flows, 409: flows * (atOnce - 1) });
  for (const answers of raced) assert.equal(wonBy(answers).length, 1);
  assertTally(await inLanes(8, started.map((flow, at) => () => submit(via(turn(machines, at + 1), flow)))), { 409: flows });
  const codes = new Set(wonBy(raced.flat()).map((answer) => answer.sent().get('code')));
  assert.equal(codes.size, flows);
  await assertGrown(machines, before, flows);
}

// Each code is redeemed `atOnce` times in parallel.
export async function raceRedemptions(machines, { client, codes, atOnce = 8 }) {
  const flows = await inLanes(8, numbers(codes).map((at) => () => codeFor(turn(machines, at), { client })));
  const answers = await inLanes(2, flows.map((flow) => () => Promise.all(numbers(atOnce).map((at) => redeem(turn(machines, at), flow, flow.code)))));
  assertTally(answers.flat(), { 200: codes, 400: codes * (atOnce - 1) });
  for (const of of answers) assert.equal(of.filter((answer) => answer.status === 200).length, 1);
  const errors = new Set(answers.flat().filter((answer) => answer.status === 400).map((answer) => answer.json().error));
  assert.deepEqual([...errors], ['invalid_grant']);
}

// Identities of every kind against submits of the same flow.
export async function raceIdentities(machines, { client, key, flows }) {
  const before = await counts(machines);
  const started = await someFlows(machines, flows, client);
  const outcomes = await inLanes(2, started.map((flow, at) => async () => {
    const steps = [(one) => post(one, 'user-id', { user_id: `late-${at}` }), submit, (one) => post(one, 'vk', { vk: key.virtual_key }), submit, (one) => post(one, 'skip')];
    const turned = numbers(steps.length).map((step) => steps[(step + at) % steps.length]);
    return Promise.all(turned.map((step, place) => step(via(turn(machines, place), flow))));
  }));
  for (const answers of outcomes) {
    for (const answer of answers) assert.ok([302, 409].includes(answer.status), `${answer.status} ${answer.text}`);
    assert.equal(answers.filter((answer) => answer.location?.startsWith(loopback)).length, 1);
  }
  await assertGrown(machines, before, flows);
  const later = await inLanes(8, started.map((flow) => async () => [await submit(flow), await post(flow, 'user-id', { user_id: 'x' }), await flow.browser.get(`/oauth/consent?flow_id=${flow.flowId}`)]));
  assertTally(later.flat(), { 409: flows * 3 });
  await assertGrown(machines, before, flows);
}

// A submit against a deny: one of them, never both.
export async function raceDenials(machines, { client, flows }) {
  const before = await counts(machines);
  const started = await someFlows(machines, flows, client);
  const outcomes = await inLanes(2, started.map((flow, at) => () => {
    const steps = [submit, (one) => post(one, 'deny')];
    return Promise.all([steps[at % 2], steps[(at + 1) % 2]].map((step, place) => step(via(turn(machines, place), flow))));
  }));
  let submitted = 0;
  for (const answers of outcomes) {
    const won = wonBy(answers);
    assert.equal(won.length, 1, answers.map((answer) => answer.status).join());
    if (won[0].sent().has('code')) submitted += 1;
  }
  await assertGrown(machines, before, submitted);
}

// Every session is the person's who chose last, however many choose and submit at once.
export async function submitUnderLoad(machines, { client, flows }) {
  const started = await someFlows(machines, flows, client);
  const done = await inLanes(8, started.map((flow, at) => async () => {
    await choose(via(turn(machines, at + 1), flow), { userId: `user-${at}` });
    return submit(flow);
  }));
  assertTally(done, { 302: flows });
  const kept = await inLanes(8, started.map((flow, at) => async () => {
    const answer = await redeem(turn(machines, at + 1), flow, done[at].sent().get('code'));
    return (await whoami(turn(machines, at), answer.json().access_token)).identity;
  }));
  assert.deepEqual(kept, numbers(flows).map((at) => `user-${at}`));
}
