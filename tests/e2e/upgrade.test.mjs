// Upgrades: a database of an earlier version, with rows in each of its tables, goes on; so do
// programs whose database a newer version has migrated, while people sign in.
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { Browser, postForm, send } from './support/browser.mjs';
import { startDatabases } from './support/databases.mjs';
import { Earlier } from './support/earlier.mjs';
import { api, codeFor, journey, redeem, rpc, startFlow, submit, whoami } from './support/journey.mjs';
import { assertKept, Load } from './support/load.mjs';
import { loneMachine, startMachines } from './support/machines.mjs';
import { freshFolder, plainFolder, reload, root, startServer, until } from './support/server.mjs';

const long = { timeout: 300000 };
const run = promisify(execFile);
const admin = path.resolve(root, process.env.BUILD || 'build/asan', 'consentgate-admin');
const newest = fs.readdirSync(path.join(root, 'sql')).filter((name) => name.endsWith('.sql')).sort().at(-1).slice(0, 4);
const earlier = new Earlier('0.1.0');
const { known } = earlier;
const exchangeGrant = 'urn:ietf:params:oauth:grant-type:token-exchange';

// Runs the command: what it says, and its exit status.
const said = (words, env) => run(admin, words, { env }).then(({ stdout, stderr }) => ({ code: 0, text: stdout + stderr }), ({ code, stdout, stderr }) => ({ code, text: stdout + stderr }));

// A server behind gets the account of its caller at a service.
async function account(server, token, name) {
  const answer = await postForm(server.base, `${api}/token`, { grant_type: exchangeGrant, subject_token: token, subject_token_type: 'urn:ietf:params:oauth:token-type:access_token', audience: name, client_id: known.asking.id, client_secret: known.asking.secret });
  assert.equal(answer.status, 200, answer.text);
  return answer.json().access_token;
}

async function accountsAreReadable(server) {
  assert.equal(await account(server, known.anna.access_token, 'notion'), known.anna.account);
  assert.equal(await account(server, known.anna.access_token, 'company'), known.anna.company_account);
  assert.equal(await account(server, known.skipped.access_token, 'notion'), known.skipped.account);
}

