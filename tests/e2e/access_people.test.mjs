// Rules about people of identity providers: their groups as the provider said them last, at every
// door, and a person who may come no further.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { postForm, send } from './support/browser.mjs';
import { assertOauthError } from './support/checks.mjs';
import { api, redeem, register, rpc, submit } from './support/journey.mjs';
import { letIn, page1, page2, startSigninServer } from './support/signin.mjs';

const options = { timeout: 240000 };
const refreshing = { grant_types: ['authorization_code', 'refresh_token'] };
let site, server, corp;

before(async () => { site = await startSigninServer(); ({ server, corp } = site); }, options);
after(() => site?.stop(), options);
beforeEach(async () => {
  corp.people.anna.groups = ['staff', 'eng'];
  await apply('default everyone\n');
});

function apply(text) {
  const file = path.join(server.var, 'rules.txt');
  fs.writeFileSync(file, text);
  return server.admin('access', 'apply', file, '--json');
}
const list = async (token) => (await rpc(server, token, 'tools/list')).status;
const refresh = (client, tokens) => postForm(server.base, `${api}/token`, { grant_type: 'refresh_token', refresh_token: tokens.refresh_token, client_id: client.client_id });
const ask = (...words) => server.admin('access', 'test', ...words, '--json').catch((error) => JSON.parse(error.stdout));

test('SI63 SI50 SI68: groups are those that the provider said last, in whatever browser, for all sessions of the person', options, async () => {
  await apply(`allow corp/group:eng --resource ${server.resource}\n`);
  const client = await register(server, refreshing);
  const { token, tokens } = await letIn(site.person('anna'), client);
  assert.equal(await list(token), 200);
  corp.people.anna.groups = ['staff'];
  assert.equal(await list(token), 200, 'nobody has said otherwise yet');
  const elsewhere = site.person('anna');
  const flow = await elsewhere.begin(await register(server));
  await elsewhere.signIn(flow);
  const page = await page2(flow);
  assert.equal(page.status, 403);
  assert.match(page.text, /Example Corp says that you are anna@example\.org\.[^]*not to the server that the app asks for/);
  assert.equal(await list(token), 403, 'the session of the first browser');
  assertOauthError(await refresh(client, tokens), 400, 'invalid_grant');
  corp.people.anna.groups = ['staff', 'eng'];
  const again = site.person('anna');
  await again.signIn(await again.begin(await register(server)));
  assert.equal(await list(token), 200);
  const renewed = await refresh(client, tokens);
  assert.equal(renewed.status, 200, renewed.text);
});

test('SI65: who may not sign in reads so after the provider, and comes in as another', options, async () => {
  await apply('allow corp/group:ops\nallow keys\n');
  const person = site.person('anna');
  const flow = await person.begin(await register(server));
  const back = await person.signIn(flow);
  assert.equal(back.status, 403, back.text);
  assert.match(back.text, /Example Corp says you are <bdi>anna@example\.org/);
  assert.match(back.text, /does not let that account in/);
  assert.equal((await page1(flow)).status, 200, 'the flow goes on');
  corp.people.ben.groups = ['ops'];
  const other = site.person('ben');
  const { token } = await letIn(other, await register(server));
  assert.equal(await list(token), 200);
});

test('SA14 SI63: a group of that name at another provider, and an address that does not count, open nothing', options, async () => {
  await apply(`allow corp/group:eng --resource ${server.resource}\n`);
  const person = site.person('anna');
  const flow = await person.begin(await register(server));
  await person.signIn(flow, 'other'); // in eng there, too
  assert.equal((await page2(flow)).status, 403);
  await apply(`allow corp/email:anna@example.org --resource ${server.resource}\n`);
  corp.people.anna.email_verified = false;
  const unverified = site.person('anna');
  const second = await unverified.begin(await register(server));
  await unverified.signIn(second);
  assert.equal((await page2(second)).status, 403);
  corp.people.anna.email_verified = true;
  const verified = site.person('anna');
  const third = await verified.begin(await register(server));
  await verified.signIn(third);
  assert.equal((await page2(third)).status, 200);
});

test('SI65: a group that goes between page 2 and Allow is seen by the write that finishes', options, async () => {
  await apply(`allow corp/group:eng --resource ${server.resource}\n`);
  const person = site.person('anna');
  const flow = await person.begin(await register(server));
  await person.signIn(flow);
  assert.equal((await page2(flow)).status, 200);
  corp.people.anna.groups = [];
  const elsewhere = site.person('anna');
  await elsewhere.signIn(await elsewhere.begin(await register(server)));
  assert.equal((await submit(flow)).status, 403);
  assert.deepEqual(server.sql(`SELECT id FROM session WHERE flow_id = '${flow.flowId}'`), []);
});

