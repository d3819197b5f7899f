// Rules and apps want a newer sign-in, or one of another kind, from people who sign in at a real
// OpenID provider (oidc-provider).
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fs from 'node:fs';
import path from 'node:path';
import { assertPage } from './support/checks.mjs';
import { startGithub } from './support/github.mjs';
import { register, submit } from './support/journey.mjs';
import { finish, letIn, page1, page2, Person, startSigninServer } from './support/signin.mjs';

const options = { timeout: 240000 };
let site, server, corp, resource;

before(async () => { site = await startSigninServer(); ({ server, corp } = site); resource = `${server.issuer}/mcp`; }, options);
after(() => site?.stop(), options);

const older = (seconds) => server.sql(`UPDATE browser_signin SET auth_time = auth_time - ${seconds}, signed_in_at = signed_in_at - ${seconds}`);
const link = (page) => /href="([^"]*)"[^>]*>\s*Sign in again/.exec(page.text)?.[1].replaceAll('&amp;', '&');
const removeRules = async () => { for (const { number } of await server.admin('access', 'list', '--json')) await server.admin('access', 'remove', String(number)); };
async function refused(pattern, ...words) {
  await assert.rejects(server.admin('access', ...words), (error) => { assert.match(`${error.stderr ?? error}`, pattern); return true; });
}
// Goes the way of the page's link. out: the question to the provider, and our answer to its answer
async function signInAgain(person, flow, page, acr) {
  const begun = await person.get(link(page));
  assert.equal(begun.status, 303, begun.text);
  const asked = new URL(begun.location).searchParams;
  return { asked, back: await person.get(await person.there.corp.signIn(begun.location, person.user, { acr })) };
}

test('SI31: a rule wants a sign-in of the last minutes, at page 2 and when the consent is written', options, async () => {
  const client = await register(server);
  const person = site.person('anna');
  const { rule } = await server.admin('access', 'fresh', '30', '--resource', resource, '--json');
  assert.equal(rule, `fresh 30 --resource ${resource}`);
  await letIn(person, client);
  assert.ok(await finish(await person.begin(client)), 'young enough');
  const flow = await person.begin(client);
  assert.equal(link(await page2(flow)), undefined);
  older(1801);
  const late = await submit(flow);
  assert.ok([302, 303].includes(late.status), late.text);
  assert.equal(late.location, `/oauth/consent/mcps?flow_id=${flow.flowId}`, 'and no code');
  const page = await page2(flow);
  assertPage(page, 200);
  assert.match(page.text, /For this you have to sign in again/);
  assert.doesNotMatch(page.text, /form="finish"/);
  assert.doesNotMatch(page.text, /Allowed until/, 'what cannot be allowed has no end');
  const { asked, back } = await signInAgain(person, flow, page);
  assert.deepEqual([asked.get('prompt'), asked.get('max_age'), asked.get('acr_values')], ['login', '0', null]);
  assert.equal(back.location, `/oauth/consent/mcps?flow_id=${flow.flowId}`, back.text);
  assert.ok(await finish(flow));
  await removeRules();
});

test('SI31 SI44: a rule wants an acr, and what the provider says decides', options, async () => {
  const client = await register(server);
  await server.admin('access', 'acr', 'mfa', '--resource', resource);
  const person = site.person('ben');
  const first = await person.begin(client);
  const begun = await person.start(first);
  assert.equal(new URL(begun.location).searchParams.get('acr_values'), 'mfa', 'a first sign-in asks at once');
  const weak = await person.get(await person.there.corp.signIn(begun.location, 'ben', { acr: 'pwd' }));
  assertPage(weak, 400);
  const again = await person.begin(client, { prompt: 'login' });
  const strong = await person.get(await person.there.corp.signIn((await person.start(again)).location, 'ben', { acr: 'mfa' }));
  assert.equal(strong.location, `/oauth/consent/mcps?flow_id=${again.flowId}`, strong.text);
  assert.ok(await finish(again));
  server.sql("UPDATE browser_signin SET acr = CAST('pwd' AS BLOB)");
  const flow = await person.begin(client);
  const page = await page2(flow);
  assert.match(page.text, /For this you have to sign in again/);
  const { asked, back } = await signInAgain(person, flow, page, 'mfa');
  assert.deepEqual([asked.get('prompt'), asked.get('max_age'), asked.get('acr_values')], ['login', '0', 'mfa']);
  assert.equal(back.location, `/oauth/consent/mcps?flow_id=${flow.flowId}`, back.text);
  assert.ok(await finish(flow));
  await removeRules();
});

test('SI31: who cannot give the proof gets no session there', options, async () => {
  const client = await register(server);
  await server.admin('access', 'fresh', '60', '--resource', resource);
  const key = await server.addKey('robot');
  const person = site.person('anna');
  const flow = await person.begin(client);
  await person.post('/api/oauth/per-user/consent/vk', { flow_id: flow.flowId, vk: key.virtual_key });
  assert.match((await page2(flow)).text, /the way that you said who you are is not enough. Sign in with another account/);
  const answer = await submit(flow);
  assert.equal(answer.location, `/oauth/consent/mcps?flow_id=${flow.flowId}`, answer.text);
  await removeRules();
  assert.ok(await finish(flow));
});

