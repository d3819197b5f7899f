// A second real provider, of another making: Debian's glewlwyd, an OpenID Connect server in C,
// beside the MCP server that names it.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { assertOauthError } from './support/checks.mjs';
import { Browser, postForm } from './support/browser.mjs';
import { startGlewlwyd } from './support/glewlwyd.mjs';
import { api, choose, connect as connectAt, beginConnection, finish, register, startFlow } from './support/journey.mjs';
import { plainFolder, sleep, startServer } from './support/server.mjs';
import { makeAuthority } from './support/upstreams.mjs';

const exchangeGrant = 'urn:ietf:params:oauth:grant-type:token-exchange';
const accessTokenType = 'urn:ietf:params:oauth:token-type:access_token';
const seconds = 6; // of its access tokens
const over = 6200; // ms: one that is only due is handed out while it is refreshed

let server;
let client;
let asking;
let glewlwyd;

before(async () => {
  const authority = makeAuthority();
  glewlwyd = await startGlewlwyd({ people: ['anna', 'berta', 'carla', 'dora'], accessTokenSeconds: seconds, authority });
  server = await startServer({ workers: 4, env: { CONSENTGATE_SERVICE_CA: authority.ca } });
  const secret = path.join(plainFolder(), 'secret');
  fs.writeFileSync(secret, `${await glewlwyd.addClient('ours-by-hand', `${server.issuer}/api/oauth/callback/given`)}\n`, { mode: 0o600 });
  const services = { tools: [], openid: ['--scope', 'openid tools.read'], astray: ['--resource', 'https://localhost:1/of-somebody-else'],
    given: ['--client-id', 'ours-by-hand', '--client-secret-file', secret] };
  for (const [name, more] of Object.entries(services)) await server.admin('service', 'add', name, '--url', glewlwyd.mcpUrl, ...more);
  asking = await server.admin('resource', 'add', server.resource, ...Object.keys(services).flatMap((name) => ['--service', name]), '--json');
  client = await register(server);
}, { timeout: 240000 });
after(async () => {
  await server?.stop();
  await glewlwyd?.stop();
}, { timeout: 120000 });

const service = (name = 'tools') => server.admin('service', 'show', name, '--json');
async function begun(identity = { skip: true }) {
  const flow = await startFlow(server, { client, browser: new Browser(server.base, server.issuer) });
  await choose(flow, identity);
  return { ...flow, services: `/oauth/consent/mcps?flow_id=${flow.flowId}` };
}

const connect = (flow, user, name = 'tools') => connectAt(server, flow, name, (address) => glewlwyd.signIn(address, user));

async function signedIn(user, name = 'tools') {
  const flow = await begun();
  assert.equal((await connect(flow, user, name)).location, `${flow.services}#service-${name}`);
  return { ...flow, token: await finish(server, flow) };
}

const exchange = (token, name = 'tools') => postForm(server.base, `${api}/token`, { grant_type: exchangeGrant, subject_token: token, subject_token_type: accessTokenType,
  audience: name, client_id: asking.id, client_secret: asking.secret });

// The token that the resource server gets, good at glewlwyd for this person.
async function exchanged(token, user, name = 'tools') {
  const answer = await exchange(token, name);
  assert.equal(answer.status, 200, answer.text);
  const { access_token: upstream } = answer.json();
  assert.equal(await glewlwyd.whoIs(upstream), user);
  return upstream;
}

test('S7: glewlwyd is found from an MCP server elsewhere, by its OpenID document, and registers us', async () => {
  const found = await service();
  assert.deepEqual([found.issuer, found.authorization_endpoint, found.token_endpoint], [glewlwyd.issuer, `${glewlwyd.issuer}/auth`, `${glewlwyd.issuer}/token`]);
  assert.deepEqual([found.registration_endpoint, found.revocation_endpoint], [`${glewlwyd.issuer}/register`, `${glewlwyd.issuer}/revoke`]);
  assert.deepEqual([found.resource, found.scope, found.registration, found.token_endpoint_auth_method, found.has_client_secret], [glewlwyd.mcpUrl, 'tools.read', 'dynamic', 'client_secret_basic', true]);
  assert.deepEqual(glewlwyd.clients().filter(({ id }) => id === found.client_id), [{ id: found.client_id, name: 'consentgate' }]);
  await server.admin('service', 'test', 'tools');
});

test('S1 S9: two people connect their accounts during consent, and each exchange gives its caller\'s', async () => {
  const [anna, berta] = [await signedIn('anna'), await signedIn('berta')];
  const tokens = [await exchanged(anna.token, 'anna'), await exchanged(berta.token, 'berta')];
  for (const secret of tokens) assert.ok(!server.logs().includes(secret));
});

