// The gate in front of servers that work with people's own accounts: each call goes on with its
// caller's token, fresh, and whoever has not connected theirs is led to where they can.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js';
import { App } from './support/app.mjs';
import { postForm, send } from './support/browser.mjs';
import { assertOauthError, challengeOf } from './support/checks.mjs';
import { fronts, startFront } from './support/fronts.mjs';
import { api, choose, codeFor, connect as connectAt, finish, inLanes, redeem, register, startFlow, submit } from './support/journey.mjs';
import { startServerBehind } from './support/mcp_behind.mjs';
import { makeAuthority, signIn, startProvider } from './support/upstreams.mjs';

const options = { timeout: 120000 };
let server;
let notion; // issues tokens for a minute and a half, which is due at once
let behind;
let authority;

before(async () => {
  authority = makeAuthority();
  fs.chmodSync(path.dirname(authority.ca), 0o755); // on shared hosting the program is the web server's user
  notion = await startProvider({ authority, accessTokenSeconds: 90 });
  behind = await startServerBehind();
  // One server of our own that uses Notion, and Notion itself, which is only passed on to.
  const guards = [{ at: '/mcp', port: behind.port, service: 'notion' }, { at: '/notion', to: notion.mcpUrl, ca: authority.ca, service: 'notion' }];
  server = await startFront(fronts.find(({ name }) => name === 'Apache'), { guards, env: { CONSENTGATE_SERVICE_CA: authority.ca }, prepare: (one) => one.admin('service', 'add', 'notion', '--url', notion.mcpUrl) });
}, { timeout: 240000 });
after(async () => { await server?.stop(); await behind?.stop(); await notion?.stop(); }, options);

