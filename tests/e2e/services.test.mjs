// Making services known with consentgate-admin, against a real authorization server over TLS.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { send } from './support/browser.mjs';
import { choose, connect, register, startFlow } from './support/journey.mjs';
import { plainFolder, startServer } from './support/server.mjs';
import { makeAuthority, signIn, startProvider } from './support/upstreams.mjs';

const authority = makeAuthority();
const folder = plainFolder();
const secretFile = (text) => {
  const file = path.join(folder, 'secret');
  fs.writeFileSync(file, text, { mode: 0o600 });
  return file;
};
let server;
let provider;
before(async () => {
  provider = await startProvider({ authority });
  server = await startServer({ env: { CONSENTGATE_SERVICE_CA: authority.ca } });
}, { timeout: 240000 });
after(async () => {
  await server?.stop();
  await provider?.stop();
}, { timeout: 120000 });

const service = (verb, ...more) => server.admin('service', verb, ...more);
const add = (...more) => service('add', ...more, '--json');
const show = (id) => service('show', id, '--json');
const refused = (words, ...more) => assert.rejects(service(...more), ({ stderr, code }) => {
  assert.match(stderr, words);
  assert.ok([1, 2].includes(code));
  return true;
});

test('S7: a service is found from its URL alone, and registers us', async () => {
  const found = await add('found', '--url', provider.mcpUrl, '--name', 'Found here');
  assert.equal(found.issuer, provider.issuer);
  assert.equal(found.authorization_endpoint, `${provider.issuer}/auth`);
  assert.equal(found.token_endpoint, `${provider.issuer}/token`);
  assert.equal(found.revocation_endpoint, `${provider.issuer}/token/revocation`);
  assert.equal(found.resource, provider.mcpUrl);
  assert.equal(found.scope, 'tools.read offline_access');
  assert.deepEqual([found.registration, found.token_endpoint_auth_method, found.has_client_secret, found.authorization_response_iss_parameter_supported, found.active], ['dynamic', 'none', false, true, true]);
  const client = await provider.provider.Client.find(found.client_id);
  assert.deepEqual(client.redirectUris, [`${server.issuer}/api/oauth/callback/found`]);
  assert.equal(client.clientName, 'consentgate');
  assert.match(await service('list'), /found +Found here/);
  assert.equal((await show('found')).client_id, found.client_id);
  await refused(/there is a service 'found' already/, 'add', 'found', '--url', provider.mcpUrl);
});

test('S7: a secret that a service gives us is neither kept in clear nor shown', async () => {
  const found = await add('secret', '--url', provider.mcpUrl, '--auth-method', 'client_secret_basic');
  assert.deepEqual([found.token_endpoint_auth_method, found.has_client_secret], ['client_secret_basic', true]);
  const { clientSecret } = await provider.provider.Client.find(found.client_id);
  const [{ sealed }] = server.sql("SELECT hex(client_secret) AS sealed FROM service WHERE id = 'secret'");
  assert.ok(!Buffer.from(sealed, 'hex').includes(Buffer.from(clientSecret)));
  assert.ok(!JSON.stringify(found).includes(clientSecret));
});

test('S7: a service is tested, disabled, enabled and removed', async () => {
  await add('short', '--url', provider.mcpUrl);
  await service('test', 'short');
  server.sql(`UPDATE service SET token_endpoint = CAST('${provider.issuer}/old' AS BLOB) WHERE id = 'short'`);
  await refused(/differs from what is stored/, 'test', 'short');
  await service('disable', 'short');
  assert.equal((await show('short')).active, false);
  await service('enable', 'short');
  assert.equal((await show('short')).active, true);
  await refused(/say --yes/, 'remove', 'short');
  await service('remove', 'short', '--yes');
  await refused(/no service 'short'/, 'show', 'short');
});

test('S7: a given client is used as it was given, and its secret is sealed', async () => {
  const before = provider.calls.registration;
  const given = await add('given', '--url', provider.mcpUrl, '--client-id', 'ours', '--client-secret-file', secretFile('hush hush\n'), '--auth-method', 'client_secret_post', '--no-resource', '--scope', 'tools.read');
  assert.deepEqual([given.registration, given.client_id, given.token_endpoint_auth_method, given.resource, given.scope], ['given', 'ours', 'client_secret_post', '', 'tools.read']);
  assert.equal(provider.calls.registration, before);
  assert.equal(server.sql("SELECT count(*) AS n FROM service WHERE instr(hex(client_secret), hex('hush')) > 0")[0].n, 0);
  await refused(/needs its secret/, 'add', 'x', '--url', provider.mcpUrl, '--client-id', 'ours', '--auth-method', 'client_secret_basic');
  await refused(/there is no option --client-secret/, 'add', 'x', '--url', provider.mcpUrl, '--client-secret', 'hush');
});

