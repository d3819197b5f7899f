// Chromium sees each page at the sizes, schemes and names that people have. The question, who asks
// and the buttons are in the first view of a page; nothing needs sideways scrolling; axe finds
// nothing. PICTURES=folder keeps what it looked like.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { query } from './support/browser.mjs';
import { httpsClient, launch, loopbackClient, watchedPage } from './support/chromium.mjs';
import { startIdentityProvider } from './support/identity_provider.mjs';
import { api, authorizeParameters, pkce, register } from './support/journey.mjs';
import { startServer } from './support/server.mjs';
import { addProvider } from './support/signin.mjs';

const axeSource = fs.readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const options = { timeout: 180000 };
const pictures = process.env.PICTURES;
const host = 'client.example.test';
let server, browser, app, hosted, providers;

before(async () => {
  server = await startServer({ workers: 2 });
  app = await loopbackClient();
  hosted = await httpsClient(host);
  browser = await launch({ [host]: hosted.port });
  providers = [];
}, { timeout: 240000 });
after(async () => {
  await browser?.close();
  app?.stop();
  hosted?.stop();
  await server?.stop();
  await Promise.all((providers ?? []).map((provider) => provider.stop()));
}, { timeout: 120000 });

const desk = { viewport: { width: 1280, height: 720 } };
const popup = { viewport: { width: 600, height: 700 } };
// The first five must show what XG1 says; the others must be whole, and no wider than they are.
const views = {
  desk, popup, 'dark popup': { ...popup, colorScheme: 'dark' }, 'popup of forced colours': { ...popup, forcedColors: 'active' }, 'popup without script': { ...popup, javaScriptEnabled: false },
  phone: { viewport: { width: 320, height: 640 } }, 'desk at 200 %': { viewport: { width: 640, height: 360 }, deviceScaleFactor: 2 },
};
const firstViews = Object.keys(views).slice(0, 5);

const names = {
  plain: { client_name: 'Garden tool', redirect_uris: [`https://${host}/cb`] },
  'a program on this computer': () => ({ client_name: 'Claude Code', redirect_uris: [`http://127.0.0.1:${app.port}/callback`] }),
  'an app of this device': { client_name: 'Cursor', redirect_uris: ['cursor://anysphere.cursor-mcp/oauth/callback'] },
  'right to left': { client_name: 'יישום הגינה של משפחת לוי (بستان)', redirect_uris: [`https://${host}/cb`] },
  longest: { client_name: 'Donaudampfschifffahrtsgesellschaft '.repeat(3), redirect_uris: [`https://${'a'.repeat(60)}.${'b'.repeat(20)}.example.test/cb`] },
  'no name': { client_name: undefined, redirect_uris: [`https://${host}/cb`] },
};
const nameOf = (which) => (typeof names[which] === 'function' ? names[which]() : names[which]);

async function begin(which = 'plain', more = {}) {
  const client = await register(server, nameOf(which));
  return server.base + query(`${api}/authorize`, authorizeParameters(server, client, pkce(), more));
}

async function inPage(settings, work) {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, ...settings });
  try { return await work(await watchedPage(context)); } finally { await context.close(); }
}

async function openWay(page, words) {
  const others = page.locator('details', { has: page.locator('summary', { hasText: 'Or go on in another way' }) });
  if (await others.count() > 0 && await others.getAttribute('open') === null) await others.locator('> summary').click();
  const way = page.locator('.ways details', { has: page.locator('summary', { hasText: words }) });
  if (await way.getAttribute('open') === null) await way.locator('summary').click();
  return way;
}
async function toPage2(page, which, name = 'ada', more = {}) {
  await page.goto(await begin(which, more));
  const way = await openWay(page, 'I only give a name');
  await way.getByLabel('Your name').fill(name);
  await way.getByRole('button', { name: 'Continue' }).click();
  await page.waitForURL('**/oauth/consent/mcps?**');
}

