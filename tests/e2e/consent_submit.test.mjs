// Finalizing a consent: every status of the submit endpoint, and what expires.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Browser, postForm, send } from './support/browser.mjs';
import { assertGatewayError, assertOauthError, assertPage, assertPrivate } from './support/checks.mjs';
import { api, choose, codeFor, connect, https, journey, loopback, post, redeem, register, rpc, scheme, startFlow, submit, whoami } from './support/journey.mjs';
import { sleep, startServer, until } from './support/server.mjs';
import { signIn, startProvider } from './support/upstreams.mjs';

const asProgram = { Accept: 'application/json' };
const target = `${api}/consent/submit`;
let provider; // where people have the accounts that they connect
let server;
let strict; // an identity must be chosen
let brief; // flows, codes and sessions of four seconds

before(async () => {
  provider = await startProvider();
  server = await startServer({ env: { CONSENTGATE_SERVICE_CA: provider.ca } });
  for (const name of ['notes', 'vault-notes', 'diary']) await server.admin('service', 'add', name, '--url', provider.mcpUrl);
  strict = await startServer({ env: { CONSENTGATE_ENFORCE_AUTH_ON_INFERENCE: 'true' } });
  brief = await startServer({ env: { CONSENTGATE_FLOW_LIFETIME_SECONDS: '4', CONSENTGATE_CODE_LIFETIME_SECONDS: '4', CONSENTGATE_SESSION_LIFETIME_SECONDS: '4' } });
}, { timeout: 240000 });
after(async () => { await brief?.stop(); await strict?.stop(); await server?.stop(); await provider?.stop(); }, { timeout: 120000 });

for (const uri of [loopback, https, scheme]) {
  test(`S2: submit answers 302 to ${uri} with code, state and iss, empty and private`, async () => {
    const flow = await codeFor(server, { client: await register(server, { redirect_uris: [uri] }) });
    const answer = flow.submitted;
    assert.equal(answer.status, 302);
    assert.equal(answer.location.split('?')[0], uri);
    assert.deepEqual([...answer.sent().keys()].sort(), ['code', 'iss', 'state']);
    assert.match(flow.code, /^[A-Za-z0-9_-]{43}$/);
    assert.deepEqual([answer.sent().get('state'), answer.sent().get('iss')], ['a state', server.issuer]);
    assert.equal(answer.text, '');
    assertPrivate(answer, 'the redirect');
  });
}

test('S2: a flow whose identity was never chosen counts as skipped', async () => {
  const flow = await startFlow(server);
  const answer = await submit(flow);
  const { access_token: token } = (await redeem(server, flow, answer.sent().get('code'))).json();
  assert.equal((await whoami(server, token)).identity_kind, 'skipped');
});

test('S2: where an identity is demanded, submit without one leads back to page 1 and the flow lives on', async () => {
  const flow = await startFlow(strict);
  const answer = await submit(flow);
  assert.deepEqual([answer.status, answer.location], [302, `/oauth/consent?flow_id=${flow.flowId}&error=identity_required`]);
  assertPrivate(answer, 'the way back');
  await choose(flow, { userId: 'ada' });
  assert.ok((await submit(flow)).sent().get('code'));
});

test('S2: a missing flow_id is 400 missing_flow_id, for a program and on a page', async () => {
  const browser = new Browser(server.base);
  for (const body of ['', 'flow_id=', 'flowid=x', 'x']) assertGatewayError(await browser.post(target, body, asProgram), 400, 'missing_flow_id');
  assertPage(await browser.post(target, ''), 400);
});

