// Being asked once and not again, and Finish pressed twice, through lighttpd.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Browser, htmlAccept } from './support/browser.mjs';
import { assertGatewayError } from './support/checks.mjs';
import { authorize, choose, https, journey, loopback, post, redeem, register, rpc, startFlow, submit } from './support/journey.mjs';
import { startServer } from './support/server.mjs';

let server, key, client;

before(async () => {
  server = await startServer({ workers: 2 });
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
const asked = ({ flowId }) => flowId !== undefined;

test('U7 U9: who consented is led on without a page, by a code of its own that works', async () => {
  const { browser, first } = await consented();
  const again = await authorize(server, browser, client);
  assert.equal(again.answer.status, 302, again.answer.text);
  assert.ok(again.answer.location.startsWith(`${https}?code=`), again.answer.location);
  const code = again.answer.sent().get('code');
  assert.notEqual(code, first.code);
  assert.equal(again.answer.sent().get('state'), 'a state');
  assert.equal(again.answer.sent().get('iss'), server.issuer);
  const answer = await redeem(server, again, code);
  assert.equal(answer.status, 200, answer.text);
  assert.equal((await rpc(server, answer.json().access_token, 'tools/list')).status, 200);
  assert.equal((await rpc(server, first.token, 'tools/list')).status, 200);
});

test('U7 U9 K20: another browser, client, more scopes or prompt=consent are asked', async () => {
  const { browser } = await consented();
  assert.ok(asked(await authorize(server, new Browser(server.base, server.issuer), client)));
  assert.ok(asked(await authorize(server, browser, await register(server, { redirect_uris: [https] }))));
  assert.ok(asked(await authorize(server, browser, client, { scope: 'mcp profile' })));
  assert.ok(asked(await authorize(server, browser, client, { prompt: 'consent' })));
  assert.ok(!asked(await authorize(server, browser, client)));
});

test('U8 K23: a client on the person\'s own computer is asked for every time', async () => {
  const { browser } = await consented({ redirect_uri: loopback });
  assert.ok(asked(await authorize(server, browser, client, { redirect_uri: loopback })));
});

test('U7: a typed name is asked for again, and so is everybody once the session is over', async () => {
  const browser = new Browser(server.base, server.issuer);
  await journey(server, { client, browser, identity: { userId: 'anna' } });
  assert.ok(asked(await authorize(server, browser, client)));
  const { browser: other } = await consented();
  for (const { id } of await server.admin('session', 'list', '--json')) await server.admin('session', 'revoke', id);
  assert.ok(asked(await authorize(server, other, client)));
});

test('U14 S2: Finish pressed twice is one code: the second press is 409 with the way on while the code is unused', async () => {
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
