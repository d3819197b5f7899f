// The gate and the pages under load while things go wrong: a reload loses no request; whatever
// dies, nobody passes who may not, and no caller gets a wrong answer.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { send } from './support/browser.mjs';
import { Child, fronts, startFront } from './support/fronts.mjs';
import { journey } from './support/journey.mjs';
import { startServerBehind } from './support/mcp_behind.mjs';
import { childrenOf, root, sleep, until } from './support/server.mjs';

const build = process.env.BUILD || 'build/asan';
const options = { timeout: 120000 };
const metadata = '/.well-known/oauth-authorization-server';
let behind;
before(async () => { behind = await startServerBehind(); });
after(async () => { await behind?.stop(); });

// Calls with a token, calls without one, and requests to the pages, until `during` is over. out:
// how often each was answered how
async function underLoad(server, token, during) {
  const counts = { guest: {}, person: {}, pages: {} };
  let over = false;
  const lane = async (kind, ask) => {
    while (!over) {
      const status = await ask().then((answer) => answer.status, () => 'no answer');
      counts[kind][status] = (counts[kind][status] ?? 0) + 1;
      if (status !== 200 && status !== 401) await sleep(5);
    }
  };
  const post = (headers) => send(server.base, 'POST', '/mcp', { headers: { 'Content-Type': 'application/json', ...headers }, body: '{}' });
  const lanes = [0, 1, 2].flatMap(() => [lane('person', () => post({ Authorization: `Bearer ${token}` })), lane('guest', () => post({})), lane('pages', () => send(server.base, 'GET', metadata))]);
  try { await during(); } finally { over = true; await Promise.all(lanes); }
  return counts;
}

const statuses = (counts) => Object.keys(counts).map((status) => (status === 'no answer' ? status : Number(status)));
const allowed = (counts, good) => assert.deepEqual(statuses(counts).filter((status) => status !== good && !(status >= 500)), [], JSON.stringify(counts));

for (const front of fronts.slice(0, 2)) {
  let server;
  let token;
  const reopen = () => { if (process.getuid() === 0 && front.socket === 'gate.sock') fs.chmodSync(path.join(server.var, 'gate.sock'), 0o666); };

  test(`RS11: behind ${front.name} a rolling restart of gate and pages fails no request`, { timeout: 240000 }, async () => {
    server = await startFront(front, { guards: [{ at: '/mcp', port: behind.port }], workers: 4 });
    ({ token } = await journey(server));
    const reloads = () => (server.gate.said.match(/event=reloaded/g) ?? []).length;
    const counts = await underLoad(server, token, async () => {
      for (let i = 0; i < 4; i += 1) {
        await sleep(600);
        process.kill(server.gate.pid, 'SIGHUP');
        process.kill(server.masterPid(), 'SIGHUP');
        await until(() => reloads() > i, 'the gate to start anew'); // two signals at once are one
      }
    });
    assert.deepEqual([statuses(counts.person), statuses(counts.guest), statuses(counts.pages)], [[200], [401], [200]], JSON.stringify(counts));
    assert.ok(counts.person[200] > 100, JSON.stringify(counts));
    assert.equal(reloads(), 4);
  });

  test(`RS11: behind ${front.name} a killed worker or a killed gate lets nobody pass who may not`, options, async () => {
    const before = behind.seen.length;
    const counts = await underLoad(server, token, async () => {
      for (let i = 0; i < 5; i += 1) {
        await sleep(300);
        process.kill(childrenOf(server.gate.pid)[0], 'SIGKILL');
        process.kill(server.workerPids()[0], 'SIGKILL');
      }
      await server.gate.stop('SIGKILL'); // what started it starts it again
      await sleep(500);
      await server.startGate();
      reopen();
      await sleep(2500);
    });
    allowed(counts.person, 200);
    allowed(counts.guest, 401);
    allowed(counts.pages, 200);
    assert.ok(behind.seen.length - before >= counts.person[200]);
    assert.ok(behind.seen.slice(before).every(({ headers }) => headers['consentgate-session']), 'all that passed had passed the gate');
    await until(async () => (await send(server.base, 'POST', '/mcp', { headers: { Authorization: `Bearer ${token}` }, body: '{}' })).status === 200, 'the gate to serve again');
  });

  test(`RS11: behind ${front.name} a killed master of the pages, started again by what started it, answers nothing wrongly`, options, async () => {
    let pages;
    const start = async () => {
      fs.rmSync(path.join(server.var, 'consentgate.sock'), { force: true });
      pages = new Child('spawn-fcgi', ['-n', '-s', 'consentgate.sock', '-M', '0660', '--', path.resolve(root, build, 'consentgate')], { cwd: server.var, env: server.environment() });
      await until(() => /event=started/.test(pages.said), 'the pages to start');
      if (process.getuid() === 0) fs.chmodSync(path.join(server.var, 'consentgate.sock'), 0o666);
    };
    await start();
    const counts = await underLoad(server, token, async () => {
      for (let i = 0; i < 3; i += 1) {
        await sleep(600);
        const workers = childrenOf(pages.pid);
        assert.ok(workers.length > 0);
        await pages.stop('SIGKILL');
        await until(() => workers.every((pid) => !fs.existsSync(`/proc/${pid}`)), 'the workers to end with their master');
        await start();
      }
      await sleep(2500); // lighttpd and Apache leave alone for a moment what did not answer
    });
    allowed(counts.pages, 200);
    assert.deepEqual([statuses(counts.person), statuses(counts.guest)], [[200], [401]], JSON.stringify(counts)); // the gate is another program
    assert.ok(counts.pages[200] > 100, JSON.stringify(counts));
    await journey(server);
    await pages.stop();
    fs.rmSync(path.join(server.var, 'consentgate.sock'), { force: true });
  });

  test(`RS11: behind ${front.name} a database that is away for five seconds closes the gate, and only for so long`, options, async () => {
    const before = behind.seen.length;
    const counts = await underLoad(server, token, async () => {
      await sleep(300);
      fs.renameSync(server.database, `${server.database}.away`);
      const reached = () => behind.seen.length;
      await sleep(500);
      const closed = reached();
      await sleep(4500);
      assert.equal(reached(), closed, 'nothing passed while there was no database');
      fs.renameSync(`${server.database}.away`, server.database);
      await sleep(1000);
    });
    allowed(counts.person, 200);
    assert.deepEqual(statuses(counts.guest), [401], JSON.stringify(counts)); // it takes no database to have no token
    assert.ok(statuses(counts.person).includes(503), JSON.stringify(counts));
    assert.ok(behind.seen.length > before);
    assert.equal((await send(server.base, 'POST', '/mcp', { headers: { Authorization: `Bearer ${token}` }, body: '{}' })).status, 200);
    await server.stop();
  });
}
