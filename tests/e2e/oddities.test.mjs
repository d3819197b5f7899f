// Services answer oddly, as real ones do, to one person while 49 others are connected there: the
// state of each account after it, and what the person is shown.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startAccounts } from './support/accounts.mjs';
import { assertOauthError } from './support/checks.mjs';
import { choose, finish, inLanes, startFlow } from './support/journey.mjs';
import { makeAuthority, startProvider } from './support/upstreams.mjs';

const long = { timeout: 180000 };
const html = '<html><h1>Attention Required!</h1></html>';
const page = { 'Content-Type': 'text/html' };
const authority = makeAuthority();
let accounts;
let server;
let company;
let identity; // of the person
let person; // their session token
let others; // the session tokens of the 49
let turn = 0;

before(async () => {
  accounts = await startAccounts(['company'], { workers: 8, authority });
  ({ server } = accounts);
  ({ company } = accounts.providers);
  identity = { virtualKey: (await server.addKey('Anna')).virtual_key };
  person = await accounts.signedIn({ company: 'anna' }, { identity });
  others = await inLanes(4, Array.from({ length: 49 }, (_, at) => () => accounts.signedIn({ company: `other-${at}` })));
}, { timeout: 240000 });
after(async () => { await accounts?.stop(); }, long);

const exchange = (token, name = 'company') => accounts.exchange(token, name);
const states = () => server.sql("SELECT CASE WHEN broken_at IS NOT NULL THEN 'needs person' WHEN retry_at > unixepoch() THEN 'resting' ELSE 'connected' END AS state, "
  + "owner LIKE 'key:%' AS person FROM upstream_token WHERE service_id = 'company' AND ended_at IS NULL");
const stateOfPerson = () => states().find((row) => row.person).state;
// All tokens are over, no account rests, and none was used lately, so idle workers refresh none.
const allOver = () => server.sql('UPDATE upstream_token SET updated_at = unixepoch() - 3600, expires_at = unixepoch() - 1, retry_at = NULL, last_used_at = NULL WHERE ended_at IS NULL');
const registrations = () => company.calls.registration;

// The page on which the person would connect, and whether it says that they need not.
async function pageOfPerson() {
  const flow = await startFlow(server, { client: accounts.client });
  await choose(flow, identity);
  const { text } = await flow.browser.get(`/oauth/consent/mcps?flow_id=${flow.flowId}`);
  return { flow, connected: /class="connected"/.test(text), waits: /class="waiting"/.test(text) };
}

// The 49 others lost nothing, and the next of them,
// who asks now, gets a token.
async function othersGoOn() {
  const rows = states().filter((row) => !row.person);
  assert.deepEqual(rows.filter((row) => row.state !== 'connected'), []);
  assert.equal(rows.length, 49);
  const at = turn % 49;
  turn += 1;
  assert.equal(await accounts.holder(others[at], 'company'), `other-${at}`);
}

async function playToPerson(oddity, times = 1) {
  company.failNext(oddity, times);
  let answer;
  for (let time = 0; time < times; time += 1) {
    allOver();
    answer = await exchange(person);
  }
  return answer;
}

async function reconnect() {
  const { flow } = await pageOfPerson();
  assert.equal((await accounts.connect(flow, 'company', 'anna')).status, 302);
  person = await finish(server, flow);
}

for (const [what, oddity] of [
  ['a page of a firewall with 401', [401, html, page]],
  ['a bare 401', [401, '', {}]],
  ['a gateway\'s 401 in JSON', [401, { message: 'Unauthorized' }]],
  ['a 401 with a word that is not of OAuth', [401, { error: 'Unauthorized', path: '/token' }]],
  ['a page of a firewall with 403', [403, html, page]],
  ['a gateway\'s 403 in JSON', [403, { message: 'Forbidden' }]],
  ['408', [408, '']],
  ['425', [425, '']],
  ['429 with a page', [429, html, page]],
  ['a 500 with a word', [500, { error: 'oops' }]],
  ['invalid_client from a gateway that is out of order', [503, { error: 'invalid_client' }]],
  ['one invalid_client', [401, { error: 'invalid_client' }]],
  ['404', [404, html, page]],
  ['a sign-in page with 200', [200, html, page]],
  ['an empty 200', [200, '']],
  ['Slack\'s ratelimited with 200', [200, { ok: false, error: 'ratelimited' }]],
]) {
  test(`XC5: ${what} costs one person a pause, and 49 others nothing`, long, async () => {
    const before = registrations();
    const answer = await playToPerson(oddity);
    assertOauthError(answer, 503, 'temporarily_unavailable');
    assert.ok(Number(answer.headers['retry-after']) >= 1);
    assert.equal(stateOfPerson(), 'resting');
    assert.ok((await pageOfPerson()).waits);
    await othersGoOn();
    allOver(); // the pause is over
    assert.equal(await accounts.holder(person, 'company'), 'anna');
    assert.equal(stateOfPerson(), 'connected');
    assert.equal(registrations(), before);
  });
}

