// Attacks with codes, tokens, cookies and doubled parameters: each fails, and the honest request
// beside it does not.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Browser, form, postForm, query, send } from './support/browser.mjs';
import { assertGatewayError, assertNoRedirect, assertOauthError, challengeOf } from './support/checks.mjs';
import { endAccessTokens, revoke } from './support/app.mjs';
import { api, authorize, authorizeParameters, codeFor, https, journey, loopback, pkce, post, redeem, register, rpc, startFlow, submit, tokenParameters, whoami } from './support/journey.mjs';
import { refusesToStart, startServer } from './support/server.mjs';

const asProgram = { Accept: 'application/json' };
const refreshing = { grant_types: ['authorization_code', 'refresh_token'] };
let server;
before(async () => { server = await startServer(); }, { timeout: 240000 });
after(async () => { await server?.stop(); }, { timeout: 120000 });

test('K3: an error that comes by redirect names its issuer as much as a success does, and nobody else\'s', async () => {
  const flow = await startFlow(server);
  const denied = await post(flow, 'deny', { iss: 'https://evil.test' });
  const failed = (await authorize(server, new Browser(server.base), flow.client, { scope: 'un"known', iss: 'https://evil.test' })).answer;
  const done = (await codeFor(server, { client: flow.client, more: { iss: 'https://evil.test' } })).submitted;
  assert.deepEqual([denied, failed, done].map((answer) => answer.sent().getAll('iss')), [[server.issuer], [server.issuer], [server.issuer]]);
});

test('K4 K6: a code that an attacker puts into another person\'s sign-in is refused there and still good where it belongs', async () => {
  const client = await register(server);
  const [mine, theirs] = [await codeFor(server, { client }), await codeFor(server, { client })];
  assertOauthError(await redeem(server, mine, theirs.code), 400, 'invalid_grant');
  assertOauthError(await redeem(server, theirs, mine.code), 400, 'invalid_grant');
  for (const flow of [mine, theirs]) {
    assert.equal(flow.submitted.sent().get('state'), flow.parameters.state);
    assert.equal((await redeem(server, flow, flow.code)).status, 200);
  }
});

test('K9: a stolen access token is over with its lifetime or its revocation, and says nothing that would lengthen it', async () => {
  const client = await register(server, refreshing);
  const [expired, revoked, live] = [await journey(server, { client: await register(server, refreshing) }), await journey(server, { client }), await journey(server, { client })];
  endAccessTokens(server, expired.client.client_id);
  await revoke(server, client.client_id, revoked.token);
  for (const { token } of [expired, revoked]) {
    const answer = await rpc(server, token, 'tools/list');
    assert.deepEqual([answer.status, challengeOf(answer).error], [401, 'invalid_token']);
    assertOauthError(await postForm(server.base, `${api}/token`, { grant_type: 'refresh_token', client_id: client.client_id, refresh_token: token }), 400, 'invalid_grant');
    assertOauthError(await postForm(server.base, `${api}/token`, { grant_type: 'authorization_code', client_id: client.client_id, code: token, code_verifier: pkce().verifier }), 400, 'invalid_grant');
  }
  assert.equal((await rpc(server, live.token, 'tools/list')).status, 200);
});

// Returns everything of an answer but its time and its event id.
const visible = ({ status, headers, text }) => [status, headers['content-type'], headers['cache-control'], headers['www-authenticate'], text];
const middle = (numbers) => [...numbers].sort((a, b) => a - b)[numbers.length >> 1];

test('K39: a guess learns nothing from the words of a refusal', async () => {
  const flow = await codeFor(server);
  const spent = await codeFor(server, { client: flow.client });
  assert.equal((await redeem(server, spent, spent.code)).status, 200);
  const nearly = flow.code.slice(0, -2) + (flow.code.endsWith('AA') ? 'BB' : 'AA');
  const [unknown, near, other] = [await redeem(server, flow, 'A'.repeat(43)), await redeem(server, flow, nearly), await redeem(server, { ...flow, client: await register(server) }, flow.code)];
  assert.deepEqual(visible(near), visible(unknown));
  assert.deepEqual(visible(other), visible(unknown), 'the answer does not show whether a stranger\'s code exists');
  const strange = await codeFor(server);
  await server.admin('client', 'disable', strange.client.client_id);
  assert.deepEqual(visible(await redeem(server, strange, strange.code)), visible(await redeem(server, { ...flow, client: { client_id: 'cgc_'.padEnd(26, 'A') } }, flow.code)), 'a disabled client and one that never was');
  assert.equal((await redeem(server, flow, flow.code)).status, 200);
});

