// The authorization endpoint: what starts a flow, what goes back to the client, what must not.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Browser, form, postForm, query, send } from './support/browser.mjs';
import { assertNoRedirect, assertPage, assertPrivate, assertRedirectError } from './support/checks.mjs';
import { api, authorize, authorizeParameters, choose, codeFor, https, loopback, pkce, post, redeem, register, scheme, startFlow, submit, whoami } from './support/journey.mjs';
import { startServer } from './support/server.mjs';

let server;
let client; // one loopback address
let trusted; // added by the operator, one https address
const go = (more, options = {}) => authorize(server, options.browser ?? new Browser(server.base), options.client ?? client, more);
// The request as text, so that parameters can be repeated.
const raw = (browser, pairs) => browser.get(`${api}/authorize?${form(pairs)}`);
const pairsOf = (more = {}) => Object.entries(authorizeParameters(server, client, pkce(), more)).filter(([, value]) => value !== undefined);

before(async () => {
  server = await startServer();
  client = await register(server);
  trusted = { ...await server.admin('client', 'add', 'Trusted', '--redirect-uri', 'https://trusted.example.test/cb', '--json'), redirect_uris: ['https://trusted.example.test/cb'] };
}, { timeout: 240000 });
after(async () => { await server?.stop(); }, { timeout: 120000 });

test('A1: other methods than GET, POST and HEAD are 405 and name those that begin something', async () => {
  for (const method of ['PUT', 'DELETE', 'PATCH']) {
    const answer = await send(server.base, method, `${api}/authorize`);
    assert.equal(answer.status, 405, method);
    assert.match(answer.headers.allow, /GET, POST/);
  }
});

test('XE6: a POST is 303 to the same request as GET, and gives no cookie', async () => {
  const asked = form(pairsOf());
  const answer = await postForm(server.base, `${api}/authorize`, asked);
  assert.deepEqual([answer.status, answer.location, answer.text], [303, `${api}/authorize?${asked}`, '']);
  assert.equal(answer.headers['set-cookie'], undefined);
  assertPrivate(answer, 'the redirect');
  const browser = new Browser(server.base);
  assert.match((await browser.get(answer.location)).location, /^\/oauth\/consent\?flow_id=/);
  const filled = (size) => `${asked}&x=${'a'.repeat(size - asked.length - 3)}`;
  const long = await postForm(server.base, `${api}/authorize`, filled(12000)); // this client takes 16 KiB of headers in all
  assert.match((await browser.get(long.location)).location, /^\/oauth\/consent\?flow_id=/);
  assertNoRedirect(await postForm(server.base, `${api}/authorize`, filled(16 * 1024 + 1)), 413);
  for (const type of ['application/json', 'multipart/form-data; boundary=x', 'text/plain']) {
    assertNoRedirect(await send(server.base, 'POST', `${api}/authorize`, { headers: { 'Content-Type': type }, body: asked }));
  }
});

test('XE6: HEAD is 200 without a body, a cookie or a flow', async () => {
  const flows = () => server.sql('SELECT count(*) AS flows FROM flow')[0].flows;
  const before = flows();
  for (const asked of [form(pairsOf()), form([['client_id', 'https://app.example.test/client.json']]), '']) {
    const answer = await send(server.base, 'HEAD', `${api}/authorize?${asked}`);
    assert.deepEqual([answer.status, answer.text, answer.location, answer.headers['set-cookie']], [200, '', undefined, undefined]);
  }
  assert.equal(flows(), before);
  for (const target of [`${api}/upstream/authorize`, '/api/oauth/callback']) assert.equal((await send(server.base, 'HEAD', target)).status, 405, target);
});

test('A2: no page of another origin may read the answer', async () => {
  const answer = await send(server.base, 'GET', query(`${api}/authorize`, pairsOf()), { headers: { Origin: 'https://x.test' } });
  assert.equal(answer.status, 302);
  assert.equal(answer.headers['access-control-allow-origin'], undefined);
});

test('A3 K46: a missing, empty, unknown or repeated client_id is our page and no redirect', async () => {
  for (const id of [undefined, '', 'unknown', `${client.client_id}x`, client.client_id.toUpperCase() === client.client_id ? 'x' : client.client_id.toUpperCase()]) {
    assertNoRedirect((await go({ client_id: id })).answer);
  }
  assertNoRedirect(await raw(new Browser(server.base), [...pairsOf(), ['client_id', client.client_id]]));
});

