// Chromium signs in at a provider that forwards to another origin, with and without script; and the
// pages about signing in are accessible.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { query } from './support/browser.mjs';
import { launch, loopbackClient, watchedPage } from './support/chromium.mjs';
import { startIdentityProvider } from './support/identity_provider.mjs';
import { api, authorizeParameters, pkce, redeem, register, whoami } from './support/journey.mjs';
import { root, startServer, until } from './support/server.mjs';
import { addProvider } from './support/signin.mjs';

const axeSource = fs.readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const options = { timeout: 120000 };
let server, provider, browser, app;

before(async () => {
  server = await startServer({ env: { IDENTITIES: '' } });
  provider = await startIdentityProvider({ people: { anna: { name: 'Anna', email: 'anna@example.org', email_verified: true } }, forwards: true });
  await addProvider(server, provider, 'corp', 'Example Corp');
  app = await loopbackClient();
  browser = await launch();
}, { timeout: 240000 });
after(async () => { await browser?.close(); app?.stop(); await server?.stop(); await provider?.stop(); }, options);

async function begin() {
  const redirect = `http://127.0.0.1:${app.port}/callback`;
  const client = await register(server, { client_name: 'Garden tool', redirect_uris: [redirect] });
  const proof = pkce();
  const parameters = authorizeParameters(server, client, proof);
  return { client, proof, parameters, url: server.base + query(`${api}/authorize`, parameters) };
}

async function assertAccessible(page, what) {
  await page.evaluate(axeSource);
  const { violations } = await page.evaluate(() => globalThis.axe.run());
  assert.deepEqual(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`), [], what);
}

for (const javaScriptEnabled of [true, false]) {
  test(`SI18 (${javaScriptEnabled ? 'with' : 'without'} script): a click on the provider leads through another origin to the app`, options, async () => {
    const flow = await begin();
    const context = await browser.newContext({ javaScriptEnabled });
    try {
      const { page, complaints } = await watchedPage(context);
      const since = app.calls.length;
      await page.goto(flow.url);
      if (javaScriptEnabled) await assertAccessible(page, 'page 1');
      await page.getByRole('link', { name: 'Sign in with Example Corp' }).click();
      await page.waitForURL('**/oauth/consent/mcps?**');
      assert.match(await page.locator('.you').innerText(), /Anna[\s\S]*anna@example\.org[\s\S]*Example Corp/);
      if (javaScriptEnabled) await assertAccessible(page, 'page 2');
      await page.getByRole('button', { name: 'Allow' }).click();
      const sent = await until(() => app.calls.length > since && new URL(app.calls.at(-1), 'http://app.invalid').searchParams, 'the call of the app', 20000);
      assert.deepEqual(complaints, []);
      const answer = await redeem(server, flow, sent.get('code'));
      assert.equal((await whoami(server, answer.json().access_token)).identity_kind, 'verified_user');
      const next = await begin();
      await page.goto(next.url);
      await page.getByRole('button', { name: 'Not you?' }).click();
      await page.waitForURL('**/oauth/consent?**');
      assert.match(await page.title(), /Who are you/);
      await page.goto(`${server.base}/oauth/sessions`);
      if (javaScriptEnabled) await assertAccessible(page, 'their own page');
      assert.deepEqual(complaints, []);
    } finally {
      await context.close();
    }
  });
}

test('SI33: the page of a provider that does not answer is accessible, and leads back', options, async () => {
  const flow = await begin();
  const context = await browser.newContext();
  try {
    const { page } = await watchedPage(context);
    await page.goto(flow.url);
    provider.failNext('/token', [500, {}]);
    await page.getByRole('link', { name: 'Sign in with Example Corp' }).click();
    await page.getByRole('heading', { name: 'Example Corp does not answer' }).waitFor();
    await assertAccessible(page, 'the page of a provider that is away');
    await page.getByRole('link', { name: 'Try again' }).click();
    await page.getByRole('link', { name: 'Sign in with Example Corp' }).click();
    await page.waitForURL('**/oauth/consent/mcps?**');
  } finally {
    await context.close();
  }
});

test('SI33: on the page of an account that is not let in, the ways on have one size and stand side by side', options, async () => {
  const { number } = await server.admin('access', 'deny', 'corp/everyone', '--json');
  const context = await browser.newContext();
  try {
    const { page } = await watchedPage(context);
    await page.goto((await begin()).url);
    await page.getByRole('link', { name: 'Sign in with Example Corp' }).click();
    await page.getByRole('heading', { name: 'This account is not let in' }).waitFor();
    await assertAccessible(page, 'the page of an account that is not let in');
    const [another, back] = await page.locator('main .button, main button').evaluateAll((all) => all.map((one) => one.getBoundingClientRect().toJSON()));
    assert.deepEqual([another.top, another.width, another.height], [back.top, back.width, back.height]);
    assert.ok(back.left - another.right >= 8, 'with space between them');
    await page.getByRole('button', { name: 'Back to the app' }).click();
    await until(() => app.calls.at(-1)?.includes('error=access_denied'), 'the call of the app', 20000);
  } finally {
    await context.close();
    await server.admin('access', 'remove', String(number));
  }
});

test('SI9 SI33: the page of a trial is accessible, whatever came of it', options, async () => {
  const child = spawn(path.resolve(root, process.env.BUILD || 'build/asan', 'consentgate-admin'), ['idp', 'try', 'corp'], { cwd: server.var, env: server.environment() });
  let said = '';
  child.stderr.on('data', (bytes) => { said += bytes; });
  const link = await until(() => /\/oauth\/signin\/try\?link=\S+/.exec(said)?.[0], 'the link');
  const context = await browser.newContext();
  try {
    const { page, complaints } = await watchedPage(context);
    await page.goto(server.base + link);
    await page.waitForURL('**/oauth/signin/corp/callback?**');
    await page.getByRole('heading', { name: 'Example Corp says this about you' }).waitFor();
    await assertAccessible(page, 'what came');
    await page.setViewportSize({ width: 320, height: 640 });
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= globalThis.innerWidth), 'a long value does not widen the page');
    await page.goto(server.base + link);
    await assertAccessible(page, 'a link that was used');
    assert.deepEqual(complaints.filter((one) => !/410/.test(one)), []);
  } finally { await context.close(); child.kill(); }
});