test('S2: a repeated, malformed or unknown flow_id is 400 invalid_flow and leaves the real flow alone', async () => {
  const flow = await startFlow(server);
  const bad = [[['flow_id', flow.flowId], ['flow_id', flow.flowId]], [['flow_id', flow.flowId], ['flow_id', 'x']], { flow_id: `${flow.flowId}x` }, { flow_id: flow.flowId.slice(1) }, { flow_id: 'A'.repeat(22) },
    { flow_id: "' OR 1=1 --" }, { flow_id: '../../x' }, { flow_id: `${flow.flowId}\u0000` }, { flow_id: ` ${flow.flowId}` }, { flow_id: 'é'.repeat(11) }];
  for (const pairs of bad) assertGatewayError(await flow.browser.post(target, pairs, asProgram), 400, ['invalid_flow', 'missing_flow_id', 'invalid_request']);
  assert.equal((await submit(flow)).status, 302);
});

test('S2: the flow_id counts in the body only, not in the address', async () => {
  const flow = await startFlow(server);
  assertGatewayError(await flow.browser.post(`${target}?flow_id=${flow.flowId}`, '', asProgram), 400, 'missing_flow_id');
  assert.equal((await submit(flow)).status, 302);
});

test('S2: any other content type is 400 and leaves the flow alone', async () => {
  const flow = await startFlow(server);
  const types = [['application/json', JSON.stringify({ flow_id: flow.flowId })], ['text/plain', `flow_id=${flow.flowId}`], ['multipart/form-data; boundary=x', `--x\r\nContent-Disposition: form-data; name="flow_id"\r\n\r\n${flow.flowId}\r\n--x--\r\n`], ['', `flow_id=${flow.flowId}`], ['application/x-www-form-urlencodedx', `flow_id=${flow.flowId}`]];
  for (const [type, body] of types) {
    const answer = await send(server.base, 'POST', target, { headers: flow.browser.headers({ ...asProgram, Origin: server.base, 'Content-Type': type }), body });
    assertGatewayError(answer, 400, ['missing_flow_id', 'invalid_flow', 'unsupported_media_type', 'invalid_request']);
  }
  const answer = await send(server.base, 'POST', target, { headers: flow.browser.headers({ Origin: server.base, 'Content-Type': 'Application/X-WWW-Form-Urlencoded; Charset=UTF-8' }), body: `flow_id=${flow.flowId}` });
  assert.equal(answer.status, 302, answer.text);
});

test('S2: a body over 64 KiB is 413 and leaves the flow alone, and one just under it is read', async () => {
  const flow = await startFlow(server);
  assertGatewayError(await post(flow, 'submit', { padding: 'x'.repeat(65536) }, asProgram), 413, 'too_large');
  assert.equal((await post(flow, 'submit', { padding: 'x'.repeat(65000) })).status, 302);
});

test('S2: no cookie, another flow\'s cookie or a twisted one is 403 browser_mismatch', async () => {
  const flow = await startFlow(server);
  const secret = flow.browser.cookies.get('consentgate_browser');
  const other = await startFlow(server);
  const cookies = [undefined, `consentgate_browser=${other.browser.cookies.get('consentgate_browser')}`, `consentgate_browser=${secret}x`, `consentgate_browser=${secret.slice(1)}`, `Consentgate_browser=${secret}`, 'consentgate_browser=', `other=${secret}`];
  for (const cookie of cookies) {
    const answer = await postForm(server.base, target, { flow_id: flow.flowId }, { ...asProgram, ...(cookie ? { Cookie: cookie } : {}) });
    assertGatewayError(answer, 403, 'browser_mismatch');
  }
  const among = await postForm(server.base, target, { flow_id: flow.flowId }, { Cookie: `a=b; consentgate_browser=${secret}; c=d` });
  assert.equal(among.status, 302, among.text);
});

test('S2: a second submit is 409 now and later, and gives no second code', async () => {
  const flow = await codeFor(server);
  for (let count = 0; count < 3; count += 1) {
    const answer = await submit(flow, asProgram);
    assertGatewayError(answer, 409, 'flow_already_submitted');
    assert.equal(answer.location, undefined);
  }
  assertPage(await submit(flow), 409);
  assert.equal((await redeem(server, flow, flow.code)).status, 200);
  assertGatewayError(await submit(flow, asProgram), 409, 'flow_already_submitted');
});

