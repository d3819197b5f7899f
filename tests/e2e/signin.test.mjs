// People sign in at a real OpenID provider (oidc-provider): page 1, there and back, page 2, whose a
// flow is, signing out, and what an answer that is not believed does.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Browser, postForm, query, send } from './support/browser.mjs';
import { assertPage } from './support/checks.mjs';
import { AtProvider, startIdentityProvider } from './support/identity_provider.mjs';
import { api, authorizeParameters, inLanes, pkce, post, redeem, register, submit, whoami } from './support/journey.mjs';
import { startServer, until } from './support/server.mjs';

const options = { timeout: 240000 };
const anna = { name: 'Anna Müller', email: 'anna@example.org', email_verified: true, groups: ['staff', 'eng'] };
const ben = { name: 'Ben', email: 'ben@example.org', email_verified: true, groups: ['staff'] };
let server, corp, other;

// One row for the provider, as an operator makes it.
async function add(provider, id, title, ...more) {
  const clientId = provider.admit(server, id);
  const secret = path.join(server.var, `${id}.secret`);
  fs.writeFileSync(secret, provider.secret, { mode: 0o600 });
  await server.admin('idp', 'add', id, '--issuer', provider.issuer, '--client-id', clientId, '--client-secret-file', secret, '--title', title, '--groups-claim', 'groups', ...more);
  return clientId;
}

before(async () => {
  server = await startServer({ env: { IDENTITIES: '' } });
  corp = await startIdentityProvider({ people: { anna: { ...anna }, ben: { ...ben } } });
  other = await startIdentityProvider({ people: { anna: { ...anna, name: 'Anna of the other' } }, inUserinfo: true });
  corp.clientId = await add(corp, 'corp', 'Example Corp');
  other.clientId = await add(other, 'other', 'Other Org');
});
after(async () => { await server.stop(); await corp.stop(); await other.stop(); });

// A browser here and at both providers.
class Person extends Browser {
  constructor(user) {
    super(server.base, server.issuer);
    this.user = user;
    this.there = new Map([[corp, new AtProvider(corp)], [other, new AtProvider(other)]]);
  }

  async begin(client, more = {}) {
    const proof = pkce();
    const parameters = authorizeParameters(server, client, proof, more);
    const answer = await this.get(query(`${api}/authorize`, parameters));
    const [, page, flowId] = /^\/oauth\/(consent(?:\/mcps)?)\?flow_id=([A-Za-z0-9_-]{22})$/.exec(answer.location ?? '') ?? [];
    assert.ok(flowId, `${answer.status} ${answer.location} ${answer.text}`);
    return { browser: this, client, parameters, proof, flowId, page };
  }

  start(flow, id = 'corp', more = {}) { return this.get(query('/oauth/signin/start', { idp: id, ...(flow ? { flow_id: flow.flowId } : {}), ...more })); }

  // Pressed, logged in there, and on the way back to `callback`.
  async wayBack(flow, id = 'corp', user = this.user, more = {}) {
    const begun = await this.start(flow, id);
    assert.equal(begun.status, 303, begun.text);
    return this.there.get(id === 'corp' ? corp : other).signIn(begun.location, user, more);
  }

  async signIn(flow, id = 'corp', user = this.user) { return this.get(await this.wayBack(flow, id, user)); }
}

const page2 = (flow) => flow.browser.get(`/oauth/consent/mcps?flow_id=${flow.flowId}`);
const page1 = (flow) => flow.browser.get(`/oauth/consent?flow_id=${flow.flowId}`);

async function finish(flow) {
  const submitted = await submit(flow);
  assert.equal(submitted.status, 302, submitted.text);
  const answer = await redeem(server, flow, submitted.sent().get('code'));
  assert.equal(answer.status, 200, answer.text);
  return answer.json().access_token;
}

async function letIn(person, client) {
  const flow = await person.begin(client);
  const back = await person.signIn(flow);
  assert.equal(back.location, `/oauth/consent/mcps?flow_id=${flow.flowId}`, back.text);
  return { flow, token: await finish(flow) };
}

