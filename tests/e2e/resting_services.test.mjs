// A service that does not answer is left alone, whoever is not concerned notices nothing, and
// tokens are refreshed before anybody waits.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startAccounts } from './support/accounts.mjs';
import { send } from './support/browser.mjs';
import { assertOauthError } from './support/checks.mjs';
import { beginConnection, choose, finish, startFlow } from './support/journey.mjs';
import { until } from './support/server.mjs';
import { signIn } from './support/upstreams.mjs';

const long = { timeout: 180000 };
let accounts;
let server;
let company;

before(async () => {
  accounts = await startAccounts(['company', 'notion'], { workers: 8, env: { CONSENTGATE_SERVICE_TIMEOUT_MS: '400' } });
  ({ server } = accounts);
  ({ company } = accounts.providers);
}, { timeout: 240000 });
after(async () => { await accounts?.stop(); }, long);

const exchange = (...words) => accounts.exchange(...words);
const refreshes = () => company.calls.token.refresh_token ?? 0;
const endPauses = () => server.sql("UPDATE upstream_token SET retry_at = NULL WHERE service_id = 'company'");

async function resting() {
  const { text } = await send(server.base, 'GET', '/metrics');
  return Number(/^consentgate_services_resting\{role="pages",service="company"\} (\d)$/m.exec(text)?.[1] ?? 0);
}

test('XC3: a token that was used lately is refreshed before it ends, though nobody calls', long, async () => {
  const [token, idle] = [await accounts.signedIn({ company: 'anna' }), await accounts.signedIn({ company: 'berta' })];
  const old = (await exchange(token, 'company')).json().access_token; // berta's is not used
  const before = refreshes();
  accounts.age('company', 200);
  await until(() => refreshes() > before, 'an idle worker refreshes it', 30000);
  await until(() => /event=upstream_refreshed .*by=idle/.test(server.logs()), 'it is saved', 10000);
  const fresh = (await exchange(token, 'company')).json();
  assert.notEqual(fresh.access_token, old);
  assert.ok(fresh.expires_in > 3000);
  assert.equal(await company.whoIs(fresh.access_token), 'anna');
  assert.equal(refreshes(), before + 1);
  assert.equal(await accounts.holder(idle, 'company'), 'berta');
});

test('XC4: a service that lets the time run out rests, and nobody else notices', long, async () => {
  const [anna, berta] = [await accounts.signedIn({ company: 'anna', notion: 'anna' }), await accounts.signedIn({ company: 'berta' })];
  for (const token of [anna, berta]) await exchange(token, 'company');
  accounts.age('company', -1);
  const carla = await accounts.signedIn({ company: 'carla' }); // fresh
  const flow = await startFlow(server, { client: accounts.client });
  await choose(flow, { skip: true });
  const back = new URL(await signIn(company, (await beginConnection(flow, 'company')).location, 'dora'));

  company.failNext('hang', 1000);
  assert.equal(await resting(), 0);
  for (let tried = 0; tried < 30 && await resting() === 0; tried += 1) {
    for (const token of [anna, berta]) assertOauthError(await exchange(token, 'company'), 503, 'temporarily_unavailable');
    endPauses();
  }
  assert.equal(await resting(), 1);
  assert.match(server.logs(), /event=service_rests .*service=company seconds=30/);

  endPauses();
  const before = company.failing.length;
  const refused = await exchange(anna, 'company');
  assertOauthError(refused, 503, 'temporarily_unavailable');
  assert.ok(Number(refused.headers['retry-after']) >= 1 && Number(refused.headers['retry-after']) <= 30, refused.headers['retry-after']);
  assert.equal(await accounts.holder(carla, 'company'), 'carla');
  assert.equal(await accounts.holder(anna, 'notion'), 'anna');
  const states = () => server.sql("SELECT count(*) AS n FROM upstream_state WHERE service_id = 'company'")[0].n;
  const kept = states();
  const returned = await flow.browser.get(back.pathname + back.search);
  assert.equal(returned.status, 503);
  assert.ok(Number(returned.headers['retry-after']) >= 1);
  assert.equal(states(), kept);
  assert.equal(company.failing.length, before, 'the service was asked nothing');

  company.failing.length = 0;
  await until(async () => (await flow.browser.get(back.pathname + back.search)).status === 302, 'the rest is over', 90000);
  assert.equal(await resting(), 0);
  assert.match(server.logs(), /event=service_awake .*service=company/);
  assert.equal(await accounts.holder(await finish(server, flow), 'company'), 'dora');
  endPauses();
  assert.equal(await accounts.holder(berta, 'company'), 'berta');
});