test('U14 K19: two submits at the same moment give one usable code and no 5xx', async () => {
  for (let round = 0; round < 10; round += 1) {
    const flow = await startFlow(server);
    const answers = await Promise.all([submit(flow), submit(flow)]);
    assert.deepEqual(answers.map((answer) => answer.status).sort(), [302, 409]);
  }
});

test('S5: an error of submit has the exact gateway shape', async () => {
  const stranger = new Browser(server.base);
  const flow = await startFlow(server);
  const body = assertGatewayError(await post({ ...flow, browser: stranger }, 'submit', {}, asProgram), 403, 'browser_mismatch');
  assert.deepEqual([body.error.type, body.error.param], ['invalid_request_error', 'flow_id']);
  assert.deepEqual(body.extra_fields, { provider: '', model_requested: '', request_type: 'oauth_consent_submit' });
  assert.doesNotMatch(JSON.stringify(body), /sqlite|SELECT|Poco|consentgate::/i);
});

test('S5: whether a page or JSON answers follows what the request prefers', async () => {
  const flow = await startFlow(server);
  const stranger = { ...flow, browser: new Browser(server.base) };
  for (const Accept of ['text/html', 'text/html;q=0.9,application/json;q=0.1', 'application/xhtml+xml,text/html,*/*;q=0.1']) assertPage(await post(stranger, 'submit', {}, { Accept }), 403);
  for (const Accept of ['application/json', '*/*', 'application/json,text/html;q=0.5', 'text/html;q=0', undefined]) assertGatewayError(await post(stranger, 'submit', {}, { Accept }), 403, 'browser_mismatch');
});

test('S5: the event id of an answer is in the log beside the reason, and no secret is', async () => {
  const flow = await startFlow(server);
  const body = (await post({ ...flow, browser: new Browser(server.base) }, 'submit', {}, asProgram)).json();
  const line = server.logs().split('\n').find((text) => text.includes(body.event_id));
  assert.ok(line, `${body.event_id} is not in the log`);
  assert.match(line, /browser_mismatch/);
  assert.ok(!line.includes(flow.browser.cookies.get('consentgate_browser')));
});

test('S2 U13 T13 T27 C5 K9: flows, codes and sessions end when their time is over', { timeout: 120000 }, async () => {
  const used = await journey(brief, { identity: { userId: 'ada' } });
  assert.equal((await rpc(brief, used.token, 'tools/list')).status, 200);
  const [coded, untouched] = [await codeFor(brief), await startFlow(brief)];
  assert.ok(used.answer.json().expires_in <= 4);
  await sleep(6000);
  assertOauthError(await redeem(brief, coded, coded.code), 400, 'invalid_grant');
  const refused = await rpc(brief, used.token, 'tools/list');
  assert.equal(refused.status, 401);
  assert.match(refused.headers['www-authenticate'], /error="invalid_token"/);
  for (const step of ['submit', 'user-id', 'skip', 'vk', 'deny']) assertGatewayError(await post(untouched, step, { user_id: 'ada', vk: 'sk-bf-x' }, asProgram), 410, 'flow_expired');
  assertPage(await untouched.browser.get(`/oauth/consent?flow_id=${untouched.flowId}`), 410);
  assertPage(await untouched.browser.get(`/oauth/consent/mcps?flow_id=${untouched.flowId}`), 410);
  assertGatewayError(await submit(coded, asProgram), 409, 'flow_already_submitted');
});

test('S11: a swept store has lost nothing that is still alive', async () => {
  const flow = await startFlow(server);
  const { token } = await journey(server);
  await server.admin('sweep');
  assert.equal((await rpc(server, token, 'tools/list')).status, 200);
  assert.equal((await submit(flow)).status, 302);
});