for (const [what, oddity] of [
  ['invalid_grant with 401', [401, { error: 'invalid_grant' }]],
  ['Slack\'s invalid_refresh_token with 200', [200, { ok: false, error: 'invalid_refresh_token' }]],
  ['Slack\'s token_revoked with 200', [200, { ok: false, error: 'token_revoked' }]],
  ['HubSpot\'s BAD_REFRESH_TOKEN', [400, { status: 'BAD_REFRESH_TOKEN', message: 'unknown' }]],
  ['GitHub\'s bad_refresh_token with 200', [200, { error: 'bad_refresh_token' }]],
  ['Microsoft\'s interaction_required', [400, { error: 'interaction_required' }]],
  ['a 400 without a body', [400, '', {}]],
]) {
  test(`XC6: ${what} is a refusal: the person connects again, and 49 others notice nothing`, long, async () => {
    assertOauthError(await playToPerson(oddity), 400, 'interaction_required');
    assert.equal(stateOfPerson(), 'needs person');
    assert.ok(!(await pageOfPerson()).connected);
    await othersGoOn();
    await reconnect();
    assert.equal(await accounts.holder(person, 'company'), 'anna');
    assert.equal(stateOfPerson(), 'connected');
  });
}

for (const [what, oddity] of [
  ['a word of its own', [400, { error: 'no_such_token_any_more' }]],
  ['a message without a word', [422, { message: 'Unprocessable' }]],
  ['Atlassian\'s unauthorized_client', [403, { error: 'unauthorized_client', error_description: 'refresh_token is invalid' }]],
  ['a page with 400', [400, html, page]],
]) {
  test(`XC6: ${what} is believed at the fifth time and not before`, long, async () => {
    for (let time = 1; time < 5; time += 1) {
      assertOauthError(await playToPerson(oddity), 503, 'temporarily_unavailable');
      assert.equal(stateOfPerson(), 'resting');
    }
    await othersGoOn();
    assertOauthError(await playToPerson(oddity), 400, 'interaction_required');
    assert.equal(stateOfPerson(), 'needs person');
    assert.ok(!(await pageOfPerson()).connected);
    await othersGoOn();
    await reconnect();
    assert.equal(await accounts.holder(person, 'company'), 'anna');
  });
}

for (const [what, change, how] of [
  ['with 201', (body) => body, { status: 201 }],
  ['after a byte order mark', (body) => `\uFEFF${JSON.stringify(body)}`],
  ['beside error: null', (body) => ({ ...body, error: null })],
  ['beside error: 0', (body) => ({ ...body, error: 0 })],
  ['beside an empty error', (body) => ({ ...body, error: '' })],
  ['of the type "bot"', (body) => ({ ...body, token_type: 'bot' })],
  ['without a type', ({ token_type: dropped, ...body }) => body],
  ['with a list of scopes', (body) => ({ ...body, scope: body.scope.split(' ') })],
  ['as text/html', (body) => body, { type: 'text/html' }],
  ['as a form', (body) => new URLSearchParams(body).toString(), { type: 'application/x-www-form-urlencoded' }],
  ['with a life in words', (body) => ({ ...body, expires_in: 'an hour' })],
]) {
  test(`XC11: a token ${what} is a token, and its refresh token the next`, long, async () => {
    for (const alter of [change, (body) => body]) {
      company.alterNext(alter, alter === change ? how : undefined);
      allOver();
      assert.equal(await accounts.holder(person, 'company'), 'anna');
    }
    await othersGoOn();
  });
}

