// Moving to another database and back: export, import, and all that can go wrong between them.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { startDatabases } from './support/databases.mjs';
import { plainFolder, root, until } from './support/server.mjs';

const program = path.resolve(root, process.env.BUILD || 'build/asan', 'consentgate-admin');
const folder = plainFolder();
const inFolder = (name) => path.join(folder, name);
const sessions = 100000;
const tokens = 10000; // as many codes
const [large, small] = [sqlite('large'), sqlite('small')]; // where everything comes from
// Limits what AddressSanitizer remembers of freed memory, which takes half of the time of millions
// of small values.
const sanitizer = `malloc_context_size=2:quarantine_size_mb=8:thread_local_quarantine_size_kb=64:${process.env.ASAN_OPTIONS ?? ''}`;
let postgresql;
let mariadb;
let virtualKey; // in clear

// A place is the settings that lead to a database; the key file is the same everywhere.
function sqlite(name) { return { CONSENTGATE_DATABASE: inFolder(`${name}.db`) }; }

function start(place, ...words) {
  const settings = { CONSENTGATE_CONFIG: inFolder('consentgate.conf'), CONSENTGATE_KEY_FILE: inFolder('consentgate.key') };
  const child = spawn(program, words, { env: { ...process.env, ASAN_OPTIONS: sanitizer, ...settings, ...place }, stdio: ['ignore', 'pipe', 'pipe'] });
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr']) child[name].on('data', (bytes) => { said[name] += bytes; });
  // A machine without syslog gets the record of a command on stderr; monitor.test.mjs reads it.
  const plain = () => said.stderr.replace(/^\S+ event=audit what=operator_command .*\n/gm, '');
  child.ended = once(child, 'close').then(([code, signal]) => ({ code, signal, stdout: said.stdout, stderr: plain() }));
  return child;
}
const admin = (place, ...words) => start(place, ...words).ended;

async function done(place, ...words) {
  const said = await admin(place, ...words);
  assert.deepEqual([said.code, said.signal], [0, null], said.stderr);
  return said;
}

// Sends the signal once `due` says so, and gives what became of the command.
async function interrupted(place, words, signal, due) {
  const child = start(place, ...words);
  let ended = false;
  child.ended.then(() => { ended = true; });
  await until(async () => ended || due(), `the moment for ${signal}`, 180000);
  child.kill(signal);
  return child.ended;
}

const query = (place, statement) => execFileSync('sqlite3', [place.CONSENTGATE_DATABASE], { input: statement, encoding: 'utf8' }).trim();
const size = (file) => (fs.existsSync(file) ? fs.statSync(file).size : 0);
const same = (one, other) => assert.equal(Buffer.compare(fs.readFileSync(one), fs.readFileSync(other)), 0, `${one} and ${other} are not the same`);

