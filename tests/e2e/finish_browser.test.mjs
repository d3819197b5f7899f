// Chromium after Allow and Deny: for every kind of place where an app waits, the browser ends on
// something that a person understands.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { query } from './support/browser.mjs';
import { httpsClient, launch, launchWithoutCookies, loopbackClient, watchedPage } from './support/chromium.mjs';
import { api, authorizeParameters, pkce, redeem, register, whoami } from './support/journey.mjs';
import { startServer, until } from './support/server.mjs';

const axeSource = fs.readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const options = { timeout: 120000 };
const [first, second] = ['client.example.test', 'other.example.test'];
const hosted = `https://${first}/cb`;
const ownKind = 'cursor://anysphere.cursor-mcp/oauth/callback';
let server;
let browser;
let apps; // where clients wait: { first, second, loopback }
let pictures; // a folder: PICTURES of the environment, else one that goes with the server's

before(async () => {
  server = await startServer({ workers: 2 });
  pictures = process.env.PICTURES ?? path.join(server.var, 'pictures');
  // The callback of a hosted client hands over to another origin of its own, and that to its app.
  const handsOver = { '/cb': (search) => `https://${second}/hand${search}`, '/hand': (search) => `claude://signed-in${search}` };
  apps = { first: await httpsClient(first, handsOver), second: await httpsClient(second, handsOver), loopback: await loopbackClient() };
  browser = await launch({ [first]: apps.first.port, [second]: apps.second.port });
}, { timeout: 240000 });
after(async () => {
  await browser?.close();
  Object.values(apps ?? {}).forEach((app) => app.stop());
  await server?.stop();
}, { timeout: 120000 });

async function begin(redirect, more = {}, name = 'Garden tool') {
  const client = await register(server, { client_name: name, redirect_uris: [redirect] });
  const proof = pkce();
  const parameters = authorizeParameters(server, client, proof, more);
  return { client, proof, parameters, url: server.base + query(`${api}/authorize`, parameters) };
}
const loopbackUri = () => `http://127.0.0.1:${apps.loopback.port}/callback`;
const words = (page) => page.locator('main').innerText();

async function inPage(settings, work) {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, ...settings });
  try { return await work(await watchedPage(context)); } finally { await context.close(); }
}

// Takes pictures of our page, wide and narrow, and lets axe look at it.
async function look(page, name) {
  for (const [how, width] of [['narrow', 320], ['wide', 1024]]) {
    await page.setViewportSize({ width, height: 768 });
    await page.screenshot({ path: path.join(pictures, `${name}-${how}.png`), fullPage: true });
    const needed = await page.evaluate(() => Math.max(document.documentElement.scrollWidth, document.body.scrollWidth));
    assert.ok(needed <= width, `${name} is ${needed} px wide`);
  }
  await page.evaluate(axeSource);
  const { violations } = await page.evaluate(() => globalThis.axe.run());
  assert.deepEqual(violations.map((found) => `${found.id}: ${found.nodes.map((node) => node.html).join(' ')}`), [], name);
  assert.equal(await page.locator('h1').count(), 1);
}

async function toLastStep(page, flow) {
  await page.goto(flow.url);
  const way = page.locator('details', { has: page.locator('summary', { hasText: 'I only give a name' }) });
  if (await way.getAttribute('open') === null) await way.locator('summary').click();
  await way.getByLabel('Your name').fill('ada');
  await way.getByRole('button', { name: 'Continue' }).click();
  await page.waitForURL('**/oauth/consent/mcps?**');
}
const pressDeny = (page) => page.getByRole('button', { name: 'Deny' }).filter({ visible: true }).first().click();
// A press of a button that leads to the app, on either page; Allow is on the second.
const presses = {
  Allow: async (page, flow) => { await toLastStep(page, flow); await page.getByRole('button', { name: 'Allow' }).click(); },
  'Deny on page 1': async (page, flow) => { await page.goto(flow.url); await pressDeny(page); },
  'Deny on page 2': async (page, flow) => { await toLastStep(page, flow); await pressDeny(page); },
};

const reached = (requested, start) => until(() => requested.find((url) => url.startsWith(start)), `the way to ${start}`, 20000);
// The app got a code that works, or the denial.
async function assertAnswered(press, flow, address) {
  const sent = new URL(address).searchParams;
  assert.deepEqual([sent.get('state'), sent.get('iss')], ['a state', server.issuer]);
  if (press !== 'Allow') return assert.deepEqual([sent.get('error'), sent.has('code')], ['access_denied', false]);
  const answer = await redeem(server, flow, sent.get('code'));
  assert.equal(answer.status, 200, answer.text);
  return assert.equal((await whoami(server, answer.json().access_token)).identity, 'ada');
}
const ofPolicy = (complaints) => complaints.filter((text) => /security policy|csp|Refused to/i.test(text));

