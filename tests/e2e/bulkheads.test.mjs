// No party takes all workers: not a service that hangs, not strangers with codes they made up, not
// bodies that come drop by drop. No test here measures time: what must not be held up is answered
// while the others still hang.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { startAccounts } from './support/accounts.mjs';
import { send } from './support/browser.mjs';
import { launch } from './support/chromium.mjs';
import { fronts, startFront } from './support/fronts.mjs';
import { api, beginConnection, choose, connect, finish, journey, startFlow } from './support/journey.mjs';
import { startServerBehind } from './support/mcp_behind.mjs';
import { dripOnce } from './support/guilty.mjs';
import { childrenOf, sleep, until } from './support/server.mjs';
import { makeAuthority, signIn, startProvider } from './support/upstreams.mjs';

const options = { timeout: 240000 };
const metadata = '/.well-known/oauth-authorization-server';
const patience = '18000'; // ms that a service may hang: long enough for what must not wait for it
let accounts;
let notion;

before(async () => {
  accounts = await startAccounts(['notion'], { workers: 8, env: { CONSENTGATE_SERVICE_TIMEOUT_MS: patience } });
  notion = accounts.providers.notion;
}, options);
after(async () => { await accounts?.stop(); }, options);

// Promises that are asked whether they are over.
class Pending {
  constructor(count, start) {
    this.answers = [];
    this.all = Promise.all(Array.from({ length: count }, (_, i) => start(i).then((answer) => { this.answers.push(answer); return answer; })));
  }

  get refused() { return this.answers.filter(({ status }) => status === 503); }
}

// Each was refused, with the time when to come again.
function assertOnlyBusy(answers) {
  for (const answer of answers) {
    assert.equal(answer.status, 503, answer.text);
    assert.ok(Number(answer.headers['retry-after']) >= 1, JSON.stringify(answer.headers));
  }
}

const numbers = async (server, name) => Object.fromEntries([...(await server.admin('metrics')).matchAll(new RegExp(`^${name}\\{role="(\\w+)",kind="(\\w+)"\\} (\\d+)$`, 'gm'))]
  .map(([, role, kind, count]) => [`${role} ${kind}`, Number(count)]));

