// How a browser comes to page 1: the question which of several servers an app may use, and forms of
// other sites at authorize. In Chromium and as programs see it.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Browser, query } from './support/browser.mjs';
import { assertGatewayError, assertPage } from './support/checks.mjs';
import { launch, loopbackClient, watchedPage } from './support/chromium.mjs';
import { api, authorizeParameters, choose, inLanes, pkce, post, redeem, register, startFlow, submit, whoami } from './support/journey.mjs';
import { startServer, until } from './support/server.mjs';

const axeSource = fs.readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const options = { timeout: 120000 };
let server; // guards /mcp and /notes, which needs a scope of its own
let notes;
let browser;
let app;
let pictures; // PICTURES of the environment, else a folder that goes with the server's

before(async () => {
  server = await startServer({ workers: 2 });
  notes = `${server.base}/notes`;
  await server.admin('resource', 'add', notes, '--scopes', 'profile');
  process.kill(server.masterPid(), 'SIGHUP');
  await until(() => /event=reloaded/.test(server.logs()), 'the reload');
  pictures = process.env.PICTURES ?? path.join(server.var, 'pictures');
  app = await loopbackClient();
  browser = await launch();
}, { timeout: 240000 });
after(async () => {
  await browser?.close();
  app?.stop();
  await server?.stop();
}, { timeout: 120000 });

const silent = { resource: undefined, scope: undefined };
const client = () => register(server, { client_name: 'Garden tool', redirect_uris: [`http://127.0.0.1:${app.port}/callback`] });
const question = /Which server may the app use\?/;
const pageOf = (flow, more = '') => flow.browser.get(`/oauth/consent?flow_id=${flow.flowId}${more}`);
const chooseResource = (flow, resource) => post(flow, 'resource', { resource });
const tokenOf = async (flow) => {
  const answer = await redeem(server, flow, (await submit(flow)).sent().get('code'));
  assert.equal(answer.status, 200, answer.text);
  return answer.json();
};

test('XE5: an app that names none of several servers gets a token for the one that the person chose', async () => {
  const flow = await startFlow(server, { client: await client(), more: silent });
  const asked = await pageOf(flow);
  assertPage(asked, 200);
  assert.match(asked.text, question);
  for (const resource of [server.resource, notes]) assert.ok(asked.text.includes(`value="${resource}"`), resource);
  const back = await submit(flow);
  assert.deepEqual([back.status, back.location], [302, `/oauth/consent?flow_id=${flow.flowId}&error=resource_required`]);
  assert.match((await flow.browser.get(back.location)).text, /Choose a server first/);

  const chosen = await chooseResource(flow, notes);
  assert.deepEqual([chosen.status, chosen.location], [302, `/oauth/consent?flow_id=${flow.flowId}`]);
  assert.match((await pageOf(flow)).text, /Who are you\?/);
  await choose(flow, { userId: 'anna' });
  assert.equal((await tokenOf(flow)).scope, 'profile');
  const [session] = server.sql('SELECT CAST(resource AS TEXT) AS resource FROM session');
  assert.equal(session.resource, notes);

  const other = await startFlow(server, { client: await client(), more: silent });
  await chooseResource(other, server.resource);
  await choose(other, { userId: 'anna' });
  const { access_token: token } = await tokenOf(other);
  assert.equal((await whoami(server, token)).identity, 'anna');
});

test('XE5: only a server of ours can be chosen, only in its own browser, and not for an app that named one', async () => {
  const flow = await startFlow(server, { client: await client(), more: silent });
  const json = { Accept: 'application/json' };
  for (const resource of ['https://evil.test/mcp', `${server.resource}/x`, server.base]) assertGatewayError(await post(flow, 'resource', { resource }, json), 400, 'invalid_target');
  const stranger = { ...flow, browser: new Browser(server.base, server.issuer) };
  assertGatewayError(await post(stranger, 'resource', { resource: notes }, json), 403, 'browser_mismatch');
  assertGatewayError(await post(flow, 'resource', { resource: notes }, { ...json, Origin: 'https://evil.test' }), 403, 'browser_mismatch');
  assert.match((await pageOf(flow)).text, question);
  const named = await startFlow(server, { client: await client() });
  assertGatewayError(await post(named, 'resource', { resource: notes }, json), 400, 'invalid_request');
  assert.doesNotMatch((await pageOf(named, '&choose=resource')).text, question);
});

test('XE5: of many choices at once the last one written counts, for the page and for the token', { timeout: 60000 }, async () => {
  const flow = await startFlow(server, { client: await client(), more: silent });
  await choose(flow, { userId: 'anna' });
  const choices = Array.from({ length: 12 }, (_, at) => () => chooseResource(flow, at % 2 ? notes : server.resource));
  const answers = await inLanes(4, choices);
  // 503 is a flow that kept changing under one of them.
  for (const { status } of answers) assert.ok([302, 503].includes(status), String(status));
  const [row] = server.sql(`SELECT revision, resource_by_person FROM flow WHERE id = '${flow.flowId}'`);
  assert.deepEqual(row, { revision: 1 + answers.filter(({ status }) => status === 302).length, resource_by_person: 1 });
  const page = (await flow.browser.get(`/oauth/consent/mcps?flow_id=${flow.flowId}`)).text;
  const { scope } = await tokenOf(flow);
  assert.equal(page.includes(`${notes.replace('http://', '')}\n`), scope === 'profile');
});

async function inChromium(settings, work) {
  const context = await browser.newContext(settings);
  try { return await work(await watchedPage(context), context); } finally { await context.close(); }
}

