// Days in the life of people who have accounts at several services, with all that happens there:
// outages, answers that are lost, withdrawals, forgotten clients, changed keys. The requests are
// real, and the clock is moved. In the end each account is in the state that its service's own
// books say. `make soak` takes thirty days of two hundred people.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startAccounts } from './support/accounts.mjs';
import { inLanes } from './support/journey.mjs';
import { ProviderBooks } from './support/provider_books.mjs';
import { until } from './support/server.mjs';
import { makeAuthority } from './support/upstreams.mjs';

const long = Number(process.env.MINUTES || 0) >= 10;
const [people, days] = long ? [200, 30] : [12, 4];
const stepHours = 6;
const services = ['calendar', 'issues', 'mail', 'notes', 'wiki'];
const html = { 'Content-Type': 'text/html' };
// Answers that say nothing about a person's account, however often they come.
const passing = [[401, '<h1>Attention Required!</h1>', html], [403, '<h1>Forbidden</h1>', html], [429, '', { 'Retry-After': '7' }], [500, { error: 'oops' }], [503, { error: 'invalid_client' }], [200, '<h1>Sign in</h1>', html]];

// The same every time for one seed (mulberry32).
const seed = Number(process.env.SEED || 20261128);
let state = seed;
function random() {
  state = (state + 0x6d2b79f5) | 0;
  let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
}
const pick = (list) => list[Math.floor(random() * list.length)];
const happens = (chance) => random() < chance;

class Days {
  async start() {
    this.accounts = await startAccounts(services, { workers: 8, authority: makeAuthority(), env: { CONSENTGATE_SERVICE_TIMEOUT_MS: '3000' } });
    this.server = this.accounts.server;
    this.books = Object.fromEntries(services.map((name) => [name, new ProviderBooks(this.accounts.providers[name])]));
    this.counts = { good: 0, rested: 0, needed: 0, connected: 0, withdrawn: 0, lost: 0, inVain: 0 };
    this.people = await inLanes(2, Array.from({ length: people }, (_, at) => async () => {
      const person = { user: `person-${at}`, identity: { virtualKey: (await this.server.addKey(`Person ${at}`)).virtual_key } };
      await this.connect(person, services);
      return person;
    }));
  }

  async connect(person, names) {
    person.token = await this.accounts.signedIn(Object.fromEntries(names.map((name) => [name, person.user])), { identity: person.identity });
    this.counts.connected += names.length;
  }

  // All that was written of accounts and services is so much longer ago.
  passTime(seconds) {
    const older = (columns) => columns.map((column) => `${column} = ${column} - ${seconds}`).join(', ');
    this.server.sql(`UPDATE upstream_token SET ${older(['updated_at', 'expires_at', 'retry_at', 'last_used_at', 'odd_since', 'doubted_at', 'doubts_since', 'broken_at', 'lease_until'])} WHERE ended_at IS NULL`);
    this.server.sql(`UPDATE service SET ${older(['client_refused_at', 'register_after'])}`);
  }

  async happenings() {
    for (const name of services) {
      const provider = this.accounts.providers[name];
      provider.away = happens(0.1);
      if (happens(0.3)) provider.failNext(pick(passing), 1 + Math.floor(random() * 3));
      // The service gives new tokens and forgets the old ones, and its answer is lost on the way.
      if (happens(0.1)) { provider.alterNext(() => '<h1>Bad gateway</h1>', { status: 502, type: 'text/html' }); this.counts.lost += 1; }
      for (const { user } of this.people) {
        if (happens(0.01) && this.books[name].isGood(user)) { await this.books[name].withdraw(user); this.counts.withdrawn += 1; }
      }
    }
  }

  async changeKeys() {
    await this.server.admin('server-key', 'add');
    const before = this.server.logs().split('event=reloaded').length;
    process.kill(this.server.masterPid(), 'SIGHUP');
    await until(() => this.server.logs().split('event=reloaded').length > before, 'the reload');
    await this.server.admin('server-key', 'rotate');
  }

