// The two consent pages, the error pages, and the three ways to say who you are.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Browser, postForm, send } from './support/browser.mjs';
import { assertGatewayError, assertPage, assertPrivate } from './support/checks.mjs';
import { api, authorize, choose, codeFor, https, journey, loopback, post, register, scheme, startFlow, submit, whoami } from './support/journey.mjs';
import { startServer } from './support/server.mjs';

let server;
let strict; // an identity must be chosen
const page = (flow, more = '') => flow.browser.get(`/oauth/consent?flow_id=${flow.flowId}${more}`);
const services = (flow) => flow.browser.get(`/oauth/consent/mcps?flow_id=${flow.flowId}`);
const back = (flow, word) => `/oauth/consent?flow_id=${flow.flowId}&error=${word}`;
const words = (answer) => answer.text.replace(/<[^>]*>/g, ' ').replaceAll('&#x2F;', '/').replaceAll('&#x3D;', '=').replaceAll('&quot;', '"').replaceAll('&#39;', "'").replaceAll('&apos;', "'").replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&').replace(/\s+/g, ' ');

before(async () => {
  server = await startServer();
  strict = await startServer({ env: { CONSENTGATE_ENFORCE_AUTH_ON_INFERENCE: 'true' } });
}, { timeout: 240000 });
after(async () => { await strict?.stop(); await server?.stop(); }, { timeout: 120000 });

test('U1 U2 A31 K2 K16: every page is private, unframeable and without script', async () => {
  const flow = await startFlow(server);
  assertPage(await page(flow), 200);
  assertPage(await page(flow, '&error=invalid_user_id'), 200);
  await choose(flow, { skip: true });
  assertPage(await services(flow), 200);
  assertPage(await page({ ...flow, flowId: 'A'.repeat(22) }), 400);
  assertPage(await flow.browser.get('/oauth/consent'), 400);
  assertPage(await page({ ...flow, browser: new Browser(server.base) }), 403);
  await submit(flow);
  assertPage(await page(flow), 409);
  assertPage(await services(flow), 409);
});

test('U1: pages of other methods, sizes and addresses are no naked errors either', async () => {
  const browser = new Browser(server.base);
  assertPage(await browser.post('/oauth/consent', {}), 405);
  assertPage(await browser.get(`${api}/consent/submit`), 405);
  assertPage(await browser.get('/oauth/nothing'), 404);
  assertPage(await browser.post(`${api}/consent/submit`, { flow_id: 'x'.repeat(70000) }), 413);
});

test('U2 XE2: forms of the page where a key is typed end here, and a page whose form leads on names no places', async () => {
  const policy = (answer) => /form-action ([^;]*)/.exec(answer.headers['content-security-policy'])?.[1];
  for (const uri of [loopback, https, scheme]) {
    const flow = await startFlow(server, { client: await register(server, { redirect_uris: [uri] }) });
    assert.equal(policy(await page(flow)), "'self'");
    await choose(flow, { skip: true });
    assert.equal(policy(await services(flow)), undefined);
    assert.equal(policy(await page({ ...flow, flowId: 'A'.repeat(22) })), "'none'");
    assert.equal(policy(await flow.browser.get('/oauth/sessions')), undefined, 'it leads to services, too');
  }
});

test('U4: the page names the app, where it leads, the resource, the scopes and the time left', async () => {
  const flow = await startFlow(server, { client: await register(server, { client_name: 'Garden tool', redirect_uris: [https] }), more: { scope: 'mcp profile' } });
  const text = words(await page(flow));
  for (const part of ['Garden tool', 'client.example.test', `127.0.0.1:${server.port}/mcp`, 'Use the tools of this server as you', 'See the name you signed in with', 'nverified']) assert.ok(text.includes(part), `${part} is not in ${text}`);
  assert.match(text, /another 1[45] minutes/);
  await choose(flow, { userId: 'ada@example.test' });
  const second = words(await services(flow));
  for (const part of ['Garden tool', 'client.example.test', 'ada@example.test']) assert.ok(second.includes(part), part);
});

