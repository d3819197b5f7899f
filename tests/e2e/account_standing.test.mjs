// Operators and people read the truth about services and linked accounts: real servers over TLS,
// and Chromium.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import https from 'node:https';
import { createRequire } from 'node:module';
import net from 'node:net';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { query, send } from './support/browser.mjs';
import { launch, loopbackClient, watchedPage } from './support/chromium.mjs';
import { api, authorizeParameters, choose, connect, finish, pkce, register, startFlow } from './support/journey.mjs';
import { listen, makeCertificates } from './support/metadata_host.mjs';
import { freePort, plainFolder, startServer } from './support/server.mjs';
import { signIn, startProvider } from './support/upstreams.mjs';

const axeSource = fs.readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const options = { timeout: 120000 };
const folder = plainFolder();
const authority = makeCertificates(folder, ['localhost', 'elsewhere.example']);
let server;
let provider;
let browser;
let app; // where the client waits for its answer
let asking; // the server that exchanges tokens

before(async () => {
  provider = await startProvider({ authority, tellsWho: true });
  server = await startServer({ workers: 4, env: { CONSENTGATE_SERVICE_CA: authority.ca, CONSENTGATE_SERVICE_TIMEOUT_MS: '1500' } });
  await server.admin('service', 'add', 'company', '--url', provider.mcpUrl, '--name', 'Company', '--scope', 'openid tools.read offline_access');
  asking = await server.admin('resource', 'add', server.resource, '--service', 'company', '--json');
  app = await loopbackClient();
  browser = await launch();
}, { timeout: 240000 });
after(async () => {
  await browser?.close();
  app?.stop();
  await server?.stop();
  await provider?.stop();
  fs.rmSync(folder, { recursive: true, force: true });
}, { timeout: 120000 });

// A certificate for localhost that was good until yesterday.
function expiredCertificate() {
  const file = (name) => path.join(folder, name);
  execFileSync('openssl', ['x509', '-req', '-days', '-1', '-in', file('localhost.csr'), '-CA', file('ca.pem'), '-CAkey', file('ca.key'), '-CAcreateserial', '-extfile', file('localhost.ext'), '-out', file('expired.pem')], { stdio: 'ignore' });
  return { key: authority.certificates.localhost.key, cert: fs.readFileSync(file('expired.pem')) };
}

async function onHttps(t, certificate, answer = (request, response) => response.writeHead(404).end()) {
  const host = await listen(https.createServer(certificate, answer));
  t.after(() => { host.closeAllConnections(); host.close(); });
  return `https://localhost:${host.address().port}/mcp`;
}

const refused = (words, url) => assert.rejects(server.admin('service', 'add', 'x', '--url', url), ({ stderr, code }) => {
  assert.match(stderr, words);
  assert.equal(code, 1);
  return true;
});

test('XC13: the command line says which check of the connection failed', options, async (t) => {
  const silent = net.createServer((socket) => socket.on('error', () => {}));
  await listen(silent);
  t.after(() => silent.close());
  const plain = net.createServer((socket) => socket.on('error', () => {}).end('HTTP/1.1 400 Bad Request\r\n\r\n'));
  await listen(plain);
  t.after(() => plain.close());
  await refused(/connection refused/, `https://localhost:${await freePort()}/mcp`);
  await refused(/certificate is not good now \(certificate has expired\)/, await onHttps(t, expiredCertificate()));
  await refused(/certificate is not for localhost/, await onHttps(t, authority.certificates['elsewhere.example']));
  await refused(/of an authority that is not known here/, await onHttps(t, makeCertificates(plainFolder(), ['localhost']).certificates.localhost));
  await refused(/TLS failed/, `https://localhost:${plain.address().port}/mcp`);
  await refused(/no whole answer within 1500 ms/, `https://localhost:${silent.address().port}/mcp`);
  await refused(/status 404/, await onHttps(t, authority.certificates.localhost));
});

test('XC13: a registration that is refused shows the service\'s reason, without its tokens', options, async (t) => {
  const url = await onHttps(t, authority.certificates.localhost, (request, response) => {
    const at = `https://${request.headers.host}`;
    const json = (status, body) => response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
    if (request.url.startsWith('/.well-known/oauth-authorization-server')) {
      return json(200, { issuer: at, authorization_endpoint: `${at}/authorize`, token_endpoint: `${at}/token`, registration_endpoint: `${at}/register`, response_types_supported: ['code'] });
    }
    if (request.url === '/register') return json(400, { error: 'invalid_redirect_uri', error_description: 'Only apps of the directory, not\r\nevent=audit 0123456789abcdef0123456789' });
    return json(401, {});
  });
  await refused(/\/register: status 400, invalid_redirect_uri: Only apps of the directory, not event=audit \[cut\]/, url);
});

