// Attacks on an authorization server, as they were written down by those who suffered them. Each
// test makes the attack, which must fail, and then the honest request beside it, which must not.
// Attacks on a single endpoint are in the test file of that endpoint.
import assert from 'node:assert/strict';
import http from 'node:http';
import { after, before, test } from 'node:test';
import { Browser, postForm, postJson, query, send } from './support/browser.mjs';
import { assertNoRedirect, assertOauthError, assertPage, assertRedirectError } from './support/checks.mjs';
import { api, authorize, authorizeParameters, choose, codeFor, https, journey, loopback, pkce, post, redeem, register, rpc, startFlow, submit } from './support/journey.mjs';
import { startServer } from './support/server.mjs';

const asProgram = { Accept: 'application/json' };
let server;
let strict; // five registrations and sign-ins a minute
before(async () => {
  server = await startServer();
  strict = await startServer({ env: { CONSENTGATE_REGISTRATIONS_PER_MINUTE: '5', CONSENTGATE_AUTHORIZATIONS_PER_MINUTE: '5' } });
}, { timeout: 240000 });
after(async () => { await strict?.stop(); await server?.stop(); }, { timeout: 120000 });

const rows = (at, table) => at.sql(`SELECT count(*) AS n FROM ${table}`)[0].n;
const shown = (flow) => flow.browser.get(`/oauth/consent?flow_id=${flow.flowId}`);

test('K1: an address that matched at authorize is the only one the code is good for, and no later step takes another', async () => {
  const client = await register(server, { redirect_uris: [https, 'https://client.example.test/other'] });
  const flow = await startFlow(server, { client });
  const submitted = await post(flow, 'submit', { redirect_uri: 'https://evil.test/', state: 'evil', response_mode: 'fragment' });
  assert.ok(submitted.location.startsWith(`${https}?`), submitted.location);
  const code = submitted.sent().get('code');
  for (const redirect of ['https://client.example.test/other', `${https}/`, 'https://evil.test/']) assertOauthError(await redeem(server, flow, code, { redirect_uri: redirect }), 400, 'invalid_grant');
  assert.equal((await redeem(server, flow, code)).status, 200);
});

