// Answers of an identity provider: those that belong to nothing, that are not believed, that come
// late or not at all; and what a sign-in leaves behind.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Browser, query, send } from './support/browser.mjs';
import { assertPage } from './support/checks.mjs';
import { inLanes, post, register } from './support/journey.mjs';
import { until } from './support/server.mjs';
import { page1, startSigninServer } from './support/signin.mjs';

const options = { timeout: 240000 };
let site, server, corp, other;

before(async () => { site = await startSigninServer({ CONSENTGATE_SERVICE_TIMEOUT_MS: '5000', CONSENTGATE_FAILED_AUTHENTICATIONS_PER_MINUTE: '200' }); ({ server, corp, other } = site); }, options);
after(() => site?.stop(), options);

test('SI22 SI33 SA1 SA15 SA16 SA22: an answer that belongs to nothing asks the provider nothing, and spends nothing', options, async () => {
  const person = site.person('anna');
  const stranger = site.person('ben');
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
  assert.match((await new Browser(server.base, server.issuer).get(good)).text, /This page needs a cookie/);
  const lured = await person.get(`${good}&flow_id=${'A'.repeat(22)}&redirect=//evil.example&return_to=https://evil.example`, { 'X-Forwarded-Host': 'evil.example' });
  assert.equal(lured.location, `/oauth/consent/mcps?flow_id=${flow.flowId}`, lured.text);
  const again = await person.get(good);
  assert.equal(again.status, 400, 'the state is spent');
  assert.equal(corp.count('/token'), redemptions - other.count('/token') + 1);
});

test('SI22 SA22: of twenty answers at the same moment one goes on', options, async () => {
  const person = site.person('anna');
  const flow = await person.begin(await register(server));
  const good = await person.wayBack(flow);
  const redemptions = corp.count('/token');
  const answers = await inLanes(20, Array.from({ length: 20 }, () => () => send(server.base, 'GET', good, { headers: person.headers({}) })));
  assert.equal(answers.filter(({ status }) => status === 303).length, 1);
  for (const { status } of answers) assert.ok([303, 400, 503].includes(status), String(status));
  assert.equal(corp.count('/token'), redemptions + 1);
});

test('SA7 SA8: a code of another sign-in is not believed, and the own one still works', options, async () => {
  const [victim, attacker] = [site.person('anna'), site.person('ben')];
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

test('SI33 SA27: what goes wrong at the provider has words of its own, and leaves the flow usable', options, async () => {
  const person = site.person('anna');
  const flow = await person.begin(await register(server));
  const no = await person.get(await person.wayBack(flow, 'corp', 'anna', { deny: true }));
  assert.equal(no.location, `/oauth/consent?flow_id=${flow.flowId}&error=signin_denied&idp=corp`);
  const shown = await person.get(no.location);
  assertPage(shown, 200);
  assert.match(shown.text, /You said no at Example Corp/);
  assert.doesNotMatch(shown.text, /The person said no/, 'the words of the provider');
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

test('SI14: what was begun before the provider was changed begins again', options, async () => {
  const person = site.person('anna');
  const flow = await person.begin(await register(server));
  const good = await person.wayBack(flow);
  await server.admin('idp', 'set', 'corp', '--title', 'Example Corp');
  assertPage(await person.get(good), 400);
  assert.equal((await person.signIn(flow)).location, `/oauth/consent/mcps?flow_id=${flow.flowId}`);
});

test('SI43: keys that the provider changed meanwhile are fetched once', options, async () => {
  const person = site.person('anna');
  const flow = await person.begin(await register(server));
  corp.rotate();
  const fetched = corp.count('/jwks');
  assert.equal((await person.signIn(flow)).location, `/oauth/consent/mcps?flow_id=${flow.flowId}`);
  assert.equal(corp.count('/jwks'), fetched + 1);
});

test('SI19 SI47: nothing of a sign-in lies in the database or the logs as it was sent', options, async () => {
  const person = site.person('anna');
  const flow = await person.begin(await register(server));
  const begun = await person.start(flow);
  const secrets = ['state', 'nonce'].map((name) => new URL(begun.location).searchParams.get(name));
  const back = await person.there.corp.signIn(begun.location, 'anna');
  secrets.push(new URLSearchParams(back.split('?')[1]).get('code'));
  await person.get(back);
  secrets.push(person.cookies.get('consentgate_signin'), corp.secret);
  const dump = Buffer.concat(server.files().filter((name) => path.basename(name).startsWith('consentgate.db')).map((name) => fs.readFileSync(name))).toString('latin1');
  for (const secret of secrets) {
    assert.equal(dump.includes(secret), false, 'in the database');
    assert.equal(server.output.includes(secret), false, 'in the log');
  }
  const log = await until(() => /what=signed_in[^\n]*/.exec(server.logs())?.[0], 'the audit line');
  assert.match(log, /subject=user:[0-9a-f]{8} /);
  for (const word of ['anna@example.org', 'Müller', 'staff']) assert.equal(server.logs().includes(word), false, word);
});

test("SI16 SI47: of an error that Microsoft sends along with the person only the number reaches the log", options, async () => {
  const person = site.person('anna');
  for (const [error, words] of [['server_error', "AADSTS50105: Your administrator has not assigned 'zoe@example.org'. Trace ID: 7f3c"], ['access_denied', 'no number, and zoe@example.org']]) {
    const begun = await person.start(await person.begin(await register(server)));
    const state = new URL(begun.location).searchParams.get('state');
    await person.get(query('/oauth/signin/corp/callback', { error, error_description: words, state, iss: corp.issuer }));
  }
  await until(() => /outcome=failed reason="?the provider answered server_error, AADSTS50105"?$/m.test(server.logs()), 'the number in the log');
  await until(() => /outcome=denied reason="?the provider answered access_denied"?$/m.test(server.logs()), 'the word in the log');
  for (const word of ['zoe@', 'administrator', '7f3c']) assert.equal(server.logs().includes(word), false, word);
});

test('SI30: a late answer still signs the browser in', options, async () => {
  const person = site.person('anna');
  const client = await register(server);
  const flow = await person.begin(client);
  const good = await person.wayBack(flow);
  await post(flow, 'deny', { from: 'identity' });
  const late = await person.get(good);
  assertPage(late, 200);
  assert.match(late.text, /This sign-in took too long/);
  assert.equal((await person.begin(client)).page, 'consent/mcps');
});

test('SI18: a browser that looks ahead begins nothing', options, async () => {
  const person = site.person('anna');
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

test('SI34: who tries answers has to wait after too many of them', options, async () => {
  const person = site.person('anna');
  const flow = await person.begin(await register(server));
  const good = await person.wayBack(flow);
  const attempts = await inLanes(8, Array.from({ length: 230 }, (_, at) => () => person.get(query('/oauth/signin/corp/callback', { state: String(at).padStart(43, 'A'), code: 'x' }))));
  assert.deepEqual([...new Set(attempts.map(({ status }) => status))].sort(), [400, 429]);
  assert.equal((await person.get(good)).status, 429);
  assert.ok(attempts.find(({ status }) => status === 429).headers['retry-after']);
});