async function signedIn(user) {
  const flow = await startFlow(server, { client: await register(server) });
  await choose(flow, { skip: true });
  const back = await connect(server, flow, 'company', (address) => signIn(provider, address, user));
  assert.equal(back.location, `/oauth/consent/mcps?flow_id=${flow.flowId}#service-company`, back.text);
  return finish(server, flow);
}

const exchange = (token) => send(server.base, 'POST', `${api}/token`, { headers: { 'Content-Type': 'application/x-www-form-urlencoded' }, body: query('', {
  grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange', audience: 'company', client_id: asking.id, client_secret: asking.secret,
  subject_token: token, subject_token_type: 'urn:ietf:params:oauth:token-type:access_token' }).slice(1) });
const age = () => server.sql("UPDATE upstream_token SET updated_at = unixepoch() - 3600, expires_at = unixepoch() - 1, retry_at = NULL WHERE service_id = 'company' AND ended_at IS NULL");
const show = () => server.admin('service', 'show', 'company', '--json');
const metric = async (line) => (await send(server.base, 'GET', '/metrics')).text.split('\n').find((one) => one.startsWith(line))?.split(' ').at(-1);

test('XC13: log, service show and metrics tell why a service does not give a token, and no page does', options, async () => {
  const fine = await show();
  assert.deepEqual([fine.accounts_connected, fine.failures, fine.resting], [0, [], false]);
  const tokens = [await signedIn('anna'), await signedIn('berta')];
  const connected = await show();
  assert.deepEqual([connected.accounts_connected, connected.accounts_failing, connected.accounts_to_reconnect], [2, 0, 0]);
  assert.ok(Math.abs(connected.last_success - Date.now() / 1000) < 60);

  age();
  provider.failNext('described');
  assert.equal((await exchange(tokens[0])).status, 400);
  provider.failNext('html');
  const away = await exchange(tokens[1]);
  assert.equal(away.status, 503);
  for (const words of ['owner', 'Bad Gateway', 'invalid_grant']) assert.ok(!away.text.includes(words), words);
  assert.match(server.logs(), /event=upstream_refresh_failed .*cause=oauth_error reason="?status 400, invalid_grant: The token \[cut\] was revoked by its owner\./);
  assert.match(server.logs(), /event=upstream_refresh_failed .*cause=http_status reason="?status 502/);
  assert.ok(!server.logs().includes('xoxe-1'));
  const failing = await show();
  assert.deepEqual([failing.accounts_connected, failing.accounts_failing, failing.accounts_to_reconnect], [0, 1, 1]);
  assert.deepEqual(failing.failures, [{ cause: 'http_status', accounts: 1 }, { cause: 'oauth_error', accounts: 1 }]);
  assert.match(await server.admin('service', 'show', 'company'), /failures +http_status 1, oauth_error 1/);
  assert.equal(await metric('consentgate_service_accounts{service="company",state="failing"}'), '1');
  assert.equal(await metric('consentgate_service_accounts{service="company",state="needs_person"}'), '1');
  assert.equal(await metric('consentgate_service_failures_total{service="company",cause="oauth_error"}'), '1');

  server.sql("UPDATE upstream_token SET retry_at = NULL WHERE service_id = 'company'");
  assert.equal((await exchange(tokens[1])).status, 200);
  assert.deepEqual((await show()).failures, [{ cause: 'oauth_error', accounts: 1 }]);
});

// ---- in Chromium --------------------------------------------------------------------------------

async function inPage(work) {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, viewport: { width: 1024, height: 768 } });
  try { return await work(await watchedPage(context), context); } finally { await context.close(); }
}
const become = (context, user) => context.addCookies([{ name: 'user', value: user, url: provider.issuer }]);
const words = (page) => page.locator('main').innerText();
const rows = () => server.sql("SELECT owner FROM upstream_token WHERE service_id = 'company' AND owner NOT LIKE 'session:%' ORDER BY owner");
const inFlow = (set) => server.sql(`UPDATE upstream_token SET ${set} WHERE owner LIKE 'flow:%'`);

async function look(page, name) {
  await page.evaluate(axeSource);
  const { violations } = await page.evaluate(() => globalThis.axe.run());
  assert.deepEqual(violations.map((found) => `${found.id}: ${found.nodes.map((node) => node.html).join(' ')}`), [], name);
  await page.setViewportSize({ width: 320, height: 768 });
  const needed = await page.evaluate(() => Math.max(document.documentElement.scrollWidth, document.body.scrollWidth));
  assert.ok(needed <= 320, `${name} is ${needed} px wide`);
  await page.setViewportSize({ width: 1024, height: 768 });
}

