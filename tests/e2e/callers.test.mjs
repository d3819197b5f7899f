// One bad caller: guesses keys, fills the database with registrations, names addresses that the
// operator does not want. Each test shows that others go on.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Browser, postJson } from './support/browser.mjs';
import { assertNoRedirect, assertOauthError } from './support/checks.mjs';
import { api, authorize, https, loopback, post, scheme, startFlow, submit } from './support/journey.mjs';
import { root, startServer, until } from './support/server.mjs';

const asProgram = { Accept: 'application/json' };
const metadata = (more = {}) => ({ redirect_uris: [loopback], token_endpoint_auth_method: 'none', ...more });
let server;
before(async () => {
  server = await startServer({ workers: 2, env: {
    CONSENTGATE_FAILED_VIRTUAL_KEYS_PER_MINUTE: '4',
    CONSENTGATE_UNUSED_CLIENTS_PER_ADDRESS: '6',
    CONSENTGATE_REGISTRATION_REDIRECT_HOSTS: 'client.example.test loopback',
    CONSENTGATE_REGISTRATION_REDIRECT_SCHEMES: 'none',
  } });
}, { timeout: 240000 });
after(async () => { await server?.stop(); }, { timeout: 120000 });

test('XA3: whoever guesses keys waits, with a right key too, and the audit log names the address', { timeout: 240000 }, async () => {
  const right = (await server.addKey('right')).virtual_key;
  const flow = await startFlow(server);
  for (const attempt of [
    (key) => post(flow, 'vk', { vk: key }, asProgram),
    (key) => submit(flow, { ...asProgram, Authorization: `Bearer ${key}` }),
  ]) {
    const statuses = [];
    // A new minute may begin between two attempts.
    await until(async () => {
      statuses.push((await attempt(`sk-bf-${'w'.repeat(43)}`)).status);
      return statuses.at(-1) === 429 && (await attempt(right)).status === 429;
    }, 'wrong keys are limited, and a right one after them');
    const refused = await attempt(right);
    if (refused.status === 429) assert.ok(Number(refused.headers['retry-after']) > 0);
  }
  assert.match(server.logs(), / event=audit what=virtual_key_refused .* by=page reason=unknown address=127\.0\.0\.1$/m);
  assert.match(server.logs(), / event=audit what=virtual_key_refused .* by=bearer reason=.* address=127\.0\.0\.1$/m);
  // The shipped filter of fail2ban, which takes the time out of a line before it looks.
  const shipped = /^failregex = (.*)$/m.exec(fs.readFileSync(path.join(root, 'conf/fail2ban/filter.conf'), 'utf8'))[1];
  const filter = new RegExp(shipped.replace('<ADDR>', '(?<address>\\S+)'));
  const found = server.logs().split('\n').map((line) => filter.exec(line.replace(/^\S+Z/, ''))).filter(Boolean);
  assert.ok(found.length >= 8, `${found.length} lines`);
  for (const line of found) assert.equal(line.groups.address, '127.0.0.1');
});

test('XD7: an address that the operator did not list is refused at registration, and one that was stored before at sign-in', async () => {
  for (const good of [loopback, https]) assert.equal((await postJson(server.base, `${api}/register`, metadata({ redirect_uris: [good] }))).status, 201, good);
  for (const bad of ['https://evil.test/cb', 'https://client.example.test.evil.test/cb', scheme]) {
    const answer = await postJson(server.base, `${api}/register`, metadata({ redirect_uris: [bad] }));
    assertOauthError(answer, 400, 'invalid_redirect_uri');
    assert.match(answer.json().error_description, /^this server takes no redirect URI /);
  }
  const stored = await server.admin('client', 'add', 'Vouched', '--redirect-uri', 'https://evil.test/cb', '--json');
  const id = stored.client_id;
  const vouched = await authorize(server, new Browser(server.base), { client_id: id, redirect_uris: ['https://evil.test/cb'] }, { redirect_uri: 'https://evil.test/cb' });
  assert.match(vouched.answer.location ?? '', /^\/oauth\/consent/, 'an operator may name any address');
  server.sql(`UPDATE client SET by_operator = 0 WHERE id = '${id}'`);
  const asked = await authorize(server, new Browser(server.base), { client_id: id, redirect_uris: ['https://evil.test/cb'] }, { redirect_uri: 'https://evil.test/cb' });
  assert.equal(asked.answer.status, 400);
  assertNoRedirect(asked.answer);
});

test('XD2: one address fills no database, and its next registration is 429 while its clients are young', async () => {
  const statuses = [];
  for (let count = 0; count < 12; count += 1) statuses.push((await postJson(server.base, `${api}/register`, metadata())).status);
  assert.ok(statuses.includes(429) && statuses.indexOf(429) <= 6, statuses.join());
  const count = () => server.sql('SELECT count(*) AS n FROM client WHERE registered_from IS NOT NULL')[0].n;
  assert.equal(count(), 6);
  assertOauthError(await postJson(server.base, `${api}/register`, metadata()), 429, 'temporarily_unavailable');
  server.sql("UPDATE client SET created_at = created_at - 3601 WHERE registered_from IS NOT NULL");
  assert.equal((await postJson(server.base, `${api}/register`, metadata())).status, 201);
  assert.ok(count() <= 6);
  assert.doesNotMatch(JSON.stringify(server.sql('SELECT registered_from FROM client')), /127/);
  const wide = await postJson(server.base, `${api}/register`, metadata({ contacts: ['c'.repeat(4100)] }));
  assertOauthError(wide, 400, 'invalid_client_metadata');
});
