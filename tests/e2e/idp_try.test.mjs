// An operator signs in on trial, at a real oidc-provider.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Browser, send } from './support/browser.mjs';
import { assertPage } from './support/checks.mjs';
import { AtProvider, startIdentityProvider } from './support/identity_provider.mjs';
import { register, whoami } from './support/journey.mjs';
import { root, startServer, until } from './support/server.mjs';
import { addProvider, finish, page2, Person } from './support/signin.mjs';

const options = { timeout: 120000 };
let server;
let corp;
before(async () => {
  corp = await startIdentityProvider({ people: { anna: { name: 'Anna Müller', email: 'anna@example.org', groups: ['staff', 'eng'], realm_access: { roles: ['admin'] } }, ben: { name: '<b>Ben</b>' } } });
  server = await startServer({ env: { IDENTITIES: '' } });
  await addProvider(server, corp, 'corp', 'Example Corp');
}, { timeout: 240000 });
after(async () => { await server?.stop(); await corp?.stop(); }, options);

// `idp try` in the background. out: link, and done: status, stdout, stderr when it ends
async function begin(id = 'corp', ...more) {
  const child = spawn(path.resolve(root, process.env.BUILD || 'build/asan', 'consentgate-admin'), ['idp', 'try', id, ...more], { cwd: server.var, env: server.environment() });
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr']) child[name].on('data', (bytes) => { said[name] += bytes; });
  const done = new Promise((end) => { child.on('close', (status) => end({ status, ...said })); });
  const link = await until(() => /\S*\/oauth\/signin\/try\?link=\S+/.exec(said.stderr)?.[0], 'the link of idp try');
  return { child, link: link.slice(server.issuer.length), done };
}

const counts = () => server.sql("SELECT (SELECT count(*) FROM person) AS people, (SELECT count(*) FROM browser_signin) AS signins, (SELECT count(*) FROM session) AS sessions, (SELECT count(*) FROM signin_state) AS states, (SELECT count(*) FROM signin_trial) AS trials")[0];
const nothing = { people: 0, signins: 0, sessions: 0, states: 0, trials: 0 };

// Opens the link in a fresh browser and signs in there. out: the last page
async function open(link, user, provider = corp) {
  const browser = new Browser(server.base, server.issuer);
  const sent = await browser.get(link);
  assert.equal(sent.status, 303, sent.text);
  return browser.get(await new AtProvider(provider).signIn(sent.location, user));
}

test('SI9: whoever opens the link sees each claim, what would be kept and which rules match, and nothing stays', options, async () => {
  await server.admin('access', 'allow', 'corp/group:eng');
  await server.admin('access', 'allow', 'corp/email:anna@example.org');
  const { link, done } = await begin('corp', '--json');
  const page = await open(link, 'anna');
  assertPage(page, 200);
  for (const words of ['Example Corp says this about you', 'Anna Müller', 'anna@example.org', '[&quot;staff&quot;,&quot;eng&quot;]', 'rule 1: allow corp/group:eng', '--email always', 'nobody is signed in']) assert.ok(page.text.includes(words), `${words} is not in ${page.text}`);
  assert.ok(!page.text.includes('rule 2'), 'a rule that does not match');
  assert.equal(page.headers['set-cookie'], undefined);
  const { status, stdout, stderr } = await done;
  assert.equal(status, 0, stderr);
  const report = JSON.parse(stdout);
  assert.deepEqual([report.issuer, report.subject, report.name, report.email, report.groups, report.groups_known], [corp.issuer, 'anna', 'Anna Müller', '', ['eng', 'staff'], true]);
  assert.deepEqual(report.rules, ['rule 1: allow corp/group:eng']);
  assert.match(report.hints.join('\n'), /anna@example.org does not count in rules/);
  assert.ok(report.claims.some((one) => one.startsWith('groups = ["staff","eng"] (')), report.claims);
  assert.deepEqual(counts(), nothing);
  for (const number of ['1', '2']) await server.admin('access', 'remove', number);
});