async function toServices(page) {
  const client = await register(server, { redirect_uris: [`http://127.0.0.1:${app.port}/callback`] });
  await page.goto(server.base + query(`${api}/authorize`, authorizeParameters(server, client, pkce())));
  const way = page.locator('details', { has: page.locator('summary', { hasText: 'I only give a name' }) });
  if (await way.getAttribute('open') === null) await way.locator('summary').click();
  await way.getByLabel('Your name').fill('ada');
  await way.getByRole('button', { name: 'Continue' }).click();
  await page.waitForURL('**/oauth/consent/mcps?**');
}

async function press(page, name) {
  const around = page.locator('details', { has: page.getByRole('button', { name, includeHidden: true }) });
  if (await around.getAttribute('open') === null) await around.locator('summary').click();
  await page.getByRole('button', { name }).click();
  await page.waitForLoadState();
}

test('S7 S10 XG1: page 2 says the truth about an account, changes it, and leaves nothing of the old one', options, async () => {
  await inPage(async ({ page, complaints }, context) => {
    await become(context, 'anna');
    await toServices(page);
    await page.getByRole('link', { name: 'Connect Company' }).click();
    await page.waitForURL('**/oauth/consent/mcps?**');
    assert.match(await words(page), /Connected as anna@people\.example[^]*Since \d{4}-/);
    assert.equal(new URL(page.url()).hash, '#service-company', 'back at its row');
    const annas = provider.issued.at(-1);
    await page.locator('details.changes summary').click();
    await look(page, 'connected');

    inFlow('expires_at = unixepoch() - 1, failures = 1');
    await page.reload();
    assert.match(await words(page), /not answering just now[^]*As anna@people\.example/);
    await look(page, 'not answering');
    inFlow('broken_at = unixepoch()');
    await page.reload();
    assert.match(await words(page), /needs you/);
    await page.getByRole('link', { name: 'Connect again Company' }).waitFor();
    await look(page, 'needs you');

    await become(context, 'ben');
    await press(page, 'Another account Company');
    await page.waitForURL('**/oauth/consent/mcps?**');
    assert.match(await words(page), /Connected as ben@people\.example/);
    assert.ok(!(await page.content()).includes('anna'));
    assert.equal(await provider.whoIs(annas), undefined, 'the service revoked it');
    assert.equal(rows().length, 1, 'nothing of the old one is left');
    const bens = provider.issued.at(-1);
    assert.equal(await provider.whoIs(bens), 'ben');

    await press(page, 'Disconnect Company');
    await page.getByRole('link', { name: 'Connect Company' }).waitFor();
    assert.equal(await provider.whoIs(bens), undefined);
    assert.deepEqual(rows(), []);
    assert.deepEqual(complaints, []);
  });
});

test('S7 S10 XG4: the page of sessions says the same, and connects again, another account, or none', options, async () => {
  await inPage(async ({ page, complaints }, context) => {
    await become(context, 'carla');
    await toServices(page);
    await page.getByRole('link', { name: 'Connect Company' }).click();
    await page.waitForURL('**/oauth/consent/mcps?**');
    await page.getByRole('button', { name: 'Allow' }).click();
    await page.getByRole('heading', { name: 'Back in the app' }).waitFor();
    const openSessions = () => page.goto(`${server.base}/oauth/sessions`);
    await openSessions();
    assert.match(await words(page), /Connected as carla@people\.example[^]*Not used yet/);
    await look(page, 'sessions');
    const only = "owner = (SELECT owner FROM upstream_token WHERE owner LIKE 'session:%' ORDER BY rowid DESC LIMIT 1)";
    server.sql(`UPDATE upstream_token SET broken_at = unixepoch() WHERE ${only}`);
    await openSessions();
    assert.match(await words(page), /needs you/);
    await look(page, 'sessions, needs you');
    await page.getByRole('button', { name: 'Connect again Company' }).click();
    await page.getByRole('heading', { name: 'Your account is connected' }).waitFor();
    await openSessions();
    assert.match(await words(page), /Connected as carla@people\.example/);
    const carlas = provider.issued.at(-1);

    await become(context, 'dora');
    await press(page, 'Another account Company');
    await page.getByRole('heading', { name: 'Your account is connected' }).waitFor();
    await page.getByRole('link', { name: 'What you let in' }).click();
    assert.match(await words(page), /Connected as dora@people\.example/);
    assert.ok(!(await words(page)).includes('carla'));
    assert.equal(await provider.whoIs(carlas), undefined, 'the service revoked it');
    assert.equal(await page.getByRole('button', { name: 'Disconnect it now' }).count(), 0, 'the first press only asks');
    await press(page, 'Disconnect it now Company');
    assert.doesNotMatch(await words(page), /Company/);
    assert.equal(server.sql("SELECT count(*) AS n FROM upstream_token WHERE ended_at IS NOT NULL")[0].n, 0);
    assert.deepEqual(complaints, []);
  });
});
