// Two web machines with one database: what one does is true at the other at once, a lost primary is
// replaced by its standby, and the way to the database is private.
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { postForm } from './support/browser.mjs';
import { startDatabases } from './support/databases.mjs';
import { startIdentityProvider } from './support/identity_provider.mjs';
import { api, codeFor, inLanes, journey, post, redeem, register, rpc, startFlow, submit, whoami } from './support/journey.mjs';
import { assertKept, Load } from './support/load.mjs';
import { startMachines, via, withMachines } from './support/machines.mjs';
import { plainFolder, refusesToStart, root, sleep, until } from './support/server.mjs';
import { addProvider, letIn, Person } from './support/signin.mjs';
import { startRecorder } from './support/wire_recorder.mjs';

const long = { timeout: 300000 };
const admin = path.resolve(root, process.env.BUILD || 'build/asan', 'consentgate-admin');
const times = (number, task) => Array.from({ length: number }, (_, at) => () => task(at));
const onGalera = (run) => withMachines('galera', [[1, 2, 3], [2, 3, 1]], run);

test('O10: on a Galera cluster what was acknowledged by one machine is true at the other at once', long, (t) => onGalera(async (databases, machines) => {
  const client = await register(machines[0]);
  const pair = (at) => (at % 2 ? machines : [machines[1], machines[0]]);

  // Two at a time, so that the nodes have something else to do as well.
  const codes = await inLanes(2, times(100, async (at) => {
    const [here, there] = pair(at);
    const flow = await codeFor(here, { client, identity: { userId: `user-${at}` } });
    const answer = await redeem(there, flow, flow.code);
    assert.equal(answer.status, 200, `a code of one machine at the other: ${answer.text}`);
    const token = answer.json().access_token;
    assert.equal((await whoami(here, token)).identity, `user-${at}`, 'the token at the machine that did not issue it');
    return { flow, token, here, there };
  }));

  let latest = 0;
  await machines.change('UPDATE code SET redeemed_at = redeemed_at - 60 WHERE redeemed_at IS NOT NULL');
  for (const { flow, token, here, there } of codes.slice(0, 50)) {
    assert.equal((await redeem(here, flow, flow.code)).status, 400, 'a replay, which ends the session');
    const ended = performance.now();
    await until(async () => (await rpc(there, token, 'tools/list')).status === 401, 'the end of the session at the other machine', 1000);
    latest = Math.max(latest, performance.now() - ended);
  }
  t.diagnostic(`an ended session was refused by the other machine after ${Math.round(latest)} ms at the latest, the request itself included`);

  for (const [here, there] of [machines, [...machines].reverse()]) {
    const key = await here.addKey('to be disabled');
    const { token } = await journey(there, { client, identity: { virtualKey: key.virtual_key } });
    await here.admin('key', 'disable', key.id, '--yes');
    assert.equal((await rpc(there, token, 'tools/list')).status, 401);
    const flow = await startFlow(here, { client });
    assert.match((await post(via(there, flow), 'vk', { vk: key.virtual_key })).location, /error=invalid_virtual_key$/);
  }
}));

test('SI59 SI68: on a Galera cluster rules and people that one machine changes are obeyed by the next request of the other', long, () => onGalera(async (databases, machines) => {
  const corp = await startIdentityProvider({ people: { anna: { name: 'Anna' }, ben: { name: 'Ben' } } });
  try {
    await addProvider(machines[0], corp, 'corp', 'Example Corp');
    const client = await register(machines[0], { grant_types: ['authorization_code', 'refresh_token'] });
    for (const [here, there] of [machines, [...machines].reverse()]) {
      const { token, tokens } = await letIn(new Person(here, { corp }, 'anna'), client);
      const { token: bens } = await letIn(new Person(here, { corp }, 'ben'), client);
      const asked = async () => (await rpc(there, token, 'tools/list')).status;
      assert.equal(await asked(), 200);
      for (const [change, back, status] of [[['access', 'deny', 'corp/user:anna', '--resource', here.resource], undefined, 403], [['user', 'disable', 'corp/anna'], ['user', 'enable', 'corp/anna'], 401], [['idp', 'disable', 'corp'], ['idp', 'enable', 'corp'], 401]]) {
        await here.admin(...change);
        assert.equal(await asked(), status, change.join(' '));
        if (change[0] !== 'idp') assert.equal((await rpc(there, bens, 'tools/list')).status, 200, 'it is about Anna');
        await here.admin(...back ?? ['access', 'remove', String((await here.admin('access', 'list', '--json')).at(-1).number)]);
        assert.equal(await asked(), 200, `after ${change.join(' ')}`);
      }
      await here.admin('user', 'disable', 'corp/anna');
      const late = await postForm(there.base, `${api}/token`, { grant_type: 'refresh_token', refresh_token: tokens.refresh_token, client_id: client.client_id });
      assert.equal(late.status, 400, late.text);
      await here.admin('user', 'enable', 'corp/anna');
      await here.admin('user', 'end', 'corp/anna');
      assert.equal(await asked(), 401);
    }
  } finally { await corp.stop(); }
}));

