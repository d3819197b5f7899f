// People sign in at a real OpenID provider (oidc-provider): page 1, there and back, page 2, whose a
// flow is, their own page, and signing out.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { postForm, query } from './support/browser.mjs';
import { assertPage } from './support/checks.mjs';
import { api, authorizeParameters, inLanes, pkce, post, register, submit, whoami } from './support/journey.mjs';
import { until } from './support/server.mjs';
import { finish, letIn, page1, page2, startSigninServer } from './support/signin.mjs';

const options = { timeout: 240000 };
let site, server, corp;

before(async () => { site = await startSigninServer(); ({ server, corp } = site); }, options);
after(() => site?.stop(), options);

test('SI17 SI20 SI23 SA17: a person signs in at the provider, and their app acts for them', options, async () => {
  const person = site.person('anna');
  const flow = await person.begin(await register(server));
  assert.equal(flow.page, 'consent');
  const first = await page1(flow);
  assertPage(first, 200);
  const [links, key] = [first.text.indexOf('/oauth/signin/start?idp=corp'), first.text.indexOf('consent/vk')];
  assert.ok(links > 0 && links < key, 'the provider comes before the key');
  assert.match(first.text, /Sign in with Example Corp/);
  assert.match(first.text, /Sign in with Other Org/);
  const begun = await person.start(flow);
  assert.equal(begun.status, 303);
  const asked = Object.fromEntries(new URL(begun.location).searchParams);
  assert.equal(begun.location.split('?')[0], `${corp.issuer}/auth`);
  assert.deepEqual(Object.keys(asked).sort(), ['client_id', 'code_challenge', 'code_challenge_method', 'nonce', 'redirect_uri', 'response_type', 'scope', 'state']);
  assert.equal(asked.redirect_uri, `${server.issuer}/oauth/signin/corp/callback`);
  assert.deepEqual(asked.scope.split(' ').sort(), ['email', 'groups', 'openid', 'profile']);
  assert.equal(asked.code_challenge_method, 'S256');
  const back = await person.get(await person.there.corp.signIn(begun.location, 'anna'));
  assert.equal(back.status, 303, back.text);
  assert.equal(back.location, `/oauth/consent/mcps?flow_id=${flow.flowId}`);
  const second = await page2(flow);
  assertPage(second, 200);
  assert.match(second.text, /<bdi>Anna Müller<\/bdi>/);
  assert.match(second.text, /anna@example\.org/);
  assert.match(second.text, /Example Corp/);
  assert.match(second.text, /Not you\?/);
  assert.match(second.text, /<bdi>Test client<\/bdi>/);
  assert.match(second.text, /127\.0\.0\.1:53111/, 'where the app waits');
  assert.equal(server.sql('SELECT count(*) AS n FROM session')[0].n, 0, 'nothing is given before Allow');
  const token = await finish(flow);
  assert.equal((await whoami(server, token)).identity_kind, 'verified_user');
});

test('SI45 SI54: what the ID token lacks comes from userinfo', options, async () => {
  const person = site.person('anna');
  const flow = await person.begin(await register(server));
  const back = await person.signIn(flow, 'other');
  assert.equal(back.location, `/oauth/consent/mcps?flow_id=${flow.flowId}`, back.text);
  assert.match((await page2(flow)).text, /<bdi>Anna of the other<\/bdi>/);
  const [row] = server.sql("SELECT CAST(group_names AS TEXT) AS groups, CAST(email AS TEXT) AS email FROM person WHERE idp_id = 'other'");
  assert.deepEqual(row, { groups: 'eng\nstaff', email: 'anna@example.org' });
});

test('SI24 SA19: each sign-in has a new cookie, whatever the browser presents', options, async () => {
  const person = site.person('anna');
  person.cookies.set('consentgate_signin', 'A'.repeat(43));
  const flow = await person.begin(await register(server));
  const back = await person.signIn(flow);
  const [line] = back.headers['set-cookie'].filter((one) => one.startsWith('consentgate_signin='));
  assert.doesNotMatch(line, /A{43}/);
  assert.match(line, /^consentgate_signin=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax$/);
  const before = person.cookies.get('consentgate_signin');
  await person.signIn(await person.begin(await register(server), { prompt: 'login' }));
  assert.notEqual(person.cookies.get('consentgate_signin'), before);
  // The sign-in's cookie alone, in another browser with a flow of its own, opens no flow of Anna's.
  const thief = site.person('ben');
  thief.cookies.set('consentgate_signin', person.cookies.get('consentgate_signin'));
  assertPage(await thief.get(`/oauth/consent/mcps?flow_id=${flow.flowId}`), 403);
});

