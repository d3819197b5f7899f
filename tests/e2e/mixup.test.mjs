// A hostile service tries to get the account that a person has at a good one (RFC 9700 section
// 4.4): the good one is a real authorization server, and a person's browser goes all the way.
import assert from 'node:assert/strict';
import https from 'node:https';
import { after, before, test } from 'node:test';
import { startAccounts } from './support/accounts.mjs';
import { beginConnection, choose, finish, startFlow } from './support/journey.mjs';
import { listen } from './support/metadata_host.mjs';
import { freePort } from './support/server.mjs';
import { makeAuthority, signIn, startProvider } from './support/upstreams.mjs';

const callback = '/api/oauth/callback';
const json = (response, body, status = 200) => response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));

// A service that is its own authorization server, and writes down all that its token endpoint gets.
// in: endpoints  members of its document that are not its own
async function startHostile(authority, endpoints = {}) {
  const port = await freePort();
  const issuer = `https://localhost:${port}`;
  const hostile = { issuer, mcpUrl: `${issuer}/mcp`, got: [], registered: 0 };
  const document = { issuer, authorization_endpoint: `${issuer}/auth`, token_endpoint: `${issuer}/token`, registration_endpoint: `${issuer}/register`, code_challenge_methods_supported: ['S256'],
    token_endpoint_auth_methods_supported: ['none'], ...endpoints };
  hostile.server = https.createServer(authority.certificates.localhost, async (request, response) => {
    let body = '';
    for await (const part of request) body += part;
    if (request.url === '/.well-known/oauth-authorization-server') return json(response, document);
    if (request.url === '/register') { hostile.registered += 1; return json(response, { client_id: 'at-the-hostile-one', token_endpoint_auth_method: 'none' }, 201); }
    if (request.url === '/token') { hostile.got.push(new URLSearchParams(body)); return json(response, { access_token: 'not-of-the-good-one', token_type: 'Bearer' }); }
    return json(response, {}, 404);
  });
  await listen(hostile.server, port);
  hostile.server.unref();
  return hostile;
}

const authority = makeAuthority();
let accounts;
let server;
const good = {}; // with and without iss
const hostile = [];
before(async () => {
  for (const [name, iss] of [['with-iss', true], ['without-iss', false]]) good[name] = await startProvider({ authority, iss });
  accounts = await startAccounts(['before'], { authority, workers: 4 });
  ({ server } = accounts);
  for (const [name, provider] of Object.entries(good)) await server.admin('service', 'add', name, '--url', provider.mcpUrl);
  for (const name of ['discovered', 'by-hand']) {
    const evil = await startHostile(authority);
    const byHand = ['--authorization-endpoint', `${evil.issuer}/auth`, '--token-endpoint', `${evil.issuer}/token`, '--client-id', 'ours'];
    await server.admin('service', 'add', name, '--url', evil.mcpUrl, ...(name === 'by-hand' ? byHand : []));
    hostile.push({ name, evil });
  }
}, { timeout: 240000 });
after(async () => {
  await accounts?.stop();
  for (const provider of Object.values(good)) await provider.stop();
  for (const { evil } of hostile) { evil.server.closeAllConnections(); evil.server.close(); }
}, { timeout: 120000 });

const service = (verb, ...more) => server.admin('service', verb, ...more);
const shown = (name) => service('show', name, '--json');
const refused = (words, ...more) => assert.rejects(service(...more), ({ stderr }) => { assert.match(stderr, words); return true; });

// The person presses Connect at the hostile service, which sends them on to the good one with what
// it got: everything but our registration is its own. out: the answer of the address that they came
// back to; undefined when the good one sends nobody there
async function attack(name, victimOf, redirectUri) {
  const flow = await startFlow(server, { client: accounts.client });
  await choose(flow, { skip: true });
  const begun = new URL((await beginConnection(flow, name)).location);
  const there = new URL(`${good[victimOf].issuer}/auth`);
  const ours = await shown(victimOf);
  there.search = new URLSearchParams({ ...Object.fromEntries(begun.searchParams), client_id: ours.client_id, redirect_uri: redirectUri, resource: ours.resource, scope: 'tools.read' });
  let back;
  try { back = new URL(await signIn(good[victimOf], there, 'anna')); } catch { return { flow }; }
  assert.ok(back.searchParams.get('code'), back.href);
  return { flow, answer: await flow.browser.get(back.pathname + back.search) };
}

// The page of a state that is not good here.
function assertRefused(answer) {
  assert.equal(answer.status, 400);
  assert.match(answer.text, /This sign-in has ended/);
}

const linked = () => server.sql('SELECT count(*) AS n FROM upstream_token')[0].n;

for (const name of ['discovered', 'by-hand']) {
  for (const victimOf of ['with-iss', 'without-iss']) {
    test(`XC1: a hostile service that was ${name} gets nothing of a provider ${victimOf}`, async () => {
      const { evil } = hostile.find((one) => one.name === name);
      let returned = 0;
      for (const address of [`${callback}/${victimOf}`, `${callback}/${name}`, callback]) {
        const { flow, answer } = await attack(name, victimOf, `${server.issuer}${address}`);
        if (!answer) continue;
        returned += 1;
        assertRefused(answer);
        await finish(server, flow);
      }
      assert.equal(returned, 1, 'the good one lets people come back to the address of its own alone');
      assert.deepEqual(evil.got, []);
      assert.equal(linked(), 0);
    }, { timeout: 120000 });
  }
}

