// Real clients from npm behind lighttpd and the gate, as the demo runs them: Claude Code's way to a
// second scope, which its reports describe, and mcp-remote with a header of the person's.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { after, before, test } from 'node:test';
import { endAccessTokens, personAt } from './support/app.mjs';
import { postForm } from './support/browser.mjs';
import { challengeOf } from './support/checks.mjs';
import { testRealClients } from './support/client_journeys.mjs';
import { api, codeFor, register, rpc, tokenParameters } from './support/journey.mjs';
import { mcpRemote } from './support/real_clients.mjs';
import { freePort, plainFolder, startServer } from './support/server.mjs';

const options = { timeout: 120000 };
let server;
before(async () => { server = await startServer(); }, { timeout: 240000 });
after(async () => { await server?.stop(); }, { timeout: 120000 });

testRealClients('lighttpd', () => server);

// ---- Claude Code at a step-up (anthropics/claude-code#28258) ------------------------------------

test('XE3 XE8: Claude Code, which registers the scope of the first challenge and refreshes before it asks the person, ends signed in with both scopes', options, async () => {
  const profile = (token) => rpc(server, token, 'tools/call', { name: 'profile', arguments: {} });
  const first = challengeOf(await rpc(server, undefined, 'initialize', {}));
  const client = await register(server, { client_name: 'Claude Code (tools)', redirect_uris: ['http://localhost:3118/callback'], grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'], scope: first.scope });
  assert.equal(client.scope, 'mcp');
  const tokenFor = async (scope) => {
    const flow = await codeFor(server, { client, more: { scope, redirect_uri: 'http://localhost:3118/callback' }, identity: { userId: 'ada' } });
    return (await postForm(server.base, `${api}/token`, tokenParameters(flow, flow.code))).json();
  };
  const signedIn = await tokenFor(first.scope);
  const refused = await profile(signedIn.access_token);
  const more = challengeOf(refused);
  assert.deepEqual([refused.status, more.error, more.scope], [403, 'insufficient_scope', 'mcp profile']);

  // Its first attempt is a refresh, which cannot give more; nor may it end what it has.
  const refreshed = (await postForm(server.base, `${api}/token`, { grant_type: 'refresh_token', client_id: client.client_id, refresh_token: signedIn.refresh_token })).json();
  assert.equal(refreshed.scope, 'mcp');
  assert.equal((await profile(refreshed.access_token)).status, 403);
  assert.equal((await rpc(server, refreshed.access_token, 'tools/list')).status, 200);

  const stepped = await tokenFor(more.scope);
  assert.equal(stepped.scope, 'mcp profile');
  assert.equal((await profile(stepped.access_token)).json().result.structuredContent.scope, 'mcp profile');
});

// ---- mcp-remote with headers of the person's ----------------------------------------------------

const withHeader = async (header, work) => {
  const home = plainFolder();
  const client = mcpRemote.open(server, home, await freePort(), '--header', header);
  try { await work(client, (address) => personAt(server, address, { userId: 'ada' })); } finally {
    await client.stop();
    fs.rmSync(home, { recursive: true, force: true });
  }
};

for (const header of ['X-Team: blue', 'Content-Type: application/json', 'Accept: application/json']) {
  test(`XE6 XE8: mcp-remote signs in and refreshes although it sends the person's header ${header} with everything`, { ...options, skip: mcpRemote.skip }, () => withHeader(header, async (client, person) => {
    assert.equal((await client.call('whoami', person)).identity, 'ada');
    endAccessTokens(server, client.clientId());
    assert.equal((await client.call('whoami', () => assert.fail('a refresh needs no person'))).identity, 'ada');
  }));
}

for (const header of ['Authorization: Bearer of-another-server', 'Authorization: Basic YW5uYTp3b3Jk']) {
  test(`XE8: an ${header} of the person's takes the place of mcp-remote's token, and nobody gets in by it`, { ...options, skip: mcpRemote.skip }, () => withHeader(header, (client, person) => assert.rejects(client.call('whoami', person))));
}