test('SI25 SI85: a second app needs no second sign-in, and asks the provider nothing', options, async () => {
  const person = site.person('anna');
  await letIn(person, await register(server));
  const asked = corp.asked.length;
  const flow = await person.begin(await register(server));
  assert.equal(flow.page, 'consent/mcps');
  assert.match((await page2(flow)).text, /<bdi>Anna Müller<\/bdi>/);
  await finish(flow);
  assert.equal(corp.asked.length, asked);
  await person.post('/oauth/signin/out', {});
  assert.equal((await person.begin(await register(server))).page, 'consent');
});

test('SI26 SI32: after signing out the provider is to ask, and the end there is an offer', options, async () => {
  const person = site.person('anna');
  await letIn(person, await register(server));
  const out = await person.post('/oauth/signin/out', {});
  assert.equal(out.status, 303);
  assert.equal(out.location, '/oauth/sessions?signed_out=corp');
  const own = await person.get(out.location);
  assertPage(own, 200);
  const end = new URL(/href="([^"]*session\/end[^"]*)"/.exec(own.text)[1].replaceAll('&amp;', '&'));
  assert.equal(end.origin, corp.issuer);
  assert.equal(end.searchParams.get('post_logout_redirect_uri'), `${server.issuer}/oauth/sessions`);
  const flow = await person.begin(await register(server));
  const again = await person.start(flow);
  assert.ok(['login', 'select_account'].includes(new URL(again.location).searchParams.get('prompt')), again.location);
  await person.signIn(flow);
  const next = await person.start(await person.begin(await register(server)));
  assert.equal(new URL(next.location).searchParams.get('prompt'), null);
});

test('SI21 SA18: of what the app asks, only prompt and max_age reach the provider', options, async () => {
  const person = site.person('anna');
  const client = await register(server);
  const steered = await person.begin(client, { login_hint: 'boss@example.org', acr_values: 'none', display: 'popup', id_token_hint: 'x', claims: '{}', prompt: 'select_account', max_age: '3600' });
  const { searchParams } = new URL((await person.start(steered)).location);
  for (const name of ['login_hint', 'acr_values', 'display', 'id_token_hint', 'claims']) assert.equal(searchParams.get(name), null, name);
  assert.equal(searchParams.get('max_age'), '3600');
  assert.ok(['login', 'select_account'].includes(searchParams.get('prompt')));
  assert.equal(searchParams.get('scope').includes('mcp'), false);
  const odd = new URL((await person.start(await person.begin(client, { max_age: '-1', prompt: 'create' }))).location).searchParams;
  assert.deepEqual([odd.get('max_age'), odd.get('prompt')], [null, null]);
  const none = await person.get(query(`${api}/authorize`, authorizeParameters(server, client, pkce(), { prompt: 'none' })));
  assert.equal(none.sent().get('error'), 'login_required');
});

test('SI28 SA20: a person\'s flow goes on only where they are signed in, and with them', options, async () => {
  const person = site.person('anna');
  const client = await register(server);
  const flow = await person.begin(client);
  await person.signIn(flow);
  await person.signIn(await person.begin(client, { prompt: 'login' }), 'other');
  for (const answer of [await page2(flow), await submit(flow), await post(flow, 'deny')]) {
    assertPage(answer, 403);
    assert.match(answer.text, /Sign in as that person/);
  }
  const link = /href="(\/oauth\/signin\/start\?[^"]*)"/.exec((await page2(flow)).text)[1].replaceAll('&amp;', '&');
  const begun = await person.get(link);
  assert.equal(new URL(begun.location).origin, corp.issuer, 'the provider of the person whose it is');
  await person.get(await person.there.corp.signIn(begun.location, 'anna'));
  assert.match((await page2(flow)).text, /<bdi>Anna Müller<\/bdi>/);
  await finish(flow);
});

