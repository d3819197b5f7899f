// People connect their own accounts at real authorization servers, and the resource server gets
// each its caller's token.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startAccounts } from './support/accounts.mjs';
import { assertGatewayError, assertOauthError } from './support/checks.mjs';
import { Browser } from './support/browser.mjs';
import { api, choose, beginConnection, finish, inLanes, startFlow } from './support/journey.mjs';
import { signIn } from './support/upstreams.mjs';

const names = ['notion', 'github', 'company'];
let accounts;
let server;
let client;
let providers;

before(async () => {
  accounts = await startAccounts(names, { workers: 8 });
  ({ server, client, providers } = accounts);
}, { timeout: 240000 });
after(async () => { await accounts?.stop(); }, { timeout: 120000 });

const connect = (...words) => accounts.connect(...words);
const signedIn = (...words) => accounts.signedIn(...words);
const exchange = (...words) => accounts.exchange(...words);
const holder = (...words) => accounts.holder(...words);

test('S1 S7: accounts at several services are connected during consent, and are the session\'s after it', async () => {
  const flow = await startFlow(server, { client });
  await choose(flow, { skip: true });
  const page = await flow.browser.get(`/oauth/consent/mcps?flow_id=${flow.flowId}`);
  for (const name of names) assert.match(page.text, new RegExp(`mcp_client_id(=|&#x3D;)${name}`));
  assert.equal((await connect(flow, 'notion', 'anna')).status, 302);
  assert.equal((await connect(flow, 'github', 'anna-gh')).status, 302);
  const after = await flow.browser.get(`/oauth/consent/mcps?flow_id=${flow.flowId}`);
  assert.equal(after.text.match(/class="connected"/g).length, 2);
  const token = await finish(server, flow);
  assert.equal(await holder(token, 'notion'), 'anna');
  assert.equal(await holder(token, 'github'), 'anna-gh');
  const missing = await exchange(token, 'company');
  assertOauthError(missing, 400, 'interaction_required');
  assert.match(missing.json().connect_uri, /\/upstream\/authorize\?mcp_client_id=company&link=/);
});

test('S7: a refusal at the service leads back with words, and connecting works again', async () => {
  const flow = await startFlow(server, { client });
  await choose(flow, { skip: true });
  const refused = await connect(flow, 'notion', 'anna', { deny: true });
  assert.equal(refused.location, `/oauth/consent/mcps?flow_id=${flow.flowId}&error=service_refused&service=notion#service-notion`);
  assert.match((await flow.browser.get(refused.location)).text, /You said no there/);
  providers.notion.failNext(503);
  const failed = await connect(flow, 'notion', 'anna');
  assert.equal(failed.location, `/oauth/consent/mcps?flow_id=${flow.flowId}&error=service_failed&service=notion#service-notion`);
  assert.equal((await connect(flow, 'notion', 'berta')).location, `/oauth/consent/mcps?flow_id=${flow.flowId}#service-notion`);
  assert.equal((await connect(flow, 'notion', 'anna')).location, `/oauth/consent/mcps?flow_id=${flow.flowId}#service-notion`);
  assert.equal(await holder(await finish(server, flow), 'notion'), 'anna');
});

test('U10 S7 K21: a callback in another browser is refused and stores nothing, and a state works once', async () => {
  const flow = await startFlow(server, { client });
  await choose(flow, { skip: true });
  const begun = await beginConnection(flow, 'notion');
  const back = new URL(await signIn(providers.notion, begun.location, 'victim'));
  const rows = () => server.sql('SELECT count(*) AS n FROM upstream_token')[0].n;
  const before = rows();
  const stranger = new Browser(server.base, server.issuer);
  assertGatewayError(await stranger.get(back.pathname + back.search, { Accept: 'application/json' }), 403, 'browser_mismatch');
  await startFlow(server, { client, browser: stranger }); // now it has a cookie, of its own
  assertGatewayError(await stranger.get(back.pathname + back.search, { Accept: 'application/json' }), 403, 'browser_mismatch');
  assert.equal(rows(), before);
  assert.equal((await flow.browser.get(back.pathname + back.search)).status, 302);
  assert.equal(rows(), before + 1);
  assertGatewayError(await flow.browser.get(back.pathname + back.search, { Accept: 'application/json' }), 400, 'invalid_upstream_state');
  assert.equal(rows(), before + 1);
});

test('S11 K15: two who typed the same user id have their own accounts', async () => {
  const first = await signedIn({ notion: 'anna' }, { identity: { userId: 'anna' } });
  const second = await signedIn({ notion: 'mallory' }, { identity: { userId: 'anna' } });
  const third = await signedIn({}, { identity: { userId: 'anna' } });
  assert.equal(await holder(first, 'notion'), 'anna');
  assert.equal(await holder(second, 'notion'), 'mallory');
  assertOauthError(await exchange(third, 'notion'), 400, 'interaction_required');
});

