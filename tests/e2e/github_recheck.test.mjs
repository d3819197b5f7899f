// GitHub is asked about people whose apps go on without them, and lets in members alone. Against a
// program that has the shapes of its documentation.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { postForm } from './support/browser.mjs';
import { assertPage } from './support/checks.mjs';
import { startGithub } from './support/github.mjs';
import { api, register, rpc } from './support/journey.mjs';
import { startServer } from './support/server.mjs';
import { Person, tokensOf } from './support/signin.mjs';

const options = { timeout: 120000 };
const hour = 3600;
const people = Object.fromEntries(['anna', 'ben', 'cleo', 'dora'].map((login, at) => [login, { id: 10 + at, login, name: login, emails: [], orgs: ['Example', 'other'], teams: [['Example', 'eng']] }]));
let server, github, client;
before(async () => {
  github = await startGithub(people);
  server = await startServer({ env: { IDENTITIES: '' } });
  const secret = path.join(server.var, 'github.secret');
  fs.writeFileSync(secret, github.secret, { mode: 0o600 });
  const added = await server.admin('idp', 'add', 'github', '--preset', 'github', '--url', github.issuer, '--client-id', github.admit(server, 'github'), '--client-secret-file', secret, '--member-of', 'Example', '--member-of', 'third/eng', '--recheck', '1', '--json');
  assert.deepEqual([added.member_of, added.recheck], [['example', 'third/eng'], 1]);
  client = await register(server, { grant_types: ['authorization_code', 'refresh_token'] });
}, { timeout: 240000 });
after(async () => { await server?.stop(); await github?.stop(); }, options);

const person = (user) => new Person(server, { github }, user);
const of = (user) => `(SELECT id FROM person WHERE CAST(subject AS TEXT) = '${people[user].id}')`;
const older = (user, seconds = hour + 10) => { server.sql(`UPDATE person SET checked_at = checked_at - ${seconds} WHERE id = ${of(user)}`); server.sql('UPDATE provider_grant SET lease = NULL, lease_until = NULL'); };
const groupsOf = (user) => server.sql(`SELECT CAST(group_names AS TEXT) AS names FROM person WHERE id = ${of(user)}`)[0].names;
const lives = async (token) => (await rpc(server, token, 'tools/list', {})).status === 200;
async function come(user) {
  const flow = await person(user).begin(client);
  const back = await flow.browser.signIn(flow, 'github');
  assert.equal(back.location, `/oauth/consent/mcps?flow_id=${flow.flowId}`, back.text);
  return { tokens: await tokensOf(flow) };
}
async function refresh(session) {
  const answer = await postForm(server.base, `${api}/token`, { grant_type: 'refresh_token', refresh_token: session.tokens.refresh_token, client_id: client.client_id });
  if (answer.status === 200) session.tokens = answer.json();
  return answer;
}

for (const [kind, expiring] of [['an OAuth app, whose tokens do not end', false], ['a GitHub App, whose tokens end', true]]) {
  test(`SI58: of ${kind}, GitHub is asked again with what it gave, and groups follow`, options, async () => {
    github.expiring = expiring;
    const user = expiring ? 'ben' : 'anna';
    const session = await come(user);
    const [asked, renewed] = [github.count('/api/v3/user'), github.count('/login/oauth/access_token')];
    assert.equal((await refresh(session)).status, 200);
    assert.equal(github.count('/api/v3/user'), asked, 'the last word is new');
    for (const teams of [[['Example', 'ops']], [['Example', 'eng']]]) {
      people[user].teams = teams;
      older(user);
      const answer = await refresh(session);
      assert.equal(answer.status, 200, answer.text);
      assert.deepEqual(groupsOf(user).split('\n'), ['example', `example/${teams[0][1]}`, 'other']);
    }
    assert.equal(github.count('/api/v3/user'), asked + 2);
    assert.equal(github.count('/login/oauth/access_token'), renewed + (expiring ? 2 : 0));
    for (const file of server.files()) for (const token of [...github.tokens.keys(), ...github.refreshTokens.keys()]) assert.equal(fs.readFileSync(file).indexOf(Buffer.from(token)), -1, file);
    github.revoke(user);
    older(user);
    const over = await refresh(session);
    assert.deepEqual([over.status, over.json().error], [400, 'invalid_grant'], over.text);
    assert.equal(await lives(session.tokens.access_token), false);
    github.expiring = false;
  });
}