test('XC11: a rotated refresh token is kept although its access token cannot be used', long, async () => {
  company.alterNext((body) => ({ ...body, access_token: 'two words' }));
  allOver();
  assertOauthError(await exchange(person), 503, 'temporarily_unavailable');
  assert.equal(stateOfPerson(), 'resting');
  allOver();
  assert.equal(await accounts.holder(person, 'company'), 'anna'); // the one before would have ended all
});

test('XC7: a token whose life nobody says is refreshed after an hour, also when the service says 0', long, async () => {
  for (const change of [({ expires_in: dropped, ...body }) => body, (body) => ({ ...body, expires_in: 0 })]) {
    company.alterNext(change);
    allOver();
    const answer = (await exchange(person)).json();
    assert.equal(answer.expires_in, undefined);
    const before = company.calls.token.refresh_token;
    assert.equal((await exchange(person)).json().access_token, answer.access_token);
    assert.equal(company.calls.token.refresh_token, before);
    server.sql("UPDATE upstream_token SET updated_at = unixepoch() - 3601 WHERE owner LIKE 'key:%'");
    company.failNext(503);
    assert.equal((await exchange(person)).json().access_token, answer.access_token); // nobody knows that it is over
    server.sql("UPDATE upstream_token SET retry_at = NULL WHERE owner LIKE 'key:%'");
    assert.notEqual((await exchange(person)).json().access_token, answer.access_token);
    assert.equal(await accounts.holder(person, 'company'), 'anna');
  }
});

// A service of its own, beside the one of all.
async function withService(name, options, use, ...words) {
  const provider = await startProvider({ authority, ...options });
  accounts.providers[name] = provider;
  try {
    await server.admin('service', 'add', name, '--url', provider.mcpUrl, ...words);
    await server.admin('resource', 'set', server.resource, '--service', 'company', '--service', name);
    await use(provider);
  } finally {
    await provider.stop();
    delete accounts.providers[name];
  }
}

test('XC10: a service that refuses `resource` is asked without it, and is not sent it again', long, async () => {
  await withService('plain', { resource: false }, async (plain) => {
    plain.failNext([400, { error: 'invalid_target' }]);
    const token = await accounts.signedIn({ plain: 'anna' });
    assert.equal(await accounts.holder(token, 'plain'), 'anna');
    allOver();
    assert.equal(await accounts.holder(token, 'plain'), 'anna');
    assert.deepEqual(plain.named, [undefined, undefined]);
    assert.match(server.logs(), /event=upstream_resource_refused .*service=plain/);
  });
});

test('XC5: a client that an operator was given is never given up, however often the service refuses it', long, async () => {
  const redirect = `${server.issuer}/api/oauth/callback/given`;
  const clients = [{ client_id: 'ours', token_endpoint_auth_method: 'none', grant_types: ['authorization_code', 'refresh_token'], redirect_uris: [redirect],
    application_type: 'native' }];
  await withService('given', { clients, registration: false }, async (given) => {
    const token = await accounts.signedIn({ given: 'anna' });
    for (let time = 0; time < 7; time += 1) {
      given.failNext('invalid_client');
      allOver();
      assertOauthError(await exchange(token, 'given'), 503, 'temporarily_unavailable');
    }
    assert.match(server.logs(), /event=upstream_client_refused .*service=given step=operator/);
    allOver();
    assert.equal(await accounts.holder(token, 'given'), 'anna');
  }, '--client-id', 'ours');
});

test('XC11: what a document says oddly beside what is needed does not keep a service out', long, async () => {
  const document = { revocation_endpoint: '', registration_endpoint: '/register', scopes_supported: 'all', code_challenge_methods_supported: null, grant_types_supported: [] };
  await withService('odd', { document }, async () => {
    const shown = await server.admin('service', 'show', 'odd', '--json');
    assert.equal(shown.revocation_endpoint ?? '', '');
  }, '--client-id', 'ours');
});

test('XC11: a service whose address answers with a stream that does not end can be added', long, async () => {
  await withService('streaming', { streams: true }, async () => {
    assert.ok((await server.admin('service', 'show', 'streaming', '--json')).client_id);
  });
});

test('XC5 XC6: at the end all 49 others have their accounts as before', long, async () => {
  allOver();
  assert.deepEqual(await inLanes(2, others.map((token) => () => accounts.holder(token, 'company'))), others.map((_, at) => `other-${at}`));
});