test('K39: a token that is right but for its last sign is refused in the time of one that is all wrong', async () => {
  const { token } = await journey(server);
  const near = token.slice(0, -2) + (token.endsWith('AA') ? 'BB' : 'AA');
  const far = 'cgs_'.padEnd(token.length, 'z');
  const taken = { [near]: [], [far]: [] };
  for (let round = 0; round < 120; round += 1) {
    for (const guess of round % 2 ? [near, far] : [far, near]) {
      const begin = process.hrtime.bigint();
      assert.equal((await rpc(server, guess, 'tools/list')).status, 401);
      taken[guess].push(Number(process.hrtime.bigint() - begin) / 1e6);
    }
  }
  // A lookup by digest has no early end; one that compared sign by sign would still be far below
  // this. It is for gross mistakes.
  assert.ok(Math.abs(middle(taken[near]) - middle(taken[far])) < Math.max(1, middle(taken[far]) / 2), `${middle(taken[near])} and ${middle(taken[far])} ms`);
  assert.equal((await rpc(server, token, 'tools/list')).status, 200);
});

test('K44: a browser secret or a flow that an attacker plants finishes nothing in the victim\'s browser, whose own flow goes on', async () => {
  const attacker = await startFlow(server);
  const victim = await startFlow(server, { client: attacker.client });
  const name = 'consentgate_browser';
  const secret = (flow) => flow.browser.cookies.get(name);
  const asked = (flow, cookie) => postForm(server.base, `${api}/consent/submit`, { flow_id: flow.flowId }, { ...asProgram, Origin: server.issuer, Cookie: cookie });
  for (const cookie of [`${name}=${secret(victim)}; ${name}=${secret(attacker)}`, `${name}=${secret(attacker)}; ${name}=${secret(victim)}`]) {
    for (const flow of [attacker, victim]) assertGatewayError(await asked(flow, cookie), 403, 'browser_mismatch');
  }
  assertGatewayError(await asked(attacker, `${name}=${secret(victim)}`), 403, 'browser_mismatch');
  for (const headers of [{ Origin: 'https://evil.test' }, { Origin: 'null' }, { Origin: server.issuer, 'Sec-Fetch-Site': 'cross-site' }]) {
    assertGatewayError(await submit(victim, { ...asProgram, ...headers }), 403, 'browser_mismatch');
  }
  assert.equal((await submit(victim)).status, 302);
});

test('K45: an MCP session id or any other handle from someone else opens and changes nothing', async () => {
  const [ada, bob] = [await journey(server, { identity: { userId: 'ada' } }), await journey(server, { identity: { userId: 'bob' } })];
  const row = server.sql(`SELECT id, flow_id FROM session WHERE flow_id = '${ada.flowId}'`)[0];
  const call = (token, handle) => rpc(server, token, 'tools/call', { name: 'whoami', arguments: {} }, { 'Mcp-Session-Id': handle });
  for (const handle of [row.id, row.flow_id, ada.token, ada.code]) {
    assert.equal((await call(undefined, handle)).status, 401);
    assert.equal((await rpc(server, handle.replace(ada.token, 'x'), 'tools/list')).status, 401, 'a handle is no token');
    assert.equal((await call(bob.token, handle)).json().result.structuredContent.identity, 'bob');
  }
  assert.equal((await whoami(server, ada.token)).identity, 'ada');
});