test('SI58: an answer that says nothing of the token lets people go on for a day, and keeps their groups', options, async () => {
  const session = await come('cleo');
  for (const answer of [[403, { message: 'rate limit' }], [502, {}], [404, {}]]) {
    github.fail('/api/v3/user', answer);
    older('cleo');
    assert.equal((await refresh(session)).status, 200, String(answer[0]));
  }
  github.fail('/api/v3/user');
  github.fail('/api/v3/user/orgs', [500, {}]);
  older('cleo');
  assert.equal((await refresh(session)).status, 200);
  assert.deepEqual(groupsOf('cleo').split('\n'), ['example', 'example/eng', 'other']);
  github.fail('/api/v3/user/orgs');
  github.fail('/api/v3/user', [502, {}]);
  older('cleo', 25 * hour);
  assert.equal((await refresh(session)).status, 503);
  github.fail('/api/v3/user');
});

test('SI5 SI58: members alone come in, and who left the organisation is out at the next recheck or sign-in', options, async () => {
  const session = await come('dora');
  people.dora.orgs = ['other'];
  people.dora.teams = [];
  older('dora');
  const over = await refresh(session);
  assert.deepEqual([over.status, over.json().error], [400, 'invalid_grant'], over.text);
  assert.equal(await lives(session.tokens.access_token), false);
  const again = person('dora');
  const flow = await again.begin(client);
  const page = await again.signIn(flow, 'github');
  assertPage(page, 403);
  assert.match(page.text, /does not let that account in/);
  people.dora.orgs = ['Example'];
  const back = await come('dora');
  assert.ok(await lives(back.tokens.access_token));
  people.dora.orgs = [];
  const gone = person('dora');
  assertPage(await gone.signIn(await gone.begin(client), 'github'), 403);
  assert.equal(await lives(back.tokens.access_token), false, 'a sign-in elsewhere said that she is no member');
  people.dora.orgs = ['Example'];
  github.fail('/api/v3/user/orgs', [500, {}]);
  const unknown = person('dora');
  const said = await unknown.signIn(await unknown.begin(client), 'github');
  assertPage(said, 403);
  assert.match(said.text, /did not say which groups/);
  github.fail('/api/v3/user/orgs');
});

test('SI5: github.com and gitlab.com are not opened to everybody by accident', options, async () => {
  const secret = path.join(server.var, 'github.secret');
  const add = (preset, ...more) => server.admin('idp', 'add', 'x', '--preset', preset, '--client-id', 'x', '--client-secret-file', secret, ...more);
  const failed = (code, pattern, ...words) => assert.rejects(add(...words), (error) => { assert.equal(error.code, code, error.stderr); assert.match(error.stderr, pattern); return true; });
  await failed(2, /needs --member-of ORG \(or ORG\/TEAM\), or --any-account: everybody with an account at GitHub could sign in/, 'github');
  await failed(2, /needs --member-of GROUP, or --any-account: everybody with an account at gitlab.com/, 'gitlab');
  await failed(2, /name one of the two/, 'github', '--member-of', 'example', '--any-account');
  await failed(2, /names no groups/, 'google', '--domain', 'example.org', '--member-of', 'example');
  await failed(2, /--any-account for providers where everybody has an account/, 'keycloak', '--url', 'https://sso.example.org', '--realm', 'a', '--any-account');
  const open = await server.admin('idp', 'set', 'github', '--member-of', '', '--json');
  assert.deepEqual(open.member_of, []);
  assert.deepEqual((await server.admin('idp', 'set', 'github', '--member-of', 'example', '--json')).member_of, ['example']);
});
