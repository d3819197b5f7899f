// Chromium at the consent pages: with and without script, by mouse and by keyboard, light and dark,
// wide and narrow.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { query } from './support/browser.mjs';
import { httpsClient, launch, loopbackClient, watchedPage } from './support/chromium.mjs';
import { api, authorizeParameters, pkce, redeem, register, scheme, whoami } from './support/journey.mjs';
import { plainFolder, startServer, until } from './support/server.mjs';

const axeSource = fs.readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const options = { timeout: 120000 };
const host = 'client.example.test';
let pictures; // a folder: PICTURES of the environment, else one that goes with the server's
let server;
let browser;
let apps; // where clients wait: { loopback, https }
let key;

before(async () => {
  server = await startServer();
  pictures = process.env.PICTURES ?? path.join(server.var, 'pictures');
  apps = { loopback: await loopbackClient(), https: await httpsClient(host) };
  browser = await launch({ [host]: apps.https.port });
  key = await server.addKey('laptop');
}, { timeout: 240000 });
after(async () => {
  await browser?.close();
  Object.values(apps ?? {}).forEach((app) => app.stop());
  await server?.stop();
}, { timeout: 120000 });

// A sign-in as the client starts it: the address to open, and what is needed to redeem the code.
async function begin(redirect, more = {}) {
  const client = await register(server, { client_name: 'Garden tool', redirect_uris: [redirect] });
  const proof = pkce();
  const parameters = authorizeParameters(server, client, proof, more);
  return { client, proof, parameters, url: server.base + query(`${api}/authorize`, parameters) };
}
const loopbackUri = () => `http://127.0.0.1:${apps.loopback.port}/callback`;
const httpsUri = `https://${host}/cb?kept=1`;

async function inPage(settings, work) {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, ...settings });
  try { return await work(await watchedPage(context), context); } finally { await context.close(); }
}

// The last call an app got, as its parameters.
const lastCall = (app, since) => until(() => app.calls.length > since && new URL(app.calls.at(-1), 'http://app.invalid').searchParams, 'the call of the app', 20000);

async function identityOf(flow, code) {
  const answer = await redeem(server, flow, code);
  assert.equal(answer.status, 200, answer.text);
  return whoami(server, answer.json().access_token);
}

async function openWay(page, words) {
  const way = page.locator('details', { has: page.locator('summary', { hasText: words }) });
  if (await way.getAttribute('open') === null) await way.locator('summary').click();
  return way;
}

async function chooseUserId(page, name) {
  const way = await openWay(page, 'I only give a name');
  await way.getByLabel('Your name').fill(name);
  await way.getByRole('button', { name: 'Continue' }).click();
  await page.waitForURL('**/oauth/consent/mcps?**');
}

