// Identity providers that hang, drip, send too much or are away, and a database that is away: it
// lets nobody in, costs no more than its share, and leaves everybody else where they were.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { postForm, send } from './support/browser.mjs';
import { assertPage } from './support/checks.mjs';
import { startFalseProvider } from './support/false_provider.mjs';
import { moveAway } from './support/faults.mjs';
import { api, inLanes, register, rpc } from './support/journey.mjs';
import { until } from './support/server.mjs';
import { finish, letIn, page1, page2, startSigninServer } from './support/signin.mjs';

const options = { timeout: 240000 };
const workers = 8;
const shared = { CONSENTGATE_FAILED_AUTHENTICATIONS_PER_MINUTE: '10000' };
let site, server, corp, odd;

before(async () => {
  site = await startSigninServer({ ...shared, CONSENTGATE_SERVICE_TIMEOUT_MS: '3000' });
  ({ server, corp } = site);
  odd = await startFalseProvider();
  const secret = path.join(server.var, 'odd.secret');
  fs.writeFileSync(secret, odd.secret, { mode: 0o600 });
  await server.admin('idp', 'add', 'odd', '--issuer', odd.issuer, '--client-id', 'consentgate', '--client-secret-file', secret, '--userinfo', 'never', '--groups-claim', 'groups');
}, options);
after(async () => { await site?.stop(); await odd?.stop(); }, options);

const refreshing = { grant_types: ['authorization_code', 'refresh_token'] };
const page2Of = (flow) => `/oauth/consent/mcps?flow_id=${flow.flowId}`;

// On the way back from the false provider, whose page asks nothing.
async function backFromOdd(person, flow) {
  const begun = await person.start(flow, 'odd');
  const back = new URL((await fetch(begun.location, { redirect: 'manual' })).headers.get('location'));
  return back.pathname + back.search;
}

// The others have to be done before the first who wait for the provider are given up.
test('SI87 SA27: of fifty people at a provider that hangs at most half of the workers wait, and the gate, tokens and the other provider go on', options, async () => {
  const one = await startSigninServer({ ...shared, CONSENTGATE_SERVICE_TIMEOUT_MS: '18000' }, { workers });
  try { await fiftyAtOnce(one); } finally { await one.stop(); }
});

async function fiftyAtOnce({ server: here, corp: hanging, person: come }) {
  const client = await register(here, refreshing);
  const ben = await letIn(come('ben'), client);
  const waiting = await inLanes(4, Array.from({ length: 50 }, () => async () => {
    const person = come('anna');
    const flow = await person.begin(client);
    return { person, flow, back: await person.wayBack(flow) };
  }));
  const other = come('anna');
  const innocent = await other.begin(client);
  const way = await other.wayBack(innocent, 'other');
  hanging.failNext('/token', 'hang', 50);
  const asked = hanging.count('/token');
  const answers = [];
  const all = Promise.all(waiting.map(async ({ person, back }) => { const answer = await person.get(back); answers.push(answer); return answer; }));
  const held = () => hanging.count('/token') - asked;
  await until(() => answers.length + held() === 50, 'each to wait at the provider, or to be sent away');
  assert.ok(held() >= 1 && held() <= workers / 2, `${held()} of ${workers} workers wait`);
  assert.equal((await other.get(way)).location, page2Of(innocent), 'the other provider');
  await finish(innocent);
  for (let at = 0; at < 20; at += 1) assert.equal((await rpc(here, ben.token, 'tools/list')).status, 200);
  const renewed = await postForm(here.base, `${api}/token`, { grant_type: 'refresh_token', refresh_token: ben.tokens.refresh_token, client_id: client.client_id });
  assert.equal(renewed.status, 200, renewed.text);
  assertPage(await page1(waiting[0].flow), 200);
  assert.equal(answers.length, 50 - held(), 'the first of them still wait');
  for (const answer of await all) {
    assertPage(answer, 503);
    assert.ok(Number(answer.headers['retry-after']) >= 1);
  }
  hanging.failing.length = 0;
  const codes = held();
  // People who found no place have used nothing up.
  const again = await inLanes(2, waiting.map(({ person, back }) => async () => (await person.get(back)).status));
  assert.equal(again.filter((status) => status === 400).length, codes, 'those whose code was sent');
  assert.equal(again.filter((status) => status === 303).length, 50 - codes, again.join(' '));
}

