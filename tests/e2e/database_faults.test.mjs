// Database servers die, restart, fall silent and come back under load, two web machines in front of
// them. FAULT_SECONDS makes it shorter.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { journey } from './support/journey.mjs';
import { assertKept, Load } from './support/load.mjs';
import { withMachines } from './support/machines.mjs';
import { sleep, until } from './support/server.mjs';

const seconds = Number(process.env.FAULT_SECONDS ?? 30);
const long = { timeout: 300000 };
const wait = 5000; // database_timeout_ms
const slack = 1500; // of a request beyond the times that the configuration sets, on a busy machine

// Runs `fault` while sign-ins go on for `length` seconds, and then looks at all that was promised.
// out: the load
async function underLoad(t, machines, fault, length = seconds) {
  const pids = machines.pids();
  const load = await new Load(machines).start();
  const end = Date.now() + length * 1000;
  try {
    await sleep(1000);
    await fault(load, end);
    await sleep(Math.max(1000, end - Date.now()));
  } finally { await load.stop(); }
  t.diagnostic(load.report());
  await assertKept(load, machines);
  assert.deepEqual(machines.pids(), pids, 'the same workers go on');
  assert.ok(load.tokens.length >= length, `only ${load.tokens.length} sign-ins came through`);
  for (const machine of machines) await journey(machine);
  return load;
}

const onPostgresql = (run) => withMachines('postgresql', [[1], [1]], run);
const onGalera = (run) => withMachines('galera', [[1, 2, 3], [2, 3, 1]], run);

test('S15 A28: backends of PostgreSQL that are terminated under load lose nothing and double nothing', long, (t) => onPostgresql(async (databases, machines) => {
  let ended = 0;
  const load = await underLoad(t, machines, async (_, end) => {
    while (Date.now() < end) {
      ended += Number(await databases.sql(1, "SELECT count(pg_terminate_backend(pid)) FROM (SELECT pid FROM pg_stat_activity WHERE usename = 'consentgate' ORDER BY random() LIMIT 2) AS victims"));
      await sleep(300);
    }
  });
  t.diagnostic(`${ended} backends were terminated`);
  assert.ok(ended >= seconds, `only ${ended} backends were terminated`);
  assert.ok(load.longest < wait + slack, `a request took ${load.longest} ms`);
}));

test('S15 A28: PostgreSQL restarted and killed under load loses nothing and doubles nothing', long, (t) => onPostgresql(async (databases, machines) => {
  const load = await underLoad(t, machines, async (running, end) => {
    for (const how of [['restart 1'], ['kill 1', 'start 1']].concat(seconds >= 20 ? [['restart 1'], ['stop 1', 'start 1']] : [])) {
      for (const command of how) await databases.tell(command);
      const back = performance.now();
      await sleep(Math.max(1000, (seconds - 6) * 250));
      t.diagnostic(`${how.join(', ')}: the first success came ${running.recovery(back)} ms after the server was back`);
      assert.ok(running.recovery(back) < 1000);
      if (Date.now() > end) break;
    }
  });
  assert.ok(load.longest < wait + slack, `a request took ${load.longest} ms`);
}));

test('S15 A28: a Galera node that is killed under load and comes back stalls the others for less than 3 s, and loses and doubles nothing', long, (t) => onGalera(async (databases, machines) => {
  const load = await underLoad(t, machines, async (running, end) => {
    for (const victim of seconds >= 20 ? [1, 2] : [1]) {
      const killed = performance.now();
      await databases.tell(`kill ${victim}`);
      await sleep(4000);
      t.diagnostic(`node ${victim} killed: longest stall ${running.longestStall(killed, performance.now())} ms`);
      assert.ok(running.longestStall(killed, performance.now()) < 3000, 'the survivors stood still');
      const begun = performance.now();
      await databases.tell(`start ${victim}`);
      t.diagnostic(`node ${victim} took part again after ${Math.round(performance.now() - begun)} ms, longest stall meanwhile ${running.longestStall(begun, performance.now())} ms`);
      if (Date.now() > end) break;
    }
  });
  assert.ok(load.longestStall() < 3000, `${load.longestStall()} ms`);
  await assertSameEverywhere(databases);
}));

test('S15 A28: a Galera cluster that loses its majority under load answers 503, and goes on when it is made whole', long, (t) => onGalera(async (databases, machines) => {
  // Either an operator makes one node the cluster, or the lost nodes return and join it by
  // themselves.
  const ways = [{ lost: '2 3', begin: 'bootstrap 1', others: [2, 3] }].concat(seconds >= 20 ? [{ lost: '1 2', begin: 'start 1 2' }] : []);
  await underLoad(t, machines, async (running) => {
    for (const { lost, begin, others } of ways) {
      const refused = running.unavailable;
      await databases.tell(`kill ${lost}`);
      await until(() => running.unavailable > refused, 'a refusal without a majority', 15000);
      await sleep(seconds * 150);
      const begun = performance.now();
      await databases.tell(begin);
      await until(() => running.recovery(begun) < Infinity, 'a success', 10000);
      t.diagnostic(`${lost} killed: the first success came ${running.recovery(begun)} ms after \`${begin}\` was begun`);
      for (const node of others ?? []) await rejoin(databases, node);
      await sleep(seconds * 100);
    }
  });
  await assertSameEverywhere(databases);
}));

// A server that stands still is the worst: its machine takes connections and answers nothing.
for (const { name, kind, orders, others } of [
  { name: 'PostgreSQL', kind: 'postgresql', orders: [[1], [1]] },
  { name: 'MariaDB', kind: 'mariadb', orders: [[1], [1]] },
  { name: 'one node of a Galera cluster', kind: 'galera', orders: [[1, 2, 3], [2, 3, 1]], others: true },
]) {
  test(`S15 A28: while ${name} stands still requests are answered within their time, and afterwards all goes on`, long, (t) => withMachines(kind, orders, async (databases, machines) => {
    const load = await underLoad(t, machines, async (running) => {
      const stopped = performance.now();
      await databases.tell('pause 1');
      await sleep(9000);
      if (others) assert.ok(running.recovery(stopped + 7000) < 2000, 'the other nodes serve');
      await databases.tell('resume 1');
      const back = performance.now();
      await until(() => running.recovery(back) < Infinity, 'a success', 10000);
      t.diagnostic(`the first success came ${running.recovery(back)} ms after it went on`);
    }, 14);
    assert.ok(load.longest < wait + 2000 * orders[0].length + slack, `a request took ${load.longest} ms`);
  }));
}

// One node after the other. Galera 26.4 can fail to bring a node what it missed when others join as
// well; it then says `node restart required`, and stands there.
async function rejoin(databases, node) {
  try { await databases.tell(`start ${node}`); } catch { await databases.tell(`kill ${node}`); await databases.tell(`start ${node}`); }
}

// Every node of the cluster holds the same.
async function assertSameEverywhere(databases) {
  for (const table of ['session', 'code', 'flow', 'client']) {
    const counts = [];
    for (const node of [1, 2, 3]) counts.push(await databases.sql(node, `SELECT count(*) FROM ${table}`));
    assert.equal(new Set(counts).size, 1, `${table}: ${counts}`);
  }
}
