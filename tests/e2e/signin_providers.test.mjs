// People sign in at two more real providers, as Debian has them: LemonLDAP::NG behind nginx, and
// glewlwyd over TLS.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { startGlewlwyd } from './support/glewlwyd.mjs';
import { register, rpc } from './support/journey.mjs';
import { AtLemonldap, startLemonldap } from './support/lemonldap.mjs';
import { startServer, until } from './support/server.mjs';
import { finish, page2, Person } from './support/signin.mjs';

const options = { timeout: 240000 };
let server, lemon, glewlwyd;

before(async () => {
  [lemon, glewlwyd] = await Promise.all([startLemonldap(), startGlewlwyd({ people: ['anna', 'berta'], groups: { anna: ['eng', 'staff'] } })]);
  server = await startServer({ env: { IDENTITIES: '', CONSENTGATE_SERVICE_CA: glewlwyd.ca } });
  const add = (id, issuer, client, secret, ...more) => {
    const file = path.join(server.var, `${id}.secret`);
    fs.writeFileSync(file, secret, { mode: 0o600 });
    return server.admin('idp', 'add', id, '--issuer', issuer, '--client-id', client, '--client-secret-file', file, ...more, '--json');
  };
  const added = await add('lemon', lemon.issuer, await lemon.admit(server, 'lemon'), lemon.secret, '--scope', 'groups');
  assert.deepEqual([added.auth_method, added.signing_algorithms.includes('HS256')], ['client_secret_basic', false]);
  await add('glewlwyd', glewlwyd.issuer, 'consentgate', await glewlwyd.addClient('consentgate', `${server.issuer}/oauth/signin/glewlwyd/callback`, `${server.issuer}/oauth/signin/glewlwyd/backchannel`));
}, options);
after(async () => { await server?.stop(); await lemon?.stop(); await glewlwyd?.stop(); }, options);

class AtGlewlwyd {
  async signIn(location, user) {
    const back = new URL(await glewlwyd.signIn(location, user));
    return back.pathname + back.search;
  }
}

function person(user) {
  const one = new Person(server, {}, user);
  one.there = { lemon: new AtLemonldap(lemon), glewlwyd: new AtGlewlwyd() };
  return one;
}

const groupsOf = (subject) => server.sql(`SELECT CAST(group_names AS TEXT) AS names, groups_known AS known FROM person WHERE CAST(subject AS TEXT) = '${subject}'`)[0];

for (const [id, user, other, shown, groups] of [['lemon', 'dwho', 'rtyler', 'Doctor Who', 'eng\nstaff\ntimelords\nusers'], ['glewlwyd', 'anna', 'berta', 'anna', 'eng\nstaff']]) {
  test(`SI20 SI23 SI45 SI53: a person signs in at ${id} with the groups that it names, and the app acts for them`, options, async () => {
    const who = person(user);
    const flow = await who.begin(await register(server));
    const back = await who.signIn(flow, id);
    assert.equal(back.location, `/oauth/consent/mcps?flow_id=${flow.flowId}`, back.text);
    assert.ok((await page2(flow)).text.includes(shown));
    assert.ok(await finish(flow));
    const [row] = server.sql(`SELECT CAST(group_names AS TEXT) AS names, groups_known AS known FROM person WHERE idp_id = '${id}'`);
    assert.deepEqual(row, { names: groups, known: 1 });
  });

  test(`SI25 SI26: a second app needs no second sign-in at ${id}, and "Not you?" leads to another person`, options, async () => {
    const who = person(user);
    await finish(await signedIn(who, id));
    const proved = Math.floor(Date.now() / 1000);
    await until(() => Date.now() / 1000 > proved + 1, 'a later second: within one, LemonLDAP::NG does not ask again');
    const second = await who.begin(await register(server));
    assert.equal(second.page, 'consent/mcps');
    const asked = await who.start(second, id, { again: '1' });
    assert.equal(new URL(asked.location).searchParams.get('prompt'), 'login');
    const back = await who.get(await who.there[id].signIn(asked.location, other));
    assert.equal(back.location, `/oauth/consent/mcps?flow_id=${second.flowId}`, back.text);
    assert.equal(server.sql(`SELECT count(DISTINCT id) AS n FROM person WHERE idp_id = '${id}'`)[0].n, 2);
    const out = await who.post('/oauth/signin/out', {});
    assert.equal(out.location, `/oauth/sessions?signed_out=${id}`);
    assert.equal((await who.begin(await register(server))).page, 'consent');
  });
}

async function signedIn(who, id) {
  const flow = await who.begin(await register(server));
  const back = await who.signIn(flow, id);
  assert.equal(back.status, 303, back.text);
  return flow;
}

test('SI32: the end at LemonLDAP::NG is offered, where it has an address for it', options, async () => {
  const who = person('dwho');
  await signedIn(who, 'lemon');
  const { text } = await who.get((await who.post('/oauth/signin/out', {})).location);
  const end = new URL(/href="([^"]*oauth2\/logout[^"]*)"/.exec(text)[1].replaceAll('&amp;', '&'));
  assert.equal(end.origin, lemon.issuer);
  assert.equal(end.searchParams.get('post_logout_redirect_uri'), `${server.issuer}/oauth/sessions`);
});

test('SI43: LemonLDAP::NG signs with new keys, and people sign in all the same', options, async () => {
  await lemon.rotate();
  server.sql("UPDATE idp SET jwks_asked_at = NULL WHERE id = 'lemon'");
  await signedIn(person('msmith'), 'lemon');
  assert.deepEqual(groupsOf('msmith'), { names: 'earthlings\nstaff\nusers', known: 1 });
});

test('SI60: glewlwyd says that a session there is over, by a token of draft 06', options, async () => {
  const who = person('anna');
  const token = await finish(await signedIn(who, 'glewlwyd'));
  const [{ sid }] = server.sql("SELECT CAST(provider_session AS TEXT) AS sid FROM browser_signin WHERE idp_id = 'glewlwyd' AND ended_at IS NULL ORDER BY signed_in_at DESC, id LIMIT 1");
  assert.ok(sid, 'its ID token names the session');
  await glewlwyd.endSession('anna', sid);
  await until(async () => (await rpc(server, token, 'tools/list', {})).status === 401, 'the session is over');
  assert.equal((await who.begin(await register(server))).page, 'consent');
});

test('SI33: whom a provider does not let in signs in nowhere', options, async () => {
  await lemon.shut('dwho');
  const who = person('dwho');
  const flow = await who.begin(await register(server));
  const begun = await who.start(flow, 'lemon');
  await assert.rejects(who.there.lemon.signIn(begun.location, 'dwho'), /the portal answered/);
  await lemon.shut();
  await glewlwyd.disable('berta');
  const berta = person('berta');
  const asked = await berta.start(await berta.begin(await register(server)), 'glewlwyd');
  await assert.rejects(berta.there.glewlwyd.signIn(asked.location, 'berta'), /answered 401/);
});