test('S11: a virtual key finds its accounts again, in every session of it', async () => {
  const { virtual_key: key } = await server.addKey('Anna', '--service', 'notion');
  const first = await signedIn({ notion: 'anna' }, { identity: { virtualKey: key } });
  const second = await signedIn({}, { identity: { virtualKey: key } });
  assert.equal(await holder(first, 'notion'), 'anna');
  assert.equal(await holder(second, 'notion'), 'anna');
  assertOauthError(await exchange(second, 'github'), 400, 'invalid_target');
});

test('S11: 50 people with 3 services each, 20 exchanges at once for each: nobody gets another\'s token', async () => {
  const people = Array.from({ length: 50 }, (_, at) => `person-${at}`);
  const tokens = await inLanes(8, people.map((person) => () => signedIn({ notion: person, github: person, company: person }, { identity: { userId: 'the same for all' } })));
  const wanted = people.flatMap((person, at) => names.flatMap((name) => Array.from({ length: 20 }, () => ({ person, name, token: tokens[at] }))));
  wanted.sort(() => Math.random() - 0.5);
  const got = await inLanes(20, wanted.map(({ token, name }) => () => holder(token, name)));
  assert.deepEqual(got.filter((holding, at) => holding !== wanted[at].person), []);
}, { timeout: 300000 });

test('S9: eight workers are asked at once for an expired token: one refresh reaches the service, all get the new token', async () => {
  const token = await signedIn({ company: 'anna' });
  const old = (await exchange(token, 'company')).json().access_token;
  accounts.age('company', -1, { newest: true });
  const before = providers.company.calls.token.refresh_token ?? 0;
  const answers = await Promise.all(Array.from({ length: 8 }, () => accounts.exchangePatiently(token, 'company')));
  const fresh = new Set(answers.map((answer) => { assert.equal(answer.status, 200, answer.text); return answer.json().access_token; }));
  assert.equal(fresh.size, 1);
  assert.ok(!fresh.has(old));
  assert.equal(providers.company.calls.token.refresh_token - before, 1);
  assert.equal(await holder(token, 'company'), 'anna');
}, { timeout: 120000 });

test('S9 XC3: eight workers are asked at once for an expiring token: one refresh reaches the service, and nobody waits for it', async () => {
  const token = await signedIn({ company: 'anna' });
  const old = (await exchange(token, 'company')).json().access_token;
  accounts.age('company', 3, { newest: true });
  const before = providers.company.calls.token.refresh_token ?? 0;
  const answers = await Promise.all(Array.from({ length: 8 }, () => exchange(token, 'company')));
  for (const answer of answers) assert.equal(await providers.company.whoIs(answer.json().access_token), 'anna', answer.text);
  assert.equal(providers.company.calls.token.refresh_token - before, 1);
  assert.notEqual((await exchange(token, 'company')).json().access_token, old);
}, { timeout: 120000 });

test('S9: a refresh that fails for a moment is tried again, one that is refused asks the person to connect anew', async () => {
  const browser = new Browser(server.base, server.issuer);
  const token = await signedIn({ company: 'anna' }, { browser });
  accounts.age('company', 3, { newest: true });
  providers.company.failNext(503);
  assert.equal((await exchange(token, 'company')).status, 200); // the old one is good for another moment
  accounts.age('company', 3, { newest: true });
  assert.equal(await holder(token, 'company'), 'anna');
  accounts.age('company', 3, { newest: true });
  providers.company.failNext('invalid_grant');
  const broken = await exchange(token, 'company');
  assertOauthError(broken, 400, 'interaction_required');
  // The link leads this browser, and no other, to the service and back.
  const link = new URL(broken.json().connect_uri);
  assert.equal((await new Browser(server.base, server.issuer).get(link.pathname + link.search)).status, 403);
  const page = await browser.get(link.pathname + link.search);
  assert.equal(page.status, 200);
  assert.match(page.text, /Test client/);
  const form = { mcp_client_id: 'company', link: link.searchParams.get('link') };
  const begun = await browser.post(`${api}/upstream/connect`, form);
  const back = new URL(await signIn(providers.company, begun.location, 'anna again'));
  const done = await browser.get(back.pathname + back.search);
  assert.match(done.text, /Your account is connected/);
  assert.equal((await browser.post(`${api}/upstream/connect`, form)).status, 410);
  assert.equal(await holder(token, 'company'), 'anna again');
}, { timeout: 120000 });