// Lists the parts that must be in the first view and are not: the heading, who asks, and every
// button and line to unfold but those of the rows of services.
async function missing(page) {
  return page.evaluate(() => [...document.querySelectorAll('h1, .who, main button, main a.button, main summary')]
    .filter((element) => element.checkVisibility() && !element.closest('.services'))
    .filter((element) => {
      const { top, bottom, left, right } = element.getBoundingClientRect();
      if (top < 0 || left < 0 || bottom > innerHeight || right > innerWidth) return true;
      const onTop = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
      return !(element.contains(onTop) || onTop?.contains(element));
    })
    .map((element) => `${element.innerText.trim().slice(0, 60)} (to ${Math.round(element.getBoundingClientRect().bottom)} px)`));
}

async function picture(page, name) {
  if (pictures) await page.screenshot({ path: path.join(pictures, `${name.replaceAll(/[^a-z0-9]+/gi, '-')}.png`) });
}

async function assertWhole(page, what) {
  const { width, needed } = await page.evaluate(() => ({ width: innerWidth, needed: Math.max(document.documentElement.scrollWidth, document.body.scrollWidth) }));
  assert.ok(needed <= width, `${what} is ${needed} px wide`);
  assert.equal(await page.locator('h1').count(), 1, what);
  const small = await page.evaluate(() => [...document.querySelectorAll('button, a.button, summary, input:not([type=hidden], [type=radio])')]
    .filter((element) => element.checkVisibility() && element.getBoundingClientRect().height < 43.9).map((element) => element.outerHTML.slice(0, 80)));
  assert.deepEqual(small, [], `${what}: lower than 44 px`);
}

async function assertAccessible(page, what) {
  await page.evaluate(axeSource);
  const { violations } = await page.evaluate(() => globalThis.axe.run());
  assert.deepEqual(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`), [], what);
}

// Looks at a page in every view at once. in: go  leads there; first  whether it must be one screen
async function lookAt(name, go, { first = true, in: seen = Object.keys(views) } = {}) {
  await Promise.all(seen.map((view) => inPage(views[view], async ({ page, complaints }) => {
    await go(page);
    const what = `${name}, ${view}`;
    await picture(page, what);
    if (first && firstViews.includes(view)) assert.deepEqual(await missing(page), [], what);
    await assertWhole(page, what);
    if (views[view].javaScriptEnabled !== false && view !== 'desk') await assertAccessible(page, what);
    assert.deepEqual(complaints.filter((text) => !/status of 4\d\d|Not allowed to launch/.test(text)), [], what);
  })));
}

const servicesNow = () => server.sql('SELECT count(*) AS n FROM service')[0].n;
async function haveServices(count) {
  for (let at = servicesNow(); at < count; at += 1) {
    const name = at === 7 ? 'Donaudampfschifffahrtsgesellschaft für die ganze Firma' : `Service ${at + 1}`;
    await server.admin('service', 'add', `service-${at + 1}`, '--name', name, '--url', `https://mcp${at + 1}.example.test/mcp`, '--client-id', 'ours', '--issuer', `https://as${at + 1}.example.test`,
      '--authorization-endpoint', `https://as${at + 1}.example.test/authorize`, '--token-endpoint', `https://as${at + 1}.example.test/token`, '--auth-method', 'none');
  }
}
async function haveProviders(count) {
  const titles = ['Example Corp', 'Partner Ltd', 'University of Northern Examples'];
  while (providers.length < count) {
    const provider = await startIdentityProvider({ people: { anna: { name: 'Anna Müller-Lüdenscheidt', email: 'anna@example.org', email_verified: true } } });
    providers.push(provider);
    await addProvider(server, provider, `idp${providers.length}`, titles[providers.length - 1]);
  }
}

for (const which of Object.keys(names)) {
  test(`XG1 XG2 (${which}): page 1 and page 2 are one screen each, with a key, a name, and no provider`, options, async () => {
    const seen = which === 'a program on this computer' ? undefined : ['desk', 'popup', 'phone'];
    await lookAt(`page 1, ${which}`, async (page) => { await page.goto(await begin(which)); }, { in: seen });
    await lookAt(`page 2, ${which}`, (page) => toPage2(page, which), { in: seen });
  });
}