// Rows as the programs write them, and some whose values are the ones that get lost on the way.
const rows = (count, others) => `
  PRAGMA synchronous = OFF; BEGIN;
  INSERT INTO client (id, name, redirect_uris, scope, by_operator, active, metadata, created_at, last_used_at) VALUES ('cgc_-a', CAST('Sämple €' AS BLOB), CAST('http://127.0.0.1/cb' AS BLOB), NULL, 0, 1, CAST('{}' AS BLOB), 1800000000, NULL),
    ('cgc_A', x'fffe0080', x'00', randomblob(20000), 1, 0, randomblob(70000), -9223372036854775808, 9223372036854775807), ('cgc_0', NULL, x'0d0a22', NULL, 0, 1, x'7b7d', 0, 0);
  INSERT INTO flow (id, client_id, browser_hash, redirect_uri, state, code_challenge, scope, resource, identity_kind, identity_value, revision, created_at, expires_at) VALUES ('flow', 'cgc_A', '${'b'.repeat(64)}', x'22', NULL, 'a"''\\b', x'6d', x'6d', '', NULL, 3, 1, 2);
  INSERT INTO virtual_key VALUES ('vk_-', x'41', '${'c'.repeat(64)}', 0, NULL, 5, 9007199254740993);
  WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count})
  INSERT INTO session (id, flow_id, token_hash, browser_hash, client_id, identity_kind, identity_value, virtual_key_id, scope, resource, created_at, expires_at, revoked_at)
    SELECT substr('-0AZ_az', abs(random()) % 7 + 1, 1) || hex(randomblob(10)), lower(hex(randomblob(11))), lower(hex(randomblob(32))),
    lower(hex(randomblob(32))), 'cgc_A', 'user_id', CAST('Zoë' || i AS BLOB), NULL, CAST('mcp' AS BLOB), CAST('https://tools.example.org/mcp' AS BLOB), i, i + 86400, NULL FROM n;
  INSERT INTO code (code_hash, session_id, client_id, redirect_uri, code_challenge, key_id, expires_at, redeemed_at, redemption)
    SELECT lower(hex(randomblob(32))), id, client_id, CAST('http://127.0.0.1:53111/callback' AS BLOB), substr(token_hash, 22), 'k', created_at + 300, NULL, NULL
    FROM session LIMIT ${others};
  INSERT INTO upstream_token (id, owner, service_id, access_token, refresh_token, key_id, scope, expires_at, version, created_at, updated_at)
    SELECT lower(hex(randomblob(11))), 'session:' || id, 'notes', randomblob(120), randomblob(120), 'k', NULL, NULL, 1, created_at, created_at
    FROM session LIMIT ${others};
  COMMIT;`;

before(async () => {
  fs.writeFileSync(inFolder('consentgate.conf'), 'issuer = https://tools.example.org\nresources = https://tools.example.org/mcp\n');
  const starting = Promise.all(['postgresql', 'mariadb'].map(startDatabases));
  try {
    await makeDatabases();
  } finally { // so that they are stopped, whatever went wrong here
    [postgresql, mariadb] = await starting;
  }
  await done(small, 'export', '--to', inFolder('small.jsonl'));
}, { timeout: 240000 });

async function makeDatabases() {
  for (const [place, count, others] of [[large, sessions, tokens], [small, 1000, 300]]) {
    await done(place, 'migrate');
    virtualKey = JSON.parse((await done(place, 'key', 'add', 'Anna', '--json')).stdout).virtual_key;
    query(place, rows(count, others));
  }
}

after(async () => {
  await Promise.all([postgresql?.stop(), mariadb?.stop()]);
  fs.rmSync(folder, { recursive: true, force: true });
}, { timeout: 60000 });

test('O3: an export that was stopped, killed or torn is taken up, and is the same file in the end', { timeout: 300000 }, async () => {
  const [whole, cut] = [inFolder('large.jsonl'), inFolder('cut.jsonl')];
  assert.match((await done(large, 'export', '--to', whole)).stderr, /exported 120\d{3} rows .*session 100000, code 10000, .*upstream_token 10000/);
  fs.writeFileSync(cut, '', { mode: 0o644 });
  const stopped = await interrupted(large, ['export', '--to', cut], 'SIGINT', () => size(cut) > size(whole) / 4);
  assert.deepEqual([stopped.code, stopped.signal], [1, null], stopped.stderr);
  assert.match(stopped.stderr, /stopped; the same command goes on where it stopped\n$/);
  const atStop = size(cut);
  assert.ok(fs.readFileSync(cut, 'latin1').endsWith('}}\n'));
  const killed = await interrupted(large, ['export', '--to', cut], 'SIGKILL', () => size(cut) > atStop + size(whole) / 8);
  assert.equal(killed.signal, 'SIGKILL', killed.stderr);
  fs.appendFileSync(cut, '{"table":"upstream_token","row":{"id":"zzzz');
  assert.match((await done(large, 'export', '--to', cut)).stderr, /resuming the export .* after \d{5,} rows/);
  same(cut, whole);
  assert.equal(fs.statSync(cut).mode & 0o777, 0o600);
  assert.equal(fs.statSync(whole).mode & 0o777, 0o600);
  fs.rmSync(cut);
});

