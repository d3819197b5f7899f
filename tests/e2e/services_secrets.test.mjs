// Our secrets at services that end: none where none is needed, and renewed before their end by idle
// workers, with real servers: the official SDK's own router, and one that knows RFC 7592.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startAccounts } from './support/accounts.mjs';
import { startSdkService } from './support/sdk_service.mjs';
import { until } from './support/server.mjs';
import { makeAuthority, startProvider } from './support/upstreams.mjs';

const options = { timeout: 120000 };
const day = 86400;
let accounts;
let server;
let sdk;
let managed;
before(async () => {
  const authority = makeAuthority();
  sdk = await startSdkService({ authority });
  managed = await startProvider({ authority, management: true });
  accounts = await startAccounts(['free', 'bound', 'managed'], { authority, provided: { free: sdk, bound: sdk, managed },
    more: { bound: ['--auth-method', 'client_secret_post'], managed: ['--auth-method', 'client_secret_basic'] } });
  ({ server } = accounts);
}, { timeout: 240000 });
after(() => accounts?.stop(), options);

const show = (name) => server.admin('service', 'show', name, '--json');
const now = () => Math.floor(Date.now() / 1000);
const renewals = (name) => [...server.logs().matchAll(new RegExp(`event=registration_renewal .*service=${name} `, 'g'))].length;
// As when its time has come: an idle worker renews the registration.
async function renewed(name, ends = now() + 2 * day) {
  const before = renewals(name);
  server.sql(`UPDATE service SET client_secret_expires_at = ${ends}, renew_at = ${now() - 1}, version = version + 1 WHERE id = '${name}'`);
  await until(() => renewals(name) > before, `the renewal at ${name}`, 60000);
  return show(name);
}

test('XC8: at a server of the official SDK we have no secret that could end, and refresh with rotation', options, async () => {
  const free = await show('free');
  assert.deepEqual([free.token_endpoint_auth_method, free.has_client_secret, free.client_secret_expires, free.client_secret_renewal], ['none', false, null, undefined]);
  assert.equal(sdk.books.clients.get(free.client_id).client_secret_expires_at, undefined);
  const token = await accounts.signedIn({ free: 'fay' });
  for (let round = 0; round < 3; round += 1) {
    accounts.age('free');
    assert.equal(await accounts.holder(token, 'free'), 'fay');
  }
});

test('XC8: a secret of 30 days is shown with its end, and a worker registers without one before it', options, async () => {
  const bound = await show('bound');
  assert.deepEqual([bound.token_endpoint_auth_method, bound.has_client_secret], ['client_secret_post', true]);
  assert.ok(Math.abs(bound.client_secret_expires - now() - 30 * day) < 300, String(bound.client_secret_expires));
  assert.match(bound.client_secret_renewal, /registering anew/);
  const token = await accounts.signedIn({ bound: 'bea' });
  const after = await renewed('bound');
  assert.deepEqual([after.token_endpoint_auth_method, after.has_client_secret, after.client_secret_expires], ['none', false, null]);
  assert.notEqual(after.client_id, bound.client_id);
  accounts.age('bound');
  assert.equal(await accounts.holder(token, 'bound'), 'bea', 'goes on with the former registration');
  assert.equal(await accounts.holder(await accounts.signedIn({ bound: 'ben' }), 'bound'), 'ben', 'a newer one has the new registration');
  assert.equal(sdk.books.clients.size, 3);
});

test('XC8: where registrations are managed, a renewal keeps the client and every connection', options, async () => {
  const before = await show('managed');
  const token = await accounts.signedIn({ managed: 'mia' });
  const registrations = managed.calls.registration;
  const after = await renewed('managed');
  assert.match(server.logs(), /event=registration_renewal .*service=managed way="[^"]*7592[^"]*" renewed=yes/);
  assert.equal(after.client_id, before.client_id);
  assert.equal(after.client_secret_expires, null, 'its secrets do not end');
  assert.equal(managed.calls.registration, registrations);
  accounts.age('managed');
  assert.equal(await accounts.holder(token, 'managed'), 'mia');
  await renewed('managed'); // with the token that the update gave
  assert.equal((await show('managed')).client_id, before.client_id);
});