// The person says who they are, and connects an account of theirs.
// out: the id of the row that keeps its tokens
async function connected(flow, service, user, identity) {
  await choose(flow, identity);
  const back = await connect(server, flow, service, (address) => signIn(provider, address, user));
  assert.equal(back.location, `/oauth/consent/mcps?flow_id=${flow.flowId}#service-${service}`, back.text);
  return server.sql(`SELECT id FROM upstream_token WHERE owner = 'flow:${flow.flowId}' AND service_id = '${service}'`)[0].id;
}
// The accounts that somebody has at the service, as [id, owner]. The others are ended: those of a
// denied flow have no owner, and wait until their service has revoked them.
const owned = (service) => server.sql(`SELECT id, owner FROM upstream_token WHERE service_id = '${service}' AND owner NOT LIKE 'ended:%'`).map(({ id, owner }) => [id, owner]).sort();
const ownerAfter = (flow) => `session:${server.sql(`SELECT id FROM session WHERE flow_id = '${flow.flowId}'`)[0].id}`;
const endedOf = (service) => server.sql(`SELECT count(*) AS n FROM upstream_token WHERE service_id = '${service}' AND owner LIKE 'ended:%'`)[0].n;

test('S2 S11: upstream tokens connected during a flow become those of its session, and other flows keep theirs', async () => {
  const earlier = [];
  for (const identity of [{ skip: true }, { userId: 'ada' }]) {
    const [flow, bystander] = [await startFlow(server), await startFlow(server)];
    const mine = await connected(flow, 'notes', 'anna', identity);
    const theirs = await connected(bystander, 'notes', 'berta', { skip: true });
    assert.equal((await submit(flow)).status, 302);
    earlier.push([mine, ownerAfter(flow)]);
    assert.deepEqual(owned('notes'), [...earlier, [theirs, `flow:${bystander.flowId}`]].sort());
    await post(bystander, 'deny');
    assert.deepEqual(owned('notes'), [...earlier].sort());
  }
});

test('S11: with a virtual key they become the key\'s, one per service and the newest of them', async () => {
  const key = await server.addKey('vault');
  for (const user of ['anna', 'berta']) {
    const flow = await startFlow(server);
    const newest = await connected(flow, 'vault-notes', user, { virtualKey: key.virtual_key });
    assert.equal((await submit(flow)).status, 302);
    assert.deepEqual([owned('vault-notes'), endedOf('vault-notes')], [[[newest, `key:${key.id}`]], 0]);
  }
});

test('S11: a typed user id reaches no upstream token of an earlier flow', async () => {
  const wanted = [];
  for (const user of ['anna', 'berta']) {
    const flow = await startFlow(server);
    const id = await connected(flow, 'diary', user, { userId: 'ada' });
    await submit(flow);
    wanted.push([id, ownerAfter(flow)]);
  }
  assert.deepEqual([owned('diary'), endedOf('diary')], [wanted.sort(), 0]);
});

test('SI27: who changes who they are loses what they connected before, and its service is asked to revoke it', async () => {
  const key = await server.addKey('switched');
  const flow = await startFlow(server);
  const { revocation } = provider.calls;
  const id = await connected(flow, 'notes', 'anna', { userId: 'anna' });
  const ownerOf = () => server.sql(`SELECT owner FROM upstream_token WHERE id = '${id}'`)[0]?.owner;
  await choose(flow, { userId: 'anna' });
  assert.equal(ownerOf(), `flow:${flow.flowId}`, 'the same person again');
  await choose(flow, { virtualKey: key.virtual_key });
  assert.doesNotMatch(`${ownerOf()}`, /^flow:/);
  assert.equal((await submit(flow)).status, 302);
  assert.deepEqual(owned('notes').filter(([, owner]) => owner === `key:${key.id}`), []);
  // A worker that has revoked it at its service deletes the row, at any time from here on.
  await until(() => ownerOf() === undefined && provider.calls.revocation > revocation, 'the revocation at the service');
});