const cookies = (server, kept) => Object.assign(new Browser(server.base, server.issuer), { cookies: new Map(kept) });
const basic = ({ client_id: id, client_secret: secret }) => ({ Authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}` });

async function everythingGoesOn(server) {
  for (const [whose, name] of [['anna', 'Anna'], ['typed', 'Zoë O\'Brien'], ['skipped', ''], ['secretive', ''], ['keyed', ''], ['documented', '']]) {
    assert.equal((await whoami(server, known[whose].access_token)).identity, name, whose);
  }
  assert.equal((await whoami(server, known.anna.first_token)).identity, 'Anna', 'the token from before the refresh');
  assert.equal((await rpc(server, known.ended.access_token, 'tools/list')).status, 401, 'a session that had ended');
  await accountsAreReadable(server);

  const refreshed = await postForm(server.base, `${api}/token`, { grant_type: 'refresh_token', refresh_token: known.anna.refresh_token, client_id: known.anna.client_id });
  assert.equal(refreshed.status, 200, refreshed.text);
  assert.equal((await whoami(server, refreshed.json().access_token)).identity, 'Anna');
  const code = { grant_type: 'authorization_code', code: known.code.code, redirect_uri: known.code.redirect_uri, client_id: known.code.client_id, code_verifier: known.code.verifier, resource: known.resource };
  const redeemed = await postForm(server.base, `${api}/token`, code);
  assert.equal(redeemed.status, 200, `a code from before: ${redeemed.text}`);
  const open = { flowId: known.open_flow.flow_id, browser: cookies(server, known.open_flow.cookies) };
  assert.match((await submit(open)).location, /[?&]code=/, 'Allow, on a page from before');

  assert.equal((await whoami(server, (await journey(server, { identity: { virtualKey: known.key.virtual_key } })).token)).identity, 'Anna');
  const refused = await startFlow(server);
  assert.match((await refused.browser.post(`${api}/consent/vk`, { flow_id: refused.flowId, vk: known.disabled_key.virtual_key })).location, /error=invalid_virtual_key/);
  const again = await codeFor(server, { client: { client_id: known.secretive.client_id } });
  assert.equal((await redeem(server, again, again.code, { client_id: undefined }, basic(known.secretive))).status, 200, 'the client and its secret');
  assert.equal((await postForm(server.base, `${api}/revoke`, { token: known.secretive.access_token }, basic(known.secretive))).status, 200);
  assert.equal((await rpc(server, known.secretive.access_token, 'tools/list')).status, 401);
}

// A machine with today's programs, on what the version before left.
async function upgraded(env, folder, check) {
  const settings = { CONSENTGATE_ISSUER: known.issuer, CONSENTGATE_RESOURCES: known.resource, CONSENTGATE_KEY_FILE: path.join(folder, 'consentgate.key'), CONSENTGATE_CONFIG: path.join(folder, 'none.conf'), ...env };
  fs.writeFileSync(path.join(folder, 'none.conf'), '');
  const mine = { ...process.env, ASAN_OPTIONS: 'detect_leaks=0', ...settings };
  const before = await said(['check'], mine);
  assert.match(before.text, new RegExp(`its schema is version 9, this program needs version ${Number(newest)}; run: consentgate-admin migrate`));
  const migrated = await said(['migrate'], mine);
  assert.equal(migrated.code, 0, migrated.text);
  assert.match(migrated.text, new RegExp(`^applied 0010_.*applied ${newest}_`, 's'));
  delete settings.CONSENTGATE_CONFIG;
  const server = Object.assign(await startServer({ folder, env: settings }), { issuer: known.issuer, resource: known.resource });
  try {
    await everythingGoesOn(server);
    await server.admin('sweep'); // seals the accounts for their owners
    await accountsAreReadable(server);
    await check(server);
  } finally { await server.stop(); }
}

// Tables, columns and indexes, in no order.
const shapeOf = (database) => execFileSync('sqlite3', [database, "SELECT m.type, m.name, m.tbl_name, i.name, i.type, i.\"notnull\", i.pk FROM sqlite_master m LEFT JOIN pragma_table_info(m.name) i WHERE m.name NOT LIKE 'sqlite_%'"], { encoding: 'utf8' }).trim().split('\n').sort();

test('O18: a SQLite database of 0.1.0 with rows in every table goes on: sessions, tokens, codes, keys, clients and secrets', long, async () => {
  const folder = earlier.sqlite(freshFolder('earlier'));
  const fresh = plainFolder();
  try {
    await upgraded({ CONSENTGATE_DATABASE: path.join(folder, 'consentgate.db') }, folder, async (server) => {
      const env = { ...server.environment(), CONSENTGATE_DATABASE: path.join(fresh, 'fresh.db'), CONSENTGATE_KEY_FILE: path.join(fresh, 'fresh.key') };
      assert.equal((await said(['migrate'], env)).code, 0);
      assert.deepEqual(shapeOf(server.database), shapeOf(path.join(fresh, 'fresh.db')), 'the schema of a new database');
      assert.match(await server.check(), /there is no way back to a version that does not seal/);
    });
  } finally { for (const one of [folder, fresh]) fs.rmSync(one, { recursive: true, force: true }); }
});

for (const kind of ['postgresql', 'mariadb']) {
  test(`O18: the same on ${kind}`, long, async () => {
    const databases = await startDatabases(kind);
    const folder = freshFolder('earlier');
    try {
      earlier.server(databases, folder);
      await upgraded(databases.env(), folder, async () => {});
    } finally {
      await databases.stop();
      fs.rmSync(folder, { recursive: true, force: true });
    }
  });
}

test('O18: the configuration of 0.1.0 with all of its keys has each of its old names explained at once, and is good with the new ones', long, async () => {
  const folder = earlier.sqlite(plainFolder());
  const file = path.join(folder, 'consentgate.conf');
  const env = { ...process.env, ASAN_OPTIONS: 'detect_leaks=0', CONSENTGATE_CONFIG: file, CONSENTGATE_PAGES: path.join(root, 'conf/pages') };
  try {
    fs.writeFileSync(file, earlier.read('consentgate.conf'));
    const refused = await said(['check'], env);
    assert.equal(refused.code, 1);
    for (const words of ['database_wait_ms is now called database_timeout_ms', 'client_documents is now called client_documents_enabled']) assert.ok(refused.text.includes(words), refused.text);
    fs.writeFileSync(file, earlier.read('consentgate.conf').replace('database_wait_ms', 'database_timeout_ms').replace('client_documents = on', 'client_documents_enabled = true'));
    assert.match((await said(['check'], env)).text, /^the configuration is sound/);
    assert.equal((await said(['migrate'], env)).code, 0);
  } finally { fs.rmSync(folder, { recursive: true, force: true }); }
});

// A later version adds to a database, or closes it to the versions before.
const additions = ['ALTER TABLE session ADD COLUMN later BIGINT', 'ALTER TABLE code ADD COLUMN later VARCHAR(64)', 'CREATE TABLE later (id VARCHAR(64) NOT NULL PRIMARY KEY)', 'CREATE INDEX session_later ON session (later)',
  "INSERT INTO schema_version (version, name, digest, applied_at) VALUES (9001, '9001_later', '', 1)"];
const closing = "INSERT INTO schema_version (version, name, digest, applied_at) VALUES (9002, '9002_much_later_stop', '', 1)";

const masters = (machine) => ['consentgate', 'gate'].map((name) => Number(fs.readFileSync(path.join(machine.var, `${name}.pid`), 'utf8')));
const ready = async (machine) => { const { status: httpStatus, text } = await send(machine.base, 'GET', '/readyz'); return { httpStatus, ...JSON.parse(text) }; };

async function worksBesideANewerVersion(machine, machines, change) {
  const load = await new Load(machines, { lanes: 3 }).start();
  try {
    await until(() => load.tokens.length > 3, 'sign-ins before');
    for (const statement of additions) await change(statement);
    const before = load.tokens.length;
    await reload(...masters(machine)); // new workers, which look at the schema
    await until(() => load.tokens.length > before + 3, 'sign-ins on the newer schema');
  } finally { await load.stop(); }
  assert.deepEqual(await ready(machine), { httpStatus: 200, status: 'ok', schema_version: 9001, program_schema_version: Number(newest) });
  await assertKept(load, machines);
  assert.match(await machine.check(), new RegExp(`its schema is version 9001, which a newer version of consentgate made; this program's is ${Number(newest)} and goes on with it`));
  const env = machine.environment();
  assert.equal((await said(['migrate'], env)).code, 0);
  for (const words of [['export'], ['server-key', 'rotate']]) {
    const refused = await said(words, env);
    assert.equal(refused.code, 1, words.join(' '));
    assert.match(refused.text, /does not know all that is there; use consentgate-admin of the newer version/);
  }
}