test('O3: an export goes on from wherever it was cut, if it can be one of this database', { timeout: 60000 }, async () => {
  const text = fs.readFileSync(inFolder('small.jsonl'), 'latin1');
  const file = inFolder('cut.jsonl');
  const header = text.indexOf('\n') + 1;
  const firstOf = (table) => text.indexOf(`{"table":"${table}"`);
  for (const cut of [0, 1, header - 1, header, header + 1, firstOf('client'), firstOf('session'), firstOf('session') + 100, firstOf('upstream_token'), text.indexOf('{"end"'), text.length - 1]) {
    fs.writeFileSync(file, text.slice(0, cut), 'latin1');
    await done(small, 'export', '--to', file);
    same(file, inFolder('small.jsonl'));
  }
  const holder = spawn('flock', ['--no-fork', file, 'sh', '-c', 'echo held; exec sleep 60'], { stdio: ['ignore', 'pipe', 'ignore'] });
  await once(holder.stdout, 'data');
  fs.truncateSync(file, header);
  assert.match((await admin(small, 'export', '--to', file)).stderr, /another export is being written to it/);
  assert.equal(size(file), header);
  holder.kill();
  fs.rmSync(file);
});

test('O3: 100,000 sessions move from SQLite to PostgreSQL and back, with imports stopped, killed and left without their server', { timeout: 600000 }, async () => {
  const there = postgresql.env();
  const [file, from] = [inFolder('large.jsonl'), inFolder('postgresql.jsonl')];
  await done(there, 'migrate');
  const moved = async () => Number(await postgresql.sql(1, 'SELECT count(*) FROM session'));
  const stopped = await interrupted(there, ['import', file], 'SIGTERM', async () => await moved() > 10000);
  assert.deepEqual([stopped.code, stopped.signal], [1, null], stopped.stderr);
  assert.match(stopped.stderr, /stopped; the same command goes on where it stopped\n$/);
  const atStop = await moved();
  const killed = await interrupted(there, ['import', file], 'SIGKILL', async () => await moved() > atStop + 10000);
  assert.equal(killed.signal, 'SIGKILL', killed.stderr);
  const atKill = await moved();
  const failed = start({ ...there, CONSENTGATE_DATABASE_TIMEOUT_MS: '1000' }, 'import', file);
  await until(async () => await moved() > atKill + 5000, 'the third import to go on', 180000);
  await postgresql.tell('kill 1');
  const why = await failed.ended;
  assert.equal(why.code, 1, why.stderr);
  assert.match(why.stderr, /What was imported stays; when the cause is gone, the same command goes on from there\n$/);
  await postgresql.tell('start 1');
  assert.ok(await moved() < sessions);
  const [, inserted, present, verified] = /imported (\d+) rows, (\d+) were there already, all (\d+) verified/.exec((await done(there, 'import', file)).stderr).map(Number);
  assert.equal(inserted + present, verified);
  assert.ok(present > 20000 && verified > 120000, `${present} of ${verified}`);
  await done(there, 'export', '--to', from);
  same(from, file);

  const back = sqlite('back');
  await done(back, 'migrate');
  assert.match((await done(back, 'import', from)).stderr, / all 120\d{3} verified\n$/);
  const again = inFolder('again.jsonl');
  await done(back, 'export', '--to', again);
  same(again, file);
  for (const name of [from, again, file, back.CONSENTGATE_DATABASE]) fs.rmSync(name);
});

test('O3: a database moves from SQLite to MariaDB and back', { timeout: 60000 }, async () => {
  const there = mariadb.env();
  await done(there, 'migrate');
  await done(there, 'import', inFolder('small.jsonl'));
  const from = inFolder('mariadb.jsonl');
  await done(there, 'export', '--to', from);
  same(from, inFolder('small.jsonl'));
  const back = sqlite('from-mariadb');
  await done(back, 'migrate');
  await done(back, 'import', from);
  assert.equal((await done(back, 'export')).stdout, fs.readFileSync(from, 'utf8'));
  // Compared by another program.
  for (const table of query(back, "SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'schema_version'").split('\n')) {
    const differing = (one, other) => `SELECT count(*) FROM (SELECT * FROM ${one}.${table} EXCEPT SELECT * FROM ${other}.${table})`;
    assert.equal(query(back, `ATTACH '${small.CONSENTGATE_DATABASE}' AS source; ${differing('main', 'source')}; ${differing('source', 'main')};`), '0\n0', table);
  }
  assert.deepEqual(JSON.parse((await done(back, 'key', 'list', '--json')).stdout), JSON.parse((await done(small, 'key', 'list', '--json')).stdout));
});