test('SI9: a link is good once, for no other, and not for who only looks', options, async () => {
  const { link, child, done } = await begin();
  const curious = new Browser(server.base, server.issuer);
  assert.equal((await send(server.base, 'HEAD', link)).status, 200);
  assert.equal((await curious.get(link, { 'Sec-Purpose': 'prefetch' })).status, 503);
  const wrong = await curious.get(`${link}x`);
  assertPage(wrong, 410);
  assertPage(await curious.get('/oauth/signin/try'), 410);
  const first = await curious.get(link);
  assert.equal(first.status, 303);
  assertPage(await curious.get(link), 410);
  const back = await new AtProvider(corp).signIn(first.location, 'anna');
  assert.equal((await new Browser(server.base, server.issuer).get(back)).status, 403);
  child.kill('SIGTERM');
  const { status, stderr } = await done;
  assert.equal(status, 1);
  assert.match(stderr, /stopped/);
  assert.equal(counts().trials, 0);
  const late = await curious.get(back); // nobody waits for it, and the person sees it all the same
  assertPage(late, 200);
  assert.deepEqual(counts(), nothing);
});

test('SI9: a disabled provider can be tried, and what it says is shown as text', options, async () => {
  await server.admin('idp', 'disable', 'corp');
  const { link, done } = await begin();
  const page = await open(link, 'ben');
  assertPage(page, 200);
  assert.ok(page.text.includes('&lt;b&gt;Ben&lt;/b&gt;'));
  const { status, stdout, stderr } = await done;
  assert.equal(status, 0, stderr);
  assert.match(stdout, /No claim groups came/);
  assert.match(stderr, /For groups it needs there/);
  await server.admin('idp', 'enable', 'corp');
  assert.deepEqual(counts(), nothing);
});

test('SI9: after ten minutes a link is over', options, async () => {
  const { link, done } = await begin();
  server.sql('UPDATE signin_trial SET expires_at = expires_at - 600');
  assertPage(await new Browser(server.base, server.issuer).get(link), 410);
  const { status, stderr } = await done;
  assert.equal(status, 1);
  assert.match(stderr, /nobody opened the link/);
});

test('SI15: what an operator types for Keycloak lets one group use a server, with groups from a mapper', options, async () => {
  const keycloak = await startIdentityProvider({ at: '/realms/staff', inUserinfo: true, people: { anna: { name: 'Anna', groups: ['eng'] }, ben: { name: 'Ben', groups: ['/eng'] } } });
  const secret = path.join(server.var, 'keycloak.secret');
  fs.writeFileSync(secret, keycloak.secret, { mode: 0o600 });
  await server.admin('idp', 'add', 'kc', '--preset', 'keycloak', '--url', keycloak.origin, '--realm', 'staff', '--client-id', keycloak.admit(server, 'kc'), '--client-secret-file', secret, '--title', 'Staff');
  await server.admin('access', 'allow', 'kc/group:eng', '--resource', server.resource);
  const tested = await server.admin('idp', 'test', 'kc', '--json');
  assert.deepEqual([tested.client, tested.redirect, tested.differences], ['good', 'good', []]);
  const { link, done } = await begin('kc');
  await open(link, 'anna', keycloak);
  assert.match((await done).stdout, /rule \d+: allow kc\/group:eng/);
  const client = await register(server);
  const anna = new Person(server, { kc: keycloak }, 'anna');
  const flow = await anna.begin(client);
  assert.equal((await anna.signIn(flow, 'kc')).status, 303);
  await whoami(server, await finish(flow));
  const ben = new Person(server, { kc: keycloak }, 'ben'); // his mapper has "Full group path" on
  const his = await ben.begin(client);
  await ben.signIn(his, 'kc');
  assertPage(await page2(his), 403);
  await keycloak.stop();
});