test("SI31 SI21: an app's max_age counts at Finish too, and a sign-in for the flow satisfies it", options, async () => {
  const client = await register(server);
  const person = site.person('anna');
  await letIn(person, client);
  const flow = await person.begin(client, { max_age: '600' });
  assert.equal(flow.page, 'consent/mcps');
  older(700);
  const late = await submit(flow);
  assert.equal(late.location, `/oauth/consent/mcps?flow_id=${flow.flowId}`, late.text);
  const { asked, back } = await signInAgain(person, flow, await page2(flow));
  assert.equal(asked.get('max_age'), '600');
  assert.equal(back.location, `/oauth/consent/mcps?flow_id=${flow.flowId}`, back.text);
  assert.ok(await finish(flow));
  older(5);
  const now = await person.begin(client, { max_age: '0' });
  assert.equal(now.page, 'consent');
  const came = await person.signIn(now);
  assert.equal(came.location, `/oauth/consent/mcps?flow_id=${now.flowId}`, came.text);
  assert.ok(await finish(now), 'a person may read the page first');
});

test('SI31 SI70: rules about a proof are listed, exported, applied and explained', options, async () => {
  await refused(/needs --resource/, 'fresh', '30');
  await refused(/from 1 to 43200/, 'fresh', '0', '--resource', resource);
  await refused(/visible ASCII/, 'acr', 'a b', '--resource', resource);
  await refused(/there is no resource/, 'fresh', '30', '--resource', `${resource}x`);
  await server.admin('access', 'fresh', '15', '--resource', resource);
  await server.admin('access', 'acr', 'urn:example:mfa', '--resource', resource, '--scope', 'mcp');
  const rows = await server.admin('access', 'list', '--json');
  assert.deepEqual(rows.map(({ effect, who, matches }) => [effect, who, matches]), [['fresh', '15', 0], ['acr', 'urn:example:mfa', 0]]);
  const exported = await server.admin('access', 'export');
  assert.equal(exported.trim(), `default everyone\nfresh 15 --resource ${resource}\nacr urn:example:mfa --resource ${resource} --scope mcp`);
  const said = await server.admin('access', 'test', 'unverified', resource, '--scope', 'mcp', '--json').catch((error) => JSON.parse(error.stdout));
  assert.deepEqual(said.steps.filter(({ about }) => about === 'proof').map(({ why }) => why.replace(/^rule \d+ +/, '')),
    [`fresh 15 --resource ${resource}, asked for at consent`, `acr urn:example:mfa --resource ${resource} --scope mcp, asked for at consent`]);
  await removeRules();
});

test('SI31: a provider that can give no proof leads nobody in a circle, and page 2 says what is missing', options, async () => {
  const client = await register(server);
  const github = await startGithub({ anna: { id: 583231, login: 'anna', emails: [] } });
  await server.admin('access', 'fresh', '30', '--resource', resource);
  const secret = path.join(server.var, 'github.secret');
  fs.writeFileSync(secret, github.secret, { mode: 0o600 });
  const added = await server.adminOutput('idp', 'add', 'github', '--preset', 'github', '--url', github.issuer, '--client-id', github.admit(server, 'github'), '--client-secret-file', secret);
  assert.match(added.stderr, new RegExp(`GitHub cannot be asked for a newer or stronger sign-in:\n  rule \\d+  fresh 30 --resource ${resource}`));
  await refused(/people of 'github' can never give such a proof/, 'acr', 'mfa', '--resource', resource);
  const person = new Person(server, { github, corp: site.corp }, 'anna');
  const flow = await person.begin(client);
  assert.equal((await person.signIn(flow, 'github')).location, `/oauth/consent/mcps?flow_id=${flow.flowId}`);
  const page = await page2(flow);
  assertPage(page, 200);
  assert.match(page.text, /the way that you said who you are is not enough/);
  assert.equal(link(page), undefined, 'signing in again at GitHub would give the same');
  assert.match(page.text, new RegExp(`href="/oauth/consent\\?flow_id=${flow.flowId}"[^>]*>Sign in another way`));
  assert.match((await page1(flow)).text, /Sign in with Example Corp/);
  assert.equal((await person.signIn(flow, 'corp')).location, `/oauth/consent/mcps?flow_id=${flow.flowId}`);
  assert.ok(await finish(flow), 'the other provider gives it');
  // Without a provider that can, nothing is offered that would lead nowhere.
  for (const id of ['corp', 'other']) await server.admin('idp', 'disable', id);
  const alone = new Person(server, { github }, 'anna');
  const stuck = await alone.begin(client);
  await alone.signIn(stuck, 'github');
  const last = await page2(stuck);
  assertPage(last, 200);
  assert.match(last.text, /needs a newer or stronger sign-in than this server offers/);
  assert.doesNotMatch(last.text, /form="finish"|Sign in again|Sign in another way/);
  await removeRules();
  assert.ok(await finish(stuck));
  for (const id of ['corp', 'other']) await server.admin('idp', 'enable', id);
  await server.admin('idp', 'remove', 'github', '--yes');
  await github.stop();
});

test('SI31: two values of acr that no sign-in can have at once are refused, and a common one is asked for', options, async () => {
  const client = await register(server);
  await server.admin('access', 'acr', 'mfa', '--resource', resource);
  await refused(/no sign-in has two values of acr.*with scope mcp/, 'acr', 'key', '--resource', resource, '--scope', 'mcp');
  await server.admin('access', 'acr', 'key', '--resource', resource);
  await server.admin('access', 'acr', 'key', '--resource', resource, '--scope', 'mcp');
  const person = site.person('ben');
  const flow = await person.begin(client, { scope: 'mcp' });
  assert.equal(new URL((await person.start(flow)).location).searchParams.get('acr_values'), 'key');
  await removeRules();
});