// The export with the right digest at its end, whatever it holds.
function digested(text) {
  const rows = text.slice(0, text.lastIndexOf('{"end"'));
  const digest = createHash('sha256').update(rows, 'latin1').digest('hex');
  return rows + text.slice(rows.length).replace(/"sha256":"[0-9a-f]+"/, `"sha256":"${digest}"`);
}

test('O3: what was cut off or altered, by a byte only, is refused before anything is written', async () => {
  const target = sqlite('refusing');
  await done(target, 'migrate');
  const text = fs.readFileSync(inFolder('small.jsonl'), 'latin1');
  const middle = text.indexOf('"created_at":', text.length / 2) + '"created_at":'.length;
  const byte = text[middle] === '1' ? '2' : '1';
  const line = text.lastIndexOf('\n', text.length / 2) + 1;
  const broken = [
    [text.slice(0, text.length / 2), /this export is not complete; nothing was imported\. Run the export again/],
    [text.slice(0, line), /this export is not complete/],
    [text.slice(0, text.length - 1), /this export is not complete/],
    [text.slice(0, 30), /this export is not complete/],
    [text.slice(0, middle) + byte + text.slice(middle + 1), /altered or damaged/],
    [text.slice(0, line) + text.slice(text.indexOf('\n', line) + 1), /altered or damaged/],
    [text.replace('"client":4', '"client":3').replace('"client":3,', '"client":4,'), /altered or damaged/],
    [`${text}{}\n`, /goes on after its end/],
    [text.replace('"schema_version":', '"schema_version":9'), /was exported with schema version 9\d/],
    [text.replace('"consentgate_export":1', '"consentgate_export":2'), /has format 2, this program knows 1/],
    [digested(text.replace('"row":{"id":', '"row":{ "id":')), /line 2 is not as it was written/],
    [digested(text.replace(/"fingerprint":"[0-9a-f]+"/, '"fingerprint":null')), /has another key under the id/],
    ['{"some":"json"}\n', /no file that consentgate-admin export made/], ['', /no file that consentgate-admin export made/],
  ];
  for (const [bytes, reason] of broken) {
    const file = inFolder('broken.jsonl');
    fs.writeFileSync(file, bytes, 'latin1');
    const said = await admin(target, 'import', file);
    assert.equal(said.code, 1, said.stderr);
    assert.match(said.stderr, reason);
    assert.equal(query(target, 'SELECT (SELECT count(*) FROM client) + (SELECT count(*) FROM session)'), '0', String(reason));
  }
  assert.match((await admin(target, 'import', inFolder('nothing.jsonl'))).stderr, /nothing\.jsonl: No such file/);
});

test('O3: a row that another has changed is refused by name, and one that is only there is counted', async () => {
  const target = sqlite('changed');
  await done(target, 'migrate');
  await done(target, 'import', inFolder('small.jsonl'));
  query(target, "INSERT INTO virtual_key VALUES ('vk_more', x'41', 'd', 1, NULL, 5, NULL)");
  const said = await done(target, 'import', inFolder('small.jsonl'));
  assert.match(said.stderr, /^imported 0 rows, (\d+) were there already, all \1 verified\nthe database has 1 more, which are not in the file\n$/);
  query(target, "UPDATE client SET active = 1 WHERE id = 'cgc_A'; DELETE FROM client WHERE id = 'cgc_0'");
  const refused = await admin(target, 'import', inFolder('small.jsonl'));
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /client 'cgc_A' is there already, and different; import never overwrites/);
  assert.equal(query(target, 'SELECT id, active FROM client ORDER BY id'), 'cgc_-a|1\ncgc_A|1');
});