const call = (token, target = '/mcp') => send(server.base, 'POST', target, { headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` }, body: '{}' });

async function connect(flow, user, where = server) {
  const answer = await connectAt(where, flow, 'notion', (address) => signIn(notion, address, user));
  assert.equal(answer.location, `/oauth/consent/mcps?flow_id=${flow.flowId}#service-notion`, answer.text);
}

async function signedIn(user, at = '/mcp') {
  const flow = await startFlow(server, { more: { resource: `${server.base}${at}` } });
  await choose(flow, { skip: true });
  await connect(flow, user);
  return finish(server, flow);
}

const sentOn = async (token) => {
  const answer = await call(token);
  assert.equal(answer.status, 200, answer.text);
  return answer.json().headers.authorization;
};

test('RS7 S9: each of ten people calls with their own account, in parallel, and no session token goes on', options, async () => {
  const people = await inLanes(4, Array.from({ length: 10 }, (_, i) => async () => ({ user: `user${i}`, token: await signedIn(`user${i}`) })));
  await inLanes(8, people.flatMap((one) => Array.from({ length: 5 }, () => async () => {
    const [, upstream] = /^Bearer (\S+)$/.exec(await sentOn(one.token));
    assert.equal(await notion.whoIs(upstream), one.user);
    assert.notEqual(upstream, one.token);
  })));
});

test('S9: a service that is only passed on to takes the person for who they are there', options, async () => {
  const answer = await call(await signedIn('anna', '/notion'), '/notion');
  assert.equal(answer.status, 200, answer.text);
  assert.deepEqual(answer.json(), { sub: 'anna' });
});

test('S9: a token that is due is refreshed on the way, once', options, async () => {
  const token = await signedIn('berta');
  const refreshed = () => notion.calls.token.refresh_token ?? 0;
  server.sql("UPDATE upstream_token SET expires_at = 1");
  const before = refreshed();
  const answers = await inLanes(6, Array.from({ length: 12 }, () => () => sentOn(token)));
  assert.equal(refreshed(), before + 1);
  for (const one of new Set(answers)) assert.equal(await notion.whoIs(one.slice(7)), 'berta');
});

test('S7 C5: who has not connected the account is asked to sign in, and the page says what is needed', options, async () => {
  const flow = await codeFor(server);
  const { access_token: token, refresh_token: refresh } = (await redeem(server, flow, flow.code)).json();
  const before = behind.seen.length;
  const answer = await call(token);
  assert.equal(answer.status, 401);
  assert.equal(challengeOf(answer).error, 'invalid_token');
  assert.match(challengeOf(answer).error_description, /connect/);
  assert.equal(behind.seen.length, before);
  assert.equal(refresh, undefined);
  const again = await startFlow(server, { client: flow.client, browser: flow.browser });
  await choose(again, { skip: true });
  assert.match((await again.browser.get(`/oauth/consent/mcps?flow_id=${again.flowId}`)).text, /works with this account/);
});

test('T20 S7: a session without the account cannot be refreshed past the page where it is connected', options, async () => {
  const client = await register(server, { grant_types: ['authorization_code', 'refresh_token'] });
  const flow = await codeFor(server, { client });
  const { refresh_token: token } = (await redeem(server, flow, flow.code)).json();
  assert.ok(token);
  assertOauthError(await postForm(server.base, `${api}/token`, { grant_type: 'refresh_token', refresh_token: token, client_id: client.client_id }), 400, 'invalid_grant');
});

test('I1: the SDK goes through sign-in without the account, is led back to connect it, and then works', options, async () => {
  const app = new App(server);
  const transport = () => new StreamableHTTPClientTransport(new URL(server.resource), { authProvider: app });
  const first = transport();
  await assert.rejects(new Client({ name: 'e2e', version: '1' }).connect(first), UnauthorizedError);
  await first.finishAuth((await app.answer({ skip: true })).get('code'));
  const second = transport();
  await assert.rejects(new Client({ name: 'e2e', version: '1' }).connect(second), UnauthorizedError);
  assert.equal(app.asked.length, 2, 'the person is asked again');
  await second.finishAuth((await app.answer({ skip: true }, async (flow) => { await connect(flow, 'carla'); return submit(flow); })).get('code'));
  assert.equal(await notion.whoIs((await sentOn(app.kept.access_token)).slice(7)), 'carla');
});

test('S9: when the service takes the account away, the person is led to connect it again', options, async () => {
  const token = await signedIn('dora');
  server.sql("UPDATE upstream_token SET expires_at = 1");
  notion.failNext('invalid_grant');
  assert.equal((await call(token)).status, 401);
  assert.equal((await call(token)).status, 401);
});

test('S9: when the service is away and the token over, the call may come again later', options, async () => {
  const token = await signedIn('emil');
  server.sql("UPDATE upstream_token SET expires_at = 1, retry_at = NULL WHERE broken_at IS NULL");
  notion.failNext(503);
  const answer = await call(token);
  assert.equal(answer.status, 503, answer.text);
  assert.ok(Number(answer.headers['retry-after']) > 0);
});

test('RS6: a key that may not use the service is refused without being sent round', options, async () => {
  await server.admin('service', 'add', 'other', '--url', notion.mcpUrl);
  const key = await server.addKey('narrow', '--service', 'other');
  const flow = await codeFor(server, { identity: { virtualKey: key.virtual_key } });
  const answer = await call((await redeem(server, flow, flow.code)).json().access_token);
  assert.equal(answer.status, 403);
  assert.equal(answer.headers['www-authenticate'], undefined);
});

test('RS7 RS11: on shared hosting, where Apache passes headers of the gate to clients, no client sees an upstream token', { timeout: 240000 }, async () => {
  const service = (one) => one.admin('service', 'add', 'notion', '--url', notion.mcpUrl);
  const hosted = await startFront(fronts.find(({ socket }) => socket === 'none'), { guards: [{ at: '/mcp', port: behind.port, service: 'notion' }], env: { CONSENTGATE_SERVICE_CA: authority.ca }, prepare: service });
  try {
    const flow = await startFlow(hosted);
    await choose(flow, { skip: true });
    await connect(flow, 'frida', hosted);
    const token = await finish(hosted, flow);
    const answer = await send(hosted.base, 'POST', '/mcp', { headers: { Authorization: `Bearer ${token}` }, body: '{}' });
    assert.equal(answer.status, 200, answer.text);
    const upstream = answer.json().headers.authorization.slice(7);
    assert.equal(await notion.whoIs(upstream), 'frida');
    assert.ok(!JSON.stringify(answer.headers).includes(upstream), JSON.stringify(answer.headers));
  } finally { await hosted.stop(); }
});
