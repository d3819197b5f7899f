// Being asked everything once, then for one button; and Allow pressed twice, through lighttpd.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Browser, htmlAccept } from './support/browser.mjs';
import { assertGatewayError } from './support/checks.mjs';
import { authorize as authorizeAs, choose, https, journey, loopback, post, redeem, register, rpc, startFlow, submit } from './support/journey.mjs';
import { startServer } from './support/server.mjs';

let server, key, client;

before(async () => {
  server = await startServer({ workers: 2, env: { CONSENTGATE_REMEMBER_CONSENT: 'https' } });
  key = await server.addKey('Anna');
  client = await register(server, { redirect_uris: [https, loopback] });
}, { timeout: 240000 });
after(async () => { await server?.stop(); }, { timeout: 120000 });

const identity = () => ({ virtualKey: key.virtual_key });
// A browser whose person consented to this once.
async function consented(more = {}) {
  const browser = new Browser(server.base, server.issuer);
  const first = await journey(server, { client, browser, identity: identity(), more });
  return { browser, first };
}
// Authorizes as a browser does that the person themselves, or a program, sent there.
async function authorize(browser, of = client, more = {}, site = 'none') {
  const bare = new Browser(browser.base, browser.origin);
  bare.cookies = browser.cookies;
  bare.get = (target, headers = {}) => browser.get(target, { 'Sec-Fetch-Site': site ?? undefined, ...headers });
  const flow = await authorizeAs(server, bare, of, more);
  const [, flowId] = /^\/oauth\/consent\/remembered\?flow_id=([A-Za-z0-9_-]{22})$/.exec(flow.answer.location ?? '') ?? [];
  return { ...flow, browser, offered: flowId !== undefined, flowId: flow.flowId ?? flowId };
}
const asked = ({ flowId, offered }) => flowId !== undefined && !offered;

test('XA5 U7 U9: who consented sees one page, and its button gives a code of its own that works', async () => {
  const { browser, first } = await consented();
  const again = await authorize(browser);
  assert.ok(again.offered, again.answer.location);
  const page = await browser.get(`/oauth/consent/remembered?flow_id=${again.flowId}`);
  assert.equal(page.status, 200);
  for (const words of ['Anna', 'Test client', 'Not me', 'Go on']) assert.ok(page.text.includes(words), words);
  const before = (await server.admin('session', 'list', '--json')).length;
  await browser.get(`/oauth/consent/remembered?flow_id=${again.flowId}`);
  assert.equal((await server.admin('session', 'list', '--json')).length, before, 'looking finishes nothing');
  const pressed = await post(again, 'reuse');
  assert.ok(pressed.location.startsWith(`${https}?code=`), pressed.location);
  const code = pressed.sent().get('code');
  assert.notEqual(code, first.code);
  assert.equal(pressed.sent().get('state'), 'a state');
  assert.equal(pressed.sent().get('iss'), server.issuer);
  const answer = await redeem(server, again, code);
  assert.equal(answer.status, 200, answer.text);
  assert.equal((await rpc(server, answer.json().access_token, 'tools/list')).status, 200);
  assert.equal((await rpc(server, first.token, 'tools/list')).status, 200);
});

test('XA5: whoever a page led here is asked everything, our own page too', async () => {
  const { browser } = await consented();
  for (const site of ['cross-site', 'same-site', 'same-origin', null]) assert.ok(asked(await authorize(browser, client, {}, site)), site);
  assert.ok(!asked(await authorize(browser)));
});

test('U7 U9 K20: another browser, client, more scopes or prompt=consent are asked', async () => {
  const { browser } = await consented();
  assert.ok(asked(await authorize(new Browser(server.base, server.issuer))));
  assert.ok(asked(await authorize(browser, await register(server, { redirect_uris: [https] }))));
  assert.ok(asked(await authorize(browser, client, { scope: 'mcp profile' })));
  assert.ok(asked(await authorize(browser, client, { prompt: 'consent' })));
  assert.ok(!asked(await authorize(browser)));
});

test('U8 K23: a client on the person\'s own computer is asked for every time', async () => {
  const { browser } = await consented({ redirect_uri: loopback });
  assert.ok(asked(await authorize(browser, client, { redirect_uri: loopback })));
});

test('U7: a typed name is asked for again, and so is everybody once the session is over', async () => {
  const browser = new Browser(server.base, server.issuer);
  await journey(server, { client, browser, identity: { userId: 'anna' } });
  assert.ok(asked(await authorize(browser)));
  const { browser: other } = await consented();
  for (const { id } of await server.admin('session', 'list', '--json')) await server.admin('session', 'revoke', id);
  assert.ok(asked(await authorize(other)));
});

test('U14 S2: Allow pressed twice is one code: the second press is 409 with the way on while the code is unused', async () => {
  const flow = await startFlow(server, { client });
  await choose(flow, { skip: true });
  const first = await submit(flow);
  const second = await submit(flow, { Accept: htmlAccept });
  assert.equal(second.status, 409);
  const link = /href="([^"]*code=[^"]*)"/.exec(second.text)?.[1].replaceAll('&amp;', '&');
  assert.equal(link, first.location);
  assert.equal(second.headers['cache-control'], 'no-store');
  assertGatewayError(await submit(flow, { Accept: 'application/json' }), 409, 'flow_already_submitted'); // a program gets no code
  const stranger = new Browser(server.base, server.issuer);
  await stranger.get('/healthz');
  const stolen = await post({ ...flow, browser: stranger }, 'submit', {}, { Accept: htmlAccept });
  assert.equal(stolen.status, 403);
  assert.ok(!stolen.text.includes('code='));
  assert.equal((await redeem(server, flow, first.sent().get('code'))).status, 200);
  const late = await submit(flow, { Accept: htmlAccept });
  assert.equal(late.status, 409);
  assert.ok(!late.text.includes('code='), 'a code that was used leads nowhere');
});

test('U13: two tabs of one browser finish both, each with its own code', async () => {
  const browser = new Browser(server.base, server.issuer);
  const [one, two] = [await startFlow(server, { client, browser }), await startFlow(server, { client, browser })];
  for (const flow of [one, two]) await browser.get(`/oauth/consent?flow_id=${flow.flowId}`);
  await browser.get(`/oauth/consent?flow_id=${one.flowId}`); // a reload
  for (const flow of [two, one]) {
    await choose(flow, { skip: true });
    const answer = await submit(flow);
    assert.equal((await redeem(server, flow, answer.sent().get('code'))).status, 200);
  }
});
