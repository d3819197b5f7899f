// The official MCP TypeScript SDK, unmodified, signs in and calls a tool; only the person's clicks are ours.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { auth, UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { Browser } from './support/browser.mjs';
import { choose, codeFor, post, redeem, register, submit } from './support/journey.mjs';
import { startServer } from './support/server.mjs';

const callback = 'http://localhost:3118/callback';
const options = { timeout: 120000 };
let server;
before(async () => { server = await startServer(); }, { timeout: 240000 });
after(async () => { await server?.stop(); }, { timeout: 120000 });

// What an application keeps for the SDK; `answer` plays the person at the consent page and gives what the client's callback got.
class Provider {
  constructor(more = {}) {
    this.redirectUrl = callback;
    this.clientMetadata = { client_name: 'SDK app', redirect_uris: [callback], grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'], token_endpoint_auth_method: 'none', ...more };
    this.asked = [];
  }

  state() { return 'state of the app'; }
  clientInformation() { return this.client; }
  saveClientInformation(client) { this.client = client; }
  tokens() { return this.kept; }
  saveTokens(tokens) { this.kept = tokens; }
  codeVerifier() { return this.verifier; }
  saveCodeVerifier(verifier) { this.verifier = verifier; }
  redirectToAuthorization(url) { this.asked.push(url); }
  invalidateCredentials(what) {
    if (what === 'all' || what === 'client') this.client = undefined;
    if (what === 'all' || what === 'tokens') this.kept = undefined;
  }

  async answer(identity, last = submit) {
    const browser = new Browser(server.base);
    const url = this.asked.at(-1);
    const started = await browser.get(url.pathname + url.search);
    const flow = { browser, flowId: new URL(started.location, server.base).searchParams.get('flow_id') };
    assert.ok(flow.flowId, started.text);
    await choose(flow, identity);
    const { location } = await last(flow);
    assert.ok(location.startsWith(`${callback}?`), location);
    const sent = new URL(location).searchParams;
    assert.equal(sent.get('state'), 'state of the app');
    assert.equal(sent.get('iss'), server.issuer);
    return sent;
  }
}

const transportFor = (provider) => new StreamableHTTPClientTransport(new URL(server.resource), { authProvider: provider });

async function signIn(provider, identity) {
  const client = new Client({ name: 'e2e', version: '1' });
  const first = transportFor(provider);
  await assert.rejects(client.connect(first), UnauthorizedError);
  await first.finishAuth((await provider.answer(identity)).get('code'));
  const again = new Client({ name: 'e2e', version: '1' });
  await again.connect(transportFor(provider));
  return again;
}

test('real clients: the SDK discovers, registers, signs in and calls whoami', options, async () => {
  const provider = new Provider();
  const client = await signIn(provider, { userId: 'ada' });
  assert.deepEqual((await client.listTools()).tools.map((tool) => tool.name), ['whoami']);
  const { structuredContent: said, content } = await client.callTool({ name: 'whoami', arguments: {} });
  assert.deepEqual([said.client_id, said.client_name, said.identity_kind, said.identity], [provider.client.client_id, 'SDK app', 'user_id', 'ada']);
  assert.match(content[0].text, /SDK app/);
  assert.equal(provider.kept.token_type, 'Bearer');
  const asked = provider.asked[0].searchParams;
  assert.equal(asked.get('resource'), server.resource);
  assert.equal(asked.get('scope'), 'mcp');
  assert.equal(asked.get('code_challenge_method'), 'S256');
  await client.close();
});

test('real clients: the SDK signs in with a virtual key and skipped too', options, async () => {
  const key = await server.addKey('laptop');
  for (const [identity, kind] of [[{ virtualKey: key.virtual_key }, 'virtual_key'], [{ skip: true }, 'skipped']]) {
    const client = await signIn(new Provider(), identity);
    assert.equal((await client.callTool({ name: 'whoami', arguments: {} })).structuredContent.identity_kind, kind);
    await client.close();
  }
});

test('A27: the SDK learns of a denial from the redirect', options, async () => {
  const provider = new Provider();
  await assert.rejects(new Client({ name: 'e2e', version: '1' }).connect(transportFor(provider)), UnauthorizedError);
  const sent = await provider.answer({ skip: true }, (flow) => post(flow, 'deny'));
  assert.deepEqual([sent.get('error'), sent.has('code')], ['access_denied', false]);
});

test('R11: an app that asks the SDK for a secret is given none and signs in all the same', options, async () => {
  const provider = new Provider({ token_endpoint_auth_method: 'client_secret_post' });
  const client = await signIn(provider, { skip: true });
  assert.equal(provider.client.token_endpoint_auth_method, 'none');
  assert.equal(provider.client.client_secret, undefined);
  await client.close();
});

test('R18: after its registration is gone the SDK registers anew by itself', options, async () => {
  const provider = new Provider();
  await (await signIn(provider, { skip: true })).close();
  const old = provider.client.client_id;
  await assert.rejects(new Client({ name: 'e2e', version: '1' }).connect(transportFor(Object.assign(provider, { kept: undefined }))), UnauthorizedError);
  const code = (await provider.answer({ skip: true })).get('code');
  await server.admin('client', 'disable', old);
  assert.equal(await auth(provider, { serverUrl: server.resource, authorizationCode: code }).catch((error) => error.message) === 'AUTHORIZED', false);
  assert.equal(provider.client?.client_id === old, false, 'the SDK still holds the dead registration');
  await (await signIn(provider, { skip: true })).close();
  assert.notEqual(provider.client.client_id, old);
});

test('C5 T21: for an access token that ended the SDK refreshes, and without a refresh token it asks to sign in', options, async () => {
  const provider = new Provider();
  await (await signIn(provider, { skip: true })).close();
  const ended = 'cgs_'.padEnd(47, 'A');
  const refreshToken = provider.kept.refresh_token;
  provider.kept = { ...provider.kept, access_token: ended };
  const client = new Client({ name: 'e2e', version: '1' });
  await client.connect(transportFor(provider));
  await client.callTool({ name: 'whoami', arguments: {} });
  await client.close();
  assert.notEqual(provider.kept.access_token, ended);
  assert.notEqual(provider.kept.refresh_token, refreshToken);
  provider.kept = { access_token: ended, token_type: 'Bearer' };
  const before_ = provider.asked.length;
  await assert.rejects(new Client({ name: 'e2e', version: '1' }).connect(transportFor(provider)), UnauthorizedError);
  assert.equal(provider.asked.length, before_ + 1);
  const flow = await codeFor(server, { client: await register(server) });
  assert.equal((await redeem(server, flow, flow.code)).status, 200);
});
