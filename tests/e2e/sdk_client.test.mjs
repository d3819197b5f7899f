// The official MCP TypeScript SDK in both its generations, unmodified, signs in and calls a tool;
// only the person's clicks are ours.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import * as auth1 from '@modelcontextprotocol/sdk/client/auth.js';
import { Client as Client1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as Transport1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { App, callback, endAccessTokens, forgetEveryone, optional, revoke } from './support/app.mjs';
import { api, clientName, post, rpc } from './support/journey.mjs';
import { startServer } from './support/server.mjs';

const options = { timeout: 120000 };
const two = await optional('@modelcontextprotocol/client');
const one = { name: 'the SDK', Client: Client1, Transport: Transport1, UnauthorizedError: auth1.UnauthorizedError, auth: auth1.auth, callbackOf: (sent) => sent.get('code') };
// Version 2 takes the whole callback, to check the issuer in it before it looks at the code.
const second = { name: 'version 2 of the SDK', Client: two.module?.Client, Transport: two.module?.StreamableHTTPClientTransport, UnauthorizedError: two.module?.UnauthorizedError,
  auth: two.module?.auth, callbackOf: (sent) => sent, skip: two.why };
let server;
before(async () => { server = await startServer(); }, { timeout: 240000 });
after(async () => { await server?.stop(); }, { timeout: 120000 });

const transportFor = (sdk, app) => new sdk.Transport(new URL(server.resource), { authProvider: app });

async function connect(sdk, app) {
  const client = new sdk.Client({ name: 'e2e', version: '1' });
  await client.connect(transportFor(sdk, app));
  return client;
}

async function signIn(sdk, app, identity) {
  const first = transportFor(sdk, app);
  await assert.rejects(new sdk.Client({ name: 'e2e', version: '1' }).connect(first), sdk.UnauthorizedError);
  await first.finishAuth(sdk.callbackOf(await app.answer(identity)));
  return connect(sdk, app);
}

const whoamiBy = async (client) => (await client.callTool({ name: 'whoami', arguments: {} })).structuredContent;

for (const sdk of [one, second]) {
  const settings = { ...options, skip: sdk.skip };

  test(`I1: ${sdk.name} discovers, registers, signs in and calls whoami`, settings, async () => {
    const app = new App(server);
    const client = await signIn(sdk, app, { userId: 'ada' });
    assert.deepEqual((await client.listTools()).tools.map((tool) => tool.name), ['whoami', 'profile']);
    const said = await whoamiBy(client);
    assert.deepEqual([said.client_id, await clientName(server, said.client_id), said.identity_kind, said.identity], [app.client.client_id, 'SDK app', 'user_id', 'ada']);
    assert.equal(app.kept.token_type, 'Bearer');
    const asked = app.asked[0].searchParams;
    assert.deepEqual(['resource', 'scope', 'code_challenge_method'].map((name) => asked.get(name)), [server.resource, 'mcp', 'S256']);
    await client.close();
  });

  test(`I1: ${sdk.name} signs in with a virtual key and skipped too`, settings, async () => {
    const key = await server.addKey('laptop');
    for (const [identity, kind] of [[{ virtualKey: key.virtual_key }, 'virtual_key'], [{ skip: true }, 'skipped']]) {
      const client = await signIn(sdk, new App(server), identity);
      assert.equal((await whoamiBy(client)).identity_kind, kind);
      await client.close();
    }
  });

  test(`A27: ${sdk.name} learns of a denial from the redirect`, settings, async () => {
    const app = new App(server);
    await assert.rejects(connect(sdk, app), sdk.UnauthorizedError);
    const sent = await app.answer({ skip: true }, (flow) => post(flow, 'deny'));
    assert.deepEqual([sent.get('error'), sent.has('code')], ['access_denied', false]);
  });

  test(`R11: an app that asks ${sdk.name} for a secret signs in with what it is given`, settings, async () => {
    const app = new App(server, { token_endpoint_auth_method: 'client_secret_post' });
    const client = await signIn(sdk, app, { skip: true });
    assertSecretOrNone(app.client);
    await client.close();
  });

  test(`T21: when its access token is over, ${sdk.name} refreshes by itself and the person is not asked`, settings, async () => {
    const app = new App(server);
    const client = await signIn(sdk, app, { userId: 'ada' });
    for (let round = 0; round < 3; round += 1) {
      const before_ = app.kept;
      endAccessTokens(server, app.client.client_id);
      assert.equal((await whoamiBy(client)).identity, 'ada');
      assert.notEqual(app.kept.access_token, before_.access_token);
      assert.notEqual(app.kept.refresh_token, before_.refresh_token);
      assert.equal((await rpc(server, before_.access_token, 'tools/list')).status, 401);
    }
    assert.equal(app.asked.length, 1);
    await client.close();
  });

  test(`C5: without a refresh token ${sdk.name} asks the person again`, settings, async () => {
    const app = new App(server);
    await (await signIn(sdk, app, { skip: true })).close();
    app.kept = { access_token: 'cgs_'.padEnd(47, 'A'), token_type: 'Bearer' };
    await assert.rejects(connect(sdk, app), sdk.UnauthorizedError);
    assert.equal(app.asked.length, 2);
  });

  test(`R18: after the server forgot everyone ${sdk.name} registers anew by itself`, settings, async () => {
    const app = new App(server);
    const client = await signIn(sdk, app, { skip: true });
    const old = app.client.client_id;
    await whoamiBy(client); // what it began on connecting is over, or its stream would sign in beside its call
    forgetEveryone(server);
    await assert.rejects(whoamiBy(client), sdk.UnauthorizedError);
    assert.notEqual(app.client.client_id, old);
    assert.equal(app.asked.at(-1).searchParams.get('client_id'), app.client.client_id);
    const again = transportFor(sdk, app);
    await again.finishAuth(sdk.callbackOf(await app.answer({ userId: 'ada' })));
    const anew = await connect(sdk, app);
    assert.deepEqual((await whoamiBy(anew)).client_id, app.client.client_id);
    await anew.close();
  });

  test(`R18: a client that is disabled between sign-in and code is dropped by ${sdk.name}, which registers anew`, settings, async () => {
    const app = new App(server);
    await (await signIn(sdk, app, { skip: true })).close();
    const old = app.client.client_id;
    app.kept = undefined;
    await assert.rejects(connect(sdk, app), sdk.UnauthorizedError);
    const sent = await app.answer({ skip: true });
    await server.admin('client', 'disable', old);
    const end = await sdk.auth(app, { serverUrl: server.resource, authorizationCode: sent.get('code'), iss: sent.get('iss') }).catch((error) => error.message);
    assert.notEqual(end, 'AUTHORIZED');
    assert.notEqual(app.client?.client_id, old);
    await (await signIn(sdk, app, { skip: true })).close();
    assert.notEqual(app.client.client_id, old);
  });

  test(`V4 V5: once its refresh token is revoked, ${sdk.name} gets no tool call through and asks the person again`, settings, async () => {
    const app = new App(server);
    const client = await signIn(sdk, app, { skip: true });
    await whoamiBy(client);
    const { access_token: token } = app.kept;
    await revoke(server, app.client.client_id, app.kept.refresh_token);
    await assert.rejects(whoamiBy(client), sdk.UnauthorizedError);
    assert.equal((await rpc(server, token, 'tools/list')).status, 401);
    assert.deepEqual([app.asked.length, app.kept], [2, undefined]);
  });
}

test('D22 A23: version 2 of the SDK refuses a callback that names another issuer, and takes the same one that names ours', { ...options, skip: second.skip }, async () => {
  const app = new App(server);
  const transport = transportFor(second, app);
  await assert.rejects(new second.Client({ name: 'e2e', version: '1' }).connect(transport), second.UnauthorizedError);
  const sent = await app.answer({ skip: true });
  for (const iss of ['https://other.example', undefined]) {
    const forged = new URLSearchParams(sent);
    if (iss) forged.set('iss', iss); else forged.delete('iss');
    await assert.rejects(transport.finishAuth(forged), two.module.IssuerMismatchError);
  }
  await transport.finishAuth(sent);
  assert.match(app.kept.access_token, /^cgs_/);
  assert.ok(app.asked[0].href.startsWith(`${server.issuer}${api}/authorize?`) && app.redirectUrl === callback);
});

// Servers differ in whether they keep secrets; what must not happen is one without its expiry, or a
// secret for `none`.
function assertSecretOrNone(client) {
  if (client.token_endpoint_auth_method === 'none') assert.equal(client.client_secret, undefined);
  else assert.deepEqual([typeof client.client_secret, Number.isInteger(client.client_secret_expires_at)], ['string', true]);
}