test('XG1: the other ways of page 1, and mistakes there, are one screen too', options, async () => {
  const seen = ['popup', 'phone'];
  for (const words of ['I only give a name', 'I do not say who I am']) {
    await lookAt(`page 1, ${words}`, async (page) => { await page.goto(await begin('a program on this computer')); await openWay(page, words); }, { in: seen });
  }
  for (const mistake of ['invalid_virtual_key', 'invalid_user_id', 'identity_required', 'identity_not_allowed']) {
    await lookAt(`page 1, ${mistake}`, async (page) => { await page.goto(await begin()); await page.goto(`${page.url()}&error=${mistake}`); }, { in: seen });
  }
});

test('XG1: a window that cannot hold page 1 is seen to differ from one that can', options, async () => {
  await inPage({ viewport: { width: 600, height: 300 } }, async ({ page }) => {
    await page.goto(await begin());
    assert.notDeepEqual(await missing(page), []);
  });
});

test('XG1: page 2 asks once and folds the rest, and its buttons stay in view over 1, 3 and 12 services', options, async () => {
  for (const count of [1, 3, 12]) {
    await haveServices(count);
    await lookAt(`page 2, ${count} services`, (page) => toPage2(page, 'a program on this computer'), { in: ['desk', 'popup', 'phone', ...(count === 12 ? ['dark popup', 'popup of forced colours', 'desk at 200 %'] : [])] });
  }
  await inPage(popup, async ({ page }) => {
    await toPage2(page, 'longest', 'x'.repeat(255), { scope: 'mcp profile' });
    await picture(page, 'page 2, longest everything');
    assert.deepEqual((await missing(page)).filter((text) => /Allow|Deny/.test(text)), []);
    // Below the fold and at the end, the buttons are where they were.
    for (const to of [400, 100000]) {
      await page.mouse.wheel(0, to);
      assert.deepEqual((await missing(page)).filter((text) => /Allow|Deny/.test(text)), []);
    }
    // Tab brings each row out from behind them.
    await page.getByRole('link', { name: 'Connect Service 7' }).focus();
    assert.equal(await page.evaluate(() => {
      const { left, right, top, bottom } = document.activeElement.getBoundingClientRect();
      return document.activeElement.contains(document.elementFromPoint((left + right) / 2, (top + bottom) / 2));
    }), true, 'the row with the focus is not covered');
  });
});

test('XG1: the address of a row leads to it, and the row is not behind the buttons', options, async () => {
  await haveServices(12);
  await inPage(popup, async ({ page }) => {
    await toPage2(page, 'plain');
    await page.goto(`${page.url()}#service-service-9`);
    const box = await page.locator('#service-service-9').boundingBox();
    const foot = await page.locator('.foot').boundingBox();
    assert.ok(box.y >= 0 && box.y + box.height <= foot.y, JSON.stringify({ box, foot }));
    await picture(page, 'page 2, back at its row');
  });
});

test('XG2: Allow says until when and where to end it, and the person is named with a way out', options, async () => {
  await inPage(desk, async ({ page }) => {
    await toPage2(page, 'plain', 'ada', { scope: 'mcp profile' });
    const words = await page.locator('main').innerText();
    for (const said of ['Let Garden tool use 127.0.0.1', 'You are ada', 'Use the tools of this server as you', 'See the name you signed in with']) assert.ok(words.includes(said), `${said}: ${words}`);
    assert.match(words, /Allowed until \d{4}-\d\d-\d\d \d\d:\d\d UTC at the latest/);
    const until = new Date(await page.locator('.foot time').getAttribute('datetime'));
    assert.ok(until > Date.now() + 3600e3, String(until));
    assert.doesNotMatch(words, /user id|\bkey\b|either|consentgate-admin|cgc_/i);
    await page.getByRole('link', { name: 'Not you?' }).click();
    await page.getByRole('heading', { name: 'Who are you?' }).waitFor();
    assert.doesNotMatch(await page.locator('main').innerText(), /user id|\bkey\b|either/i);
  });
});