test('K46: a parameter that is given twice, in whatever spelling, is not read as one of the two', async () => {
  const client = await register(server, { redirect_uris: [https] });
  const flow = await startFlow(server, { client });
  const good = form(authorizeParameters(server, client, pkce()));
  const evil = encodeURIComponent('https://evil.test/');
  for (const extra of [`redirect_uri=${evil}`, `%72edirect_uri=${evil}`, `redirect%5Furi=${evil}`, 'client_id=other', 'client%5fid=other']) {
    for (const asked of [`${good}&${extra}`, `${extra}&${good}`]) {
      const answer = await new Browser(server.base).get(`${api}/authorize?${asked}`);
      assertNoRedirect(answer);
      assert.ok(!answer.text.includes('evil.test'), answer.text);
    }
  }
  // A parser that only looks for the name would see a second one: it is part of a value, or another
  // name.
  for (const extra of [`redirect_uri[]=${evil}`, `Redirect_URI=${evil}`, `x=1;redirect_uri=${evil}`, `redirect_uri%00=${evil}`]) {
    const answer = await new Browser(server.base).get(`${api}/authorize?${good}&${extra}`);
    assert.ok(!(answer.location ?? '').includes('evil') && answer.status < 500, answer.location);
  }
  for (const extra of [`&flow_id=${flow.flowId}`, `&flow%5Fid=${'A'.repeat(22)}`]) assertGatewayError(await flow.browser.post(`${api}/consent/submit`, `flow_id=${flow.flowId}${extra}`, asProgram), 400, 'invalid_flow');
  const code = (await submit(flow)).sent().get('code');
  const asked = form(tokenParameters(flow, code));
  for (const extra of [`code=${code}`, `client_id=${client.client_id}`, 'c%6fde=x', `code_verifier=${flow.proof.verifier}`, 'grant_type=refresh_token']) assertOauthError(await postForm(server.base, `${api}/token`, `${asked}&${extra}`), 400, 'invalid_request');
  assert.equal((await postForm(server.base, `${api}/token?code=x&grant_type=password&client_id=y`, asked)).status, 200, 'what stands in the address is not read');
});

test('K47: a token or code in an address is of no use there and is not written down', async () => {
  const done = await journey(server, { client: await register(server, refreshing) });
  const fresh = await codeFor(server);
  for (const name of ['access_token', 'token', 'bearer', 'authorization']) {
    assert.equal((await send(server.base, 'POST', query('/mcp', { [name]: done.token }), { headers: { 'Content-Type': 'application/json' }, body: '{"jsonrpc":"2.0","id":1,"method":"tools/list"}' })).status, 401);
  }
  assertOauthError(await postForm(server.base, query(`${api}/token`, tokenParameters(fresh, fresh.code)), {}), 400, 'invalid_request');
  assertOauthError(await postForm(server.base, query(`${api}/revoke`, { client_id: done.client.client_id, token: done.token }), {}), [400, 401], ['invalid_request', 'invalid_client']);
  await send(server.base, 'GET', query('/oauth/consent', { flow_id: fresh.flowId, code: fresh.code, token: done.token }), { headers: { Referer: `${loopback}?code=${fresh.code}`, 'User-Agent': done.token } });
  const logs = server.logs();
  for (const secret of [done.token, done.answer.json().refresh_token, done.code, fresh.code, fresh.proof.verifier]) assert.ok(!logs.includes(secret));
  assert.ok(logs.includes('event=request'), 'the requests themselves are there');
  assert.equal((await rpc(server, done.token, 'tools/list')).status, 200);
  assert.equal((await redeem(server, fresh, fresh.code)).status, 200);
});

test('K50: every address we publish can be given to a browser or a shell without harm, and an issuer that could not stops the start', { timeout: 240000 }, async () => {
  const documents = ['/.well-known/oauth-authorization-server', '/.well-known/oauth-protected-resource/mcp'].map(async (target) => (await send(server.base, 'GET', target)).json());
  const values = (await Promise.all(documents)).flatMap(({ resource_name: name, ...document }) => { // a name is for people's eyes
    if (name !== undefined) assert.equal(name, new URL(server.resource).host + new URL(server.resource).pathname);
    return Object.values(document).flat();
  }).filter((value) => typeof value === 'string' && value.includes(':') && !value.startsWith('urn:ietf:'));
  values.push(challengeOf(await rpc(server, undefined, 'tools/list')).resource_metadata);
  assert.ok(values.length >= 7, values.join());
  for (const value of values) {
    assert.match(value, /^https?:\/\/[A-Za-z0-9.:/_-]+$/);
    assert.equal(new URL(value).origin, server.base);
  }
  for (const issuer of ['javascript:alert(1)', 'https://user:pw@a.example', 'http://a.example', 'https://a.example/`id`']) {
    assert.match(await refusesToStart({ CONSENTGATE_ISSUER: issuer }), /issuer/, issuer);
  }
});
