// Clients whose id is the URL of a document about them, through lighttpd: a real HTTPS host on this
// machine, kind and hostile.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Browser, query, send } from './support/browser.mjs';
import { assertNoRedirect, assertOauthError, assertPage } from './support/checks.mjs';
import { api, authorize, choose, inLanes, pkce, authorizeParameters, post, redeem, submit, whoami } from './support/journey.mjs';
import { launch, loopbackClient, watchedPage } from './support/chromium.mjs';
import { readsDocuments, startCanary, startMetadataHosts } from './support/metadata_host.mjs';
import { sleep, startServer } from './support/server.mjs';

const loopback = 'http://localhost:53111/callback';
let ca;
let host; // localhost, as its certificate says
let imposter; // on localhost too, with a certificate for another name
let denied;
let server;
before(async () => {
  ({ ca, hosts: [host, imposter, denied] } = await startMetadataHosts('localhost', 'other.example', 'localhost'));
  server = await startServer({ env: {
    ...readsDocuments(ca, [host, imposter, denied]),
    CONSENTGATE_CLIENT_DOCUMENT_DENIED_HOSTS: `localhost:${denied.port} denied.example`,
    // A proxy that must not be asked.
    https_proxy: 'http://127.0.0.1:9', HTTPS_PROXY: 'http://127.0.0.1:9',
  } });
}, { timeout: 240000 });
after(async () => {
  await server?.stop();
  await Promise.all([host, imposter, denied].map((one) => one?.stop()));
}, { timeout: 120000 });

const person = () => new Browser(server.base, server.issuer);
const parametersOf = (id, more = {}, proof = pkce()) => authorizeParameters(server, { client_id: id }, proof, { redirect_uri: loopback, ...more });

// The page that asks first; then what comes of going on. out: the answer to the form
async function goOn(browser, id, more = {}) {
  const page = await browser.get(query(`${api}/authorize`, parametersOf(id, more)));
  assertPage(page, 200);
  const request = /name="request" value="([^"]*)"/.exec(page.text)[1].replaceAll('&amp;', '&');
  return browser.post(`${api}/consent/client`, { request });
}

// A flow of a client whose document is read on the way.
async function flowOf(id, more = {}, browser = person()) {
  const answer = await goOn(browser, id, more);
  assert.equal(answer.status, 302, answer.text);
  assert.ok(answer.location.startsWith(`${api}/authorize?`), answer.location);
  return authorize(server, browser, { client_id: id }, { redirect_uri: loopback, ...more });
}

async function codeOf(flow) {
  assert.ok(flow.flowId, flow.answer.text);
  await choose(flow, { skip: true });
  const submitted = await submit(flow);
  assert.equal(submitted.status, 302, submitted.text);
  return submitted.sent().get('code');
}

async function assertRefused(id, words) {
  const answer = await goOn(person(), id);
  assertNoRedirect(answer);
  if (words) assert.match(answer.text, words);
  return answer;
}

test('D20 R24 R26 U4: advertised, and a client like Claude Code signs in with port-less loopback addresses', async () => {
  const metadata = (await send(server.base, 'GET', '/.well-known/oauth-authorization-server')).json();
  assert.equal(metadata.client_id_metadata_document_supported, true);
  const id = host.document('/claude-code');
  const flow = await flowOf(id);
  const page = await flow.browser.get(`/oauth/consent?flow_id=${flow.flowId}`);
  assertPage(page, 200);
  assert.match(page.text, /Documented app/);
  assert.match(page.text, /The app comes from <bdi>localhost<\/bdi>/);
  const code = await codeOf(flow);
  const answer = await redeem(server, flow, code);
  assert.equal(answer.status, 200, answer.text);
  assert.match(answer.json().refresh_token, /^cgr_/);
  assert.equal((await whoami(server, answer.json().access_token)).identity_kind, 'skipped');
  const asked = host.requests.find(({ url }) => url === '/claude-code');
  assert.equal(asked.headers.host, `localhost:${host.port}`);
  assert.equal(asked.headers.cookie, undefined);
  assert.equal(asked.headers.authorization, undefined);
});