test('S7: a service that publishes nothing is entered by hand, and a preset needs only its client', async () => {
  const silent = await startProvider({ authority, discovery: false });
  await refused(/no authorization server could be found[^]*status 404[^]*--authorization-endpoint/, 'add', 'silent', '--url', silent.mcpUrl);
  const hand = ['--url', silent.mcpUrl, '--authorization-endpoint', `${silent.issuer}/auth`, '--token-endpoint', `${silent.issuer}/token`];
  await refused(/needs --client-id[^]*\/api\/oauth\/callback\/silent\n/, 'add', 'silent', ...hand);
  assert.equal((await add('silent', ...hand, '--client-id', 'public')).token_endpoint_auth_method, 'none');
  await refused(/does not know this client/, 'test', 'silent');
  await silent.stop();
  const github = await add('github', '--preset', 'github', '--client-id', 'Iv1.x', '--client-secret-file', secretFile('s'));
  assert.equal(github.token_endpoint, 'https://github.com/login/oauth/access_token');
  await refused(/--preset knows atlassian, github/, 'add', 'x', '--preset', 'nothub', '--client-id', 'x');
});

test('S7: a provider that reads metadata documents of its clients gets the address of ours, and people connect with it', async () => {
  const issuer = 'https://tools.example.org';
  const asked = [];
  let at; // where our https address really is
  const documents = async (url) => { asked.push(url); return fetch(url.replace(issuer, at)); };
  const reader = await startProvider({ authority, registration: false, documents });
  const ours = await startServer({ workers: 2, env: { CONSENTGATE_ISSUER: issuer, CONSENTGATE_RESOURCES: `${issuer}/mcp`, CONSENTGATE_SERVICE_CA: authority.ca } });
  try {
    at = ours.base;
    Object.assign(ours, { issuer, resource: `${issuer}/mcp` });
    await ours.admin('service', 'add', 'reader', '--url', reader.mcpUrl);
    const service = await ours.admin('service', 'show', 'reader', '--json');
    assert.deepEqual([service.registration, service.client_id], ['document', `${issuer}/oauth/client-metadata/reader.json`]);
    const flow = await startFlow(ours, { client: await register(ours) });
    await choose(flow, { skip: true });
    assert.equal((await connect(ours, flow, 'reader', (address) => signIn(reader, address, 'anna'))).location, `/oauth/consent/mcps?flow_id=${flow.flowId}#service-reader`);
    assert.ok(asked.length > 0 && asked.every((url) => url === service.client_id), asked.join());
    assert.equal(await reader.whoIs(reader.issued.at(-1)), 'anna');
  } finally { await ours.stop(); await reader.stop(); }
});

test('S7: a service without registration asks for a client id, in plain words', async () => {
  const closed = await startProvider({ authority, registration: false });
  await refused(/registers no clients by itself[^]*--client-id/, 'add', 'closed', '--url', closed.mcpUrl);
  await closed.stop();
});

test('S7: a certificate of another authority is refused, and so is http to elsewhere', async () => {
  const stranger = await startProvider();
  await refused(/certificate/i, 'add', 'stranger', '--url', stranger.mcpUrl);
  assert.equal(stranger.calls.registration, 0);
  await stranger.stop();
  await refused(/not https/, 'add', 'plain', '--url', 'http://example.org/mcp');
  await refused(/connection refused/, 'add', 'nobody', '--url', 'https://localhost:1/mcp');
  await refused(/1 to 64 of a-z/, 'add', 'Big Name', '--url', provider.mcpUrl);
});

test('S7 XC1: each of our metadata documents names itself and one callback', async () => {
  for (const [at, callback] of [['.json', ''], ['/notion.json', '/notion']]) {
    const answer = await send(server.base, 'GET', `/oauth/client-metadata${at}`);
    assert.equal(answer.status, 200);
    assert.match(answer.headers['content-type'], /^application\/json/);
    const document = answer.json();
    assert.equal(document.client_id, `${server.issuer}/oauth/client-metadata${at}`);
    assert.deepEqual(document.redirect_uris, [`${server.issuer}/api/oauth/callback${callback}`]);
    assert.equal(document.token_endpoint_auth_method, 'none');
  }
  for (const nothing of ['', '/', '/.json', '/notion', '/Big.json', '/a/b.json', '/a%2Fb.json', '/notion.json/']) {
    assert.equal((await send(server.base, 'GET', `/oauth/client-metadata${nothing}`)).status, 404, nothing);
  }
});