test('K2 XG3: no page loads anything elsewhere, nor links anything that would learn its address, but the own site of an honest app is a link', async () => {
  const flow = await startFlow(server, { client: await register(server, { redirect_uris: [https], client_uri: 'https://client.example.test/', logo_uri: 'https://canary.test/logo.png', policy_uri: 'https://canary.test/' }) });
  await choose(flow, { skip: true });
  for (const page of ['consent', 'consent/mcps']) {
    const answer = await flow.browser.get(`/oauth/${page}?flow_id=${flow.flowId}`);
    assertPage(answer, 200);
    const text = answer.text.replaceAll('&#x2F;', '/');
    assert.doesNotMatch(text, /canary/);
    const own = '<a href="https://client.example.test/" rel="noopener noreferrer">';
    assert.equal(text.split(own).length, 2);
    assert.doesNotMatch(text.replace(own, ''), /(src|href|srcset|poster|background|action)="?(https?:)?\/\//i);
  }
  const lost = await authorize(server, new Browser(server.base), flow.client, { scope: 'un"known' });
  assertPage(lost.answer, 400);
  assert.match(lost.answer.text, /href="https:(&#x2F;|\/){2}client\.example\.test/);
});

test('K7: a sign-in cannot be talked out of its proof, before the code or after it', async () => {
  const client = await register(server);
  const proof = pkce();
  for (const more of [{ code_challenge: undefined }, { code_challenge: undefined, code_challenge_method: undefined }, { code_challenge_method: undefined }, { code_challenge_method: 'plain', code_challenge: proof.verifier }]) {
    assertRedirectError(server, (await authorize(server, new Browser(server.base), client, more, proof)).answer, 'invalid_request', { to: loopback });
  }
  const flow = await codeFor(server, { client });
  const { challenge } = flow.proof;
  for (const more of [{ code_verifier: undefined }, { code_verifier: '' }, { code_verifier: challenge }, { code_verifier: challenge, code_challenge_method: 'plain' }, { code_verifier: pkce().verifier, code_challenge: 'x' }]) {
    assertOauthError(await redeem(server, flow, flow.code, more), 400, ['invalid_grant', 'invalid_request']);
  }
  assert.equal((await redeem(server, flow, flow.code)).status, 200);
});

test('K11: no parameter sends a browser from our pages to another site, and the steps lead where they always lead', async () => {
  const names = ['return_to', 'returnTo', 'next', 'redirect', 'redirect_uri', 'url', 'continue', 'post_logout_redirect_uri', 'rurl', 'error_uri'];
  for (const target of ['//evil.test', '/\\evil.test', 'https:evil.test', 'https://evil.test/', '/%09/evil.test', 'javascript:alert(1)']) {
    const flow = await startFlow(server);
    const all = Object.fromEntries(names.map((name) => [name, target]));
    const page = await flow.browser.get(query('/oauth/consent', { flow_id: flow.flowId, ...all }));
    assertPage(page, 200);
    assert.ok(!page.text.includes('evil'), 'the page repeats it');
    assert.equal((await post(flow, 'skip', all)).location, `/oauth/consent/mcps?flow_id=${flow.flowId}`);
    assert.ok((await post(flow, 'submit', all)).location.startsWith(`${loopback}?`));
    assertNoRedirect(await new Browser(server.base).get(query('/oauth/consent', { flow_id: 'A'.repeat(22), ...all })));
  }
});

test('K13: headers that a proxy might set make nobody anybody and move no address', async () => {
  const forged = { 'X-Forwarded-For': '198.51.100.7', 'X-Real-IP': '198.51.100.7', Forwarded: 'for=198.51.100.7;host=evil.test;proto=https', 'X-Forwarded-Host': 'evil.test', 'X-Forwarded-Proto': 'https', 'X-Forwarded-Prefix': '/evil',
    'X-Forwarded-User': 'root', 'X-Remote-User': 'root', 'Remote-User': 'root', REMOTE_USER: 'root', 'X-User': 'root', 'X-Client-Cert': 'x', 'SSL-Client-Verify': 'SUCCESS', 'X-Original-URL': '/healthz', 'X-Rewrite-URL': '/healthz', 'X-HTTP-Method-Override': 'DELETE', Proxy: 'http://evil.test' };
  const browser = new Browser(server.base);
  const client = await register(server);
  const started = await browser.get(query(`${api}/authorize`, authorizeParameters(server, client, pkce())), forged);
  const plain = await authorize(server, new Browser(server.base), client);
  const nameless = (answer) => [answer.status, answer.location?.replace(/flow_id=.*/, ''), answer.headers['set-cookie'].map((line) => line.replace(/=[A-Za-z0-9_-]+/, ''))];
  assert.deepEqual(nameless(started), nameless(plain.answer));
  const flow = { browser, client, flowId: new URL(started.location, server.base).searchParams.get('flow_id') };
  assert.ok(!(await flow.browser.get(started.location, forged)).text.includes('root'));
  const submitted = await post(flow, 'submit', {}, forged);
  assert.equal(submitted.sent().get('iss'), server.issuer);
  assert.deepEqual(server.sql(`SELECT identity_kind FROM session WHERE flow_id = '${flow.flowId}'`), [{ identity_kind: 'skipped' }]);
  const { headers } = await rpc(server, undefined, 'tools/list', {}, forged);
  assert.ok(headers['www-authenticate'].includes(`"${server.base}/.well-known/`) && !headers['www-authenticate'].includes('evil'));
  const done = await journey(server);
  assert.equal((await rpc(server, done.token, 'tools/call', { name: 'whoami', arguments: {} }, forged)).json().result.structuredContent.identity_kind, 'skipped');
});

test('K16: no answer of ours that is a page can be framed, whatever went wrong', async () => {
  const flow = await startFlow(server);
  await choose(flow, { skip: true });
  const stranger = new Browser(server.base);
  const pages = [await shown(flow), await flow.browser.get(`/oauth/consent/mcps?flow_id=${flow.flowId}`), await shown({ ...flow, browser: stranger }), await stranger.get('/oauth/consent'), await stranger.get('/oauth/nothing'),
    await stranger.get(`${api}/authorize`), await post({ ...flow, browser: stranger }, 'submit'), await stranger.post(`${api}/consent/submit`, 'flow_id=' + 'x'.repeat(70000)), await stranger.get(`${api}/consent/submit`)];
  for (const page of pages) assertPage(page, page.status);
  assert.deepEqual(pages.map((page) => page.status), [200, 200, 403, 400, 404, 400, 403, 413, 405]);
});

test('K22: an app that calls itself by a known name is shown with the host it leads to, and as unverified', async () => {
  const names = ['Claude', 'Claude (Anthropic) ✓ verified', 'C\u202eedual', 'Claude\u0000', 'Claude https://claude.ai'];
  for (const name of names) {
    const answer = await postJson(server.base, `${api}/register`, { client_name: name, redirect_uris: ['https://evil.test/cb'], client_uri: 'https://claude.ai', token_endpoint_auth_method: 'none' });
    if (answer.status === 400) continue; // a name with a NUL may be refused as well
    const flow = await startFlow(server, { client: answer.json() });
    await choose(flow, { skip: true });
    for (const page of [await shown(flow), await flow.browser.get(`/oauth/consent/mcps?flow_id=${flow.flowId}`)]) {
      assert.ok(page.text.includes('evil.test'), name);
      assert.doesNotMatch(page.text, /\u202e|\u0000/, name);
      assert.doesNotMatch(page.text, /href="https:(\/|&#x2F;){2}claude/, name);
    }
    assert.match((await shown(flow)).text, /nverified/);
  }
  const { client_id: id } = await server.admin('client', 'add', 'Claude', '--redirect-uri', 'https://claude.example.test/cb', '--json');
  assert.doesNotMatch((await shown(await startFlow(server, { client: { client_id: id, redirect_uris: ['https://claude.example.test/cb'] } }))).text, /nverified/);
});

test('K23: a program that speaks for another one\'s loopback client gets no code from a person who agreed before', async () => {
  const browser = new Browser(server.base);
  const { client } = await codeFor(server, { browser, identity: { userId: 'ada' } });
  for (const more of [{}, { prompt: 'none' }, { redirect_uri: loopback.replace('53111', '6666') }]) {
    const { answer } = await authorize(server, browser, client, more);
    assert.ok(!(answer.location ?? '').includes('code='), answer.location);
    if (answer.location?.startsWith('/oauth/')) assert.match((await browser.get(answer.location)).text, /ny program on this computer/);
  }
  assert.ok((await codeFor(server, { client, browser, identity: { userId: 'ada' } })).code);
});

// From another address of this machine, as another person's computer would ask.
function registerFrom(at, localAddress) {
  return new Promise((done, fail) => {
    const request = http.request({ hostname: '127.0.0.1', port: at.port, localAddress, method: 'POST', path: `${api}/register`, agent: false, headers: { 'Content-Type': 'application/json' } },
      (answer) => { answer.resume(); answer.on('end', () => done(answer.statusCode)); });
    request.on('error', fail);
    request.end(JSON.stringify({ redirect_uris: [loopback] }));
  });
}

test('K28 K13: a flood of registrations and sign-ins stores no more than the limit, under whatever forged address, and leaves others alone', async () => {
  const client = await register(strict);
  const statuses = [];
  for (let at = 0; at < 40; at += 1) {
    statuses.push((await postJson(strict.base, `${api}/register`, { redirect_uris: [loopback] }, { 'X-Forwarded-For': `198.51.100.${at}`, 'X-Real-IP': `198.51.100.${at}` })).status);
  }
  const stored = rows(strict, 'client');
  assert.deepEqual([...new Set(statuses)].sort(), [201, 429]);
  assert.equal(stored, 1 + statuses.filter((status) => status === 201).length);
  assert.ok(stored <= 10, `${stored} stored`); // two minutes' worth, when one ends meanwhile
  for (let at = 0; at < 20; at += 1) await authorize(strict, new Browser(strict.base), client);
  assert.ok(rows(strict, 'flow') <= 10);
  assert.equal(await registerFrom(strict, '127.0.0.2'), 201);
});

test('K29: markup in any text that a stranger chooses comes out as text, on the page and in the errors', async () => {
  const evil = '"><img src=x onerror=alert(1)>{{flow_id}}<script>alert(1)</script>';
  const answer = await postJson(server.base, `${api}/register`, { client_name: evil, redirect_uris: [https], token_endpoint_auth_method: 'none', software_id: evil, contacts: [evil] });
  assert.equal(answer.status, 201, answer.text);
  assert.match(answer.headers['content-type'], /^application\/json/);
  const flow = await startFlow(server, { client: answer.json(), more: { state: evil } });
  await choose(flow, { userId: evil });
  const pages = [await shown(flow), await flow.browser.get(`/oauth/consent/mcps?flow_id=${flow.flowId}`), await flow.browser.get(query('/oauth/consent', { flow_id: flow.flowId, error: evil, message: evil })),
    (await authorize(server, new Browser(server.base), flow.client, { scope: evil, state: evil })).answer, (await authorize(server, new Browser(server.base), { client_id: evil })).answer, await flow.browser.get(query('/oauth/consent', { flow_id: evil })),
    await flow.browser.get(`/oauth/${encodeURIComponent(evil)}`), await flow.browser.post(`${api}/consent/vk`, { flow_id: flow.flowId, vk: evil })];
  for (const page of pages) assert.doesNotMatch(page.text, /<img|<script|onerror=alert\(1\)>/, page.text);
  assert.match(pages[0].text, /&lt;img/);
  for (const path of ['token', 'revoke']) assert.match((await postForm(server.base, `${api}/${path}`, { grant_type: evil, client_id: evil, token: evil })).headers['content-type'], /^application\/json/);
  assert.equal((await submit(flow)).sent().get('state'), evil);
});

test('K30: neither an operator\'s command nor a row changed behind our back leads a browser to a scheme that runs', async () => {
  for (const uri of ['javascript:alert(1)//', 'data:text/html,x', 'file:///etc/passwd']) {
    await assert.rejects(server.admin('client', 'add', 'X', '--redirect-uri', uri), (error) => error.code !== 0);
    const client = await register(server);
    server.sql(`UPDATE client SET redirect_uris = CAST(replace(CAST(redirect_uris AS TEXT), '${loopback}', '${uri}') AS BLOB) WHERE id = '${client.client_id}'`);
    for (const redirect of [uri, undefined]) {
      const { answer } = await authorize(server, new Browser(server.base), client, { redirect_uri: redirect });
      assertNoRedirect(answer, answer.status);
      assert.ok(answer.status >= 400 && !answer.text.includes(`href="${uri.slice(0, 5)}`), answer.text);
    }
  }
  assert.ok((await codeFor(server)).code);
});

test('K34: a forged Host changes no address that the server publishes', async () => {
  const host = { Host: 'evil.test' };
  const client = (await postJson(server.base, `${api}/register`, { redirect_uris: [loopback], token_endpoint_auth_method: 'none' }, host)).json();
  assert.ok(!JSON.stringify(client).includes('evil'));
  const flow = await startFlow(server, { client });
  const started = await flow.browser.get(query(`${api}/authorize`, authorizeParameters(server, client, pkce())), host);
  assert.match(started.location, /^\/oauth\/consent\?/);
  assert.ok(!started.headers['set-cookie']?.join().includes('evil'));
  assert.ok(!(await flow.browser.get(started.location, host)).text.includes('evil'));
  const challenge = (await rpc(server, undefined, 'tools/list', {}, host)).headers['www-authenticate'];
  assert.ok(!challenge.includes('evil') && challenge.includes(server.base));
  assert.equal((await submit(flow)).sent().get('iss'), server.issuer);
});
