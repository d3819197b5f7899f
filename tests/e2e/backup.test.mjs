// A copy of a database that is in use, restored for another machine: what was acknowledged before
// is in it, and can be read with the key file alone.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { startAccounts } from './support/accounts.mjs';
import { postForm } from './support/browser.mjs';
import { startDatabases } from './support/databases.mjs';
import { api, journey } from './support/journey.mjs';
import { freshFolder, plainFolder, startServer } from './support/server.mjs';
import { makeAuthority } from './support/upstreams.mjs';

const long = { timeout: 300000 };
const run = promisify(execFile);
const folder = plainFolder();
const authority = makeAuthority();
const inFolder = (name) => path.join(folder, name);
let accounts; // of people at a service, on SQLite

before(async () => { accounts = await startAccounts(['notion'], { authority }); }, long);
after(async () => { await accounts?.stop(); fs.rmSync(folder, { recursive: true, force: true }); }, long);

// Signs people in until `work` is done. out: their tokens, those that were there before it first
async function whilePeopleSignIn(server, work) {
  const tokens = [];
  let done = false;
  const lanes = [1, 2, 3].map(async () => { while (!done) tokens.push((await journey(server)).token); });
  while (tokens.length < 12) await Promise.race([...lanes, new Promise((go) => { setTimeout(go, 20); })]);
  const acknowledged = tokens.length;
  try { await work(); } finally { done = true; }
  await Promise.all(lanes);
  assert.ok(tokens.length > acknowledged, 'people signed in during the copy');
  return tokens.slice(0, acknowledged);
}

// Another machine with the same issuer and the key file of the first.
function restored({ server }, env, given) {
  return startServer({ folder: given, env: { CONSENTGATE_SERVICE_CA: authority.ca, CONSENTGATE_ISSUER: server.issuer, CONSENTGATE_RESOURCES: server.resource, CONSENTGATE_KEY_FILE: server.keyFile, ...env } });
}

async function holdsAll(people, server, tokens, annas) {
  const { id: client_id, secret: client_secret } = people.asking;
  for (const token of tokens) {
    const answer = await postForm(server.base, `${api}/introspect`, { token, client_id, client_secret });
    assert.equal(answer.json().active, true, answer.text);
  }
  const there = Object.assign(Object.create(Object.getPrototypeOf(people)), people, { server });
  assert.equal(await there.holder(annas, 'notion'), 'anna');
}

test('XF4: backup copies a live database, and a machine with the key file goes on with all that was acknowledged before', long, async () => {
  const annas = await accounts.signedIn({ notion: 'anna' });
  const copy = inFolder('copy.db');
  const tokens = await whilePeopleSignIn(accounts.server, () => accounts.server.admin('backup', copy));
  assert.equal(fs.statSync(copy).mode & 0o777, 0o600);
  assert.deepEqual(fs.readdirSync(folder), ['copy.db'], 'nothing else is left beside it');
  const home = freshFolder('restored');
  fs.copyFileSync(copy, path.join(home, 'consentgate.db'));
  const server = await restored(accounts, {}, home);
  try { await holdsAll(accounts, server, tokens, annas); } finally { await server.stop(); fs.rmSync(home, { recursive: true, force: true }); }
});

test('XF4: without the key file of its time a copy is refused', long, async () => {
  const copy = inFolder('locked.db');
  await accounts.server.admin('backup', copy);
  const env = { ...accounts.server.environment(), CONSENTGATE_DATABASE: copy, CONSENTGATE_KEY_FILE: inFolder('another.key') };
  await assert.rejects(run(path.resolve(env.CONSENTGATE_BUILD ?? process.env.BUILD ?? 'build/asan', 'consentgate-admin'), ['migrate'], { env }), /another\.key/);
});

test('XF4: backup overwrites nothing, leaves no half of a copy, and takes a name with any sign', long, async () => {
  const { server } = accounts;
  fs.writeFileSync(inFolder('taken'), 'mine');
  await assert.rejects(server.admin('backup', inFolder('taken')), /taken: File exists/);
  assert.equal(fs.readFileSync(inFolder('taken'), 'utf8'), 'mine');
  await assert.rejects(server.admin('backup', inFolder('nowhere/copy.db')), /nowhere\/copy\.db\.part: No such file/);
  fs.writeFileSync(inFolder('busy.part'), ''); // of another copy, which goes on
  await assert.rejects(server.admin('backup', inFolder('busy')), /busy\.part: File exists/);
  assert.deepEqual([fs.existsSync(inFolder('busy')), fs.existsSync(inFolder('busy.part'))], [false, true]);
  const odd = inFolder("it's Zoë.db");
  await server.admin('backup', odd);
  assert.ok(fs.statSync(odd).size > 4096);
});

// How docs/databases.md copies the other engines, and puts the copy back.
const dumps = {
  postgresql: async (from, to) => {
    const [source, target] = [from, to].map(({ nodes: [{ host, port }], password }) => ({ at: `postgresql://consentgate@${host}:${port}/consentgate`, env: { ...process.env, PGPASSWORD: password } }));
    await run('pg_dump', ['--format=custom', `--file=${inFolder('pg.dump')}`, source.at], { env: source.env });
    return () => run('pg_restore', ['--no-owner', `--dbname=${target.at}`, inFolder('pg.dump')], { env: target.env });
  },
  mariadb: async (from, to) => {
    const words = ({ nodes: [{ host, port }], password }, name) => {
      fs.writeFileSync(inFolder(name), `[client]\nhost=${host}\nport=${port}\nuser=consentgate\npassword=${password}\nprotocol=tcp\n`, { mode: 0o600 });
      return `--defaults-extra-file=${inFolder(name)}`;
    };
    await run('mariadb-dump', [words(from, 'from.cnf'), '--single-transaction', '--hex-blob', `--result-file=${inFolder('maria.sql')}`, 'consentgate']);
    return () => run('mariadb', [words(to, 'to.cnf'), `--execute=source ${inFolder('maria.sql')}`, 'consentgate']);
  },
};

for (const [kind, other] of [['postgresql', 'postgresql'], ['mariadb', 'mariadb'], ['galera', 'mariadb']]) {
  test(`XF4: what ${kind}'s own program copies under load goes on at another ${other} server`, long, async () => {
    const [from, to] = await Promise.all([startDatabases(kind), startDatabases(other)]);
    let people; let server;
    try {
      people = await startAccounts(['notion'], { authority, env: from.env() });
      const annas = await people.signedIn({ notion: 'anna' });
      let restore;
      const tokens = await whilePeopleSignIn(people.server, async () => { restore = await dumps[other](from, to); });
      await restore();
      server = await restored(people, to.env());
      await holdsAll(people, server, tokens, annas);
    } finally {
      await server?.stop();
      await people?.stop();
      await Promise.all([from.stop(), to.stop()]);
    }
  });
}
