// Concurrent sign-ins over several web machines while their database fails, and a record of
// everything that was promised. A 503 is met as a person or a client meets it: the same step is
// tried again. When a 503 said that the step may have been done, the try after it may find it done
// (409, invalid_grant): then nothing was promised, and nothing may be doubled.
import assert from 'node:assert/strict';
import { Browser } from './browser.mjs';
import { authorize, inLanes, loopback, post, redeem, register, rpc, submit, whoami } from './journey.mjs';
import { via } from './machines.mjs';
import { sleep } from './server.mjs';

const pause = 100; // before the same step is tried again
const asProgram = { Accept: 'application/json' };
const unavailableToClients = ['temporarily_unavailable', 'server_error'];

// Why an answer of status 503 is not a clean one; undefined when it is.
function flawOf(answer) {
  if (!(Number(answer.headers['retry-after']) > 0)) return 'no Retry-After';
  if (/SQLSTATE|Poco|odbc|SELECT |password/i.test(answer.text)) return 'it tells too much';
  if (/^text\/html/.test(answer.headers['content-type'])) return answer.text.trimEnd().endsWith('</html>') ? undefined : 'half a page';
  try { return answer.json().error ? undefined : 'no error named'; } catch { return 'half a document'; }
}

// Whether it says that what was asked may have been done all the same. Pages do not say.
const leavesOpen = (answer) => /^text\/html/.test(answer.headers['content-type'] ?? '') || /may or may not/.test(answer.text);

export class Load {
  codes = new Map(); // flow id -> { flow, code, userId }: acknowledged, not redeemed yet
  tokens = []; // { token, userId, flowId }: acknowledged
  wrong = []; // answers that must not be
  inDoubt = { submit: 0, token: 0 }; // done, but the answer was lost
  left = 0; // journeys that were in the middle of a 503 when the load ended
  unavailable = 0;
  longest = 0; // ms that one request took
  moments = []; // when anything succeeded

  constructor(machines, { lanes = 4 * machines.length } = {}) { Object.assign(this, { machines, lanes }); }

  async start() {
    this.client = await register(this.machines[0]);
    this.begun = performance.now();
    this.running = Promise.all(Array.from({ length: this.lanes }, async (_, lane) => {
      for (let number = 0; !this.ended; number += 1) await this.#journey(lane, `lane-${lane}-${number}`);
    }));
    return this;
  }

  async stop() {
    this.ended = performance.now();
    await this.running;
  }

  // The longest time between two successes of any client, in ms; from and to as performance.now()
  // tells.
  longestStall(from = this.begun, to = this.ended) {
    const within = [from, ...this.moments.filter((at) => at > from && at < to).sort((a, b) => a - b), to];
    return Math.round(Math.max(...within.slice(1).map((at, index) => at - within[index])));
  }

  // How long after `from` the first success was, in ms.
  recovery(from) { return Math.round(Math.min(...this.moments.filter((at) => at > from)) - from); }

  report() {
    const seconds = (this.ended - this.begun) / 1000;
    return `${this.tokens.length} sign-ins in ${seconds.toFixed(0)} s, ${this.unavailable} answers 503, longest stall ${this.longestStall()} ms, `
      + `longest request ${Math.round(this.longest)} ms, done without an answer: ${this.inDoubt.submit} submits, ${this.inDoubt.token} redemptions`;
  }

  // Asks a machine at random, again and again while it answers 503. out: undefined when the load
  // ended meanwhile, or went wrong
  async #insist(step, ask, isDone) {
    for (let doubt = false; ;) {
      const begun = performance.now();
      let answer;
      try { answer = await ask(this.machines[Math.floor(Math.random() * this.machines.length)]); } catch (error) { return this.#note(step, String(error)); }
      this.longest = Math.max(this.longest, performance.now() - begun);
      if (isDone(answer)) { this.moments.push(performance.now()); return { answer, doubt }; }
      const toClient = step === 'authorize' && answer.status === 302 && answer.location.startsWith(loopback) && unavailableToClients.includes(answer.sent().get('error'));
      if (answer.status !== 503 && !toClient) return { answer, doubt, refused: true };
      const flaw = toClient ? undefined : flawOf(answer);
      if (flaw) return this.#note(step, `503, but ${flaw}: ${answer.text.slice(0, 300)}`);
      this.unavailable += 1;
      doubt ||= leavesOpen(answer);
      if (this.ended) { this.left += 1; return undefined; }
      await sleep(pause);
    }
  }

