// Signing in at GitHub, against a program that has the shapes of its documentation.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { startGithub } from './support/github.mjs';
import { register } from './support/journey.mjs';
import { startServer, until } from './support/server.mjs';
import { finish, page1, page2, Person } from './support/signin.mjs';

const options = { timeout: 120000 };
const anna = { id: 583231, login: 'anna', name: 'Anna Müller', profile: 'boss@example.org', emails: [{ email: 'old@example.org', primary: false, verified: true }, { email: 'anna@example.org', primary: true, verified: true, visibility: null }],
  orgs: ['Example', 'second', 'third', 'fourth', 'Fifth'], teams: [['Example', 'Core-Team'], ['second', 'a'], ['second', 'b']] };
let server;
let github;
let client;
before(async () => {
  github = await startGithub({ anna: { ...anna }, ben: { id: 7, login: 'ben', emails: [{ email: 'ben@example.org', primary: true, verified: false }] } });
  server = await startServer({ env: { IDENTITIES: '' } });
  const secret = path.join(server.var, 'github.secret');
  fs.writeFileSync(secret, github.secret, { mode: 0o600 });
  const added = await server.admin('idp', 'add', 'github', '--preset', 'github', '--url', github.issuer, '--client-id', github.admit(server, 'github'), '--client-secret-file', secret, '--json');
  assert.deepEqual([added.kind, added.title, added.auth_method, added.scope, added.keys], ['github', 'GitHub', 'client_secret_post', 'read:user user:email read:org', 0]);
  client = await register(server, { resource: undefined });
}, { timeout: 240000 });
after(async () => { await server?.stop(); await github?.stop(); }, options);

const person = (name) => new Person(server, { github }, name);
const columns = ['issuer', 'subject', 'name', 'email', 'group_names'].map((name) => `CAST(${name} AS TEXT) AS ${name}`).join(', ');
const row = (id) => server.sql(`SELECT id, groups_known, ${columns} FROM person`).find(({ subject }) => subject === String(id));

async function signIn(who) {
  const flow = await who.begin(client);
  const back = await who.signIn(flow, 'github');
  return { flow, back };
}

test('SI16 SI46: a person signs in at GitHub by their number, with all pages of organisations and teams', options, async () => {
  const who = person('anna');
  const { flow, back } = await signIn(who);
  assert.equal(back.location, `/oauth/consent/mcps?flow_id=${flow.flowId}`, back.text);
  assert.match((await page2(flow)).text, /Anna Müller/);
  const sent = Object.fromEntries(github.sent);
  assert.equal(sent.code_challenge_method, 'S256');
  assert.ok(sent.state && sent.code_challenge && !sent.nonce && !sent.max_age, JSON.stringify(sent));
  const kept = row(anna.id);
  assert.deepEqual([kept.issuer, kept.subject, kept.name, kept.email, kept.groups_known], [github.issuer, '583231', 'Anna Müller', 'anna@example.org', 1]);
  assert.deepEqual(kept.group_names.split('\n'), ['example', 'example/core-team', 'fifth', 'fourth', 'second', 'second/a', 'second/b', 'third']);
  assert.ok(!server.logs().includes('gho_'), 'the log holds a token');
});

test('SI46 SI48: who takes over a name at GitHub is another person, and who renames themselves is not', options, async () => {
  github.people.anna.login = 'anna-renamed';
  github.people.thief = { id: 99, login: 'anna', emails: [] };
  assert.equal((await signIn(person('anna'))).back.status, 303);
  assert.equal((await signIn(person('thief'))).back.status, 303);
  assert.notEqual(row(99).id, row(anna.id).id);
  assert.equal(row(99).name, 'anna');
  github.people.anna.login = 'anna';
});

test('SI54: the address of a profile never counts, nor a primary one that is not verified', options, async () => {
  assert.equal((await signIn(person('ben'))).back.status, 303);
  assert.equal(row(7).email ?? '', '');
  assert.equal(row(anna.id).email, 'anna@example.org');
});