test('U4: an app that the operator added is not called unverified', async () => {
  const added = await server.admin('client', 'add', 'Desk app', '--redirect-uri', 'https://desk.example.test/cb', '--json');
  const text = words(await page(await startFlow(server, { client: { ...added, redirect_uris: ['https://desk.example.test/cb'] } })));
  assert.ok(text.includes('Desk app'));
  assert.doesNotMatch(text, /nverified/);
});

test('U5 K23: a loopback or private-scheme address carries the warning and an https one does not', async () => {
  const textFor = async (uri) => words(await page(await startFlow(server, { client: await register(server, { redirect_uris: [uri] }) })));
  assert.match(await textFor(loopback), /Any program on this computer/i);
  assert.match(await textFor('http://localhost:1/cb'), /Any program on this computer/i);
  assert.match(await textFor(scheme), /Any app on this device/i);
  assert.doesNotMatch(await textFor(https), /Any (program on this computer|app on this device)/i);
});

test('U6 K29: an app cannot bring markup, placeholders, or text that turns around', async () => {
  const name = '<img src=x onerror=alert(1)> {{brand_name}} {{{x}}} "\' \u202Egnp.exe\u202C \u2066x\u2069\u200F\u0007';
  const flow = await startFlow(server, { client: await register(server, { client_name: name }) });
  const answer = await flow.browser.get(`/oauth/consent?flow_id=${flow.flowId}`);
  assert.equal(answer.status, 200);
  assert.doesNotMatch(answer.text, /<img/i);
  assert.doesNotMatch(answer.text, /[\u202A-\u202E\u2066-\u2069\u200E\u200F\u0000-\u0008]/);
  assert.match(answer.text, /&lt;img/);
});

test('U6: a typed user id is shown as text', async () => {
  const flow = await startFlow(server);
  await choose(flow, { userId: '<b>ada</b>"\'&' });
  const answer = await services(flow);
  assert.doesNotMatch(answer.text, /<b>ada/);
  assert.ok(words(answer).includes('<b>ada</b>"\'&'), answer.text);
});

test('S6: the error on a page is one of a closed set and never the text of the address', async () => {
  const flow = await startFlow(server);
  const plain = await page(flow);
  assert.equal((await page(flow, '&error=You+are+an+owl%3Cscript%3E')).text, plain.text);
  for (const word of ['invalid_virtual_key', 'invalid_user_id', 'identity_required']) {
    const answer = await page(flow, `&error=${word}`);
    assertPage(answer, 200);
    assert.notEqual(answer.text, plain.text, word);
  }
});

test('U13: a page that is loaded twice, in two tabs or again, can be submitted from the first', async () => {
  const flow = await startFlow(server);
  for (let count = 0; count < 3; count += 1) assert.equal((await page(flow)).status, 200);
  await choose(flow, { userId: 'ada' });
  assert.equal((await services(flow)).status, 200);
  assert.equal((await page(flow)).status, 200);
  assert.equal((await submit(flow)).status, 302);
});

test('U3 K44: a flow belongs to the browser it began in', async () => {
  const flow = await startFlow(server);
  const stranger = new Browser(server.base);
  await startFlow(server, { browser: stranger, client: flow.client });
  for (const browser of [stranger, new Browser(server.base)]) {
    for (const step of ['vk', 'user-id', 'skip', 'deny', 'submit']) {
      const answer = await post({ ...flow, browser }, step, { vk: 'x', user_id: 'mallory' }, { Accept: 'application/json' });
      assertGatewayError(answer, 403, 'browser_mismatch');
    }
    assert.equal((await services({ ...flow, browser })).status, 403);
  }
  assert.equal((await submit(flow)).status, 302);
});

test('U3 K44 XE6: a form sent from a page of another origin is refused and changes nothing', async () => {
  const flow = await startFlow(server);
  const foreign = [{ Origin: 'https://evil.test' }, { Origin: `${server.base}.evil.test` }, { Origin: server.base.replace('http', 'https') }, { Origin: 'null', 'Sec-Fetch-Site': 'cross-site' }, { Origin: 'null' }, { Origin: 'null', 'Sec-Fetch-Site': 'none' }];
  for (const headers of foreign) {
    for (const step of ['user-id', 'submit', 'deny']) assertGatewayError(await post(flow, step, { user_id: 'mallory' }, { Accept: 'application/json', ...headers }), 403, 'browser_mismatch');
  }
  assert.equal((await submit(flow)).status, 302);
});