  #note(step, text) { this.wrong.push(`${step}: ${text}`); return undefined; }

  // A refusal that only a lost answer explains.
  #expectDoubt(step, { answer, doubt }, status, text) {
    if (doubt && answer.status === status && answer.text.includes(text)) this.inDoubt[step] += 1;
    else this.#note(step, `${answer.status} ${answer.text.slice(0, 300)}`);
  }

  async #journey(lane, userId) {
    const browser = new Browser(this.machines[0].base, this.machines[0].issuer);
    let flow;
    const started = await this.#insist('authorize', async (machine) => { flow = await authorize(machine, browser.at(machine.base), this.client); return flow.answer; }, () => flow.flowId);
    if (!started) return;
    if (started.refused) { this.#note('authorize', started.answer.status); return; }
    const chosen = await this.#insist('user-id', (machine) => post(via(machine, flow), 'user-id', { user_id: userId }), (answer) => answer.location?.startsWith('/oauth/consent/mcps?'));
    if (!chosen) return;
    if (chosen.refused) { this.#note('user-id', `${chosen.answer.status} ${chosen.answer.text}`); return; }
    // One lane has the pages of a browser, the others read what an error says.
    const submitted = await this.#insist('submit', (machine) => submit(via(machine, flow), lane === 0 ? {} : asProgram), (answer) => answer.status === 302 && answer.sent().has('code'));
    if (!submitted) return;
    if (submitted.refused) { this.#expectDoubt('submit', submitted, 409, lane === 0 ? '' : 'flow_already_submitted'); return; }
    const code = submitted.answer.sent().get('code');
    this.codes.set(flow.flowId, { flow, code, userId });
    await this.#spend(flow, code, userId);
  }

  async #spend(flow, code, userId) {
    const redeemed = await this.#insist('token', (machine) => redeem(machine, flow, code), (answer) => answer.status === 200);
    if (!redeemed) return;
    this.codes.delete(flow.flowId);
    if (redeemed.refused) { this.#expectDoubt('token', redeemed, 400, 'invalid_grant'); return; }
    const token = redeemed.answer.json().access_token;
    this.tokens.push({ token, userId, flowId: flow.flowId });
    const used = await this.#insist('mcp', (machine) => rpc(machine, token, 'tools/list'), (answer) => answer.status === 200);
    if (used?.refused) this.#note('mcp', `${used.answer.status}, a fresh token`);
  }
}

// How often something is in the database that must not be.
const impossible = {
  'sessions of one flow': 'SELECT count(*) FROM (SELECT flow_id FROM session GROUP BY flow_id HAVING count(*) > 1) AS found',
  'codes of one session': 'SELECT count(*) FROM (SELECT session_id FROM code GROUP BY session_id HAVING count(*) > 1) AS found',
  'codes without a session': 'SELECT count(*) FROM code k LEFT JOIN session s ON s.id = k.session_id WHERE s.id IS NULL',
  'sessions without a code': 'SELECT count(*) FROM session s LEFT JOIN code k ON k.session_id = s.id WHERE k.code_hash IS NULL',
  'flows that are finished and open': 'SELECT count(*) FROM flow f JOIN session s ON s.flow_id = f.id',
};

// After the load: nothing that was acknowledged is lost or doubled, at any machine, and every
// failure was a clean one.
// in: number(statement)  of the database, as the node that is asked knows it
export async function assertKept(load, machines, number = machines.number) {
  assert.deepEqual(load.wrong, []);
  const known = await inLanes(8, load.tokens.flatMap(({ token }) => machines.map((machine) => async () => (await whoami(machine, token)).identity)));
  assert.deepEqual(known, load.tokens.flatMap(({ userId }) => machines.map(() => userId)), 'every token is good, and its person\'s, at every machine');
  const flowIds = [...load.codes.keys(), ...load.tokens.map(({ flowId }) => flowId)];
  for (let at = 0; at < flowIds.length; at += 200) {
    const some = flowIds.slice(at, at + 200);
    assert.equal(await number(`SELECT count(*) FROM session WHERE flow_id IN (${some.map((id) => `'${id}'`).join()})`), some.length, 'acknowledged sessions');
  }
  for (const [what, statement] of Object.entries(impossible)) assert.equal(await number(statement), 0, what);
}
