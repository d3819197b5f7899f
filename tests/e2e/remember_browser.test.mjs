// Chromium says itself whether a page led a person to the authorization endpoint; only whoever
// opened the address themselves is offered what they consented to before.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { query } from './support/browser.mjs';
import { httpsClient, launch, watchedPage } from './support/chromium.mjs';
import { api, authorizeParameters, pkce, redeem, register, whoami } from './support/journey.mjs';
import { startServer, until } from './support/server.mjs';

const host = 'client.example.test';
const options = { timeout: 240000 };
let server;
let browser;
let app;

before(async () => {
  server = await startServer({ workers: 2, env: { CONSENTGATE_REMEMBER_CONSENT: 'https' } });
  app = await httpsClient(host);
  browser = await launch({ [host]: app.port });
}, options);
after(async () => { await browser?.close(); app?.stop(); await server?.stop(); }, options);

test('XA5: in Chromium a typed address offers the earlier consent by one button, and a link asks everything', options, async () => {
  const key = await server.addKey('Anna');
  const client = await register(server, { client_name: 'Garden tool', redirect_uris: [`https://${host}/cb`] });
  const begin = () => {
    const proof = pkce();
    const parameters = authorizeParameters(server, client, proof);
    return { client, proof, parameters, url: server.base + query(`${api}/authorize`, parameters) };
  };
  const context = await browser.newContext({ ignoreHTTPSErrors: true });
  try {
    const { page, complaints } = await watchedPage(context);
    const finish = async (flow, button) => {
      const since = app.calls.length;
      await page.getByRole('button', { name: button }).click();
      const sent = await until(() => app.calls.length > since && new URL(app.calls.at(-1), 'http://app.invalid').searchParams, 'the call of the app', 20000);
      const answer = await redeem(server, flow, sent.get('code'));
      assert.equal(answer.status, 200, answer.text);
      assert.equal((await whoami(server, answer.json().access_token)).identity, 'Anna');
    };
    const first = begin();
    await page.goto(first.url);
    await page.getByLabel('Your access code').fill(key.virtual_key);
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.waitForURL('**/oauth/consent/mcps?**');
    await finish(first, 'Allow');

    const second = begin();
    await page.goto(second.url);
    assert.match(page.url(), /\/oauth\/consent\/remembered\?/);
    assert.match(await page.locator('main').innerText(), /Signed in with the access code “Anna”/);
    assert.equal(await page.getByRole('button').count(), 1);
    await finish(second, 'Go on');

    await page.goto(begin().url);
    await page.getByRole('link', { name: 'Not me' }).click();
    await page.getByLabel('Your access code').waitFor();

    await page.goto(`https://${host}/a-page-of-somebody`);
    const led = begin().url;
    await page.evaluate((url) => { location.href = url; }, led);
    await page.waitForURL('**/oauth/consent**');
    assert.match(page.url(), /\/oauth\/consent\?flow_id=/, 'a page led here');
    assert.deepEqual(complaints, []);
  } finally { await context.close(); }
});