test('U3 XE6: a browser that hides its origin from its own pages is let through', async () => {
  const flow = await startFlow(server);
  assert.equal((await post(flow, 'user-id', { user_id: 'ada' }, { Origin: 'null', 'Sec-Fetch-Site': 'same-origin' })).status, 302);
  assert.equal((await submit(flow, { Origin: undefined })).status, 302);
});

test('S6: a good virtual key is taken and becomes the identity of the session', async () => {
  const key = await server.addKey('laptop');
  const { token } = await journey(server, { identity: { virtualKey: key.virtual_key } });
  const said = await whoami(server, token);
  assert.equal(said.identity_kind, 'virtual_key');
  assert.match(said.identity, /laptop/);
  assert.doesNotMatch(JSON.stringify(said), /sk-bf-/);
});

test('S6: an unknown, disabled, empty or missing virtual key leads back to page 1', async () => {
  const disabled = await server.addKey('gone');
  await server.admin('key', 'disable', disabled.id, '--yes');
  const flow = await startFlow(server);
  for (const vk of ['sk-bf-unknown', disabled.virtual_key, '', ' ', 'x'.repeat(5000), disabled.id, 'é']) {
    const answer = await post(flow, 'vk', { vk });
    assert.equal(answer.status, 302, answer.text);
    assert.equal(answer.location, back(flow, 'invalid_virtual_key'));
    assertPrivate(answer, 'the way back');
  }
  assert.equal((await post(flow, 'vk')).location, back(flow, 'invalid_virtual_key'));
});

test('S6: a user id is trimmed and may be 255 bytes of any text but control characters', async () => {
  const good = [[' ada ', 'ada'], ['a', 'a'], ['é'.repeat(127), 'é'.repeat(127)], ['x'.repeat(255), 'x'.repeat(255)], ['Ada Lovelace +& 日本', 'Ada Lovelace +& 日本']];
  for (const [typed, kept] of good) {
    const said = await whoami(server, (await journey(server, { identity: { userId: typed } })).token);
    assert.deepEqual([said.identity_kind, said.identity], ['user_id', kept]);
  }
  const flow = await startFlow(server);
  for (const bad of ['', '   ', 'x'.repeat(256), 'é'.repeat(128), 'a\nb', 'a\u007Fb', 'a\tb', 'a\u0085b']) {
    const answer = await post(flow, 'user-id', { user_id: bad });
    assert.deepEqual([answer.status, answer.location], [302, back(flow, 'invalid_user_id')], JSON.stringify(bad));
  }
  assert.equal((await post(flow, 'user-id')).location, back(flow, 'invalid_user_id'));
});

test('S6: skipping names nobody, and may be changed before the end', async () => {
  const skipped = await whoami(server, (await journey(server, { identity: { skip: true } })).token);
  assert.equal(skipped.identity_kind, 'skipped');
  const flow = await codeFor(server, { identity: { skip: true } });
  assert.ok(flow.code);
  const changed = await startFlow(server);
  await choose(changed, { userId: 'first' });
  await choose(changed, { userId: 'second' });
  const text = words(await services(changed));
  assert.ok(text.includes('second') && !text.includes('first'));
});

test('S6: where an identity is demanded, skipping leads back to page 1 and is not offered there', async () => {
  const flow = await startFlow(strict);
  assert.doesNotMatch((await page(flow)).text, /consent\/skip/);
  const answer = await post(flow, 'skip');
  assert.deepEqual([answer.status, answer.location], [302, back(flow, 'identity_required')]);
  assert.match((await page(await startFlow(server))).text, /consent\/skip/);
});

test('S6: the services page says that there are none, and offers finish, deny and change', async () => {
  const flow = await startFlow(server);
  await choose(flow, { userId: 'ada' });
  const { text } = await services(flow);
  for (const part of ['/api/oauth/per-user/consent/submit', '/api/oauth/per-user/consent/deny', `/oauth/consent?flow_id=${flow.flowId}`, 'no other accounts to connect']) assert.ok(text.includes(part), part);
});

