// A real OpenID provider (oidc-provider) is asked about people whose apps go on without them.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { after, before, test } from 'node:test';
import { api, inLanes, register, rpc } from './support/journey.mjs';
import { postForm } from './support/browser.mjs';
import { startIdentityProvider } from './support/identity_provider.mjs';
import { startServer } from './support/server.mjs';
import { addProvider, letIn, Person } from './support/signin.mjs';

const options = { timeout: 240000 };
const hour = 3600;
let server, corp, client;

before(async () => {
  server = await startServer({ env: { IDENTITIES: '' } });
  const people = Object.fromEntries(['anna', 'ben', 'cleo'].map((one) => [one, { name: one, groups: ['eng'] }]));
  corp = await startIdentityProvider({ people, offline: true });
  await addProvider(server, corp, 'corp', 'Example Corp', '--recheck', '1');
  client = await register(server, { grant_types: ['authorization_code', 'refresh_token'] });
}, options);
after(async () => { await server?.stop(); await corp?.stop(); }, options);

const come = (user) => letIn(new Person(server, { corp }, user), client);
const lives = async (token) => (await rpc(server, token, 'tools/list', {})).status === 200;
const of = (user) => `(SELECT id FROM person WHERE CAST(subject AS TEXT) = '${user}')`;
const older = (user, seconds) => server.sql(`UPDATE person SET checked_at = checked_at - ${seconds} WHERE id = ${of(user)}`);
const rested = () => server.sql('UPDATE provider_grant SET lease = NULL, lease_until = NULL');
const personRow = (user) => server.sql(`SELECT checked_at, CAST(group_names AS TEXT) AS groups FROM person WHERE id = ${of(user)}`)[0];
const asked = () => corp.count('/token');

async function refresh(session) {
  const answer = await postForm(server.base, `${api}/token`, { grant_type: 'refresh_token', refresh_token: session.tokens.refresh_token, client_id: client.client_id });
  if (answer.status === 200) session.tokens = answer.json();
  return answer;
}

test('SI58: a refresh asks the provider when the last word is old, and takes over what it says', options, async () => {
  const anna = await come('anna');
  assert.match(server.sql("SELECT CAST(scope AS TEXT) AS scope FROM idp")[0].scope, /\boffline_access\b/);
  const earlier = asked();
  assert.equal((await refresh(anna)).status, 200);
  assert.equal(asked(), earlier, 'the last word is new');
  older('anna', hour + 10);
  corp.people.anna.groups = ['ops'];
  const { checked_at: checked } = personRow('anna');
  const answer = await refresh(anna);
  assert.equal(answer.status, 200, answer.text);
  assert.equal(asked(), earlier + 1);
  const row = personRow('anna');
  assert.ok(row.checked_at > checked + hour - 60);
  assert.equal(row.groups, 'ops');
  assert.equal((await refresh(anna)).status, 200);
  assert.equal(asked(), earlier + 1, 'once');
  delete corp.people.anna.groups;
  older('anna', hour + 10);
  assert.equal((await refresh(anna)).status, 200);
  assert.equal(personRow('anna').groups, 'ops', 'an answer without groups keeps them');
});

test('SI58: of many refreshes at once one asks, and the gate never does', options, async () => {
  const sessions = [];
  for (let i = 0; i < 6; i += 1) sessions.push(await come('ben'));
  older('ben', hour + 10);
  const earlier = asked();
  assert.ok(await lives(sessions[0].tokens.access_token));
  assert.equal(asked(), earlier);
  const answers = await inLanes(6, sessions.map((one) => () => refresh(one)));
  assert.deepEqual(answers.map(({ status }) => status), Array(6).fill(200), answers.map(({ text }) => text).join());
  assert.equal(asked(), earlier + 1);
});

test('SI58 SI47: the refresh token of the provider is stored encrypted, and moves to another server key', options, async () => {
  const dump = await server.admin('export');
  assert.match(dump, /"provider_grant"/);
  const kept = [...corp.refreshTokens];
  assert.ok(kept.length > 2);
  const files = server.files();
  for (const token of kept) for (const file of files) assert.equal(fs.readFileSync(file).indexOf(Buffer.from(token)), -1, file);
  const { id } = await server.admin('server-key', 'add', '--json');
  await server.admin('server-key', 'rotate', '--without-reload', '--json');
  await server.letIn('');
  assert.deepEqual(server.sql('SELECT DISTINCT key_id FROM provider_grant'), [{ key_id: id }]);
  const anna = await come('anna');
  older('anna', hour + 10);
  const earlier = asked();
  assert.equal((await refresh(anna)).status, 200);
  assert.equal(asked(), earlier + 1);
});

test('SI58: while the provider is away people go on for a day, and then wait', options, async () => {
  const anna = await come('anna');
  older('anna', hour + 10);
  corp.away = true;
  try {
    const answer = await refresh(anna);
    assert.equal(answer.status, 200, answer.text);
    const earlier = asked();
    assert.equal((await refresh(anna)).status, 200);
    assert.equal(asked(), earlier, 'it rests');
    older('anna', 24 * hour);
    rested();
    const late = await refresh(anna);
    assert.equal(late.status, 503, late.text);
    assert.equal(late.json().error, 'temporarily_unavailable');
    assert.ok(Number(late.headers['retry-after']) > 0);
    assert.ok(await lives(anna.tokens.access_token), 'the session is not over');
  } finally {
    corp.away = false;
  }
  rested();
  assert.equal((await refresh(anna)).status, 200);
});

test("SI58: a refusal of our own client ends nobody's sessions", options, async () => {
  const anna = await come('anna');
  older('anna', hour + 10);
  rested();
  corp.failNext('/token', [401, { error: 'invalid_client' }]);
  assert.equal((await refresh(anna)).status, 200);
  assert.ok(await lives(anna.tokens.access_token));
  rested();
});

test('SI58 SI57: a person whose account was disabled there has nothing here from the next refresh on', options, async () => {
  const first = await come('cleo'), second = await come('cleo');
  const anna = await come('anna');
  corp.disabled.add('cleo');
  assert.equal((await refresh(first)).status, 200, 'it was not asked yet');
  older('cleo', hour + 10);
  const answer = await refresh(first);
  assert.equal(answer.status, 400, answer.text);
  assert.equal(answer.json().error, 'invalid_grant');
  assert.deepEqual([await lives(first.tokens.access_token), await lives(second.tokens.access_token), await lives(anna.tokens.access_token)], [false, false, true]);
  assert.equal((await refresh(second)).json().error, 'invalid_grant');
  assert.equal((await second.flow.browser.begin(client)).page, 'consent', 'the sign-in ended too');
  assert.equal(server.sql(`SELECT count(*) AS n FROM provider_grant WHERE person_id = ${of('cleo')}`)[0].n, 0);
  assert.match(server.logs(), / event=audit what=recheck_refused pid=\d+ idp=corp subject=user:[0-9a-f]{8} signins=2 sessions=2$/m);
});