for (const front of fronts) {
  test(`XC2: behind ${front.name} twelve calls of one person at a service that hangs hold up nobody's call to another server`, options, async () => {
    const authority = makeAuthority();
    fs.chmodSync(path.dirname(authority.ca), 0o755); // on shared hosting the program is the web server's user
    const provider = await startProvider({ authority });
    const behind = await startServerBehind();
    const guards = [{ at: '/plain', port: behind.port }, { at: '/notion', port: behind.port, service: 'notion' }];
    const server = await startFront(front, { guards, workers: 8, env: { CONSENTGATE_SERVICE_CA: authority.ca, CONSENTGATE_SERVICE_TIMEOUT_MS: patience }, prepare: (one) => one.admin('service', 'add', 'notion', '--url', provider.mcpUrl) });
    const call = (token, target) => send(server.base, 'POST', target, { headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` }, body: '{}' });
    try {
      const flow = await startFlow(server, { more: { resource: `${server.base}/notion` } });
      await choose(flow, { skip: true });
      await connect(server, flow, 'notion', (address) => signIn(provider, address, 'anna'));
      const guilty = await finish(server, flow);
      const { token: innocent } = await journey(server);
      assert.equal((await call(guilty, '/notion')).status, 200);
      assert.equal((await call(innocent, '/plain')).status, 200);
      server.sql('UPDATE upstream_token SET expires_at = 1');
      provider.failNext('hang', 50);
      const asked = () => provider.calls.token.refresh_token ?? 0;
      const hanging = new Pending(12, () => call(guilty, '/notion'));
      await until(() => asked() === 1, 'the service to be asked');
      for (let i = 0; i < 40; i += 1) assert.equal((await call(innocent, '/plain')).status, 200);
      assert.ok(hanging.answers.length < 12, 'the service still hangs');
      // mod_fcgid makes 401 of every answer but 200.
      if (front.socket === 'none') assert.deepEqual(new Set((await hanging.all).map(({ status }) => status)), new Set([401]));
      else assertOnlyBusy(await hanging.all);
      assert.equal(asked(), 1, 'and was asked once');
    } finally { await server.stop(); await behind.stop(); await provider.stop(); }
  });
}

test('XC2: eight exchanges at a service that hangs leave the other addresses answering, and a killed worker leaves its place', options, async () => {
  const { server } = accounts;
  const token = await accounts.signedIn({ notion: 'anna' });
  assert.equal(await accounts.holder(token, 'notion'), 'anna');
  accounts.age('notion', -10);
  notion.failNext('hang', 50);
  const asked = () => notion.calls.token.refresh_token ?? 0;
  const before_ = asked();
  const hanging = new Pending(8, () => accounts.exchange(token, 'notion').catch(() => ({ status: 503, headers: { 'retry-after': 1 } })));
  await until(() => asked() > before_, 'the service to be asked');
  for (let i = 0; i < 40; i += 1) assert.equal((await send(server.base, 'GET', metadata)).status, 200);
  assert.ok(hanging.answers.length < 8, 'the service still hangs');
  const held = await numbers(server, 'consentgate_places_held');
  assert.equal(held['pages refresh'], 1);
  // Before the refresh was claimed, requests were refused a place for it; later, a place to wait.
  await until(async () => {
    const refused = await numbers(server, 'consentgate_places_refused_total');
    return (refused['pages wait'] ?? 0) + (refused['pages refresh'] ?? 0) > 0;
  }, 'refusals to be counted');
  for (const pid of childrenOf(server.masterPid())) process.kill(pid, 'SIGKILL');
  await until(async () => (await numbers(server, 'consentgate_places_held'))['pages refresh'] === 0, 'the place to be free');
  assertOnlyBusy((await hanging.all).filter(({ status }) => status !== 500));
  notion.failing.length = 0;
});

test('XC2: strangers with made-up codes hold up nobody, and whoever finds no place keeps their own code and comes again', options, async () => {
  const { server } = accounts;
  const arrive = async (code) => {
    const flow = await startFlow(server, { client: accounts.client });
    await choose(flow, { skip: true });
    const begun = await beginConnection(flow, 'notion');
    if (!code) return { flow, back: new URL(await signIn(notion, begun.location, 'berta')) };
    const back = new URL(`${server.base}/api/oauth/callback/notion`);
    back.search = new URLSearchParams({ code, state: begun.sent().get('state'), iss: notion.issuer });
    return { flow, back };
  };
  const strangers = [];
  for (let i = 0; i < 6; i += 1) strangers.push(await arrive(`made-up-${i}`));
  const berta = await arrive();
  const goBack = ({ flow, back }) => flow.browser.get(back.pathname + back.search);
  const chrome = await launch();
  notion.failNext('hang', 2);
  const asked = () => notion.calls.token.authorization_code ?? 0;
  const before_ = asked();
  const hanging = new Pending(6, (i) => goBack(strangers[i]));
  try {
    await until(() => asked() === before_ + 2, 'two strangers to hold the places for this service');
    const context = await chrome.newContext();
    await context.addCookies([...berta.flow.browser.cookies].map(([name, value]) => ({ name, value, url: server.base })));
    const page = await context.newPage();
    const refused = await page.goto(berta.back.href);
    assert.equal(refused.status(), 503);
    assert.match(await page.content(), /tries again by itself/);
    assert.ok(hanging.answers.filter(({ status }) => status !== 503).length === 0, 'the service still hangs');
    for (let i = 0; i < 40; i += 1) assert.equal((await send(server.base, 'GET', metadata)).status, 200);
    await journey(server, { client: accounts.client });
    assert.ok(hanging.answers.length < 6, 'the service still hangs');
    await page.waitForURL(`**/oauth/consent/mcps?flow_id=${berta.flow.flowId}#service-notion`, { timeout: 60000 });
    await hanging.all;
  } finally { await chrome.close(); }
  assert.equal(asked(), before_ + 2 + 4 + 1 - hanging.refused.length, 'nobody was sent to the service without a place');
});

for (const front of fronts) {
  test(`XD1: behind ${front.name} twelve clients that send their bodies drop by drop stop no sign-in`, options, async () => {
    const behind = await startServerBehind();
    const server = await startFront(front, { guards: [{ at: '/mcp', port: behind.port }], workers: 4 });
    const statuses = [];
    let over = false;
    // Each begins again when it is cut off.
    const slow = Array.from({ length: 12 }, async (_, i) => {
      while (!over) statuses.push(await dripOnce(server.base, `127.0.0.${2 + (i % 3)}`, () => over));
    });
    try {
      await sleep(500);
      for (let i = 0; i < 3; i += 1) await journey(server);
      // Apache alone passes them on as they come; the others wait for the whole body.
      if (front.name === 'Apache') await until(() => statuses.includes(408), 'a slow body to be given up');
      assert.deepEqual(statuses.filter((status) => status !== 408 && status !== 503), []);
    } finally {
      over = true;
      await Promise.all(slow);
      await server.stop();
      await behind.stop();
    }
  });
}