test('A4 A10: a missing address works with one registered and is our page with two', async () => {
  const one = await go({ redirect_uri: undefined });
  assert.ok(one.flowId, one.answer.text);
  const two = await register(server, { redirect_uris: [loopback, https] });
  assertNoRedirect((await go({ redirect_uri: undefined }, { client: two })).answer);
});

test('A10 T15: a code whose address was left out is redeemed without one, or with the one registered', async () => {
  for (const redirect of [undefined, loopback]) {
    const flow = await codeFor(server, { client, more: { redirect_uri: undefined } });
    assert.ok(flow.submitted.location.startsWith(`${loopback}?`));
    assert.equal((await redeem(server, flow, flow.code, { redirect_uri: redirect })).status, 200);
  }
});

test('A4 K46: an unregistered, malformed or repeated address is our page and no redirect', async () => {
  for (const uri of ['https://evil.test/cb', 'not an address', 'javascript:alert(1)', '//evil.test', ' ']) assertNoRedirect((await go({ redirect_uri: uri })).answer);
  assertNoRedirect(await raw(new Browser(server.base), [...pairsOf(), ['redirect_uri', loopback]]));
  assertNoRedirect(await raw(new Browser(server.base), [...pairsOf(), ['redirect_uri', 'https://evil.test']]));
});

test('A5 K1: no variation of a registered address matches it', async () => {
  const exact = 'https://client.example.test/cb';
  const strict = await register(server, { redirect_uris: [exact, 'https://other.example.test/cb?x=1'] });
  const changed = ['https://client.example.test/cb/', 'https://client.example.test/cb?x=1', 'https://client.example.test/CB', 'https://client.example.test/cb/../cb', 'https://client.example.test/%63b',
    'https://client.example.test//cb', 'https://client.example.test%2Fcb', 'https://client.example.test:8443/cb', 'https://a@client.example.test/cb', 'https://client.example.test.evil.test/cb', 'https://evil.test/cb',
    'http://client.example.test/cb', 'https://client.example.test/cb#f', 'https://client.example.test\\cb', 'https://other.example.test/cb', 'https://other.example.test/cb?x=2', 'https://other.example.test/cb?x=1&y=2', `${exact} `, ` ${exact}`];
  for (const uri of changed) assertNoRedirect((await go({ redirect_uri: uri }, { client: strict })).answer);
  assert.ok((await go({ redirect_uri: exact }, { client: strict })).flowId);
});

test('A6: a loopback number may come with any port, and all else must be as registered', async () => {
  const native = await register(server, { redirect_uris: ['http://127.0.0.1/cb', 'http://127.0.0.1:9999/port?q=1', 'https://127.0.0.1/tls'] });
  for (const uri of ['http://127.0.0.1:53111/cb', 'http://127.0.0.1/cb', 'http://127.0.0.1:1/port?q=1', 'http://127.0.0.1/port?q=1', 'https://127.0.0.1/tls']) {
    assert.ok((await go({ redirect_uri: uri }, { client: native })).flowId, uri);
  }
  for (const uri of ['http://127.0.0.1:53111/other', 'http://127.0.0.1:53111/cb?x=1', 'http://127.0.0.1:1/port', 'http://[::1]:5/cb', 'https://127.0.0.1:9/cb', 'https://127.0.0.1:9/tls', 'http://127.0.0.2:5/cb', 'http://127.1:5/cb',
    'http://localhost:5/cb', 'http://127.0.0.1:0x50/cb', 'http://127.0.0.1:99999/cb', 'http://127.0.0.1:5@evil.test/cb', 'http://127.0.0.1.evil.test:5/cb']) {
    assertNoRedirect((await go({ redirect_uri: uri }, { client: native })).answer);
  }
  const six = await register(server, { redirect_uris: ['http://[::1]/cb'] });
  assert.ok((await go({ redirect_uri: 'http://[::1]:7777/cb' }, { client: six })).flowId);
  assertNoRedirect((await go({ redirect_uri: 'http://127.0.0.1:7777/cb' }, { client: six })).answer);
});

test('A7: localhost may come with any port, and is neither 127.0.0.1 nor any longer name', async () => {
  const native = await register(server, { redirect_uris: ['http://localhost/callback'] });
  for (const uri of ['http://localhost:3118/callback', 'http://localhost/callback']) assert.ok((await go({ redirect_uri: uri }, { client: native })).flowId, uri);
  for (const uri of ['http://127.0.0.1:3118/callback', 'http://localhost.evil.test:3118/callback', 'http://foo.localhost:3118/callback', 'http://localhost.:3118/callback', 'https://localhost:3118/callback', 'http://localhost:3118/other']) {
    assertNoRedirect((await go({ redirect_uri: uri }, { client: native })).answer);
  }
});