// As if the service had said so a minute ago, and we had not registered within the hour.
const confirmable = () => server.sql("UPDATE service SET client_refused_at = client_refused_at - 60, register_after = NULL, version = version + 1 WHERE id = 'company'");

test('S7 XC5: a service that has forgotten us is registered with anew after a pause, at a refresh or when a person tries once more', async () => {
  const token = await signedIn({ company: 'anna' });
  await providers.company.forgetClients();
  accounts.age('company', -1);
  const old = (await server.admin('service', 'show', 'company', '--json')).client_id;
  assertOauthError(await exchange(token, 'company'), 503, 'temporarily_unavailable');
  assert.equal((await server.admin('service', 'show', 'company', '--json')).client_id, old);
  confirmable();
  accounts.age('company', -1);
  assertOauthError(await exchange(token, 'company'), 400, 'interaction_required');
  assert.notEqual((await server.admin('service', 'show', 'company', '--json')).client_id, old);
  assert.equal(await holder(await signedIn({ company: 'berta' }), 'company'), 'berta');

  await providers.company.forgetClients();
  const flow = await startFlow(server, { client });
  await choose(flow, { skip: true });
  const registrations = providers.company.calls.registration;
  for (let pressed = 0; pressed < 3; pressed += 1) await assert.rejects(connect(flow, 'company', 'carla')); // the service shows a page of its own
  assert.equal(providers.company.calls.registration, registrations);
  confirmable();
  assert.equal((await connect(flow, 'company', 'carla')).location, `/oauth/consent/mcps?flow_id=${flow.flowId}#service-company`);
  assert.equal(await holder(await finish(server, flow), 'company'), 'carla');
}, { timeout: 120000 });

test('S7 XC5: eight workers find at once that a service has forgotten us: one of them registers, and everybody connects with it', async () => {
  const people = Array.from({ length: 8 }, (_, at) => `forgotten-${at}`);
  const tokens = await inLanes(4, people.map((person) => () => signedIn({ company: person })));
  const clientId = async () => (await server.admin('service', 'show', 'company', '--json')).client_id;
  const old = await clientId();
  await providers.company.forgetClients();
  accounts.age('company', -1);
  assertOauthError(await exchange(tokens[0], 'company'), 503, 'temporarily_unavailable');
  confirmable();
  accounts.age('company', -1);
  const registrations = providers.company.calls.registration;
  for (const answer of await Promise.all(tokens.map((token) => accounts.exchangePatiently(token, 'company')))) assertOauthError(answer, 400, 'interaction_required');
  assert.equal(providers.company.calls.registration, registrations + 1);
  const kept = await clientId();
  assert.notEqual(kept, old);
  assert.ok(providers.company.registered.includes(kept), 'the one that is kept is known there');
  const again = await inLanes(4, people.map((person) => () => signedIn({ company: person })));
  assert.deepEqual(await inLanes(4, again.map((token) => () => holder(token, 'company'))), people);
  assert.equal(await clientId(), kept);
}, { timeout: 120000 });

test('U12 S10: a person disconnects a service and ends a session, and the service hears of it', async () => {
  const browser = new Browser(server.base, server.issuer);
  const token = await signedIn({ notion: 'anna', github: 'anna' }, { browser });
  const upstream = (await exchange(token, 'notion')).json().access_token;
  const page = await browser.get('/oauth/sessions');
  const session = /name="session_id" value="([^"]+)"/.exec(page.text)[1];
  assert.equal((await browser.post('/oauth/sessions/disconnect', { session_id: session, mcp_client_id: 'notion' })).status, 302);
  assert.equal(await providers.notion.whoIs(upstream), undefined);
  assertOauthError(await exchange(token, 'notion'), 400, 'interaction_required');
  assert.equal(await holder(token, 'github'), 'anna');
  const revocations = providers.github.calls.revocation;
  assert.equal((await browser.post('/oauth/sessions/end', { session_id: session })).status, 302);
  assert.ok(providers.github.calls.revocation > revocations);
  assertOauthError(await exchange(token, 'github'), 400, 'invalid_request');
  assert.match((await browser.get('/oauth/sessions')).text, /Nothing has been let in/);
});

test('S12: nothing of a connection can be read in the database or the log', async () => {
  const token = await signedIn({ notion: 'anna' });
  const upstream = (await exchange(token, 'notion')).json().access_token;
  const { stdout } = { stdout: JSON.stringify(server.sql('SELECT hex(access_token) AS a, hex(refresh_token) AS r FROM upstream_token')) };
  assert.ok(!stdout.includes(Buffer.from(upstream).toString('hex').toUpperCase()));
  assert.ok(!server.logs().includes(upstream));
  assert.ok(!server.logs().includes(token));
});