test('XG2: an app without a name is called by its host, or by no name, and never by its id', options, async () => {
  await inPage(desk, async ({ page }) => {
    await page.goto(await begin('no name'));
    assert.match(await page.locator('h1').innerText(), new RegExp(`^${host} wants to use`));
    const nameless = await register(server, { redirect_uris: [`http://127.0.0.1:${app.port}/callback`], client_name: ' ' });
    await page.goto(server.base + query(`${api}/authorize`, authorizeParameters(server, nameless, pkce())));
    assert.match(await page.locator('h1').innerText(), /^An app without a name wants to use/);
    assert.ok(!(await page.content()).includes(nameless.client_id));
  });
});

test('XG3: an app\'s own pages are links without a referrer on its own host, and nothing of another host is', options, async () => {
  const own = { client_uri: `https://${host}/about`, tos_uri: `https://${host}/terms`, policy_uri: 'https://elsewhere.example.test/privacy', logo_uri: `https://${host}/logo.png` };
  const client = await register(server, { ...nameOf('plain'), ...own });
  await inPage(desk, async ({ page, requested }) => {
    await page.goto(server.base + query(`${api}/authorize`, authorizeParameters(server, client, pkce())));
    assert.equal(await page.getByRole('link', { name: 'About it' }).count(), 0, 'folded');
    await page.locator('summary', { hasText: 'Details' }).click();
    await picture(page, 'page 1, details');
    const links = await page.locator('.links a').evaluateAll((all) => all.map((link) => [link.innerText, link.href, link.rel]));
    assert.deepEqual(links, [['About it', own.client_uri, 'noopener noreferrer'], ['Its terms', own.tos_uri, 'noopener noreferrer']]);
    await assertAccessible(page, 'details');
    assert.ok(!(await page.content()).includes('elsewhere.example.test'));
    assert.ok(requested.every((url) => url.startsWith(server.base)), requested.join(' '));
    assert.ok(requested.some((url) => url.includes('/oauth/icon.svg?v=')), 'the icon is ours');
  });
});

test('XG1 XG4: the page of sessions tells of each app, asks before it ends one, and is no wider than the window', options, async () => {
  await inPage({ ...popup, javaScriptEnabled: false }, async ({ page }) => {
    await page.goto(`${server.base}/oauth/sessions`);
    await picture(page, 'sessions, none');
    for (const which of ['a program on this computer', 'plain', 'right to left']) {
      await toPage2(page, which, 'ada', { scope: 'mcp profile' });
      await page.getByRole('button', { name: 'Allow' }).click();
      await page.getByRole('heading', { name: 'Back in the app' }).waitFor();
    }
    await page.goto(`${server.base}/oauth/sessions`);
    await picture(page, 'sessions');
    await assertWhole(page, 'sessions');
    const words = await page.locator('main').innerText();
    for (const said of ['Claude Code', 'Garden tool', `It belongs to ${host}`, 'It may: Use the tools of this server as you, See the name you signed in with', 'Not used yet', 'Ends by itself 20', 'As ada', 'UTC']) assert.ok(words.includes(said), `${said}: ${words}`);
    assert.equal(await page.getByRole('button', { name: 'End it now' }).filter({ visible: true }).count(), 0);
    const row = page.locator('li', { hasText: 'Garden tool' });
    await row.locator('summary', { hasText: 'End' }).click();
    await picture(page, 'sessions, ending one');
    await assertWhole(page, 'sessions, ending one');
    await row.getByRole('button', { name: 'End it now' }).click();
    await page.waitForURL('**/oauth/sessions');
    assert.equal(await page.getByText('Garden tool').count(), 0);
    await page.locator('summary', { hasText: 'End all' }).click();
    await page.getByRole('button', { name: 'End all of them now' }).click();
    await page.getByText('Nothing has been let in').waitFor();
  });
});