test('SI46 SI55: groups that do not come whole are unknown, and an account that does not come signs nobody in', options, async () => {
  const failures = [['/api/v3/user/orgs', [403, { message: 'Resource protected by organization SAML enforcement.' }]], ['/api/v3/user/teams', [500, {}]], ['/api/v3/user/583231/orgs', [404, {}]], ['/api/v3/user/orgs', [200, { message: 'no list' }]],
    ['/api/v3/user/teams', 'hang']]; // five seconds in all
  for (const [at, answer] of failures) {
    github.fail(at, answer);
    assert.equal((await signIn(person('anna'))).back.status, 303, at);
    assert.deepEqual([row(anna.id).groups_known, row(anna.id).group_names], [0, null], at);
    github.fail(at);
  }
  github.scope = 'read:user,user:email'; // the person's app was given less
  assert.equal((await signIn(person('anna'))).back.status, 303);
  assert.equal(row(anna.id).groups_known, 0);
  github.scope = 'read:org,read:user,user:email';
  await signIn(person('anna'));
  assert.equal(row(anna.id).groups_known, 1);
  const refusals = [['/api/v3/user', [403, { message: 'no' }], 400], ['/api/v3/user', [200, { login: 'anna' }], 400], ['/login/oauth/access_token', [200, { error: 'bad_verification_code', error_description: 'SECRETWORDS' }], 400], ['/api/v3/user', [502, {}], 503]];
  for (const [at, answer, status] of refusals) {
    github.fail(at, answer);
    const who = person('anna');
    const back = await who.get(await who.wayBack(await who.begin(client), 'github'));
    assert.equal(back.status, status, at);
    assert.ok(!back.text.includes('SECRETWORDS'));
    github.fail(at);
  }
  await until(() => /status 200, bad_verification_code/.test(server.logs()), 'the reason in the log');
  assert.ok(!server.logs().includes('SECRETWORDS'));
});

test('SI46 SA28: more than 20 pages are unknown groups, and a page at another origin is not asked', options, async () => {
  const before = github.count('/api/v3/user/583231/orgs');
  github.people.anna.orgs = Array.from({ length: 41 }, (_, i) => `org${i}`);
  await signIn(person('anna'));
  assert.equal(row(anna.id).groups_known, 0);
  assert.equal(github.count('/api/v3/user/583231/orgs') - before, 19); // and the first page
  github.people.anna.orgs = Array.from({ length: 40 }, (_, i) => `org${i}`);
  await signIn(person('anna'));
  assert.equal(row(anna.id).groups_known, 1);
  const other = await startGithub({ anna });
  other.tokens = github.tokens;
  github.nextOrigin = other.issuer;
  await signIn(person('anna'));
  assert.equal(row(anna.id).groups_known, 0);
  assert.deepEqual(other.asked, []);
  delete github.nextOrigin;
  github.people.anna.orgs = anna.orgs;
  await other.stop();
});

test('SI33 SI46: who says no at GitHub is back on page 1, and an organisation is a group of rules', options, async () => {
  const no = person('anna');
  const flow = await no.begin(client);
  const denied = await no.get(await no.wayBack(flow, 'github', 'anna', { deny: true }));
  assert.match(denied.location, /error=signin_denied/);
  assert.match((await page1(flow)).text, /GitHub/);
  await server.admin('access', 'allow', 'github/group:example/core-team');
  assert.equal((await signIn(person('anna'))).back.status, 303);
  const { back } = await signIn(person('ben'));
  assert.equal(back.status, 403, back.text);
  await server.admin('access', 'remove', '1');
  assert.equal((await signIn(person('ben'))).back.status, 303);
});

test('SI8 SI13: a test at GitHub tells good credentials from bad ones, although its errors come with 200', options, async () => {
  const good = await server.admin('idp', 'test', 'github', '--json');
  assert.deepEqual([good.differences, good.client, good.redirect], [[], 'good', 'unknown'], JSON.stringify(good));
  const right = github.secret;
  github.secret = 'another';
  await assert.rejects(server.admin('idp', 'test', 'github'), ({ stderr }) => /does not take client id and secret \(status 200 incorrect_client_credentials\)/.test(stderr));
  github.secret = right;
  github.fail('/api/v3/user', [404, { message: 'Not Found' }]);
  await assert.rejects(server.admin('idp', 'test', 'github'), ({ stderr }) => /status 404 to a question without a token/.test(stderr));
  github.fail('/api/v3/user');
  const { flow } = await signIn(person('ben'));
  assert.ok(await finish(flow));
});