test('S5: the consent steps answer a program in the gateway shape', async () => {
  const browser = new Browser(server.base);
  for (const step of ['vk', 'user-id', 'skip', 'deny', 'submit']) {
    for (const Accept of ['application/json', '*/*', undefined]) {
      const answer = await browser.post(`${api}/consent/${step}`, {}, { Accept });
      const body = assertGatewayError(answer, 400, 'missing_flow_id');
      assert.equal(body.error.param, 'flow_id');
    }
    assertGatewayError(await browser.post(`${api}/consent/${step}`, { flow_id: 'A'.repeat(22) }, { Accept: 'application/json' }), 400, 'invalid_flow');
    assertGatewayError(await browser.get(`${api}/consent/${step}`, { Accept: 'application/json' }), 405, 'method_not_allowed');
  }
});

test('S5: the number on an error page is the number in the log', async () => {
  const answer = await new Browser(server.base).get('/oauth/consent');
  const id = /<code>([^<]+)<\/code>/.exec(answer.text)?.[1];
  assert.ok(id, answer.text);
  assert.ok(server.logs().includes(id), `${id} is not in the log`);
});

test('U1 XG3: the stylesheet and the icon are served, may be kept, and are the only things a page loads', async () => {
  const { text } = await page(await startFlow(server));
  const [href, icon, ...others] = [...text.matchAll(/<(?:link|img|script|iframe|object)[^>]*(?:href|src)="([^"]*)"/g)].map((match) => match[1].replaceAll('&#x2F;', '/').replaceAll('&#x3D;', '='));
  assert.deepEqual(others, []);
  assert.match(href, /^\/oauth\/style\.css\?v=[0-9A-Za-z_-]+$/);
  const sheet = await send(server.base, 'GET', href);
  assert.equal(sheet.status, 200);
  assert.match(sheet.headers['content-type'], /^text\/css/);
  assert.match(sheet.headers['cache-control'], /max-age=\d+/);
  assert.doesNotMatch(sheet.text, /url\(|@import/);
  const picture = await send(server.base, 'GET', icon);
  assert.deepEqual([picture.status, picture.headers['content-type']], [200, 'image/svg+xml']);
  assert.match(picture.headers['cache-control'], /max-age=\d+/);
});

test('U15 A27: denying works from either page, ends the flow, and cannot be undone', async () => {
  for (const prepare of [async () => {}, (flow) => choose(flow, { userId: 'ada' })]) {
    const flow = await startFlow(server);
    await prepare(flow);
    const answer = await post(flow, 'deny');
    assert.equal(answer.status, 302);
    assert.ok(answer.location.startsWith(`${loopback}?`));
    assert.deepEqual([answer.sent().get('error'), answer.sent().get('state'), answer.sent().get('iss')], ['access_denied', 'a state', server.issuer]);
    assert.equal(answer.text, '');
    assertPrivate(answer, 'the denial');
    for (const step of ['submit', 'deny', 'skip']) assertGatewayError(await post(flow, step, {}, { Accept: 'application/json' }), 400, 'invalid_flow');
  }
});

test('U15: denying an app with its own query or an https address goes back to that address', async () => {
  const uri = 'https://client.example.test/cb?x=1';
  const flow = await startFlow(server, { client: await register(server, { redirect_uris: [uri] }) });
  assert.ok((await post(flow, 'deny')).location.startsWith(`${uri}&`));
});

test('S6: a submitted flow takes no identity, denial or page any more', async () => {
  const flow = await codeFor(server);
  for (const step of ['vk', 'user-id', 'skip', 'deny', 'submit']) assertGatewayError(await post(flow, step, { vk: 'x', user_id: 'x' }, { Accept: 'application/json' }), 409, 'flow_already_submitted');
});

test('S6: authorize sets no cookie for an error, and a form without a cookie is refused', async () => {
  const flow = await authorize(server, new Browser(server.base), { client_id: 'unknown' });
  assert.equal(flow.answer.headers['set-cookie'], undefined);
  const good = await startFlow(server);
  assertGatewayError(await postForm(server.base, `${api}/consent/skip`, { flow_id: good.flowId }, { Accept: 'application/json' }), 403, 'browser_mismatch');
});