test('XC1: on one shared address the same attack would get the code, unless the provider names itself', async () => {
  for (const name of [...Object.keys(good), 'discovered', 'by-hand']) await service('set', name, '--callback', 'shared');
  try {
    for (const { name, evil } of hostile) {
      const caught = await attack(name, 'with-iss', `${server.issuer}${callback}`);
      assertRefused(caught.answer);
      assert.deepEqual(evil.got, []);
      await attack(name, 'without-iss', `${server.issuer}${callback}`);
      assert.ok(evil.got.shift().get('code'), 'the attack of these tests is a real one');
    }
    assert.match(await service('list'), /without-iss .* shared /);
  } finally {
    for (const name of [...Object.keys(good), 'discovered', 'by-hand']) await service('set', name, '--callback', 'own');
  }
  for (const one of await service('list', '--json')) assert.equal(one.callback, 'own');
}, { timeout: 120000 });

test('XC1: a service that names the endpoints of a good one beside its own token endpoint is refused', async () => {
  const { issuer } = good['without-iss'];
  const registrations = good['without-iss'].calls.registration;
  const stronger = [{ authorization_endpoint: `${issuer}/auth` }, { registration_endpoint: `${issuer}/reg` }, { authorization_endpoint: `${issuer}/auth`, registration_endpoint: `${issuer}/reg` }];
  for (const endpoints of stronger) {
    const evil = await startHostile(authority, endpoints);
    try {
      await refused(/--authorization-origin https:\/\/localhost:/, 'add', 'stronger', '--url', evil.mcpUrl);
      await refused(/is where the service without-iss has people sign in/, 'add', 'stronger', '--url', evil.mcpUrl, '--authorization-origin', issuer);
      await refused(/no service 'stronger'/, 'show', 'stronger');
      // One that changed its mind after it was added.
      await service('add', 'stronger', '--url', evil.mcpUrl, '--client-id', 'ours', '--authorization-endpoint', `${evil.issuer}/auth`, '--token-endpoint', `${evil.issuer}/token`);
      server.sql(`UPDATE service SET authorization_endpoint = CAST('${issuer}/auth' AS BLOB) WHERE id = 'stronger'`);
      await refused(/--authorization-origin/, 'test', 'stronger');
      await refused(/has people sign in/, 'set', 'stronger', '--authorization-origin', issuer);
      await service('remove', 'stronger', '--yes');
    } finally { evil.server.closeAllConnections(); evil.server.close(); }
  }
  assert.equal(good['without-iss'].calls.registration, registrations, 'nobody was registered there');
}, { timeout: 120000 });

test('XC1: a service from before goes on to work, and one that moves keeps its people', async () => {
  const provider = accounts.providers.before;
  await service('set', 'before', '--callback', 'shared');
  const old = (await shown('before')).client_id;
  const token = await accounts.signedIn({ before: 'anna' });
  const flow = await startFlow(server, { client: accounts.client });
  await choose(flow, { skip: true });
  const underWay = await beginConnection(flow, 'before'); // with the former registration, to the shared address
  await service('set', 'before', '--callback', 'own');
  assert.notEqual((await shown('before')).client_id, old);
  const back = new URL(await signIn(provider, underWay.location, 'berta'));
  assert.equal(back.pathname, callback);
  const wrong = await flow.browser.get(`${callback}/before${back.search}`);
  assertRefused(wrong);
  assert.equal((await flow.browser.get(back.pathname + back.search)).location, `/oauth/consent/mcps?flow_id=${flow.flowId}#service-before`);
  await finish(server, flow);
  accounts.age('before');
  const refreshes = provider.calls.token.refresh_token ?? 0;
  assert.equal(await accounts.holder(token, 'before'), 'anna');
  assert.equal(provider.calls.token.refresh_token, refreshes + 1, 'refreshed with the registration that it was given to');
  assert.equal(await accounts.holder(await accounts.signedIn({ before: 'carla' }), 'before'), 'carla');
  assert.deepEqual(server.sql("SELECT CAST(client_id AS TEXT) AS id FROM former_registration WHERE service_id = 'before' AND registration_id IN (SELECT registration_id FROM upstream_token)"), [{ id: old }]);
  // The last token of the former registration is gone, and the sweep finds it.
  server.sql(`UPDATE former_registration SET ended_at = ended_at - 7200`);
  await server.admin('sweep');
  assert.equal(server.sql("SELECT count(*) AS n FROM former_registration WHERE service_id = 'before'")[0].n, 1);
  server.sql(`DELETE FROM upstream_token WHERE registration_id IN (SELECT registration_id FROM former_registration WHERE service_id = 'before')`);
  await server.admin('sweep');
  assert.equal(server.sql("SELECT count(*) AS n FROM former_registration WHERE service_id = 'before'")[0].n, 0);
}, { timeout: 120000 });

test('XC1: the callback has no other addresses', async () => {
  const flow = await startFlow(server, { client: accounts.client });
  for (const nothing of ['/', '/Big', '/a/b', '/with-iss/']) assert.equal((await flow.browser.get(`${callback}${nothing}?state=${'s'.repeat(43)}`)).status, 404, nothing);
  assertRefused(await flow.browser.get(`${callback}/unknown?state=${'s'.repeat(43)}`));
});