test('O3: a row that the database does not keep as it came is found by the verification', async () => {
  for (const [name, spoil] of [['lossy', "UPDATE client SET metadata = x'7b' WHERE id = 'cgc_0'"], ['leaky', "DELETE FROM client WHERE id = 'cgc_0'"]]) {
    const target = sqlite(name);
    await done(target, 'migrate');
    query(target, `CREATE TRIGGER spoil AFTER INSERT ON session BEGIN ${spoil}; END`);
    const said = await admin(target, 'import', inFolder('small.jsonl'));
    assert.equal(said.code, 1);
    assert.match(said.stderr, /client 'cgc_0' was imported, and is not there as it is in the file/);
  }
});

test('O3: a database without its schema, and a key file that is not the old one, are refused with the next step', async () => {
  const target = sqlite('later');
  const file = inFolder('small.jsonl');
  assert.match((await admin(target, 'import', file)).stderr, /run: consentgate-admin migrate\n$/);
  assert.match((await admin(target, 'export')).stderr, /run: consentgate-admin migrate\n$/);
  const other = { ...target, CONSENTGATE_KEY_FILE: inFolder('other.key') };
  await done(other, 'migrate');
  const refused = await admin(other, 'import', file);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /other\.key: the key file lacks the key '[^']+' that the export was used with; nothing was imported\. Copy the key file/);
  assert.match((await admin(target, 'import', file)).stderr, /consentgate\.key: the key file lacks the key '[^']+' that .*later\.db was used with/);
  assert.equal(query(target, 'SELECT count(*) FROM server_key'), '1');
});

test('O3: an export holds no secret in clear, never replaces a file, and says how it went on stderr alone', async () => {
  const file = inFolder('small.jsonl');
  const text = fs.readFileSync(file, 'utf8');
  const [key] = fs.readFileSync(inFolder('consentgate.key'), 'utf8').split('\n').filter((line) => line && !line.startsWith('#')).map((line) => line.split(' ')[1]);
  for (const secret of [virtualKey, virtualKey.replace('sk-bf-', ''), key, postgresql.password, mariadb.password]) {
    for (const spelling of [secret, Buffer.from(secret).toString('base64url'), Buffer.from(secret, 'base64url').toString('hex')]) assert.ok(!text.includes(spelling));
  }
  const complete = await admin(small, 'export', '--to', file);
  assert.equal(complete.code, 1);
  assert.match(complete.stderr, /there is a complete export in it already; delete the file or name another/);
  const precious = inFolder('precious');
  for (const content of ['other words', `${text.slice(0, 20)}other words, and more of them than the first line of an export has`]) {
    fs.writeFileSync(precious, content);
    assert.equal((await admin(small, 'export', '--to', precious)).code, 1);
    assert.equal(fs.readFileSync(precious, 'utf8'), content);
  }
  fs.writeFileSync(precious, text.slice(0, text.indexOf('\n', text.length / 2) + 1).replaceAll('cgc_', 'cgx_'));
  assert.match((await admin(small, 'export', '--to', precious)).stderr, /the last row in it, session '[^']+', is not in the database \(any more\)/);
  assert.match((await admin(small, 'export', '--to', '/dev/null')).stderr, /no ordinary file/);
  assert.match((await admin(small, 'export', '--to', folder)).stderr, /Is a directory/);
  const said = await done(small, 'export');
  assert.equal(said.stdout, text);
  assert.match(said.stderr, /^exported \d+ rows \([^)]*\)\n$/);
});

test('O3: --help of export and import tells what to do before', async () => {
  assert.match((await done(small, 'export', '--help')).stdout, /stop the workers first[^]*--to FILE .*mode 0600[^]*example: consentgate-admin export/);
  assert.match((await done(small, 'import', '--help')).stdout, /import FILE[^]*same key file[^]*example: consentgate-admin import/);
});