// Each call to a provider goes wrong in each way.
const wrongs = {
  500: [500, {}],
  html: [200, '<html>Sign in</html>', { 'Content-Type': 'text/html' }],
  elsewhere: [302, '', { Location: 'http://169.254.169.254/latest' }],
  hang: 'hang',
  drip: 'drip',
};
const calls = [['token', 'corp', '/token', [503, 400, 400, 503, 503]], ['userinfo', 'other', '/me', [503, 400, 400, 503, 503]], ['keys', 'corp', '/jwks', [503, 503, 503, 503, 503]]];
for (const [what, id, at, statuses] of calls) {
  test(`SA27 SI33: an answer of ${what} that is an error, a page, a redirect, or does not come lets nobody in, and the next one does`, options, async () => {
    const person = site.person('anna');
    const flow = await person.begin(await register(server));
    const found = [];
    for (const answer of Object.values(wrongs)) {
      if (what === 'keys') corp.rotate();
      const back = await person.wayBack(flow, id);
      if (what === 'keys') server.sql("UPDATE idp SET jwks_asked_at = NULL WHERE id = 'corp'");
      site[id].failNext(at, answer);
      const shown = await person.get(back);
      assertPage(shown, shown.status);
      found.push(shown.status);
      assert.equal(site[id].failing.length, 0, 'it was asked');
    }
    assert.deepEqual(found, statuses);
    server.sql("UPDATE idp SET jwks_asked_at = NULL WHERE id = 'corp'");
    assert.equal((await person.signIn(flow, id)).location, page2Of(flow));
  });
}