async function begin(more = silent) {
  const flow = { client: await client(), proof: pkce() };
  flow.parameters = authorizeParameters(server, flow.client, flow.proof, more);
  return { ...flow, url: server.base + query(`${api}/authorize`, flow.parameters) };
}
const called = (since) => until(() => app.calls.length > since && new URL(app.calls.at(-1), 'http://app.invalid').searchParams, 'the call of the app', 20000);
async function typeName(page) {
  const way = page.locator('details', { has: page.locator('summary', { hasText: 'I only give a name' }) });
  if (await way.getAttribute('open') === null) await way.locator('summary').click();
  await way.getByLabel('Your name').fill('ada');
  await way.getByRole('button', { name: 'Continue' }).click();
  await page.waitForURL('**/oauth/consent/mcps?**');
}

for (const javaScriptEnabled of [true, false]) {
  test(`XE5 (${javaScriptEnabled ? 'with' : 'without'} script): a person chooses a server, then another, and finishes`, options, async () => {
    const flow = await begin();
    await inChromium({ javaScriptEnabled }, async ({ page, complaints }) => {
      const since = app.calls.length;
      await page.goto(flow.url);
      assert.match(await page.title(), /^Which server\?/);
      await page.getByRole('button', { name: 'Continue' }).click(); // nothing is chosen yet
      assert.match(await page.title(), /^Which server\?/);
      await page.getByLabel('/notes').check();
      await page.getByRole('button', { name: 'Continue' }).click();
      await page.getByText('Who are you?').first().waitFor();
      await typeName(page);
      await page.getByRole('link', { name: 'Choose another' }).click();
      assert.equal(await page.getByLabel('/notes').isChecked(), true);
      await page.getByLabel('/mcp').check();
      await page.getByRole('button', { name: 'Continue' }).click();
      await page.waitForURL('**/oauth/consent/mcps?**');
      await page.getByRole('button', { name: 'Allow' }).click();
      const answer = await redeem(server, flow, (await called(since)).get('code'));
      assert.equal(answer.status, 200, answer.text);
      assert.equal((await whoami(server, answer.json().access_token)).identity, 'ada');
      assert.deepEqual(complaints, []);
    });
  });
}

test('XE5: Deny beside the question leads back to the app', options, async () => {
  const flow = await begin();
  await inChromium({}, async ({ page }) => {
    const since = app.calls.length;
    await page.goto(flow.url);
    await page.getByRole('button', { name: 'Deny' }).click();
    assert.equal((await called(since)).get('error'), 'access_denied');
  });
});

for (const [name, more] of [['question', ''], ['question with a mistake', '&error=resource_required']]) {
  test(`XE5 P1 (${name}): axe finds nothing, light and dark, and 320 px need no sideways scrolling`, options, async () => {
    for (const colorScheme of ['light', 'dark']) {
      await inChromium({ colorScheme, viewport: { width: 320, height: 800 } }, async ({ page, complaints }) => {
        await page.goto((await begin()).url);
        await page.goto(page.url() + more);
        const file = path.join(pictures, `${name.replaceAll(' ', '-')}-${colorScheme}`);
        await page.screenshot({ path: `${file}-narrow.png`, fullPage: true });
        const width = await page.evaluate(() => Math.max(document.documentElement.scrollWidth, document.body.scrollWidth));
        assert.ok(width <= 320, `the page is ${width} px wide`);
        for (const row of await page.locator('.options label').all()) assert.ok((await row.boundingBox()).height >= 44);
        await page.setViewportSize({ width: 1024, height: 768 });
        await page.screenshot({ path: `${file}-wide.png`, fullPage: true });
        await page.evaluate(axeSource);
        const { violations } = await page.evaluate(() => globalThis.axe.run());
        assert.deepEqual(violations.map((found) => `${found.id}: ${found.nodes.map((node) => node.html).join(' ')}`), []);
        assert.deepEqual(complaints, []);
      });
    }
  });
}

test('XE6: a form of another site begins a sign-in, and ends none that is open in this browser', options, async () => {
  const [mine, theirs] = [await begin({}), await begin({})];
  await inChromium({}, async ({ page }, context) => {
    await page.goto(mine.url);
    const cookies = async () => (await context.cookies(server.base)).map(({ name, value }) => `${name}=${value}`);
    const before = await cookies();
    assert.equal(before.length, 1);
    const foreign = await context.newPage();
    const answers = [];
    foreign.on('response', (answer) => { if (answer.url().includes('/authorize')) answers.push([answer.request().method(), answer.status(), answer.headers()['set-cookie']]); });
    await foreign.goto(`http://localhost:${app.port}/`); // another site: another host
    await foreign.evaluate(([action, fields]) => {
      const form = document.body.appendChild(document.createElement('form'));
      Object.assign(form, { method: 'post', action });
      for (const [name, value] of fields) Object.assign(form.appendChild(document.createElement('input')), { type: 'hidden', name, value });
      form.submit();
    }, [`${server.base}${api}/authorize`, Object.entries(theirs.parameters)]);
    await foreign.waitForURL('**/oauth/consent?**');
    assert.deepEqual(answers, [['POST', 303, undefined], ['GET', 302, undefined]]);
    assert.deepEqual(await cookies(), before);
    for (const [tab, flow] of [[page, mine], [foreign, theirs]]) {
      const since = app.calls.length;
      await typeName(tab);
      await tab.getByRole('button', { name: 'Allow' }).click();
      assert.equal((await redeem(server, flow, (await called(since)).get('code'))).status, 200);
    }
  });
});