test('SI17 SI20 SI23 a person signs in at the provider, and their app acts for them', options, async () => {
  const person = new Person('anna');
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
  const back = await person.get(await person.there.get(corp).signIn(begun.location, 'anna'));
  assert.equal(back.status, 303, back.text);
  assert.equal(back.location, `/oauth/consent/mcps?flow_id=${flow.flowId}`);
  const second = await page2(flow);
  assertPage(second, 200);
  assert.match(second.text, /<bdi>Anna Müller<\/bdi>/);
  assert.match(second.text, /anna@example\.org/);
  assert.match(second.text, /Example Corp/);
  assert.match(second.text, /Not you\?/);
  const token = await finish(flow);
  assert.ok((await whoami(server, token)).subject.startsWith('user:'));
});

test('SI45 SI54 what the ID token lacks comes from userinfo', options, async () => {
  const person = new Person('anna');
  const flow = await person.begin(await register(server));
  const back = await person.signIn(flow, 'other');
  assert.equal(back.location, `/oauth/consent/mcps?flow_id=${flow.flowId}`, back.text);
  assert.match((await page2(flow)).text, /<bdi>Anna of the other<\/bdi>/);
  const [row] = server.sql("SELECT CAST(group_names AS TEXT) AS groups, CAST(email AS TEXT) AS email FROM person WHERE idp_id = 'other'");
  assert.deepEqual(row, { groups: 'eng\nstaff', email: 'anna@example.org' });
});

test('SI24 SA19 each sign-in has a new cookie, whatever the browser presents', options, async () => {
  const person = new Person('anna');
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
  const thief = new Person('ben');
  thief.cookies.set('consentgate_signin', person.cookies.get('consentgate_signin'));
  assertPage(await thief.get(`/oauth/consent/mcps?flow_id=${flow.flowId}`), 403);
});