for (const [kind, ...nodes] of [['postgresql', 1, 1, 1, 1], ['galera', 1, 2, 3, 1]]) {
  test(`O10: migrate by four machines at the same time makes one database and one key file, on ${kind}`, long, () => migrateAtOnce(kind, nodes));
}

async function migrateAtOnce(kind, nodes) {
  const databases = await startDatabases(kind);
  const folder = plainFolder();
  try {
    const settings = (node) => ({ ...process.env, ...databases.env(node), CONSENTGATE_KEY_FILE: path.join(folder, 'key'), CONSENTGATE_CONFIG: path.join(folder, 'conf') });
    fs.writeFileSync(path.join(folder, 'conf'), 'issuer = http://127.0.0.1:8080\nresources = http://127.0.0.1:8080/mcp\n');
    const said = await Promise.all(nodes.map((node) => run(admin, ['migrate'], settings(node))));
    for (const { code, text } of said) assert.equal(code, 0, text);
    assert.equal(said.filter(({ text }) => text.includes('made the key file')).length, 1);
    assert.equal(await databases.sql(nodes.at(-2), 'SELECT count(*) FROM server_key'), '1');
    assert.equal(await databases.sql(1, 'SELECT count(*) FROM schema_version'), await databases.sql(1, 'SELECT max(version) FROM schema_version'));
  } finally {
    await databases.stop();
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

test('O10: a PostgreSQL primary that is killed is replaced by its promoted standby, and no acknowledged session is lost', long, (t) => withMachines('postgresql-pair', [[1, 2], [1, 2]], async (databases, machines) => {
  const pids = machines.pids();
  const load = await new Load(machines, { lanes: 3 }).start();
  let promoted;
  try {
    await sleep(4000);
    await databases.tell('kill 1');
    const killed = performance.now();
    await sleep(2000); // somebody notices
    await databases.tell('promote 2');
    promoted = performance.now();
    await until(() => load.recovery(promoted) < Infinity, 'a success on the standby', 15000);
    t.diagnostic(`the primary was away for ${Math.round(promoted - killed)} ms; the first success came ${load.recovery(promoted)} ms after the promotion`);
    await sleep(4000);
  } finally { await load.stop(); }
  t.diagnostic(load.report());
  assert.ok(load.recovery(promoted) < 5000, 'the machines find the standby');
  await assertKept(load, machines, async (statement) => Number(await databases.sql(2, statement)));
  assert.deepEqual(machines.pids(), pids, 'the same workers go on');
  assert.ok(load.tokens.length > 20, `${load.tokens.length} sign-ins`);
  for (const machine of machines) await journey(machine);
}));

test('O10: a primary whose synchronous standby is gone answers 503 to what must be written, reads on, and loses nothing', long, (t) => withMachines('postgresql-pair', [[1, 2], [1, 2]], async (databases, machines) => {
  const { token } = await journey(machines[0]);
  const load = await new Load(machines, { lanes: 3 }).start();
  try {
    await sleep(2000);
    await databases.tell('kill 2');
    const gone = performance.now();
    await sleep(8000);
    assert.equal(load.recovery(gone + 1000), Infinity, 'something was acknowledged that only the primary has');
    assert.ok(load.unavailable > 0);
    for (const machine of machines) assert.equal((await rpc(machine, token, 'tools/list')).status, 200, 'reading needs no standby');
    await databases.tell('start 2');
    const back = performance.now();
    await until(() => load.recovery(back) < Infinity, 'a success', 15000);
    t.diagnostic(`the first success came ${load.recovery(back)} ms after the standby was back`);
    await sleep(3000);
  } finally { await load.stop(); }
  t.diagnostic(load.report());
  await assertKept(load, machines);
}));

for (const { name, kind } of [{ name: 'PostgreSQL', kind: 'postgresql' }, { name: 'MariaDB', kind: 'mariadb' }]) {
  test(`O11: with database_tls = verify nothing on the way to ${name} can be read, and a strange authority or name is refused at the start`, long, async () => {
    const databases = await startDatabases(kind);
    try { await onATappedWire(databases); } finally { await databases.stop(); }
  });
}

async function onATappedWire(databases) {
  const recorder = await startRecorder(databases.nodes[0].port);
  const elsewhere = await startRecorder(databases.nodes[0].port, '127.0.0.2'); // a name that is not in the certificate
  const folder = plainFolder();
  const stranger = path.join(folder, 'ca.pem');
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', '-subj', '/CN=stranger', '-keyout', path.join(folder, 'key.pem'), '-out', stranger], { stdio: 'pipe' });
  const through = ({ port }, host = '127.0.0.1') => ({ ...databases.env(1), CONSENTGATE_KEY_FILE: path.join(folder, 'key'), CONSENTGATE_DATABASE: databases.url(1).replace(/@[^/]*\//, `@${host}:${port}/`) });
  const verify = (authority) => ({ CONSENTGATE_DATABASE_TLS: 'verify', CONSENTGATE_DATABASE_TLS_CA: authority });
  const trusted = verify(path.join(databases.folder, 'ca.pem'));
  try {
    const sealed = await signIn(databases, { ...through(recorder), ...trusted });
    assert.equal(recorder.received().includes(sealed), false, 'the flow went over the wire in clear');
    const open = await signIn(databases, { ...through(recorder), CONSENTGATE_DATABASE_TLS: 'off' });
    assert.equal(recorder.received().includes(open), true, 'the recorder sees what is not encrypted');
    for (const env of [{ ...through(recorder), ...verify(stranger) }, { ...through(elsewhere, '127.0.0.2'), ...trusted }]) {
      const said = await refusesToStart(env);
      assert.match(said, /certificate/, 'the reason');
      assert.ok(!said.includes(databases.password.slice(0, 16)), 'the password was printed');
    }
  } finally {
    recorder.stop();
    elsewhere.stop();
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

// One sign-in at one machine with these settings, whose password shows nowhere. out: the flow's id,
// which the database received
async function signIn(databases, env) {
  const machines = await startMachines(databases, [[1]], { workers: 2, env });
  const word = databases.password.slice(0, 16); // the letters and digits at its beginning
  try {
    const flow = await startFlow(machines[0]);
    assert.equal((await submit(flow)).status, 302);
    if (databases.kind === 'postgresql') {
      const sessions = (ssl) => machines.number(`SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE usename = 'consentgate' AND ssl = ${ssl}`);
      const encrypted = env.CONSENTGATE_DATABASE_TLS === 'verify';
      assert.ok(await sessions(encrypted) > 0);
      assert.equal(await sessions(!encrypted), 0);
    }
    for (const text of [machines.logs(), ...machines[0].files().map((name) => fs.readFileSync(name, 'latin1')), ...everyCommandLine()]) assert.equal(text.includes(word), false, 'the password shows');
    return flow.flowId;
  } finally { await machines.stop(); }
}

const everyCommandLine = () => fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map((pid) => { try { return fs.readFileSync(`/proc/${pid}/cmdline`, 'latin1'); } catch { return ''; } });

// Never throws: how it ended and what it said.
const run = (program, words, env) => new Promise((done) => {
  execFile(program, words, { env }, (error, stdout, stderr) => done({ code: error ? error.code : 0, text: stdout + stderr }));
});
