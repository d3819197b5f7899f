// An operator finds people of identity providers, stops them at once at every door, ends what they
// have, and forgets them; and the logs hold little of them.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { postForm, query, send } from './support/browser.mjs';
import { assertOauthError, assertPage } from './support/checks.mjs';
import { api, authorizeParameters, beginConnection, connect as connectAt, https, inLanes, loopback, pkce, post, redeem, register, rpc, submit, whoami } from './support/journey.mjs';
import { until } from './support/server.mjs';
import { finish, letIn, page1, page2, startSigninServer } from './support/signin.mjs';
import { makeAuthority, signIn as signInAtService, startProvider } from './support/upstreams.mjs';

const options = { timeout: 240000 };
const refreshing = { grant_types: ['authorization_code', 'refresh_token'] };
const services = ['notion', 'github'];
const secretGroup = 'group-that-no-log-holds';
let site, server, corp, notion, github, asking;

before(async () => {
  const authority = makeAuthority();
  site = await startSigninServer({ CONSENTGATE_SERVICE_CA: authority.ca, CONSENTGATE_AUDIT_FILE: 'audit.log', CONSENTGATE_REMEMBER_CONSENT: 'https', CONSENTGATE_AUTHORIZATIONS_PER_MINUTE: '0', CONSENTGATE_REGISTRATIONS_PER_MINUTE: '0' });
  ({ server, corp } = site);
  corp.people.anna.groups = ['staff', secretGroup];
  [notion, github] = await Promise.all(services.map(() => startProvider({ authority })));
  for (const [name, { mcpUrl }] of Object.entries({ notion, github })) await server.admin('service', 'add', name, '--url', mcpUrl);
  asking = await server.admin('resource', 'add', server.resource, '--service', 'notion', '--service', 'github', '--json');
}, options);
after(async () => { await site?.stop(); await notion?.stop(); await github?.stop(); }, options);