test('XG1 XE2: the page that stays behind is one screen', options, async () => {
  await lookAt('done', async (page) => {
    await toPage2(page, 'an app of this device');
    await page.getByRole('button', { name: 'Allow' }).click();
    await page.getByRole('heading', { name: 'You can go back to Cursor' }).waitFor();
  }, { in: ['popup', 'phone'] });
});

const errors = {
  'unknown flow': (page) => page.goto(`${server.base}/oauth/consent?flow_id=${'A'.repeat(22)}`),
  'opened on its own': (page) => page.goto(`${server.base}/oauth/consent`),
  'no page': (page) => page.goto(`${server.base}/oauth/nothing`),
  'a step and no page': (page) => page.goto(`${server.base}${api}/consent/submit`),
  'unknown app': async (page) => page.goto((await begin()).replace(/client_id=[^&]*/, 'client_id=nobody')),
  'an address that is not registered': async (page) => page.goto(await begin('plain', { redirect_uri: 'https://evil.test/cb' })),
  'a link back': async (page) => page.goto(await begin('plain', { scope: 'bo"gus' })),
  'a link that was cut': (page) => page.goto(`${server.base}${api}/authorize?response_type=code`),
  'an old kind of sign-in': async (page) => page.goto(await begin('plain', { response_type: 'token' })),
  'another browser': async (page) => { await page.goto(await begin()); const at = page.url(); await page.context().clearCookies(); await page.goto(at); },
  expired: async (page) => { await page.goto(await begin()); server.sql('UPDATE flow SET expires_at = 1'); await page.reload(); },
  'already finished': async (page) => { await toPage2(page, 'a program on this computer'); const at = page.url(); await page.getByRole('button', { name: 'Allow' }).click(); await page.waitForURL('**/callback?**'); await page.goto(at); },
  'an old link': (page) => page.goto(`${server.base}${api}/upstream/authorize?mcp_client_id=service-1&link=${'A'.repeat(43)}`),
  'no sign-in under way': (page) => page.goto(`${server.base}/api/oauth/callback?state=x&code=y`),
};
for (const [name, go] of Object.entries(errors)) {
  test(`XG1 P1 (${name}): an error page is whole at every size`, options, async () => {
    await haveServices(1);
    await lookAt(`error, ${name}`, go, { first: false, in: name === 'expired' ? ['popup', 'dark popup', 'popup of forced colours', 'phone'] : ['popup', 'phone'] });
  });
}

for (const count of [1, 3]) {
  test(`XG1 SI17: page 1 with ${count} identity providers beside a key, a name and no name is one screen`, options, async () => {
    await haveProviders(count);
    await lookAt(`page 1, ${count} providers`, async (page) => { await page.goto(await begin('a program on this computer')); }, { in: count === 3 ? undefined : ['desk', 'popup', 'phone'] });
    await lookAt(`page 1, ${count} providers, longest`, async (page) => { await page.goto(await begin('longest')); }, { in: ['desk', 'popup', 'phone'] });
    await inPage(popup, async ({ page }) => {
      await page.goto(await begin());
      const way = await openWay(page, 'I have an access code');
      await picture(page, `page 1, ${count} providers, other ways`);
      await assertWhole(page, 'other ways');
      await way.getByLabel('Your access code').fill('sk-bf-wrong');
      await way.getByRole('button', { name: 'Continue' }).click();
      await page.waitForURL('**error=invalid_virtual_key**');
      assert.equal(await page.getByLabel('Your access code').isVisible(), true, 'its mistake opens it');
      await page.goto(page.url().replace(/&error=.*/, `&error=signin_denied&idp=idp${count}`));
      await picture(page, `page 1, ${count} providers, denied`);
      assert.deepEqual(await missing(page), []);
    });
  });
}
