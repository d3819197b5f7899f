// Changing the server key under load, as an operator does it: no request fails, nothing is left
// under the old key, and what was moved to another row by hand is not moved on.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { after, before, test } from 'node:test';
import { startAccounts } from './support/accounts.mjs';
import { postForm } from './support/browser.mjs';
import { api, inLanes, journey, register, whoami } from './support/journey.mjs';
import { sleep, until } from './support/server.mjs';

const workers = 4;
const people = ['anna', 'berta', 'carla', 'dora'];
let accounts;
let server;

before(async () => {
  accounts = await startAccounts(['notion', 'github'], { workers, env: { CONSENTGATE_REFRESH_GRACE_SECONDS: '5' } });
  ({ server } = accounts);
}, { timeout: 240000 });
after(async () => { await accounts?.stop(); }, { timeout: 120000 });

const ids = () => fs.readFileSync(server.keyFile, 'utf8').split('\n').filter((line) => line && !line.startsWith('#')).map((line) => line.split(' ')[0]);

async function reload() {
  const old = server.workerPids();
  process.kill(server.masterPid(), 'SIGHUP');
  await until(() => server.workerPids().length === workers && !server.workerPids().some((pid) => old.includes(pid)), 'all workers to be replaced');
}

// Runs it and returns its output and exit status; never throws.
const said = (...words) => server.admin(...words).then((stdout) => ({ code: 0, stdout }), ({ code, stderr }) => ({ code, stderr }));

const refresh = (client, token) => postForm(server.base, `${api}/token`, { grant_type: 'refresh_token', refresh_token: token, client_id: client.client_id });

// One person after another signs in, refreshes a few times and uses each token. Every answer must
// be the right one.
async function life(client, going, counts) {
  const kept = [];
  while (going()) {
    const { answer } = await journey(server, { client, identity: { userId: 'anna' } });
    let { access_token: access, refresh_token: next } = answer.json();
    for (let i = 0; i < 3; i += 1) {
      const refreshed = await refresh(client, next);
      assert.equal(refreshed.status, 200, refreshed.text);
      const again = await refresh(client, next); // a second process, or a lost answer
      assert.equal(again.status, 200, again.text);
      assert.deepEqual([again.json().access_token, again.json().refresh_token], [refreshed.json().access_token, refreshed.json().refresh_token]);
      ({ access_token: access, refresh_token: next } = refreshed.json());
      assert.equal((await whoami(server, access)).identity, 'anna');
      counts.refreshed += 1;
    }
    kept.push({ access, next });
  }
  return kept;
}

// Everybody's own account is handed out, again and again, and refreshed now and then.
async function holding(tokens, going, counts) {
  while (going()) {
    if (counts.exchanged % 40 === 0) accounts.age('notion');
    const holders = await inLanes(2, people.map((person) => () => accounts.holder(tokens.get(person), 'notion')));
    assert.deepEqual(holders, people);
    counts.exchanged += people.length;
  }
  return [];
}

test('S13: the server key is changed under load, no request fails, and nothing needs the old key afterwards', { timeout: 300000 }, async () => {
  const client = await register(server, { grant_types: ['authorization_code', 'refresh_token'] });
  const [old] = ids();
  const idle = await journey(server, { client, identity: { userId: 'anna' } }); // its refresh token is used when all is done
  let going = true;
  const counts = { refreshed: 0, exchanged: 0 };
  const tokens = new Map();
  for (const person of people) tokens.set(person, await accounts.signedIn({ notion: person }));
  const refreshes = () => accounts.providers.notion.calls.token.refresh_token ?? 0;
  const load = inLanes(4, [...Array.from({ length: 3 }, () => () => life(client, () => going, counts)), () => holding(tokens, () => going, counts)]);
  load.catch(() => { going = false; });
  const steady = () => sleep(500);

  await steady();
  const added = await server.admin('server-key', 'add', '--json');
  assert.deepEqual(ids(), [added.id, old]);
  assert.equal(fs.statSync(server.keyFile).mode & 0o777, 0o600);
  const early = await said('server-key', 'rotate');
  assert.equal(early.code, 1);
  assert.match(early.stderr, /no server was reloaded since/);
  await reload();
  await steady();
  assert.deepEqual((await server.admin('server-key', 'list', '--json')).map(({ id, state }) => [id, state]), [[added.id, 'loaded'], [old, 'current']]);
  const planned = await server.admin('server-key', 'rotate', '--dry-run', '--json');
  assert.equal(planned.current, added.id);
  assert.ok(planned.to_move > 0);
  await server.admin('server-key', 'rotate'); // the workers do not know yet that the other key is the one for what is new
  assert.deepEqual(ids(), [old, added.id]);
  await steady();
  const refused = await said('server-key', 'remove', old, '--yes');
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /still needed by \d+ rows/);
  await reload();
  await steady();
  // Codes last five minutes; the test cannot wait, so the spent ones are made old, and nothing else
  // is touched.
  server.sql('UPDATE code SET expires_at = expires_at - 300 WHERE redeemed_at IS NOT NULL');
  // A used refresh token is answered again within its grace, and a minute goes to the clocks; that
  // minute is made to be over.
  await server.admin('server-key', 'rotate');
  await sleep(6000);
  server.sql(`UPDATE refresh_token SET used_at = used_at - 120 WHERE used_at IS NOT NULL AND key_id = '${old}'`);
  const done = await server.admin('server-key', 'rotate', '--wait', '--json');
  assert.deepEqual(done.left, []);
  await server.admin('server-key', 'remove', old, '--yes');
  assert.deepEqual(ids(), [added.id]);
  await reload();
  await steady();
  going = false;
  const kept = (await load).flat();

  assert.ok(counts.refreshed >= 6, `only ${counts.refreshed} refreshes ran`);
  assert.ok(counts.exchanged > 100, `only ${counts.exchanged} exchanges ran`);
  assert.ok(refreshes() > people.length, 'the service was asked for new tokens meanwhile');
  for (const person of people) assert.equal(await accounts.holder(tokens.get(person), 'notion'), person);
  for (const table of ['refresh_token', 'upstream_token', 'service', 'upstream_state']) {
    assert.deepEqual(server.sql(`SELECT count(*) AS rows FROM ${table} WHERE key_id = '${old}'`), [{ rows: 0 }], table);
  }
  assert.deepEqual(server.sql('SELECT id, state FROM server_key ORDER BY created_at'), [{ id: old, state: 'removed' }, { id: added.id, state: null }]);
  for (const { access, next } of [...kept, { access: idle.token, next: idle.answer.json().refresh_token }]) {
    assert.equal((await whoami(server, access)).identity, 'anna');
    assert.equal((await refresh(client, next)).status, 200);
  }
  assert.doesNotMatch(server.logs(), /event=(worker_died|reload_failed)/);
});