test('SA30: a disabled person gets no further with an open page, a code, a refresh or a token, and others do', options, async () => {
  const client = await register(server, refreshing);
  const { token, tokens } = await letIn(site.person('anna'), client);
  const ben = await letIn(site.person('ben'), client);
  const person = site.person('anna');
  const flow = await person.begin(client);
  await person.signIn(flow);
  const code = (await submit(flow)).sent().get('code');
  const open = await person.begin(client);
  server.sql("UPDATE person SET disabled_at = 1, version = version + 1 WHERE CAST(subject AS TEXT) = 'anna' AND idp_id = 'corp'");
  assert.equal(await list(token), 401);
  assert.equal(await list(ben.token), 200);
  assertOauthError(await refresh(client, tokens), 400, 'invalid_grant');
  assertOauthError(await redeem(server, flow, code), 400, 'invalid_grant');
  assert.notEqual((await page2(open)).status, 200);
  assert.equal((await submit(open)).sent?.().get('code') ?? null, null);
  assert.equal((await ask('corp/anna', server.resource)).yes, false);
  server.sql("UPDATE person SET disabled_at = NULL, version = version + 1 WHERE CAST(subject AS TEXT) = 'anna' AND idp_id = 'corp'");
  assert.equal(await list(token), 200);
  assert.equal((await refresh(client, tokens)).status, 200);
});

test('SI68: people of a provider that is switched off are out by the next request, and back after', options, async () => {
  const { token } = await letIn(site.person('anna'), await register(server));
  await server.admin('idp', 'disable', 'corp');
  assert.equal(await list(token), 401);
  await server.admin('idp', 'enable', 'corp');
  assert.equal(await list(token), 200);
});

test('SI69 SI70: access test and list know people as their providers said them', options, async () => {
  await letIn(site.person('anna'), await register(server));
  await apply(`allow corp/email:*@example.org\nallow keys\nallow corp/group:ops --resource ${server.resource}\nallow corp/group:eng --scope mcp\nallow corp/group:sales --scope mcp\n`);
  const answer = await ask('corp/anna', server.resource);
  assert.match(answer.who, /^anna@example\.org \(corp, user:[0-9a-f]{8}\), last signed in [-0-9 :]+, groups: eng staff$/);
  assert.deepEqual([answer.yes, answer.steps.map(({ about, yes }) => [about, yes])], [false, [['sign in', true], ['resource', false]]]);
  assert.match(answer.steps[0].why, /^rule \d+ +allow corp\/email:\*@example\.org$/);
  assert.match(answer.steps[1].help[0], /^it would help to be in group ops at corp \(rule \d+\)$/);
  const several = await server.admin('access', 'test', 'anna@example.org', server.resource).catch((error) => error);
  assert.match(several.stderr, /means several people:/);
  assert.deepEqual([...several.stderr.matchAll(/anna@example\.org \((corp|other), user:/g)].map(([, idp]) => idp).sort(), ['corp', 'other']);
  const listed = await server.admin('access', 'list', '--json');
  const row = (who) => listed.find((one) => one.who === who);
  assert.ok(row('corp/group:eng').group_named > 0 && row('corp/group:eng').matches >= 1);
  assert.deepEqual([row('corp/group:sales').matches, row('corp/group:sales').group_named], [0, null]);
  const bare = await server.admin('access', 'allow', 'group:eng').catch((error) => error);
  assert.match(bare.stderr, /several identity providers; write corp\/group:eng or other\/group:eng/);
});

test('SI85: rules about people ask their provider nothing', options, async () => {
  await apply(`allow corp/group:eng --resource ${server.resource}\n`);
  const { token } = await letIn(site.person('anna'), await register(server));
  const asked = corp.asked.length;
  assert.equal(await list(token), 200);
  assert.equal((await ask('corp/anna', server.resource)).yes, true);
  assert.equal((await send(server.base, 'GET', '/oauth/sessions')).status < 500, true);
  assert.equal(corp.asked.length, asked);
});

test('SA13: an address that was hers counts no longer once the provider names another, or verifies it no more', options, async () => {
  await apply(`allow corp/email:anna@example.org --resource ${server.resource}\n`);
  const { token } = await letIn(site.person('anna'), await register(server));
  assert.equal(await list(token), 200);
  for (const now of [{ email: 'mallory@example.org' }, { email_verified: false }]) {
    const before = { ...corp.people.anna };
    Object.assign(corp.people.anna, now);
    const elsewhere = site.person('anna');
    await elsewhere.signIn(await elsewhere.begin(await register(server)));
    assert.equal(await list(token), 403, JSON.stringify(now));
    corp.people.anna = before;
    const back = site.person('anna');
    await back.signIn(await back.begin(await register(server)));
    assert.equal(await list(token), 200, 'it is hers again');
  }
});