const list = async (token) => (await rpc(server, token, 'tools/list')).status;
const failed = (...words) => server.admin(...words).then(() => assert.fail(`${words.join(' ')} succeeded`), (error) => error);
const refresh = (client, token) => postForm(server.base, `${api}/token`, { grant_type: 'refresh_token', refresh_token: token, client_id: client.client_id });
const exchange = (token, service) => postForm(server.base, `${api}/token`, { grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange', subject_token: token, subject_token_type: 'urn:ietf:params:oauth:token-type:access_token', audience: service, client_id: asking.id, client_secret: asking.secret });
const introspect = async (token) => (await postForm(server.base, `${api}/introspect`, { token, client_id: asking.id, client_secret: asking.secret })).json();
const connect = (flow, service, user) => connectAt(server, flow, service, (address) => signInAtService({ notion, github }[service], address, user));

// Lets an app in as the person, with an account at notion. out: flow, tokens, token
async function connected(person, client, id = 'corp') {
  const flow = await person.begin(client);
  assert.equal((await person.signIn(flow, id)).location, `/oauth/consent/mcps?flow_id=${flow.flowId}`);
  const back = await connect(flow, 'notion', `${person.user}-at-${id}`);
  assert.ok(back.location.startsWith(`/oauth/consent/mcps?flow_id=${flow.flowId}`), back.text);
  const submitted = await submit(flow);
  const tokens = (await redeem(server, flow, submitted.sent().get('code'))).json();
  return { flow, tokens, token: tokens.access_token };
}
const holder = async (token) => { const answer = await exchange(token, 'notion'); assert.equal(answer.status, 200, answer.text); return notion.whoIs(answer.json().access_token); };

test('SI82: people are listed and shown by each word for them, and a word for several shows them all', options, async () => {
  const client = await register(server);
  await letIn(site.person('anna'), client);
  await letIn(site.person('ben'), client);
  const other = site.person('anna');
  const flow = await other.begin(client);
  await other.signIn(flow, 'other');
  const all = await server.admin('user', 'list', '--json');
  assert.deepEqual(all.map(({ idp, name }) => `${idp} ${name}`).sort(), ['corp Anna Müller', 'corp Ben', 'other Anna of the other']);
  const [{ id }] = all.filter(({ idp, name }) => idp === 'corp' && name === 'Anna Müller');
  assert.match(id, /^user:[0-9a-f]{64}$/);
  const names = async (...words) => (await server.admin('user', 'list', ...words, '--json')).map(({ name }) => name).sort();
  assert.deepEqual(await names('--idp', 'other'), ['Anna of the other']);
  assert.deepEqual(await names('--group', secretGroup), ['Anna Müller']);
  assert.deepEqual(await names('--group', 'group-that'), []);
  assert.deepEqual(await names('--email', 'BEN@example.org'), ['Ben']);
  assert.deepEqual(await names('--disabled'), []);
  for (const word of [id, id.slice(0, 13), 'corp/anna', 'corp/user:anna']) {
    const shown = await server.admin('user', 'show', word, '--json');
    assert.deepEqual([shown.id, shown.issuer, shown.subject, shown.email, shown.groups, shown.disabled], [id, corp.issuer, 'anna', 'anna@example.org', [secretGroup, 'staff'], null], word);
    assert.ok(shown.sessions >= 1 && shown.signins >= 1 && shown.last_signed_in > 0);
  }
  assert.equal((await server.admin('user', 'show', 'ben@example.org', '--json')).subject, 'ben');
  const several = await failed('user', 'show', 'anna@example.org');
  assert.equal(several.code, 1);
  assert.deepEqual([...several.stderr.matchAll(/anna@example\.org \((corp|other), user:[0-9a-f]{8}\)/g)].map(([, idp]) => idp).sort(), ['corp', 'other']);
  assert.equal((await failed('user', 'disable', 'anna@example.org')).code, 1, 'nobody is stopped by a word for several');
  assert.equal((await failed('user', 'show', 'corp/nobody')).code, 1);
  for (const word of ['anna', id.slice(0, 12)]) assert.equal((await failed('user', 'show', word)).code, 2, word);
});

test('SI59 SA30: a disabled person is refused at each door from the next request on, others are not, and enabling gives all back', options, async () => {
  const client = await register(server, { ...refreshing, redirect_uris: [https, loopback] });
  const anna = site.person('anna');
  const { token, tokens } = await connected(anna, client);
  const { token: bens } = await connected(site.person('ben'), client);
  assert.equal(await holder(token), 'anna-at-corp');
  const used = await refresh(client, tokens.refresh_token); // its repeat lies within the grace
  assert.equal(used.status, 200, used.text);
  const latest = used.json();
  const flow = await anna.begin(client);
  const code = (await submit(flow)).sent().get('code'); // unredeemed
  const open = await anna.begin(client); // page 2
  assert.equal((await page2(open)).status, 200);
  const proof = pkce();
  const parameters = authorizeParameters(server, client, proof);
  const offered = await anna.get(query(`${api}/authorize`, parameters), { 'Sec-Fetch-Site': 'none' });
  const [, remembered] = /remembered\?flow_id=([\w-]{22})$/.exec(offered.location ?? '') ?? [];
  assert.ok(remembered, offered.location);
  const link = (await exchange(token, 'github')).json().connect_uri;
  assert.ok(link);
  const other = site.person('anna');
  const away = await other.begin(client);
  const back = await other.wayBack(away);

  await server.admin('user', 'disable', 'corp/anna');
  assert.equal(await list(token), 401);
  assert.equal(await list(latest.access_token), 401);
  assertOauthError(await refresh(client, latest.refresh_token), 400, 'invalid_grant');
  assertOauthError(await refresh(client, tokens.refresh_token), 400, 'invalid_grant');
  assertOauthError(await redeem(server, flow, code), 400, 'invalid_grant');
  assert.notEqual((await page2(open)).status, 200);
  assert.doesNotMatch((await submit(open)).location ?? '', /[?&]code=/);
  const reused = await anna.post(`${api}/consent/reuse`, { flow_id: remembered });
  assert.doesNotMatch(reused.location ?? '', /[?&]code=/);
  const { pathname, search } = new URL(link);
  assert.ok(![302, 303].includes((await anna.get(pathname + search)).status));
  assert.equal((await exchange(token, 'notion')).status, 400);
  assert.deepEqual(await introspect(token), { active: false });
  assertPage(await other.get(back), 403);
  assert.equal((await site.person('anna').begin(client)).page, 'consent');
  assert.doesNotMatch((await anna.get('/oauth/sessions')).text, /You are signed in as/);
  assert.deepEqual([await list(bens), await holder(bens), (await introspect(bens)).active], [200, 'ben-at-corp', true]);
  const shown = await server.admin('user', 'show', 'corp/anna', '--json');
  assert.deepEqual([shown.disabled > 0, shown.accounts], [true, ['notion']]);
  assert.deepEqual((await server.admin('user', 'list', '--disabled', '--json')).map(({ name }) => name), ['Anna Müller']);

  await server.admin('user', 'enable', 'corp/anna');
  assert.equal(await list(token), 200);
  assert.equal(await holder(token), 'anna-at-corp');
  assert.equal((await introspect(token)).active, true);
  assert.equal((await redeem(server, flow, code)).status, 200);
  assert.equal((await refresh(client, latest.refresh_token)).status, 200);
  assert.equal((await page2(open)).status, 200);
  await finish(open);
});

test('SI82: what a person has is ended by the operator, with and without accounts, and sessions are found by their person', options, async () => {
  corp.people.carla = { name: 'Carla', email: 'carla@example.org', email_verified: true, groups: [] };
  const client = await register(server);
  const carla = site.person('carla');
  const { token } = await connected(carla, client);
  const sessions = await server.admin('session', 'list', '--user', 'carla@example.org', '--json');
  assert.equal(sessions.length, 1);
  assert.equal(sessions[0].identity, 'Carla');
  await server.admin('user', 'end', 'carla@example.org');
  assert.equal(await list(token), 401);
  assert.equal((await carla.begin(client)).page, 'consent', 'the sign-in ended, too');
  const again = await connectedBefore(carla, client);
  assert.equal(await holder(again), 'carla-at-corp', 'accounts stay');
  await server.admin('session', 'revoke', '--user', 'carla@example.org', '--yes');
  assert.equal(await list(again), 401);
  await server.admin('user', 'end', 'corp/carla', '--accounts', '--yes');
  assert.deepEqual((await server.admin('user', 'show', 'corp/carla', '--json')).accounts, []);
  const third = await connectedBefore(carla, client, true);
  assertOauthError(await exchange(third, 'notion'), 400, 'interaction_required');
  const { token: last } = await connected(carla, client);
  const atNotion = (await exchange(last, 'notion')).json().access_token;
  assert.equal((await failed('user', 'remove', 'corp/carla')).code, 2, 'it asks first');
  await server.admin('user', 'remove', 'corp/carla', '--yes');
  await until(async () => !await notion.whoIs(atNotion).then(Boolean, () => false), 'the service to revoke the token');
  assert.equal(await list(third), 401);
  assert.equal((await failed('user', 'show', 'corp/carla')).code, 1);
  const newcomer = await connectedBefore(site.person('carla'), client, true);
  assertOauthError(await exchange(newcomer, 'notion'), 400, 'interaction_required');
});
// Signs in once more. out: the session's token
async function connectedBefore(person, client, fresh = false) {
  const flow = await person.begin(client);
  if (fresh || flow.page === 'consent') await person.signIn(flow);
  return finish(flow);
}

test('SI81: accounts stand once on a person\'s page, also without a session, and are ended there by them alone', options, async () => {
  corp.people.dora = { name: 'Dora', groups: [] };
  const dora = site.person('dora');
  const client = await register(server, { client_name: 'First app' });
  const { token } = await connected(dora, client);
  await letIn(dora, await register(server, { client_name: 'Second app' })).catch(async () => finish(await dora.begin(await register(server, { client_name: 'Second app' }))));
  const own = await dora.get('/oauth/sessions');
  assertPage(own, 200);
  assert.equal(own.text.match(/action="\/oauth\/sessions\/disconnect"/g).length, 1, 'two sessions, one account');
  await dora.post('/oauth/sessions/end', {});
  assert.equal(await list(token), 401);
  const without = await dora.get('/oauth/sessions');
  assertPage(without, 200);
  assert.match(without.text, /action="\/oauth\/sessions\/disconnect"/);
  const ben = site.person('ben');
  await ben.get('/oauth/sessions');
  await ben.signIn(undefined);
  await ben.post('/oauth/sessions/disconnect', { mcp_client_id: 'notion' });
  assert.deepEqual((await server.admin('user', 'show', 'corp/dora', '--json')).accounts, ['notion'], 'Ben ends his own');
  await dora.post('/oauth/sessions/disconnect', { mcp_client_id: 'notion' });
  assert.deepEqual((await server.admin('user', 'show', 'corp/dora', '--json')).accounts, []);
});

test('SI62 SI28: 40 people with equal subjects and addresses at two providers use what is theirs, all at once', { timeout: 480000 }, async () => {
  const names = Array.from({ length: 20 }, (_, at) => `person${at}`);
  for (const name of names) {
    for (const id of ['corp', 'other']) site[id].people[name] = { name: `${name} at ${id}`, email: `${name}@example.org`, email_verified: true };
  }
  const client = await register(server, { ...refreshing, client_name: 'App of all' });
  const everyone = names.flatMap((name) => ['corp', 'other'].map((id) => ({ name, id })));
  const found = await inLanes(8, everyone.map(({ name, id }) => async () => {
    const person = site.person(name);
    const { token, tokens } = await connected(person, client, id);
    assert.equal(await holder(token), `${name}-at-${id}`);
    const { identity } = await whoami(server, token);
    const renewed = await refresh(client, tokens.refresh_token);
    assert.equal(renewed.status, 200, renewed.text);
    assert.equal(await holder(renewed.json().access_token), `${name}-at-${id}`);
    // A link to connect another account later works in any browser where they sign in.
    const { pathname, search } = new URL((await exchange(token, 'github')).json().connect_uri);
    const elsewhere = site.person(name);
    assert.ok(![302, 303].includes((await elsewhere.get(pathname + search)).status), 'nobody is signed in there');
    await elsewhere.get('/oauth/sessions');
    await elsewhere.signIn(undefined, id);
    const own = await elsewhere.get('/oauth/sessions');
    assert.match(own.text, new RegExp(`signed in as (<bdi>)?${name} at ${id}`));
    assert.equal(own.text.match(/App of all/g).length >= 1, true);
    assert.doesNotMatch(own.text, new RegExp(`person\\d+ at ${id === 'corp' ? 'other' : 'corp'}`));
    for (const [text] of own.text.matchAll(/person\d+ at \w+/g)) assert.equal(text, `${name} at ${id}`);
    return identity;
  }));
  assert.equal(new Set(found).size, everyone.length);
});

test('SI13: the doctor finds a provider that names no groups, and a group that rules spell otherwise', options, async () => {
  const about = async (words) => (await server.admin('doctor', '--json').catch((error) => JSON.parse(error.stdout))).filter(({ finding }) => words.test(finding));
  await server.admin('access', 'deny', 'corp/group:/staff', '--scope', 'mcp');
  await server.admin('access', 'deny', 'other/group:ops', '--scope', 'mcp');
  await letIn(site.person('anna'), await register(server)); // the last sign-in names groups
  const rule = (who) => server.admin('access', 'list', '--json').then((rules) => rules.find((one) => one.who === who).number);
  const [spelt] = await about(/names the group \/staff/);
  assert.deepEqual([spelt.verdict, /did you mean staff\?$/.test(spelt.finding)], ['note', true], spelt.finding);
  site.other.people.anna.groups = [];
  const other = site.person('anna');
  await other.signIn(await other.begin(await register(server)), 'other');
  server.sql("UPDATE person SET group_names = NULL WHERE idp_id = 'other'");
  const [none] = await about(/other named no group in the last \d+ sign-ins?, and rules name groups$/);
  assert.equal(none.verdict, 'broken');
  await server.admin('access', 'remove', String(await rule('corp/group:/staff')));
  await server.admin('access', 'remove', String(await rule('other/group:ops')));
  assert.deepEqual(await about(/names? (the|no) group/), []);
});

test('SI83: sign-ins, answers of providers and refusals by rules are counted under labels of a closed set', options, async () => {
  const numbers = async () => Object.fromEntries((await send(server.base, 'GET', '/metrics')).text.trim().split('\n').filter((line) => !line.startsWith('#')).map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]));
  const rule = async (text) => { const file = path.join(server.var, 'rules.txt'); fs.writeFileSync(file, text); await server.admin('access', 'apply', file); };
  const client = await register(server, refreshing);
  const { token, tokens } = await letIn(site.person('ben'), client);
  await rule(`deny corp/user:ben --resource ${server.resource}\n`);
  assert.equal(await list(token), 403);
  assert.equal((await introspect(token)).active, false);
  assertOauthError(await refresh(client, tokens.refresh_token), 400, 'invalid_grant');
  assert.equal((await exchange(token, 'notion')).status, 400);
  const ben = site.person('ben');
  const flow = await ben.begin(client);
  await ben.signIn(flow);
  assert.equal((await page2(flow)).status, 403);
  await rule('deny corp/user:ben\n');
  const refused = site.person('ben');
  assertPage(await refused.signIn(await refused.begin(client)), 403);
  await rule('default everyone\n');
  const counted = await numbers();
  for (const outcome of ['signed_in', 'refused']) assert.ok(counted[`consentgate_signins_total{idp="corp",outcome="${outcome}"}`] >= 1, outcome);
  for (const where of ['gate', 'introspection', 'token', 'exchange', 'signin', 'oauth_consent_services_page']) assert.ok(counted[`consentgate_access_refusals_total{where="${where}"}`] >= 1, `${where}: ${Object.keys(counted).filter((one) => one.includes('refusals'))}`);
  for (const [id, call] of [['corp', 'token'], ['other', 'userinfo']]) assert.ok(counted[`consentgate_idp_seconds_count{idp="${id}",call="${call}"}`] >= 1, call);
  assert.equal(counted.consentgate_metrics_lost_total, 0);
});