test('SI29 SI30 SA21: page 1 offers to go on as the signed-in person, and a key instead', options, async () => {
  const person = site.person('anna');
  const client = await register(server);
  const early = await person.begin(client); // a tab from before
  const flow = await person.begin(client);
  await person.signIn(flow);
  assert.match((await page1(early)).text, /Go on as Anna Müller/);
  const foreign = await person.post('/oauth/signin/go-on', { flow_id: early.flowId }, { Origin: 'https://evil.example' });
  assert.equal(foreign.status, 403);
  assert.equal((await person.post('/oauth/signin/out', {}, { Origin: 'https://evil.example' })).status, 403);
  const gone = await person.post('/oauth/signin/go-on', { flow_id: early.flowId });
  assert.equal(gone.location, `/oauth/consent/mcps?flow_id=${early.flowId}`, gone.text);
  await finish(early);
  const { virtual_key: key } = await server.addKey('Carla');
  assert.match((await page1(flow)).text, /I have an access code/);
  await post(flow, 'vk', { vk: key });
  assert.match((await page2(flow)).text, /Carla/);
  const mixed = await person.begin(client);
  const answer = await submit(mixed, { Authorization: `Bearer ${key}`, Accept: 'application/json' });
  assert.equal(answer.json().error.code, 'invalid_bearer');
});

test('SI26 SI27: Not you? gives the flow back to nobody', options, async () => {
  const person = site.person('anna');
  const flow = await person.begin(await register(server));
  await person.signIn(flow);
  const out = await person.post('/oauth/signin/out', { flow_id: flow.flowId });
  assert.equal(out.location, `/oauth/consent?flow_id=${flow.flowId}`);
  assert.doesNotMatch((await page1(flow)).text, /Go on as/);
  const begun = await person.start(flow);
  assert.ok(new URL(begun.location).searchParams.get('prompt'));
  await person.get(await site.person('ben').there.corp.signIn(begun.location, 'ben'));
  assert.match((await page2(flow)).text, /<bdi>Ben<\/bdi>/);
});

test('SI81: a person sees their sessions of all browsers, and nobody else does', options, async () => {
  corp.people.dora = { name: 'Dora' };
  const [here, there, stranger] = [site.person('dora'), site.person('dora'), site.person('ben')];
  const { token } = await letIn(there, await register(server, { client_name: 'App over there' }));
  await letIn(stranger, await register(server, { client_name: 'App of Ben' }));
  await here.get('/oauth/sessions');
  assert.equal((await here.signIn(undefined)).location, '/oauth/sessions');
  const own = await here.get('/oauth/sessions');
  assertPage(own, 200);
  assert.match(own.text, /App over there/);
  assert.doesNotMatch(own.text, /App of Ben/);
  const [, foreign] = /name="session_id" value="([^"]+)"/.exec((await stranger.get('/oauth/sessions')).text);
  for (const id of [foreign, 'x'.repeat(22)]) {
    assertPage(await here.post('/oauth/sessions/end', { session_id: id }), 404);
    assertPage(await here.post('/oauth/sessions/disconnect', { session_id: id, mcp_client_id: 'x' }), 404);
    assertPage(await here.post('/oauth/sessions/connect', { session_id: id, mcp_client_id: 'x', change: 'again' }), 404);
  }
  assert.match((await stranger.get('/oauth/sessions')).text, /App of Ben/);
  const row = own.text.slice(own.text.indexOf('App over there'));
  const theirs = { session_id: /name="session_id" value="([^"]+)"/.exec(row)[1] };
  for (let press = 0; press < 2; press += 1) assert.equal((await here.post('/oauth/sessions/end', theirs)).status, 302);
  assert.equal((await postForm(server.base, '/mcp', {}, { Authorization: `Bearer ${token}` })).status, 401);
  const [, signin] = /name="signin_id" value="([^"]+)"/.exec(own.text);
  assertPage(await stranger.post('/oauth/signin/out', { signin_id: signin }), 404);
  for (let press = 0; press < 2; press += 1) assert.equal((await here.post('/oauth/signin/out', { signin_id: signin })).status, 303);
  assert.equal((await there.begin(await register(server))).page, 'consent');
});