test('SA23: answers without end, bombs and endless claims are left, people with many groups are not let in by a part of them, and 200 groups count', options, async () => {
  const client = await register(server);
  const pids = server.workerPids();
  let sent = 0;
  // Sends until nobody reads any more.
  const endless = (response, head) => {
    response.writeHead(200, { 'Content-Type': 'application/json' });
    response.write(head);
    const more = Buffer.alloc(65536, ' ');
    const write = () => { while (!response.destroyed && sent < 1e9) { sent += more.length; if (!response.write(more)) { response.once('drain', write); return; } } if (!response.destroyed) response.end(); };
    response.on('error', () => {});
    write();
  };
  const at = (pathname, answer) => (url, request, response) => { if (url.pathname !== pathname) return false; answer(response); return true; };
  const groups = (count) => Array.from({ length: count }, (_, one) => `group-${one}`);
  const claimsOf = (more) => (claims) => odd.sign({ ...claims, ...more });
  const nested = (claims) => odd.sign(`${JSON.stringify(claims).slice(0, -1)},"deep":${'['.repeat(10000)}${']'.repeat(10000)}}`);
  const headers = Object.fromEntries(Array.from({ length: 3000 }, (_, one) => [`x-claim-${one}`, 'v'.repeat(100)]));
  const bomb = gzipSync(Buffer.alloc(10 << 20, ' '));
  const cases = {
    'an endless answer': { api: at('/token', (response) => endless(response, '{')) },
    'an endless answer of keys': { api: at('/jwks', (response) => endless(response, '{"keys":[')), make: (claims) => odd.sign(claims, { header: { kid: 'unheard-of' } }) },
    'a gzip bomb': { api: at('/token', (response) => response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Encoding': 'gzip' }).end(bomb)) },
    'a header for each claim': { api: at('/token', (response) => response.writeHead(200, { 'Content-Type': 'application/json', ...headers }).end('{}')) },
    'an ID token of a MiB': { make: claimsOf({ x: 'x'.repeat(1 << 20) }) },
    'a claim that is nested 10,000 times': { make: nested },
    '5000 groups': { make: claimsOf({ groups: groups(5000) }), status: 303, row: { names: null, known: 0 } },
    '200 groups': { make: claimsOf({ groups: groups(200) }), status: 303, row: { names: groups(200).sort().join('\n'), known: 1 } },
  };
  for (const [what, { api: answers, make, status, row }] of Object.entries(cases)) {
    const person = site.person('anna');
    const flow = await person.begin(client);
    const back = await backFromOdd(person, flow);
    server.sql("UPDATE idp SET jwks_asked_at = NULL WHERE id = 'odd'");
    [odd.api, odd.make, sent] = [answers, make ?? ((claims) => odd.sign(claims)), 0];
    const answer = await person.get(back);
    odd.api = undefined;
    assert.ok(sent < 32e6, `${what}: ${sent} bytes were read`);
    if (status) assert.equal(answer.status, status, `${what}: ${answer.text}`);
    else assert.ok([400, 503].includes(answer.status), `${what}: ${answer.status}`);
    if (row) assert.deepEqual(server.sql("SELECT CAST(group_names AS TEXT) AS names, groups_known AS known FROM person WHERE idp_id = 'odd'")[0], row, what);
  }
  odd.make = (claims) => odd.sign(claims);
  assert.deepEqual(server.workerPids(), pids, 'the same workers go on');
});

test('SI32: where the provider has no address for it, its end is not offered', options, async () => {
  const person = site.person('anna');
  await person.get('/oauth/sessions');
  assert.equal((await person.get(await backFromOdd(person, undefined))).location, '/oauth/sessions');
  const out = await person.post('/oauth/signin/out', {});
  const shown = await person.get(out.location);
  assertPage(shown, 200);
  assert.match(shown.text, /You are signed out here/);
  assert.doesNotMatch(shown.text, /Sign out at/);
});

test('SI88 SI23: a database that is away when the person comes back costs nothing, and one that goes while the provider is asked costs the code', options, async () => {
  const person = site.person('anna');
  const flow = await person.begin(await register(server));
  const ready = () => until(async () => (await send(server.base, 'GET', '/readyz')).status === 200, 'the store');
  const good = await person.wayBack(flow);
  const undo = moveAway(server);
  assertPage(await person.get(good), 503);
  await undo();
  await ready();
  const came = await person.get(good);
  assert.equal(came.location, page2Of(flow), came.text);

  const again = site.person('anna');
  const second = await again.begin(await register(server));
  const lost = await again.wayBack(second);
  const { handle } = corp;
  let back;
  corp.handle = (request, response) => { if (request.url === '/token') back ??= moveAway(server); return handle(request, response); };
  try {
    const answer = await again.get(lost);
    assert.ok(back, 'the provider was asked');
    assertPage(answer, 503);
    assert.doesNotMatch(`${answer.headers['set-cookie']}`, /consentgate_signin=/);
  } finally { await back?.(); corp.handle = handle; }
  await ready();
  assert.deepEqual(server.sql(`SELECT identity_kind AS kind FROM flow WHERE id = '${second.flowId}'`), [{ kind: 'none' }]);
  assertPage(await again.get(lost), 400);
  assert.equal((await again.signIn(second)).location, page2Of(second));
  assert.equal((await page2(second)).status, 200);
});

test('SI34 SA26: who begins sign-ins or sends false logout tokens too often has to wait, and people who come back from the provider do not', options, async () => {
  const one = await startSigninServer({ CONSENTGATE_AUTHORIZATIONS_PER_MINUTE: '30', CONSENTGATE_FAILED_AUTHENTICATIONS_PER_MINUTE: '20' });
  try {
    const person = one.person('anna');
    const flow = await person.begin(await register(one.server));
    const back = await person.wayBack(flow);
    const token = (user) => one.corp.sign(one.corp.logoutClaims(one.corp.clients[0].client_id, { sub: user }));
    const logOut = (logout) => postForm(one.server.base, '/oauth/signin/corp/backchannel', { logout_token: logout });
    const flood = one.person('ben');
    const theirs = await flood.begin(await register(one.server));
    const starts = await inLanes(4, Array.from({ length: 60 }, () => () => flood.start(theirs)));
    const logouts = await inLanes(4, Array.from({ length: 60 }, (_, at) => () => logOut(`${token('nobody')}${at}`)));
    for (const [answers, good] of [[starts, 303], [logouts, 400]]) {
      assert.deepEqual([...new Set(answers.map(({ status }) => status))].sort(), [good, 429].sort());
      assert.ok(answers.filter(({ status }) => status === good).length >= 15);
      for (const { status, headers } of answers) if (status === 429) assert.ok(Number(headers['retry-after']) >= 1);
    }
    assert.equal((await logOut(token('anna'))).status, 429);
    const came = await person.get(back);
    assert.equal(came.location, page2Of(flow), came.text);
  } finally { await one.stop(); }
});