test('S9: its refresh tokens are good once, and a connection outlives several of them', { timeout: 60000 }, async () => {
  const { token } = await signedIn('anna');
  const seen = new Set([await exchanged(token, 'anna')]);
  for (let round = 0; round < 2; round += 1) {
    await sleep(over);
    const answers = await Promise.all([1, 2, 3, 4].map(() => exchanged(token, 'anna')));
    assert.equal(new Set(answers).size, 1, 'four ask at once, one refresh is made');
    seen.add(answers[0]);
  }
  assert.equal(seen.size, 3);
});

test('S9: a refresh that it refuses with a bare 400 asks the person to connect anew, once and for all', { timeout: 60000 }, async () => {
  const { token } = await signedIn('carla');
  glewlwyd.endAll('carla');
  await sleep(over);
  const answer = await exchange(token);
  assertOauthError(answer, 400, 'interaction_required');
  assert.match(answer.json().connect_uri, /\/upstream\/authorize\?mcp_client_id=tools&link=/);
  assert.match(server.logs(), /event=upstream_refresh_failed .*reason="?status 400"? .*broken=yes/);
});

test('S7: who turns back at its login page finds Connect again, and we stay the client we were', async () => {
  const flow = await begun();
  const redirect = await beginConnection(flow, 'tools');
  assert.equal(await glewlwyd.signIn(redirect.location, 'anna', { stop: true }), undefined);
  const before = await service();
  assert.match((await flow.browser.get(flow.services)).text, /mcp_client_id(=|&#x3D;)tools/);
  assert.equal((await connect(flow, 'anna')).location, `${flow.services}#service-tools`);
  assert.equal((await service()).client_id, before.client_id);
  await exchanged(await finish(server, flow), 'anna');
});

test('S7: an error with which it sends a person back is shown in our words', async () => {
  const flow = await begun();
  const back = await connect(flow, 'anna', 'astray');
  assert.equal(back.location, `${flow.services}&error=service_failed&service=astray#service-astray`);
  const page = await flow.browser.get(back.location);
  assert.equal(page.status, 200);
  assert.ok(!/invalid_target|Invalid Resource/.test(page.text), 'none of its words');
  assert.match(server.logs(), /invalid_target/);
});

test('S7: a provider whose issuer has a path is found from that issuer, where there is no MCP server to name it', async () => {
  const found = await server.admin('service', 'add', 'bare', '--url', glewlwyd.issuer, '--scope', 'tools.read', '--json');
  assert.deepEqual([found.issuer, found.token_endpoint, found.resource, found.registration], [glewlwyd.issuer, `${glewlwyd.issuer}/token`, '', 'dynamic']);
  await server.admin('service', 'test', 'bare');
});

test('S7: a client that its administrator made for us is used as it is', async () => {
  assert.deepEqual([(await service('given')).registration, (await service('given')).client_id], ['given', 'ours-by-hand']);
  const { token } = await signedIn('berta', 'given');
  await exchanged(token, 'berta', 'given');
});

test('S7: a service that wants openid gets a nonce with it', async () => {
  const { token } = await signedIn('anna', 'openid');
  await exchanged(token, 'anna', 'openid');
});

test('U12 S10: it hears of a disconnection: neither the access token nor the refresh token is good any more', async () => {
  const { browser, token } = await signedIn('dora');
  const upstream = await exchanged(token, 'dora');
  assert.equal(glewlwyd.standing('dora'), 1);
  const [, session] = /name="session_id" value="([^"]+)"/.exec((await browser.get('/oauth/sessions')).text);
  assert.equal((await browser.post('/oauth/sessions/disconnect', { session_id: session, mcp_client_id: 'tools' })).status, 302);
  assert.equal(await glewlwyd.whoIs(upstream), undefined);
  assert.equal(glewlwyd.standing('dora'), 0);
  assertOauthError(await exchange(token), 400, 'interaction_required');
});

test('S7: a registration that it has deleted is made anew when a person tries once more', { timeout: 60000 }, async () => {
  const { token } = await signedIn('anna');
  const { client_id: old } = await service();
  await glewlwyd.deleteClient(old);
  await sleep(over);
  assertOauthError(await exchange(token), 400, 'interaction_required');
  const flow = await begun();
  // A page of its own, and nobody is sent back. It is believed when it says so after a minute, too.
  for (let pressed = 0; pressed < 2; pressed += 1) await assert.rejects(connect(flow, 'berta'), /403/);
  assert.equal((await service()).client_id, old);
  server.sql('UPDATE service SET client_refused_at = client_refused_at - 60');
  assert.equal((await connect(flow, 'berta')).location, `${flow.services}#service-tools`);
  assert.notEqual((await service()).client_id, old);
  await exchanged(await finish(server, flow), 'berta');
});