test('R28 R29: a document like ChatGPT\'s or Claude Desktop\'s completes a flow, and the extra grant is none here', async () => {
  const id = host.document('/chatgpt', { token_endpoint_auth_method: undefined, token_endpoint_auth_methods_supported: ['private_key_jwt', 'none'],
    grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:jwt-bearer'], jwks_uri: 'https://10.0.0.1/jwks' });
  const flow = await flowOf(id);
  const code = await codeOf(flow);
  assertOauthError(await redeem(server, flow, code, { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer' }), 400, ['unauthorized_client', 'unsupported_grant_type']);
  assert.equal((await redeem(server, flow, code)).status, 200);
});

test('R34 K27: an anonymous link fetches nothing, and neither does a form from elsewhere', async () => {
  const id = host.document('/anonymous');
  for (const target of ['/anonymous', '/anonymous?x=1']) assertPage(await person().get(query(`${api}/authorize`, parametersOf(host.url(target)))), 200);
  const request = new URLSearchParams(parametersOf(id)).toString();
  const browser = person();
  assert.equal((await browser.post(`${api}/consent/client`, { request })).status, 403, 'no cookie yet');
  await browser.get(query(`${api}/authorize`, parametersOf(id)));
  assert.equal((await browser.post(`${api}/consent/client`, { request }, { Origin: 'https://evil.test' })).status, 403);
  assert.equal((await browser.get(`${api}/consent/client?${new URLSearchParams({ request })}`)).status, 405);
  assert.equal(host.asked('/anonymous'), 0);
});

test('R23 R30 R37 K26: bad ids, addresses in every notation and denied hosts are refused without a connection', async () => {
  const canary = await startCanary();
  const { port } = canary;
  denied.document('/x');
  const forms = ['127.0.0.1', '127.1', '2130706433', '0x7f000001', '0x7f.1', '0177.0.0.1', '[::1]', '[::ffff:127.0.0.1]', '[::ffff:7f00:1]', '[64:ff9b::7f00:1]', '[2002:7f00:1::1]',
    '0.0.0.0', '[::]', '10.0.0.1', '169.254.169.254', 'localhost', 'localhost.', 'u@localhost'];
  const bad = forms.flatMap((name) => [`https://${name}:${port}/x`, `https://${name}/x`]).filter((id) => id !== 'https://localhost/x')
    .concat([`https://localhost:${host.port}`, `https://localhost:${host.port}/`, host.url('/a#b'), host.url('/../a'), host.url('/%2e%2e/a'), denied.url('/x'), 'https://denied.example/x']);
  for (const id of bad) {
    const browser = person();
    assertNoRedirect(await browser.get(query(`${api}/authorize`, parametersOf(id))));
    await browser.get(query(`${api}/authorize`, parametersOf(host.url('/claude-code')))); // for a cookie
    const answer = await browser.post(`${api}/consent/client`, { request: new URLSearchParams(parametersOf(id)).toString() });
    assert.equal(answer.location, undefined, id);
    assert.ok([400, 403].includes(answer.status), `${id}: ${answer.status}`);
  }
  assert.equal(canary.hits, 0);
  assert.equal(denied.requests.length, 0);
  canary.stop();
});

test('R30: a name that leads to this machine is refused with the words of every other failure', async () => {
  const home = await assertRefused('https://localhost/x', /could not be fetched/);
  const nowhere = await assertRefused('https://no-such-host.invalid/x', /could not be fetched/);
  const plain = (answer) => answer.text.replace(/<code>.*?<\/code>/g, '');
  assert.equal(plain(home), plain(nowhere));
  assert.doesNotMatch(home.text, /127\.0\.0\.1|::1|not public/);
});

test('R30 R31 R37 K26: an allowed host that resolves to this machine is not connected to, a host off the list is not looked up, and a minute has its measure', { timeout: 240000 }, async () => {
  const canary = await startCanary();
  const listed = host.document('/listed');
  const unlisted = imposter.url('/x');
  const strict = await startServer({ workers: 1, env: {
    CONSENTGATE_CLIENT_DOCUMENT_HOSTS: `localhost:${canary.port} ip6-localhost:${canary.port} app.example`,
    CONSENTGATE_CLIENT_DOCUMENT_INSECURE_TEST_HOSTS: `localhost:${host.port}`,
    CONSENTGATE_CLIENT_DOCUMENT_INSECURE_TEST_CA: ca,
    CONSENTGATE_CLIENT_DOCUMENT_FETCHES_PER_HOST_PER_MINUTE: '5',
  } });
  try {
    const browser = new Browser(strict.base, strict.issuer);
    const ask = async (id) => {
      const parameters = authorizeParameters(strict, { client_id: id }, pkce(), { redirect_uri: loopback });
      const page = await browser.get(query(`${api}/authorize`, parameters));
      return page.status === 200 ? browser.post(`${api}/consent/client`, { request: new URLSearchParams(parameters).toString() }) : page;
    };
    assert.equal((await ask(listed)).status, 302);
    for (const id of [unlisted, 'https://other.example/x', 'https://app.example:8443/x', 'https://x.app.example/x']) {
      const answer = await ask(id);
      assertNoRedirect(answer);
      assert.match(answer.text, /does not take clients from that host/);
    }
    const statuses = [];
    for (let i = 0; i < 12; i += 1) statuses.push((await ask(`https://localhost:${canary.port}/${i}`)).status);
    assert.ok(statuses.includes(400) && statuses.includes(429), `${statuses}`);
    assert.match((await ask(`https://ip6-localhost:${canary.port}/x`)).text, /could not be fetched/);
    assert.equal(canary.hits, 0);
    assert.match(strict.logs(), /reason="?the name has an address that is not public/);
  } finally {
    canary.stop();
    await strict.stop();
  }
});

test('R30: a certificate for another name is not accepted', async () => {
  await assertRefused(imposter.document('/x'), /could not be fetched/);
  assert.equal(imposter.requests.length, 0);
});

test('R24 R25 R26 R27 R31: redirects, wrong types, huge bodies, secrets and other ids are refused on our page', async () => {
  const canary = await startCanary();
  const elsewhere = host.document('/elsewhere');
  const answers = {
    moved: [(request, response) => response.writeHead(302, { Location: elsewhere }).end(), /redirects are not followed/],
    canary: [(request, response) => response.writeHead(307, { Location: `https://127.0.0.1:${canary.port}/` }).end(), /redirects are not followed/],
    empty: [(request, response) => response.writeHead(204).end(), /status 204/],
    unchanged: [(request, response) => response.writeHead(304).end(), /not followed|status 304/],
    html: [(request, response) => response.writeHead(200, { 'Content-Type': 'text/html' }).end('<html></html>'), /application\/json/],
    list: [(request, response) => response.writeHead(200, { 'Content-Type': 'application/json' }).end('[]'), /JSON object/],
    huge: [(request, response) => {
      response.writeHead(200, { 'Content-Type': 'application/json' });
      response.on('error', () => {});
      for (let i = 0; i < 160; i += 1) response.write('x'.repeat(65536)); // 10 MB
      response.end();
    }, /larger than 5 KiB/],
  };
  for (const [name, [answer, words]] of Object.entries(answers)) await assertRefused(host.put(`/${name}`, answer), words);
  for (const [name, more] of Object.entries({ secret: { client_secret: 'x' }, expiry: { client_secret_expires_at: 0 }, basic: { token_endpoint_auth_method: 'client_secret_basic' },
    keyed: { token_endpoint_auth_method: 'private_key_jwt' }, nameless: { client_name: undefined }, other: { client_id: host.url('/OTHER') }, slash: { client_id: `${host.url('/slash')}/` } })) {
    await assertRefused(host.document(`/${name}`, more));
  }
  assert.equal(host.asked('/elsewhere'), 0);
  assert.equal(canary.hits, 0);
  canary.stop();
});

test('R31: a host that drips is left after five seconds', { timeout: 60000 }, async () => {
  const id = host.put('/drip', (request, response) => {
    response.writeHead(200, { 'Content-Type': 'application/json' });
    const drip = setInterval(() => response.write(' '), 100);
    response.on('close', () => clearInterval(drip));
    response.on('error', () => {});
  });
  const begin = Date.now();
  await assertRefused(id, /could not be fetched/);
  assert.ok(Date.now() - begin < 8000, `${Date.now() - begin} ms`);
});

test('R31 K27: 100 requests at once for a slow document: at most two fetches at a time, and others are served meanwhile', { timeout: 180000 }, async () => {
  const slow = host.document('/slow');
  const good = host.paths.get('/slow');
  host.put('/slow', (request, response) => { setTimeout(() => good(request, response), 1500); });
  host.mostOpen = 0;
  const browser = person();
  await browser.get(query(`${api}/authorize`, parametersOf(slow)));
  const request = new URLSearchParams(parametersOf(slow)).toString();
  const crowd = inLanes(100, Array.from({ length: 100 }, () => () => browser.post(`${api}/consent/client`, { request })));
  await sleep(300);
  assert.equal((await send(server.base, 'GET', '/healthz')).status, 200);
  const answers = await crowd;
  for (const { status, headers } of answers) {
    assert.ok([302, 429].includes(status), `${status}`);
    if (status === 429) assert.ok(Number(headers['retry-after']) > 0);
  }
  assert.equal(host.asked('/slow'), 1, 'one fetch serves all');
  const many = Array.from({ length: 30 }, (_, i) => host.put(`/slow${i}`, (asked, response) => { setTimeout(() => response.writeHead(404).end(), 300); }));
  await inLanes(30, many.map((id) => () => browser.post(`${api}/consent/client`, { request: new URLSearchParams(parametersOf(id)).toString() })));
  assert.ok(host.mostOpen <= 2, `${host.mostOpen} at a time`);
});

test('R32 R33 K33: an error is not kept, a good document is for as long as its host says', async () => {
  const id = host.put('/flaky', (request, response) => response.writeHead(500, { 'Cache-Control': 'max-age=600' }).end());
  await assertRefused(id, /status 500/);
  host.document('/flaky', {}, { 'Cache-Control': 'max-age=600' });
  const browser = person();
  assert.ok((await flowOf(id, {}, browser)).flowId);
  assert.equal(host.asked('/flaky'), 2);
  for (let i = 0; i < 3; i += 1) assert.ok((await authorize(server, person(), { client_id: id }, { redirect_uri: loopback })).flowId);
  assert.equal(host.asked('/flaky'), 2);
  const [{ left }] = server.sql(`SELECT expires_at - strftime('%s') AS left FROM client_document WHERE id = '${id}'`);
  assert.ok(left > 590 - 60 && left <= 600, `${left}`);
  server.sql(`UPDATE client_document SET expires_at = 1 WHERE id = '${id}'`);
  await flowOf(id);
  assert.equal(host.asked('/flaky'), 3);
});

test('R36 K32: a changed document counts as it is now, and the person is asked again', async () => {
  const id = host.document('/changing');
  await codeOf(await flowOf(id));
  server.sql(`UPDATE client_document SET expires_at = 1 WHERE id = '${id}'`);
  host.document('/changing', { client_name: 'Renamed app', redirect_uris: ['https://new.example.test/cb'] });
  const old = await flowOf(id);
  assertNoRedirect(old.answer);
  const flow = await authorize(server, person(), { client_id: id }, { redirect_uri: 'https://new.example.test/cb' });
  const page = await flow.browser.get(`/oauth/consent?flow_id=${flow.flowId}`);
  assert.match(page.text, /Renamed app/);
  assert.match(page.text, /new\.example\.test/);
});

test('R35: no page of a documented client has a picture from elsewhere', async () => {
  const flow = await flowOf(host.document('/logo', { logo_uri: host.url('/logo.png') }));
  for (const target of ['/oauth/consent', '/oauth/consent/mcps']) {
    const page = await flow.browser.get(`${target}?flow_id=${flow.flowId}`);
    assert.doesNotMatch(page.text, /<img|logo\.png/);
    if (target === '/oauth/consent') await choose(flow, { skip: true });
  }
  assert.equal(host.asked('/logo.png'), 0);
});

test('K31: what a document made cannot be taken over, nor can it take over', async () => {
  const id = host.document('/mine');
  await flowOf(id);
  const made = await send(server.base, 'POST', `${api}/register`, { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ client_id: id, redirect_uris: ['https://evil.test/cb'] }) });
  assert.match(made.json().client_id, /^cgc_/);
  const vouched = host.document('/vouched');
  server.sql(`INSERT INTO client (id, name, redirect_uris, by_operator, active, metadata, created_at) VALUES ('${vouched}', NULL, CAST('http://localhost/other' AS BLOB), 1, 1, CAST('{}' AS BLOB), 1)`);
  assertNoRedirect((await authorize(server, person(), { client_id: vouched }, { redirect_uri: loopback })).answer);
  assert.equal(host.asked('/vouched'), 0);
  await server.admin('client', 'disable', id);
  server.sql(`UPDATE client_document SET expires_at = 1 WHERE id = '${id}'`);
  const before = host.asked('/mine');
  assertNoRedirect((await authorize(server, person(), { client_id: id }, { redirect_uri: loopback })).answer);
  assert.equal(host.asked('/mine'), before);
});

test('R34 U2 XE7: in Chromium the page that asks leads on to the consent page, and a request to refuse says why before it leads to the app', { timeout: 120000 }, async () => {
  const app = await loopbackClient();
  const browser = await launch();
  try {
    const { page, complaints } = await watchedPage(await browser.newContext());
    const address = (id, more) => server.base + query(`${api}/authorize`, parametersOf(id, { redirect_uri: `http://127.0.0.1:${app.port}/callback`, ...more }));
    await page.goto(address(host.document('/chromium')));
    await page.getByText(`localhost:${host.port}`).waitFor();
    assert.equal(host.asked('/chromium'), 0);
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.waitForURL('**/oauth/consent?flow_id=*');
    await page.getByText('Documented app').first().waitFor();
    await page.goto(address(host.document('/chromium2'), { scope: 'bo"gus' }));
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByText('by itself after 5 seconds').waitFor();
    await page.waitForURL('**/callback?error=invalid_scope*');
    assert.deepEqual(complaints.filter((text) => !/status of 400/.test(text)), []);
  } finally {
    await browser.close();
    app.stop();
  }
});

test('R34: denying such a client leads back to it', async () => {
  const flow = await flowOf(host.document('/denying'));
  const answer = await post(flow, 'deny');
  assert.equal(answer.status, 302);
  assert.deepEqual(answer.sent().getAll('error'), ['access_denied']);
});

test('R39: the metadata host is gone between authorize and token, and the exchange and the refresh do not notice', async () => {
  const id = host.document('/gone');
  const flow = await flowOf(id);
  const code = await codeOf(flow);
  server.sql(`UPDATE client_document SET expires_at = 1 WHERE id = '${id}'`);
  await host.stop();
  const answer = await redeem(server, flow, code);
  assert.equal(answer.status, 200, answer.text);
  const refreshed = await redeem(server, flow, undefined, { grant_type: 'refresh_token', refresh_token: answer.json().refresh_token, redirect_uri: undefined, code_verifier: undefined });
  assert.equal(refreshed.status, 200, refreshed.text);
  await assertRefused(id, /could not be fetched/);
});