for (const javaScriptEnabled of [true, false]) {
  const how = javaScriptEnabled ? 'with script' : 'without script';
  for (const [press, go] of Object.entries(presses)) {
    test(`XE2 U2 (${press}, ${how}): a callback that goes on to another origin and then to an app is reached to its end`, options, async () => {
      const flow = await begin(hosted);
      await inPage({ javaScriptEnabled }, async ({ page, complaints, requested }) => {
        await go(page, flow);
        const address = await reached(requested, 'claude://signed-in');
        assert.deepEqual(ofPolicy(complaints), []);
        assert.ok(requested.some((url) => url.startsWith(`https://${second}/hand?`)));
        await assertAnswered(press, flow, address);
      });
    });

    test(`XE2 (${press}, ${how}): an app with its own kind of address is opened, and our page stays behind and says so`, options, async () => {
      const flow = await begin(ownKind);
      await inPage({ javaScriptEnabled }, async ({ page, complaints, requested }) => {
        await go(page, flow);
        await page.waitForURL('**/oauth/consent/done?flow_id=*');
        const address = await reached(requested, ownKind);
        assert.deepEqual(ofPolicy(complaints), []);
        const said = await words(page);
        assert.match(said, /You can go back to Garden tool/);
        assert.match(said, press === 'Allow' ? /You let it in/ : /You said no/);
        assert.equal(await page.getByRole('link', { name: 'Open the app' }).getAttribute('href'), address);
        assert.equal(await page.getByRole('button').count(), 0, 'no live button is left');
        assert.doesNotMatch(page.url(), /code|state|error/);
        if (javaScriptEnabled) await look(page, `done-${press.toLowerCase().replaceAll(' ', '-')}`);
        await assertAnswered(press, flow, address);
        if (press !== 'Allow') return;
        const before = requested.filter((url) => url.startsWith(ownKind)).length;
        await page.reload();
        assert.match(await words(page), /You can close this page/);
        assert.equal(await page.getByRole('link').count(), 0);
        assert.equal(requested.filter((url) => url.startsWith(ownKind)).length, before, 'a used code is not sent again');
        if (javaScriptEnabled) await look(page, 'done-over');
      });
    });

    test(`XE2 (${press}, ${how}): a program on this computer is reached and its own page is shown`, options, async () => {
      const flow = await begin(loopbackUri());
      await inPage({ javaScriptEnabled }, async ({ page, complaints, requested }) => {
        await go(page, flow);
        await page.waitForURL('**/callback?**');
        assert.equal(await page.locator('h1').innerText(), 'Back in the app');
        assert.deepEqual(complaints, []);
        await assertAnswered(press, flow, await reached(requested, loopbackUri()));
      });
    });
  }
}

test('XE2: Back after Allow or Deny shows no live button', options, async () => {
  for (const press of ['Allow', 'Deny on page 2']) {
    const flow = await begin(ownKind);
    await inPage({}, async ({ page, requested }) => {
      await presses[press](page, flow);
      await reached(requested, ownKind);
      await page.evaluate(() => history.back());
      await page.waitForURL('**/oauth/consent/mcps?**');
      await page.locator('h1').waitFor();
      assert.equal(await page.getByRole('button').count(), 0, await words(page));
    });
  }
});

test('XE6: Chromium says our Origin with our own forms', options, async () => {
  const flow = await begin(loopbackUri());
  await inPage({}, async ({ page }) => {
    const origins = [];
    page.on('request', (request) => { if (request.method() === 'POST') origins.push(request.allHeaders()); });
    await presses.Allow(page, flow);
    await page.waitForURL('**/callback?**');
    const sent = await Promise.all(origins);
    assert.deepEqual(sent.map((headers) => headers.origin), [server.base, server.base]);
  });
});

test('XE7: without cookies the page says that it needs one, and where to go', options, async () => {
  const flow = await begin(loopbackUri());
  const { context, stop } = await launchWithoutCookies();
  try {
    const page = await context.newPage();
    const answer = await page.goto(flow.url);
    assert.equal(answer.status(), 403);
    const said = await words(page);
    assert.match(said, /needs a cookie/);
    assert.match(said, /Allow cookies for this site, or open the link in your usual browser/);
    await look(page, 'no-cookie');
  } finally { await stop(); }
});

test('XE7: a stale registration, a stale address and a link that was cut each say the cure', options, async () => {
  const flow = await begin(loopbackUri());
  const address = (more) => server.base + query(`${api}/authorize`, { ...flow.parameters, ...more });
  const cures = {
    'unknown-app': [address({ client_id: 'cgc_AAAAAAAAAAAAAAAAAAAAAA' }), /Remove this server from your app and add it again/],
    'stale-address': [address({ redirect_uri: 'https://old.example.test/cb' }), /Remove this server from your app and add it again/],
    'cut-early': [flow.url.slice(0, flow.url.indexOf('&redirect_uri')), /copy the link again, all of it/],
    'cut-late': [flow.url.slice(0, flow.url.indexOf('code_challenge=') + 30), /copy the link again, all of it/],
    'cut-flow': [`${server.base}/oauth/consent?flow_id=${'A'.repeat(12)}`, /copy the link again, all of it/],
    wrapped: [address({ client_id: `${flow.client.client_id.slice(0, 9)}  ${flow.client.client_id.slice(9)}` }), /copy the link again, all of it/],
  };
  for (const [name, [url, cure]] of Object.entries(cures)) {
    await inPage({}, async ({ page }) => {
      await page.goto(url);
      assert.match(await words(page), cure, name);
      await look(page, `cure-${name}`);
    });
  }
});

test('XE7: an error for a program on this computer is shown, with Continue, and goes on by itself; where nothing listens it was read before', options, async () => {
  const flow = await begin(loopbackUri(), { scope: 'bo"gus' });
  for (const press of [true, false]) {
    await inPage({ javaScriptEnabled: press }, async ({ page, requested }) => {
      const answer = await page.goto(flow.url);
      assert.equal(answer.status(), 400);
      assert.match(await words(page), /goes on to your app at 127\.0\.0\.1:\d+ by itself after 5 seconds/);
      if (press) { await look(page, 'error-loopback'); await page.getByRole('link', { name: 'Continue' }).click(); }
      await page.waitForURL('**/callback?error=invalid_scope*');
      const sent = new URL(await reached(requested, loopbackUri())).searchParams;
      assert.deepEqual([sent.get('error'), sent.get('state'), sent.get('iss')], ['invalid_scope', 'a state', server.issuer]);
    });
  }
});