for (const javaScriptEnabled of [true, false]) {
  const how = javaScriptEnabled ? 'with script' : 'without script';

  test(`P1 U2 (${how}): a click through consent ends at a loopback app with a code that works`, options, async () => {
    const flow = await begin(loopbackUri());
    await inPage({ javaScriptEnabled }, async ({ page, complaints }) => {
      const since = apps.loopback.calls.length;
      await page.goto(flow.url);
      assert.match(await page.title(), /Who are you/);
      await chooseUserId(page, 'ada');
      await page.getByRole('button', { name: 'Allow' }).click();
      const sent = await lastCall(apps.loopback, since);
      await page.waitForURL('**/callback?**');
      assert.deepEqual(complaints, []);
      assert.equal((await identityOf(flow, sent.get('code'))).identity, 'ada');
    });
  });

  test(`P1 U2 (${how}): a virtual key ends at an https app whose own query is kept`, options, async () => {
    const flow = await begin(httpsUri);
    await inPage({ javaScriptEnabled }, async ({ page, complaints }) => {
      const since = apps.https.calls.length;
      await page.goto(flow.url);
      const way = await openWay(page, 'I have an access code');
      await way.getByLabel('Your access code').fill(key.virtual_key);
      await way.getByRole('button', { name: 'Continue' }).click();
      await page.waitForURL('**/oauth/consent/mcps?**');
      await page.getByRole('button', { name: 'Allow' }).click();
      const sent = await lastCall(apps.https, since);
      assert.deepEqual(complaints, []);
      assert.equal(sent.get('kept'), '1');
      assert.equal((await identityOf(flow, sent.get('code'))).identity_kind, 'virtual_key');
    });
  });

  test(`P1 U2 (${how}): skipping ends at a program with its own kind of address`, options, async () => {
    const flow = await begin(scheme);
    await inPage({ javaScriptEnabled }, async ({ page, complaints, requested }) => {
      await page.goto(flow.url);
      const way = await openWay(page, 'I do not say who I am');
      await way.getByRole('button', { name: 'Continue' }).click();
      await page.waitForURL('**/oauth/consent/mcps?**');
      await page.getByRole('button', { name: 'Allow' }).click();
      const sent = await until(() => requested.find((url) => url.startsWith(scheme)), 'the way to the program', 20000);
      assert.deepEqual(complaints.filter((text) => /security policy|blocked: csp/i.test(text)), []);
      assert.equal((await identityOf(flow, new URL(sent).searchParams.get('code'))).identity_kind, 'skipped');
    });
  });

  test(`P1 A27 (${how}): Deny on either page ends at the app with access_denied`, options, async () => {
    for (const onSecond of [false, true]) {
      const flow = await begin(loopbackUri());
      await inPage({ javaScriptEnabled }, async ({ page, complaints }) => {
        const since = apps.loopback.calls.length;
        await page.goto(flow.url);
        if (onSecond) await chooseUserId(page, 'ada');
        await page.getByRole('button', { name: 'Deny' }).filter({ visible: true }).first().click();
        const sent = await lastCall(apps.loopback, since);
        assert.deepEqual(complaints, []);
        assert.deepEqual([sent.get('error'), sent.get('state'), sent.get('iss'), sent.has('code')], ['access_denied', 'a state', server.issuer, false]);
      });
    }
  });

  test(`P1 (${how}): the keyboard alone is enough`, options, async () => {
    const flow = await begin(loopbackUri());
    await inPage({ javaScriptEnabled }, async ({ page, complaints }) => {
      const since = apps.loopback.calls.length;
      await page.goto(flow.url);
      await tabTo(page, page.locator('summary', { hasText: 'I only give a name' }));
      await page.keyboard.press('Enter');
      await tabTo(page, page.getByLabel('Your name'));
      await page.keyboard.type('grace');
      await page.keyboard.press('Enter');
      await page.waitForURL('**/oauth/consent/mcps?**');
      await tabTo(page, page.getByRole('button', { name: 'Allow' }));
      await page.keyboard.press('Enter');
      const sent = await lastCall(apps.loopback, since);
      assert.deepEqual(complaints, []);
      assert.equal((await identityOf(flow, sent.get('code'))).identity, 'grace');
    });
  });
}