test('SI25 SI85 a second app needs no second sign-in, and asks the provider nothing', options, async () => {
  const person = new Person('anna');
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

test('SI26 SI32 after signing out the provider is to ask, and the end there is an offer', options, async () => {
  const person = new Person('anna');
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

test('SI21 SA18 of what the app asks, only prompt and max_age reach the provider', options, async () => {
  const person = new Person('anna');
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

test('SI22 SA1 SA15 SA16 SA22 an answer that belongs to nothing asks the provider nothing, and spends nothing', options, async () => {
  const person = new Person('anna');
  const stranger = new Person('ben');
  const flow = await person.begin(await register(server));
  await stranger.begin(await register(server)); // has a cookie of its own
  const good = await person.wayBack(flow);
  const [at, search] = good.split('?');
  const changed = (change) => { const pairs = new URLSearchParams(search); change(pairs); return `${at}?${pairs}`; };
  const redemptions = corp.count('/token') + other.count('/token');
  const refused = {
    'another method': [() => person.post(good, {}), 405],
    HEAD: [() => send(server.base, 'HEAD', good, { headers: person.headers({}) }), 405],
    'two states': [() => person.get(`${good}&state=x`), 400],
    'two codes': [() => person.get(`${good}&code=x`), 400],
    'a code and two errors': [() => person.get(`${good}&error=a&error=b`), 400],
    'an unknown state': [() => person.get(changed((pairs) => pairs.set('state', 'A'.repeat(43)))), 400],
    'no state': [() => person.get(changed((pairs) => pairs.delete('state'))), 400],
    'another browser': [() => stranger.get(good), 403],
    'no cookie': [() => new Browser(server.base, server.issuer).get(good), 403],
    'the address of another provider': [() => person.get(good.replace('/corp/', '/other/')), 400],
    'the issuer of another provider': [() => person.get(changed((pairs) => pairs.set('iss', other.issuer))), 400],
    'no issuer': [() => person.get(changed((pairs) => pairs.delete('iss'))), 400],
  };
  for (const [what, [ask, status]] of Object.entries(refused)) {
    const answer = await ask();
    assert.equal(answer.status, status, `${what}: ${answer.text}`);
    assert.equal(answer.location, undefined, what);
    assert.equal(corp.count('/token') + other.count('/token'), redemptions, what);
  }
  const lured = await person.get(`${good}&flow_id=${'A'.repeat(22)}&redirect=//evil.example&return_to=https://evil.example`, { 'X-Forwarded-Host': 'evil.example' });
  assert.equal(lured.location, `/oauth/consent/mcps?flow_id=${flow.flowId}`, lured.text);
  const again = await person.get(good);
  assert.equal(again.status, 400, 'the state is spent');
  assert.equal(corp.count('/token'), redemptions - other.count('/token') + 1);
});

test('SI22 SA22 of twenty answers at the same moment one goes on', options, async () => {
  const person = new Person('anna');
  const flow = await person.begin(await register(server));
  const good = await person.wayBack(flow);
  const redemptions = corp.count('/token');
  const answers = await inLanes(20, Array.from({ length: 20 }, () => () => send(server.base, 'GET', good, { headers: person.headers({}) })));
  assert.equal(answers.filter(({ status }) => status === 303).length, 1);
  for (const { status } of answers) assert.ok([303, 400, 503].includes(status), String(status));
  assert.equal(corp.count('/token'), redemptions + 1);
});

test('SA7 SA8 a code of another sign-in is not believed, and the own one still works', options, async () => {
  const [victim, attacker] = [new Person('anna'), new Person('ben')];
  const [theirs, own] = [await victim.begin(await register(server)), await attacker.begin(await register(server))];
  const stolen = new URLSearchParams((await victim.wayBack(theirs)).split('?')[1]).get('code');
  const way = new URL(await attacker.wayBack(own), server.base);
  way.searchParams.set('code', stolen);
  const injected = await attacker.get(way.pathname + way.search);
  assertPage(injected, 400);
  assert.match(injected.text, /Signing in at Example Corp did not work/);
  assert.match((await page1(own)).text, /Who are you\?/);
  assert.equal((await attacker.signIn(own)).location, `/oauth/consent/mcps?flow_id=${own.flowId}`);
});

test('SI28 SA20 a person\'s flow goes on only where they are signed in, and with them', options, async () => {
  const person = new Person('anna');
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
  await person.get(await person.there.get(corp).signIn(begun.location, 'anna'));
  assert.match((await page2(flow)).text, /<bdi>Anna Müller<\/bdi>/);
  await finish(flow);
});

test('SI29 SI30 page 1 offers to go on as the signed-in person, and a key instead', options, async () => {
  const person = new Person('anna');
  const client = await register(server);
  const early = await person.begin(client); // a tab from before
  const flow = await person.begin(client);
  await person.signIn(flow);
  assert.match((await page1(early)).text, /Go on as Anna Müller/);
  const foreign = await person.post('/oauth/signin/go-on', { flow_id: early.flowId }, { Origin: 'https://evil.example' });
  assert.equal(foreign.status, 403);
  const gone = await person.post('/oauth/signin/go-on', { flow_id: early.flowId });
  assert.equal(gone.location, `/oauth/consent/mcps?flow_id=${early.flowId}`, gone.text);
  await finish(early);
  const { key } = await server.addKey('Carla');
  assert.match((await page1(flow)).text, /I have a key/);
  await post(flow, 'vk', { vk: key });
  assert.match((await page2(flow)).text, /Carla/);
  const mixed = await person.begin(client);
  const answer = await submit(mixed, { Authorization: `Bearer ${key}`, Accept: 'application/json' });
  assert.equal(answer.json().error.code, 'invalid_bearer');
});

test('SI30 a late answer still signs the browser in', options, async () => {
  const person = new Person('anna');
  const client = await register(server);
  const flow = await person.begin(client);
  const good = await person.wayBack(flow);
  await post(flow, 'deny', { from: 'identity' });
  const late = await person.get(good);
  assertPage(late, 200);
  assert.match(late.text, /This sign-in took too long/);
  assert.equal((await person.begin(client)).page, 'consent/mcps');
});

test('SI26 SI27 Not you? gives the flow back to nobody', options, async () => {
  const person = new Person('anna');
  const flow = await person.begin(await register(server));
  await person.signIn(flow);
  const out = await person.post('/oauth/signin/out', { flow_id: flow.flowId });
  assert.equal(out.location, `/oauth/consent?flow_id=${flow.flowId}`);
  assert.doesNotMatch((await page1(flow)).text, /Go on as/);
  const begun = await person.start(flow);
  assert.ok(new URL(begun.location).searchParams.get('prompt'));
  await person.get(await person.there.get(corp).signIn(begun.location, 'ben'));
  assert.match((await page2(flow)).text, /<bdi>Ben<\/bdi>/);
});

test('SI33 SA27 what goes wrong at the provider has words of its own, and leaves the flow usable', options, async () => {
  const person = new Person('anna');
  const flow = await person.begin(await register(server));
  const no = await person.get(await person.wayBack(flow, 'corp', 'anna', { deny: true }));
  assert.equal(no.location, `/oauth/consent?flow_id=${flow.flowId}&error=signin_denied&idp=corp`);
  const told = await person.get(no.location);
  assertPage(told, 200);
  assert.match(told.text, /You said no at Example Corp/);
  assert.doesNotMatch(told.text, /The person said no/, 'the words of the provider');
  const odd = { 500: [503, /does not answer/], html: [400, /did not work/], elsewhere: [400, /did not work/], empty: [400, /did not work/] };
  const answers = { 500: [500, {}], html: [200, '<html>Sign in</html>', { 'Content-Type': 'text/html' }], elsewhere: [302, '', { Location: 'http://169.254.169.254/latest' }], empty: [200, {}] };
  for (const [what, [status, words]] of Object.entries(odd)) {
    const good = await person.wayBack(flow);
    corp.failNext('/token', answers[what]);
    const answer = await person.get(good);
    assertPage(answer, status);
    assert.match(answer.text, words, what);
    if (status === 503) assert.ok(answer.headers['retry-after']);
  }
  assert.match((await page1(flow)).text, /Sign in with Example Corp/);
  assert.equal((await person.signIn(flow, 'other')).location, `/oauth/consent/mcps?flow_id=${flow.flowId}`);
});

test('SI14 what was begun before the provider was changed begins again', options, async () => {
  const person = new Person('anna');
  const flow = await person.begin(await register(server));
  const good = await person.wayBack(flow);
  await server.admin('idp', 'set', 'corp', '--title', 'Example Corp');
  assertPage(await person.get(good), 400);
  assert.equal((await person.signIn(flow)).location, `/oauth/consent/mcps?flow_id=${flow.flowId}`);
});

test('SI43 keys that the provider changed meanwhile are fetched once', options, async () => {
  const person = new Person('anna');
  const flow = await person.begin(await register(server));
  corp.rotate();
  const fetched = corp.count('/jwks');
  assert.equal((await person.signIn(flow)).location, `/oauth/consent/mcps?flow_id=${flow.flowId}`);
  assert.equal(corp.count('/jwks'), fetched + 1);
});

test('SI18 a browser that looks ahead begins nothing', options, async () => {
  const person = new Person('anna');
  const flow = await person.begin(await register(server));
  const rows = () => server.sql('SELECT count(*) AS n FROM signin_state')[0].n;
  const before = rows();
  const target = query('/oauth/signin/start', { idp: 'corp', flow_id: flow.flowId });
  assert.equal((await person.get(target, { 'Sec-Purpose': 'prefetch' })).status, 503);
  assert.equal((await send(server.base, 'HEAD', target, { headers: person.headers({}) })).location, undefined);
  assert.equal(rows(), before);
  for (let pressed = 0; pressed < 25; pressed += 1) assert.equal((await person.start(flow)).status, 303);
  assert.equal(rows(), before + 20, 'the oldest of one browser go');
});

test('SI19 SI47 nothing of a sign-in lies in the database or the logs as it was sent', options, async () => {
  const person = new Person('anna');
  const flow = await person.begin(await register(server));
  const begun = await person.start(flow);
  const secrets = ['state', 'nonce'].map((name) => new URL(begun.location).searchParams.get(name));
  const back = await person.there.get(corp).signIn(begun.location, 'anna');
  secrets.push(new URLSearchParams(back.split('?')[1]).get('code'));
  await person.get(back);
  secrets.push(person.cookies.get('consentgate_signin'), corp.secret);
  const dump = Buffer.concat(server.files().filter((name) => path.basename(name).startsWith('consentgate.db')).map((name) => fs.readFileSync(name))).toString('latin1');
  for (const secret of secrets) {
    assert.equal(dump.includes(secret), false, 'in the database');
    assert.equal(server.output.includes(secret), false, 'in the log');
  }
  const log = await until(() => /audit=signed_in[^\n]*/.exec(server.logs())?.[0], 'the audit line');
  assert.match(log, /subject=user:[0-9a-f]{8} /);
  for (const word of ['anna@example.org', 'Müller', 'staff']) assert.equal(server.logs().includes(word), false, word);
});

test('SI81 a person sees their sessions of all browsers, and nobody else does', options, async () => {
  const [here, there, stranger] = [new Person('anna'), new Person('anna'), new Person('ben')];
  const { token } = await letIn(there, await register(server, { client_name: 'App over there' }));
  await letIn(stranger, await register(server, { client_name: 'App of Ben' }));
  await here.get('/oauth/sessions');
  assert.equal((await here.signIn(undefined)).location, '/oauth/sessions');
  const own = await here.get('/oauth/sessions');
  assertPage(own, 200);
  assert.match(own.text, /App over there/);
  assert.doesNotMatch(own.text, /App of Ben/);
  const [, foreign] = /name="session_id" value="([^"]+)"/.exec((await stranger.get('/oauth/sessions')).text);
  await here.post('/oauth/sessions/end', { session_id: foreign });
  assert.match((await stranger.get('/oauth/sessions')).text, /App of Ben/);
  const row = own.text.slice(own.text.indexOf('App over there'));
  await here.post('/oauth/sessions/end', { session_id: /name="session_id" value="([^"]+)"/.exec(row)[1] });
  assert.equal((await postForm(server.base, '/mcp', {}, { Authorization: `Bearer ${token}` })).status, 401);
  const [, signin] = /name="signin_id" value="([^"]+)"/.exec(own.text);
  await here.post('/oauth/signin/out', { signin_id: signin });
  assert.equal((await there.begin(await register(server))).page, 'consent', 'that browser or another is signed out');
});

test('SI62 equal subjects at two providers are two people, who see nothing of each other', options, async () => {
  const names = Array.from({ length: 10 }, (_, i) => `person${i}`);
  for (const name of names) {
    corp.people[name] = { name: `${name} at corp`, email: `${name}@example.org`, email_verified: true };
    other.people[name] = { name: `${name} at other`, email: `${name}@example.org`, email_verified: true };
  }
  const everyone = names.flatMap((name) => ['corp', 'other'].map((id) => ({ name, id })));
  const found = await inLanes(8, everyone.map(({ name, id }) => async () => {
    const person = new Person(name);
    const client = await register(server, { client_name: `App of ${name} at ${id}` });
    const flow = await person.begin(client);
    const back = await person.signIn(flow, id);
    assert.equal(back.location, `/oauth/consent/mcps?flow_id=${flow.flowId}`, back.text);
    assert.match((await page2(flow)).text, new RegExp(`<bdi>${name} at ${id}</bdi>`));
    const { subject } = await whoami(server, await finish(flow));
    const own = (await person.get('/oauth/sessions')).text;
    const apps = [...own.matchAll(/App of \w+ at \w+/g)].map(([text]) => text);
    assert.deepEqual([...new Set(apps)], [`App of ${name} at ${id}`]);
    return subject;
  }));
  assert.equal(new Set(found).size, everyone.length);
});

test('SI10 SI88 people who are signed in go on while their provider is away', options, async () => {
  const person = new Person('anna');
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