test('SI62: equal subjects at two providers are two people, who see nothing of each other', options, async () => {
  const names = Array.from({ length: 10 }, (_, i) => `person${i}`);
  for (const name of names) {
    site.corp.people[name] = { name: `${name} at corp`, email: `${name}@example.org`, email_verified: true };
    site.other.people[name] = { name: `${name} at other`, email: `${name}@example.org`, email_verified: true };
  }
  const everyone = names.flatMap((name) => ['corp', 'other'].map((id) => ({ name, id })));
  const found = await inLanes(8, everyone.map(({ name, id }) => async () => {
    const person = site.person(name);
    const client = await register(server, { client_name: `App of ${name} at ${id}` });
    const flow = await person.begin(client);
    const back = await person.signIn(flow, id);
    assert.equal(back.location, `/oauth/consent/mcps?flow_id=${flow.flowId}`, back.text);
    assert.match((await page2(flow)).text, new RegExp(`<bdi>${name} at ${id}</bdi>`));
    const { identity } = await whoami(server, await finish(flow));
    const own = (await person.get('/oauth/sessions')).text;
    const apps = [...own.matchAll(/App of \w+ at \w+/g)].map(([text]) => text);
    assert.deepEqual([...new Set(apps)], [`App of ${name} at ${id}`]);
    return identity;
  }));
  assert.equal(new Set(found).size, everyone.length);
});

test('SI10 SI88: people who are signed in go on while their provider is away', options, async () => {
  const person = site.person('anna');
  const { token } = await letIn(person, await register(server));
  corp.away = true;
  try {
    await whoami(server, token);
    assert.equal((await person.begin(await register(server))).page, 'consent/mcps');
    assertPage(await person.get('/oauth/sessions'), 200);
    await server.admin('idp', 'disable', 'corp');
    assert.equal((await person.begin(await register(server))).page, 'consent');
    assert.equal((await postForm(server.base, '/mcp', {}, { Authorization: `Bearer ${token}` })).status, 401);
    await server.admin('idp', 'enable', 'corp');
    await whoami(server, token);
  } finally {
    corp.away = false;
  }
});

test('SI57: a refresh needs a sign-in that is not too long ago', options, async () => {
  const person = site.person('anna');
  const client = await register(server, { grant_types: ['authorization_code', 'refresh_token'] });
  const { tokens } = await letIn(person, client);
  const refresh = async ({ refresh_token: token }) => postForm(server.base, `${api}/token`, { grant_type: 'refresh_token', client_id: client.client_id, refresh_token: token });
  const good = await refresh(tokens);
  assert.equal(good.status, 200, good.text);
  server.sql('UPDATE person SET checked_at = checked_at - 31 * 86400');
  const late = await refresh(good.json());
  assert.deepEqual([late.status, late.json().error], [400, 'invalid_grant']);
  await person.signIn(await person.begin(client, { prompt: 'login' }));
  assert.equal((await refresh(good.json())).status, 200);
});

test('SI24: a sign-in ends signin_hours after the provider\'s answer, however often it is used', options, async () => {
  const person = site.person('anna');
  await letIn(person, await register(server));
  const row = () => server.sql('SELECT signed_in_at, expires_at FROM browser_signin WHERE ended_at IS NULL ORDER BY rowid DESC LIMIT 1')[0];
  const first = row();
  assert.equal(first.expires_at - first.signed_in_at, 12 * 3600);
  server.sql('UPDATE browser_signin SET expires_at = unixepoch() + 5 WHERE ended_at IS NULL');
  const { expires_at: end } = row();
  const open = await person.begin(await register(server));
  assert.equal(open.page, 'consent/mcps');
  await page2(open);
  await person.get('/oauth/sessions');
  assert.equal(row().expires_at, end, 'use does not make it longer');
  await until(() => Date.now() / 1000 > end, 'its end');
  assert.equal((await person.begin(await register(server))).page, 'consent');
  assertPage(await page2(open), 403);
  assert.doesNotMatch((await person.get('/oauth/sessions')).text, /signed in as/);
});