test('SI47 SI83: the log names people by eight digits, and holds no address, name, group, claim or token of theirs', options, async () => {
  const anna = site.person('anna');
  const { token, tokens } = await letIn(anna, await register(server, refreshing));
  await anna.post('/oauth/signin/out', {});
  const { id } = await server.admin('user', 'show', 'corp/anna', '--json');
  await server.admin('user', 'disable', id.slice(0, 20));
  await server.admin('user', 'enable', 'corp/anna');
  await server.admin('access', 'allow', 'corp/email:ben@example.org');
  await server.admin('access', 'remove', String((await server.admin('access', 'list', '--json')).at(-1).number));
  const audit = fs.readFileSync(path.join(server.var, 'audit.log'), 'utf8');
  const short = id.slice(0, 13);
  for (const what of ['signed_in', 'signed_out', 'consent_given', 'user_disabled', 'user_enabled']) assert.match(audit, new RegExp(`what=${what} [^\\n]*subject=${short}( |$)`, 'm'), what);
  assert.match(audit, /what=signin_refused [^\n]*subject=user:[0-9a-f]{8} idp=corp browser=[0-9a-f]{8}/);
  assert.match(audit, /what=access_changed [^\n]*rules_added=1/);
  assert.match(audit, /command="user enable" operand=corp\/\(hidden\)/);
  assert.match(audit, /command="access allow" operand=corp\/email:\(hidden\)/);
  const logs = server.logs() + audit;
  assert.ok(logs.includes('event=signin '), 'these are the logs');
  for (const text of [id.slice(5), 'example.org', 'Müller', 'M\\xc3', 'Carla', secretGroup, 'person1 at', token, tokens.refresh_token, corp.secret, 'eyJ']) {
    const at = logs.indexOf(text);
    assert.equal(at, -1, `${text}: ${logs.slice(Math.max(0, at - 300), at + 100)}`);
  }
});