test('S13: a row that somebody put under another key, or moved, is left alone, reported, and keeps its key in the file', { timeout: 120000 }, async () => {
  const [old] = ids();
  const { id } = await server.admin('server-key', 'add', '--json');
  await reload();
  server.sql(`INSERT INTO upstream_token (id, owner, service_id, access_token, key_id, version, created_at, updated_at)
    VALUES ('made-up', 'user:nobody', 'notion', x'00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff', '${old}', 0, 1, 1)`);
  const rotated = await server.admin('server-key', 'rotate', '--json');
  assert.deepEqual([rotated.current, rotated.unreadable, rotated.linked_accounts], [id, 1, people.length]);
  assert.match((await said('server-key', 'remove', old, '--yes')).stderr, /still needed by/);
  assert.deepEqual(server.sql("SELECT key_id FROM upstream_token WHERE id = 'made-up'"), [{ key_id: old }]);
  server.sql("DELETE FROM upstream_token WHERE id = 'made-up'");
  await reload();
});

test('S13: a ciphertext that was copied to another row, or another column, opens for nobody', { timeout: 60000 }, async () => {
  const [mine, theirs] = [await accounts.signedIn({ notion: 'anna' }), await accounts.signedIn({ notion: 'mallory' })];
  const [victim, thief] = server.sql("SELECT id FROM upstream_token WHERE ended_at IS NULL ORDER BY created_at DESC, rowid DESC LIMIT 2").map(({ id }) => id).reverse();
  const whole = server.sql(`SELECT hex(access_token) AS access, hex(refresh_token) AS refresh FROM upstream_token WHERE id = '${thief}'`)[0];
  for (const copied of [`access_token = (SELECT access_token FROM upstream_token v WHERE v.id = '${victim}')`, 'access_token = refresh_token']) {
    server.sql(`UPDATE upstream_token SET ${copied} WHERE id = '${thief}'`);
    const answer = await accounts.exchange(theirs, 'notion');
    assert.equal(answer.status, 500, answer.text);
    assert.equal(answer.json().access_token, undefined);
    server.sql(`UPDATE upstream_token SET access_token = x'${whole.access}' WHERE id = '${thief}'`);
  }
  assert.deepEqual([await accounts.holder(mine, 'notion'), await accounts.holder(theirs, 'notion')], ['anna', 'mallory']);
  assert.match(server.logs(), /does not open with the key file/);
});

test('S13: a key file that lacks a used key is refused in plain words, and the key in use is not removed', { timeout: 60000 }, async () => {
  const whole = fs.readFileSync(server.keyFile, 'utf8');
  const current = ids().at(-1);
  assert.match((await said('server-key', 'remove', current, '--yes')).stderr, /used for what is new/);
  assert.match((await said('server-key', 'remove', 'nonsense', '--yes')).stderr, /there is no key 'nonsense'/);
  fs.writeFileSync(server.keyFile, whole.split('\n').filter((line) => !line.startsWith(current)).join('\n'));
  assert.match((await said('server-key', 'list')).stderr, new RegExp(`lacks the key '${current}' that this database was used with; restore the file`));
  fs.writeFileSync(server.keyFile, whole);
  assert.equal((await said('server-key', 'list')).code, 0);
});
