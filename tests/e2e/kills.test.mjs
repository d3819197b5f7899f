// Workers are killed while they work: whatever a client saw is true, and the store holds everything
// or nothing of each flow.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { choose, connect, inLanes, loopback, redeem, register, startFlow, submit } from './support/journey.mjs';
import { startServer, until } from './support/server.mjs';
import { makeAuthority, signIn, startProvider } from './support/upstreams.mjs';

const rounds = 20;
const flowsPerRound = 30;
let provider;
let server;
let client;
const one = (statement) => server.sql(statement)[0].n;

before(async () => {
  const authority = makeAuthority();
  provider = await startProvider({ authority });
  server = await startServer({ workers: 4, env: { CONSENTGATE_SERVICE_CA: authority.ca } });
  await server.admin('service', 'add', 'notes', '--url', provider.mcpUrl);
  client = await register(server);
}, { timeout: 240000 });
after(async () => { await server?.stop(); await provider?.stop(); }, { timeout: 120000 });

// Whether there was still something to kill.
function kill(pid) {
  try { process.kill(pid, 'SIGKILL'); return true; } catch { return false; }
}

// A submit under fire: the answer, or what became of the connection.
async function attempt(flow) {
  try { return await submit(flow); } catch (error) { return { status: 0, text: String(error) }; }
}

// One round: submits run while half of the workers are killed at moments spread over the load.
async function round(number) {
  const flows = await inLanes(4, Array.from({ length: flowsPerRound }, () => () => startFlow(server, { client })));
  // In every third one the person connects an account.
  for (const flow of flows.filter((_, at) => at % 3 === 0)) {
    await choose(flow, { skip: true });
    const back = await connect(server, flow, 'notes', (address) => signIn(provider, address, 'anna'));
    assert.equal(back.location, `/oauth/consent/mcps?flow_id=${flow.flowId}#service-notes`, back.text);
    flow.connected = true;
  }
  let finished = 0;
  const killed = [];
  const submits = inLanes(8, flows.map((flow) => async () => { const answer = await attempt(flow); finished += 1; return answer; }));
  for (const share of [0.2, 0.6]) {
    await until(() => finished >= flowsPerRound * share, 'the load to run');
    const [victim] = server.workerPids().slice(number % 2);
    if (kill(victim)) killed.push(victim);
  }
  const answers = await submits;
  await until(() => server.workerPids().length === 4 && !server.workerPids().some((pid) => killed.includes(pid)), 'new workers in place of the killed ones');
  return { done: flows.map((flow, at) => ({ flow, answer: answers[at] })), killed: killed.length };
}

test('S1: after twenty rounds of kill -9 under load every flow is whole, and every 302 has its session', { timeout: 480000 }, async () => {
  const all = [];
  let kills = 0;
  for (let number = 0; number < rounds; number += 1) { const { done, killed } = await round(number); all.push(...done); kills += killed; }
  assert.ok(kills >= rounds, `only ${kills} workers were killed`);
  assert.equal(server.sql('PRAGMA integrity_check')[0].integrity_check, 'ok');
  for (const { answer } of all) assert.ok([0, 302, 500, 502, 503].includes(answer.status), `${answer.status} ${answer.text}`);
  const seen = all.filter(({ answer }) => answer.status === 302);
  assert.ok(seen.length > all.length / 2, `only ${seen.length} of ${all.length} came through`);
  const ids = (list) => list.map(({ flow }) => `'${flow.flowId}'`).join();
  assert.equal(one(`SELECT count(*) AS n FROM session WHERE flow_id IN (${ids(seen)})`), seen.length);
  const [sessions, codes, open] = [one('SELECT count(*) AS n FROM session'), one('SELECT count(*) AS n FROM code'), one('SELECT count(*) AS n FROM flow')];
  assert.equal(sessions, codes);
  assert.equal(all.length - open, sessions, 'consumed flows = sessions');
  assert.equal(one('SELECT count(*) AS n FROM code k JOIN session s ON s.id = k.session_id'), codes);
  assert.equal(one('SELECT count(*) AS n FROM flow f JOIN session s ON s.flow_id = f.id'), 0);
  const connected = all.filter(({ flow }) => flow.connected);
  const still = one(`SELECT count(*) AS n FROM flow WHERE id IN (${ids(connected)})`);
  assert.equal(one("SELECT count(*) AS n FROM upstream_token u JOIN session s ON u.owner = 'session:' || s.id"), connected.length - still, 'moved with their session');
  assert.equal(one("SELECT count(*) AS n FROM upstream_token u JOIN flow f ON u.owner = 'flow:' || f.id"), still, 'or not moved with their flow');
  assert.equal(one('SELECT count(*) AS n FROM upstream_token'), connected.length);
  const redeemed = await inLanes(4, seen.slice(-100).map(({ flow, answer }) => () => redeem(server, flow, answer.sent().get('code'))));
  for (const answer of redeemed) assert.equal(answer.status, 200, answer.text);
  const again = await inLanes(4, all.map(({ flow }) => () => attempt(flow)));
  for (const answer of again) assert.ok([302, 409].includes(answer.status), `${answer.status} ${answer.text}`);
  assert.equal(again.filter((answer) => answer.status === 302).length, open, 'what was not finished can be finished now');
  for (const answer of again) if (answer.status === 302) assert.ok(answer.location.startsWith(loopback));
  assert.equal(one('SELECT count(*) AS n FROM session'), all.length);
});

test('S1: a worker that is killed idle is replaced and no request fails', { timeout: 120000 }, async () => {
  for (const victim of server.workerPids()) {
    process.kill(victim, 'SIGKILL');
    await until(() => server.workerPids().length === 4 && !server.workerPids().includes(victim), 'a new worker');
  }
  for (let number = 0; number < 8; number += 1) assert.equal((await submit(await startFlow(server, { client }))).status, 302);
});

test('S1: workers that are asked to end finish what they have begun', { timeout: 120000 }, async () => {
  const flows = await inLanes(4, Array.from({ length: 40 }, () => () => startFlow(server, { client })));
  const old = server.workerPids();
  const submits = inLanes(8, flows.map((flow) => () => attempt(flow)));
  for (const pid of old) process.kill(pid, 'SIGTERM');
  const answers = await submits;
  await until(() => server.workerPids().length === 4, 'four workers');
  for (const answer of answers) assert.equal(answer.status, 302, `${answer.status} ${answer.text}`);
});