// Somebody else, or again, in this browser: the provider's own cookies are those of a fresh one.
async function comeAs(browser, flow, user) {
  const begun = await browser.start(flow);
  const back = await browser.get(await site.person(user).there.corp.signIn(begun.location, user));
  assert.equal(back.location, `/oauth/consent/mcps?flow_id=${flow.flowId}`, back.text);
}

test('SI27 SI28: what Anna connects in a flow is not the account of who finishes it, and goes on in her hands alone', options, async () => {
  corp.people.emil = { name: 'Emil', groups: [] };
  const client = await register(server);
  const browser = site.person('anna');
  const flow = await browser.begin(client);
  await browser.signIn(flow);
  await connect(flow, 'notion', 'the account of Anna');
  const [{ id }] = server.sql(`SELECT id FROM upstream_token WHERE owner = 'flow:${flow.flowId}'`);
  const { revocation } = notion.calls;
  await browser.post('/oauth/signin/out', { flow_id: flow.flowId }); // Not you?
  await comeAs(browser, flow, 'emil');
  assertOauthError(await exchange(await finish(flow), 'notion'), 400, 'interaction_required');
  assert.deepEqual((await server.admin('user', 'show', 'corp/emil', '--json')).accounts, []);
  await until(() => notion.calls.revocation > revocation && server.sql(`SELECT id FROM upstream_token WHERE id = '${id}'`).length === 0, 'the revocation at the service');

  // She is sent to a service, and somebody else signs in meanwhile, in the same browser.
  const hers = site.person('anna');
  const second = await hers.begin(client);
  await hers.signIn(second);
  const begun = await beginConnection(second, 'github');
  const back = new URL(await signInAtService(github, begun.location, 'anna-at-github'));
  const { token } = await connected(site.person('anna'), client);
  const link = new URL((await exchange(token, 'github')).json().connect_uri);
  await comeAs(hers, await hers.begin(client, { prompt: 'login' }), 'emil');
  for (const address of [back, link]) {
    const refused = await hers.get(address.pathname + address.search);
    assertPage(refused, 403);
    assert.match(refused.text, /begun by somebody else/);
  }
  assert.deepEqual((await server.admin('user', 'show', 'corp/emil', '--json')).accounts, []);
  await comeAs(hers, await hers.begin(client, { prompt: 'login' }), 'anna');
  assert.equal((await hers.get(back.pathname + back.search)).location, `/oauth/consent/mcps?flow_id=${second.flowId}#service-github`, 'nothing was used up');
  const own = await finish(second);
  assert.equal(await github.whoIs((await exchange(own, 'github')).json().access_token), 'anna-at-github');
});

test('SI85 SI88: while the provider is away everybody who is signed in does all that they do, and it is asked nothing', options, async () => {
  const client = await register(server, refreshing);
  const ben = site.person('ben');
  const { token, tokens } = await connected(ben, client);
  const fresh = site.person('ben');
  const open = await fresh.begin(client); // before a sign-in
  const asked = corp.asked.length;
  corp.away = true;
  try {
    assert.match((await page1(open)).text, /Sign in with Example Corp/);
    assert.equal(await list(token), 200);
    assert.equal((await introspect(token)).name, 'Ben');
    assert.equal(await holder(token), 'ben-at-corp');
    assert.equal((await refresh(client, tokens.refresh_token)).status, 200);
    const flow = await ben.begin(client);
    assert.match((await page2(flow)).text, /<bdi>Ben<\/bdi>/);
    assert.equal((await ben.get(`/oauth/consent?flow_id=${flow.flowId}`)).status, 200);
    const again = await finish(flow);
    assert.equal(await holder(again), 'ben-at-corp');
    assert.match((await ben.get('/oauth/sessions')).text, /Ben/);
    assert.equal(corp.asked.length, asked, corp.asked.slice(asked).join(' '));
  } finally { corp.away = false; }
});