  // out: whether the service has to be asked again
  async use(person, name) {
    const answer = await this.accounts.exchange(person.token, name);
    const good = this.books[name].isGood(person.user);
    if (answer.status === 503) { this.counts.rested += 1; return true; }
    if (answer.status === 200) {
      const holder = await this.accounts.providers[name].whoIs(answer.json().access_token);
      if (holder === undefined) assert.ok(!good, `${person.user} got a dead token of ${name}, where all is well`);
      else assert.equal(holder, person.user, `somebody else's token of ${name}`);
      this.counts.good += 1;
      return false;
    }
    assert.deepEqual([answer.status, answer.json().error], [400, 'interaction_required'], answer.text);
    assert.ok(!good, `${person.user} was cut off from ${name} without a cause`);
    this.counts.needed += 1;
    if (happens(0.5)) await this.connectAgain(person, name);
    return false;
  }

  // In vain while the service is out of order, or does not know our client yet.
  async connectAgain(person, name) {
    const books = this.books[name];
    const before = books.of(person.user);
    try { await this.connect(person, [name]); } catch (error) {
      if (!(error instanceof assert.AssertionError) && !/answered \d+/.test(error.message)) throw error;
      this.counts.inVain += 1;
      books.people.set(person.user, before); // what we were never given is nobody's
    }
  }

  async useAll() {
    await inLanes(2, this.people.map((person) => async () => {
      for (const name of services) if (happens(0.8)) await this.use(person, name);
    }));
  }

  calm() { for (const provider of Object.values(this.accounts.providers)) Object.assign(provider, { away: false, failing: [], altering: [] }); }

  // When nothing happens any more, each account is as its service says.
  async end() {
    this.calm();
    for (let round = 0; round < 4; round += 1) {
      this.passTime(stepHours * 3600);
      await inLanes(2, this.people.map((person) => async () => { for (const name of services) await this.accounts.exchange(person.token, name); }));
    }
    this.passTime(stepHours * 3600);
    const wrong = [];
    await inLanes(2, this.people.map((person) => async () => {
      for (const name of services) {
        const answer = await this.accounts.exchangePatiently(person.token, name);
        const expected = this.books[name].isGood(person.user) ? 200 : 400;
        const holder = answer.status === 200 ? await this.accounts.providers[name].whoIs(answer.json().access_token) : person.user;
        if (answer.status !== expected || holder !== person.user) wrong.push(`${person.user} at ${name}: ${answer.status}, ${holder}, and the service says ${expected}`);
      }
    }));
    assert.deepEqual(wrong, []);
    const rows = this.server.sql('SELECT count(*) AS all_of_them, count(DISTINCT owner || service_id) AS different FROM upstream_token WHERE ended_at IS NULL')[0];
    assert.deepEqual([rows.all_of_them, rows.different], [people * services.length, people * services.length], 'one account for each person at each service');
  }
}

test('XC5 XC7: after days of outages, lost answers, withdrawals and changed keys each account is as its service says', { timeout: long ? 3600000 : 300000 }, async (t) => {
  const life = new Days();
  try {
    await life.start();
    const steps = (days * 24) / stepHours;
    for (let step = 0; step < steps; step += 1) {
      life.passTime(stepHours * 3600);
      await life.happenings();
      if (step % Math.ceil(steps / 3) === 1) await life.changeKeys();
      if (step === Math.floor(steps / 2)) await life.books[pick(services)].forgetClients();
      await life.useAll();
    }
    await life.end();
    t.diagnostic(`seed ${seed}: ${JSON.stringify(life.counts)}`);
    assert.ok(life.counts.needed > 0 && life.counts.rested > 0 && life.counts.withdrawn > 0, JSON.stringify(life.counts));
  } finally { await life.accounts?.stop(); }
});