async function tabTo(page, target) {
  for (let presses = 0; presses < 30; presses += 1) {
    if (await target.evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`Tab does not reach ${target}`);
}

test('U2 XE2: the watch for refused redirects sees one when the policy allows only our own origin', options, async () => {
  const flow = await begin(loopbackUri());
  await inPage({}, async ({ page, complaints }) => {
    await page.route('**/oauth/consent/mcps?**', async (route) => {
      const response = await route.fetch();
      const policy = `${response.headers()['content-security-policy']}; form-action 'self'`;
      await route.fulfill({ response, headers: { ...response.headers(), 'content-security-policy': policy } });
    });
    await page.goto(flow.url);
    await chooseUserId(page, 'ada');
    await page.reload(); // only a page that was not redirected to passes the route
    const since = apps.loopback.calls.length;
    await page.getByRole('button', { name: 'Allow' }).click();
    await until(() => complaints.some((text) => /form-action/.test(text)), 'a complaint', 20000);
    assert.equal(apps.loopback.calls.length, since);
  });
});

test('P1: a mistake is said at its field, and the way on is open', options, async () => {
  const flow = await begin(loopbackUri());
  await inPage({}, async ({ page }) => {
    await page.goto(flow.url);
    const way = await openWay(page, 'I have an access code');
    await way.getByLabel('Your access code').fill('sk-bf-wrong');
    await way.getByRole('button', { name: 'Continue' }).click();
    await page.waitForURL('**error=invalid_virtual_key**');
    const field = page.getByLabel('Your access code');
    assert.equal(await field.getAttribute('aria-invalid'), 'true');
    const described = (await field.getAttribute('aria-describedby')).split(' ');
    assert.match(await page.locator(`#${described[0]}`).innerText(), /does not work/);
    await chooseUserId(page, 'ada');
  });
});

// Every page there is: a name, and how to get there.
const pages = {
  identity: async (page) => { await page.goto((await begin(loopbackUri())).url); },
  'identity, https app, both scopes': async (page) => { await page.goto((await begin(httpsUri, { scope: 'mcp profile' })).url); },
  'identity, program': async (page) => { await page.goto((await begin(scheme)).url); },
  'identity, long names': async (page) => {
    const client = await register(server, { client_name: 'Donaudampfschifffahrtsgesellschaft'.repeat(5), redirect_uris: [`https://${'a'.repeat(60)}.example.test/cb`] });
    await page.goto(server.base + query(`${api}/authorize`, authorizeParameters(server, client, pkce())));
  },
  'identity, mistakes': async (page) => {
    await page.goto((await begin(loopbackUri())).url);
    await page.goto(`${page.url()}&error=invalid_user_id`);
  },
  services: async (page) => { await page.goto((await begin(loopbackUri())).url); await chooseUserId(page, 'ada.lovelace@analytical-engines.example.test'); },
  'error, unknown flow': async (page) => { await page.goto(`${server.base}/oauth/consent?flow_id=${'A'.repeat(22)}`); },
  'error, address not registered': async (page) => { await page.goto((await begin(httpsUri, { redirect_uri: 'https://evil.test/cb' })).url); },
  'error, link back to the app': async (page) => { await page.goto((await begin(httpsUri, { scope: 'bo"gus' })).url); },
};

for (const [name, go] of Object.entries(pages)) {
  test(`P1 (${name}): axe finds nothing, light and dark, and 320 px need no sideways scrolling`, options, async () => {
    for (const colorScheme of ['light', 'dark']) {
      await inPage({ colorScheme, viewport: { width: 320, height: 800 } }, async ({ page, complaints }) => {
        await go(page);
        const file = path.join(pictures, `${name.replaceAll(/[^a-z]+/g, '-')}-${colorScheme}`);
        await page.screenshot({ path: `${file}-narrow.png`, fullPage: true });
        const width = await page.evaluate(() => Math.max(document.documentElement.scrollWidth, document.body.scrollWidth));
        assert.ok(width <= 320, `the page is ${width} px wide`);
        await page.setViewportSize({ width: 1024, height: 768 });
        await page.screenshot({ path: `${file}-wide.png`, fullPage: true });
        await page.evaluate(axeSource);
        const { violations } = await page.evaluate(() => globalThis.axe.run());
        assert.deepEqual(violations.map((found) => `${found.id}: ${found.nodes.map((node) => node.html).join(' ')}`), []);
        assert.equal(await page.locator('h1').count(), 1);
        assert.ok((await page.title()).length > 10);
        assert.deepEqual(complaints.filter((text) => !/status of 4\d\d/.test(text)), []);
      });
    }
  });
}

test('P1: the link back on the page of an unproven app leads to the app with the error', options, async () => {
  const flow = await begin(httpsUri, { scope: 'bo"gus' });
  await inPage({}, async ({ page }) => {
    const since = apps.https.calls.length;
    const answer = await page.goto(flow.url);
    assert.equal(answer.status(), 400);
    await page.getByRole('link', { name: 'Go back to the app' }).click();
    const sent = await lastCall(apps.https, since);
    assert.deepEqual([sent.get('error'), sent.get('state'), sent.get('iss'), sent.get('kept')], ['invalid_scope', 'a state', server.issuer, '1']);
  });
});

test('P1: two tabs of one browser run two sign-ins side by side', options, async () => {
  const [one, two] = [await begin(loopbackUri()), await begin(loopbackUri())];
  await inPage({}, async ({ page }, context) => {
    const other = await context.newPage();
    await page.goto(one.url);
    await other.goto(two.url);
    for (const [tab, flow, name] of [[page, one, 'first'], [other, two, 'second']]) {
      const since = apps.loopback.calls.length;
      await chooseUserId(tab, name);
      await tab.getByRole('button', { name: 'Allow' }).click();
      assert.equal((await identityOf(flow, (await lastCall(apps.loopback, since)).get('code'))).identity, name);
    }
  });
});

test('R35: the operator\'s logo stands beside the name, seen by a browser, and what a picture can do by itself is nothing', options, async (t) => {
  const folder = plainFolder();
  const file = path.join(folder, 'logo.svg');
  fs.writeFileSync(file, '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="20"><script>document.title = "run"</script><rect width="40" height="20" fill="#1a5fb4"/></svg>');
  const branded = await startServer({ workers: 1, env: { CONSENTGATE_BRAND_LOGO: file, CONSENTGATE_BRAND_NAME: 'Acme' } });
  t.after(async () => { await branded.stop(); fs.rmSync(folder, { recursive: true, force: true }); });
  const page = await browser.newPage();
  t.after(() => page.close());
  await page.goto(`${branded.base}/oauth/sessions`);
  assert.deepEqual(await page.$eval('header img', (image) => [image.naturalWidth, image.naturalHeight, image.alt]), [40, 20, '']);
  assert.equal(await page.$eval('header', (header) => header.innerText.trim()), 'Acme');
  const picture = await page.goto(new URL(await page.$eval('header img', (image) => image.src), branded.base).href);
  assert.equal(picture.headers()['content-type'], 'image/svg+xml');
  assert.match(picture.headers()['content-security-policy'], /sandbox/);
  assert.notEqual(await page.title(), 'run');
});