test('A8: the port that was asked for is the port of the redirect and of the exchange', async () => {
  const native = await register(server, { redirect_uris: ['http://127.0.0.1/cb'] });
  const flow = await codeFor(server, { client: native, more: { redirect_uri: 'http://127.0.0.1:53111/cb' } });
  assert.ok(flow.submitted.location.startsWith('http://127.0.0.1:53111/cb?'));
  assert.equal((await redeem(server, flow, flow.code, { redirect_uri: 'http://127.0.0.1:53112/cb' })).status, 400);
  assert.equal((await redeem(server, flow, flow.code)).status, 200);
});

test('A9: the query of the address is kept and ours is added behind it', async () => {
  const uri = 'https://client.example.test/cb?x=1&y=a%20b';
  const flow = await codeFor(server, { client: await register(server, { redirect_uris: [uri] }) });
  assert.ok(flow.submitted.location.startsWith(`${uri}&`), flow.submitted.location);
  assert.doesNotMatch(flow.submitted.location, /#/);
});

test('A11: any other repeated parameter is invalid_request by redirect, and a repeated state is not given back', async () => {
  for (const name of ['state', 'scope', 'code_challenge', 'code_challenge_method', 'response_type']) {
    const pairs = pairsOf();
    const again = pairs.find(([key]) => key === name);
    const answer = await raw(new Browser(server.base), [...pairs, again]);
    assertRedirectError(server, answer, 'invalid_request', { to: loopback, state: name === 'state' ? null : 'a state' });
  }
});

test('A12: an empty value is an absent one, and unknown parameters are ignored, however often they come', async () => {
  assert.equal((await raw(new Browser(server.base), [...pairsOf(), ['foo', '1'], ['foo', '2']])).status, 302);
  assert.ok((await go({ scope: '', prompt: '', response_mode: '', resource: '', foo: 'bar', 'x y': '1' })).flowId);
});

test('A13 K5: a missing response type is invalid_request and any other than code is unsupported_response_type', async () => {
  for (const type of [undefined, '']) assertRedirectError(server, (await go({ response_type: type })).answer, 'invalid_request', { to: loopback });
  for (const type of ['token', 'id_token', 'code token', 'CODE', 'code id_token']) assertRedirectError(server, (await go({ response_type: type })).answer, 'unsupported_response_type', { to: loopback });
});

test('A14 A15 A16 K7: without a well-formed S256 challenge there is no flow', async () => {
  const good = pkce().challenge;
  const bad = [{ code_challenge: undefined }, { code_challenge: undefined, code_challenge_method: undefined }, { code_challenge_method: 'plain' }, { code_challenge_method: undefined }, { code_challenge_method: 's256' }, { code_challenge_method: 'S512' },
    { code_challenge: good.slice(0, 42) }, { code_challenge: `${good}=` }, { code_challenge: `${good}A` }, { code_challenge: `${good.slice(0, 42)}+` }, { code_challenge: `${good.slice(0, 42)} ` }];
  for (const more of bad) assertRedirectError(server, (await go(more)).answer, 'invalid_request', { to: loopback });
});

test('A17 XE3: unknown scopes are dropped and the granted ones reported, and a client without a known one gets what the resource needs', async () => {
  const narrowed = await codeFor(server, { client, more: { scope: 'mcp bogus' } });
  assert.equal((await redeem(server, narrowed, narrowed.code)).json().scope, 'mcp');
  const none = await codeFor(server, { client, more: { scope: 'openid offline_access' } });
  assert.equal((await redeem(server, none, none.code)).json().scope, 'mcp');
  assertRedirectError(server, (await go({ scope: 'bo"gus' })).answer, 'invalid_scope', { to: loopback });
  const both = await codeFor(server, { client, more: { scope: 'profile mcp' } });
  assert.deepEqual((await redeem(server, both, both.code)).json().scope.split(' ').sort(), ['mcp', 'profile']);
  const omitted = await codeFor(server, { client, more: { scope: undefined } });
  assert.equal((await redeem(server, omitted, omitted.code)).json().scope, 'mcp');
});

test('A18 K35: a relative, fragmented or unknown resource is invalid_target', async () => {
  for (const resource of ['/mcp', 'mcp', `${server.resource}#x`, 'https://evil.test/mcp', `${server.resource}/x`, `${server.resource}x`, 'urn:x']) {
    assertRedirectError(server, (await go({ resource })).answer, 'invalid_target', { to: loopback });
  }
});

test('A19: a left-out resource means the only one there is', async () => {
  const flow = await codeFor(server, { client, more: { resource: undefined } });
  const { access_token: token } = (await redeem(server, flow, flow.code)).json();
  assert.equal((await whoami(server, token)).client_id, client.client_id);
});

test('XE5: spellings that can only mean the one resource are taken for it, and the token stays for that', async () => {
  for (const resource of [server.base, `${server.base}/`, `${server.resource}/`, `${server.resource}?x=1`]) {
    const flow = await codeFor(server, { client, more: { resource } });
    const { access_token: token } = (await redeem(server, flow, flow.code, { resource })).json();
    assert.equal((await whoami(server, token)).client_id, client.client_id);
  }
  const pairs = pairsOf();
  assert.equal((await raw(new Browser(server.base), [...pairs, pairs.find(([name]) => name === 'resource')])).status, 302);
});

test('A20: scheme and host of a resource are compared without case, its path with case', async () => {
  assert.ok((await go({ resource: server.resource.replace('http', 'HTTP') })).flowId);
  assertRedirectError(server, (await go({ resource: server.resource.replace('/mcp', '/MCP') })).answer, 'invalid_target', { to: loopback });
});

test('A22 K6: a state comes back as it was, once, on success and on error, and none where none was sent', async () => {
  const odd = `&=+%20é"'<>#?/\\ ~${'x'.repeat(2000)}`;
  const flow = await codeFor(server, { client, more: { state: odd } });
  assert.deepEqual(flow.submitted.sent().getAll('state'), [odd]);
  assertRedirectError(server, (await go({ state: odd, scope: 'bo"gus' })).answer, 'invalid_scope', { to: loopback, state: odd });
  const silent = await codeFor(server, { client, more: { state: undefined } });
  assert.equal(silent.submitted.sent().has('state'), false);
});

test('A23 A27 K3: success, denial and error each carry the issuer once', async () => {
  assert.deepEqual((await codeFor(server, { client })).submitted.sent().getAll('iss'), [server.issuer]);
  assertRedirectError(server, await post(await startFlow(server, { client }), 'deny'), 'access_denied', { to: loopback });
  assertRedirectError(server, (await go({ scope: 'bo"gus' })).answer, 'invalid_scope', { to: loopback });
});

test('A24: codes are 43 characters of base64url and never alike', async () => {
  const codes = new Set();
  for (let count = 0; count < 25; count += 1) codes.add((await codeFor(server, { client })).code);
  assert.equal(codes.size, 25);
  for (const code of codes) assert.match(code, /^[A-Za-z0-9_-]{43}$/);
});

test('A25 K12: no step of the flow answers 307 or 308', async () => {
  const flow = await startFlow(server, { client });
  assert.equal((await choose(flow, { skip: true })).status, 302);
  assert.equal((await submit(flow)).status, 302);
  assert.equal((await post(await startFlow(server, { client }), 'deny')).status, 302);
});

test('A26 K10: an app that registered itself gets no redirect of an error to an https or private address', async () => {
  for (const uri of [https, scheme]) {
    const unknown = await register(server, { redirect_uris: [uri] });
    for (const more of [{ scope: 'bo"gus' }, { prompt: 'none' }, { response_type: 'token' }, { code_challenge: undefined }, { resource: 'https://evil.test/' }]) {
      const { answer } = await go(more, { client: unknown });
      assertNoRedirect(answer);
      const link = /href="([^"]*error=[^"]*)"/.exec(answer.text)?.[1]?.replaceAll('&amp;', '&').replaceAll('&#x2F;', '/').replaceAll('&#x3D;', '=');
      assert.ok(link?.startsWith(uri), `${link} does not lead back to ${uri}`);
      const sent = new URL(link).searchParams;
      assert.equal(sent.get('state'), 'a state');
      assert.equal(sent.get('iss'), server.issuer);
      assert.ok(sent.get('error'));
    }
  }
});

test('A26 K10: an app that the operator added gets its error by redirect', async () => {
  assertRedirectError(server, (await go({ scope: 'bo"gus' }, { client: trusted })).answer, 'invalid_scope', { to: 'https://trusted.example.test/cb' });
});

test('A29: prompt=none is an error without a form, and no prompt is a crash', async () => {
  const { answer } = await go({ prompt: 'none' });
  assertRedirectError(server, answer, 'login_required', { to: loopback });
  for (const prompt of ['consent', 'login', 'select_account', 'consent login']) assert.ok((await go({ prompt })).flowId, prompt);
  const bogus = (await go({ prompt: 'bogus' })).answer;
  assert.equal(bogus.status, 302);
});

test('A30 K17: a response mode that is not offered is an error', async () => {
  for (const mode of ['web_message', 'fragment', 'form_post']) {
    const { answer } = await go({ response_mode: mode, state: '"><script>' });
    assertRedirectError(server, answer, 'invalid_request', { to: loopback, state: '"><script>' });
  }
  assert.ok((await go({ response_mode: 'query' })).flowId);
});

test('A31: the redirect to the consent page is private, relative and gives the browser its secret', async () => {
  const { answer, flowId } = await go();
  assert.equal(answer.status, 302);
  assertPrivate(answer, 'the redirect');
  assert.equal(answer.location, `/oauth/consent?flow_id=${flowId}`);
  assert.equal(answer.text, '');
  const [cookie, ...others] = answer.headers['set-cookie'];
  assert.deepEqual(others, []);
  assert.match(cookie, /^consentgate_browser=[A-Za-z0-9_-]{43};/);
  for (const part of [/;\s*HttpOnly/i, /;\s*SameSite=Lax/i, /;\s*Path=\/(;|$)/i]) assert.match(cookie, part);
  assert.doesNotMatch(cookie, /Domain=|Secure/i);
});

test('S6: a well-formed browser secret is kept, so that two tabs run two flows, and any other is replaced', async () => {
  const browser = new Browser(server.base);
  const first = await startFlow(server, { client, browser });
  const secret = browser.cookies.get('consentgate_browser');
  const second = await startFlow(server, { client, browser });
  assert.equal(browser.cookies.get('consentgate_browser'), secret);
  for (const flow of [second, first]) assertPage(await browser.get(`/oauth/consent?flow_id=${flow.flowId}`), 200);
  for (const bad of ['short', `${secret}x`, `${secret.slice(0, 42)}!`, '']) {
    const { answer } = await authorize(server, { get: (target) => send(server.base, 'GET', target, { headers: { Cookie: `consentgate_browser=${bad}` } }) }, client);
    const fresh = /^consentgate_browser=([A-Za-z0-9_-]{43});/.exec(answer.headers['set-cookie']?.[0] ?? '');
    assert.ok(fresh && fresh[1] !== bad, bad);
  }
});

test('S6: with an https issuer the cookie is Secure and has the __Host- prefix', { timeout: 240000 }, async () => {
  const secure = await startServer({ env: { CONSENTGATE_ISSUER: 'https://consent.example.test', CONSENTGATE_RESOURCES: 'https://consent.example.test/mcp' } });
  try {
    const flow = await authorize(secure, new Browser(secure.base), await register(secure), { resource: undefined });
    assert.match(flow.answer.headers['set-cookie'][0], /^__Host-consentgate_browser=[A-Za-z0-9_-]{43};.*Secure/i);
    assert.deepEqual((await post(flow, 'deny', {}, { Origin: 'https://consent.example.test' })).sent().getAll('iss'), ['https://consent.example.test']);
  } finally { await secure.stop(); }
});

test('A34: a query of 12,000 characters is read, and one of 20,000 is refused without a crash', async () => {
  const long = await go({ state: 's'.repeat(6000), padding: 'p'.repeat(5500) });
  assert.ok(long.flowId, `${long.answer.status} ${long.answer.text}`);
  assert.ok([400, 414, 431].includes((await go({ state: 's'.repeat(20000) })).answer.status));
});

test('A35: what is said about an error is plain ASCII without quotes or backslashes', async () => {
  for (const scope of ['é"\\', '"', '"<b>', '\u2028']) {
    const { answer } = await go({ scope });
    assertRedirectError(server, answer, 'invalid_scope', { to: loopback });
  }
});

test('A35 A22: line ends and NUL in a parameter split no header', async () => {
  for (const more of [{ scope: 'a\r\nX-Evil: y' }, { state: 'a\r\nX-Evil: y' }, { state: 'a\u0000b' }, { redirect_uri: `${loopback}\r\nX-Evil: y` }]) {
    const { answer } = await go(more);
    assert.ok([302, 400].includes(answer.status), String(answer.status));
    assert.equal(answer.headers['x-evil'], undefined);
  }
});

test('U7 U8: a second sign-in of the same app asks again', async () => {
  const browser = new Browser(server.base);
  await codeFor(server, { client, browser });
  const again = await startFlow(server, { client, browser });
  assert.match((await browser.get(again.answer.location)).text, /<form/);
});