async function stopsWhereItWouldDoHarm(machine, change) {
  await change(closing);
  assert.deepEqual(await ready(machine), { httpStatus: 503, status: 'schema_mismatch', schema_version: 9002, program_schema_version: Number(newest) });
  for (const words of [['migrate'], ['key', 'add', 'Eve'], ['check']]) {
    const refused = await said(words, machine.environment());
    if (words[0] !== 'check') assert.equal(refused.code, 1, words.join(' '));
    assert.match(refused.text, /may not write there any more; install the newer version here, too/, words.join(' '));
  }
  for (const pid of machine.workerPids()) process.kill(pid, 'SIGKILL');
  await until(() => /event=wrong_schema .*version=9002/.test(machine.logs()), 'a worker that refuses the schema');
  await change('DELETE FROM schema_version WHERE version = 9002');
  await until(async () => (await ready(machine)).httpStatus === 200, 'workers that serve again');
}

test('O17: programs go on while a newer version adds to their SQLite database under load, and stop where it says so', long, async () => {
  const server = await startServer({ workers: 3 });
  try {
    const change = async (statement) => { server.sql(statement); };
    await worksBesideANewerVersion(server, loneMachine(server), change);
    await stopsWhereItWouldDoHarm(server, change);
  } finally { await server.stop(); }
});

for (const kind of ['postgresql', 'mariadb']) {
  test(`O17: the same on ${kind}`, long, async () => {
    const databases = await startDatabases(kind);
    let machines;
    try {
      machines = await startMachines(databases, [[1]], { workers: 3 });
      await worksBesideANewerVersion(machines[0], machines, machines.change);
      await stopsWhereItWouldDoHarm(machines[0], machines.change);
    } finally {
      try { await machines?.stop(); } finally { await databases.stop(); }
    }
  });
}
