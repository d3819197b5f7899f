// A real OpenID provider (oidc-provider) says that somebody signed out there: whose sessions end,
// and which tokens are believed.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { generateKeyPairSync } from 'node:crypto';
import { postForm, send } from './support/browser.mjs';
import { startIdentityProvider } from './support/identity_provider.mjs';
import { inLanes, register, rpc } from './support/journey.mjs';
import { startServer, until } from './support/server.mjs';
import { addProvider, finish, letIn, Person } from './support/signin.mjs';

const options = { timeout: 240000 };
const people = { anna: { name: 'Anna' }, ben: { name: 'Ben' } };
let server, corp, plain, client;

before(async () => {
  server = await startServer({ env: { IDENTITIES: '', CONSENTGATE_AUDIT_FILE: 'audit.log', CONSENTGATE_FAILED_AUTHENTICATIONS_PER_MINUTE: '1000' } });
  corp = await startIdentityProvider({ people, logouts: 'sid' });
  plain = await startIdentityProvider({ people, logouts: 'sub' });
  await addProvider(server, corp, 'corp', 'Example Corp');
  await addProvider(server, plain, 'plain', 'Plain Org');
  client = await register(server);
}, options);
after(async () => { await server?.stop(); await corp?.stop(); await plain?.stop(); }, options);

const providers = () => ({ corp, plain });
const address = (id) => `/oauth/signin/${id}/backchannel`;
const logOut = (id, token) => postForm(server.base, address(id), { logout_token: token });
const lives = async (token) => (await rpc(server, token, 'tools/list', {})).status === 200;
const living = async (tokens) => (await Promise.all(tokens.map(lives))).map((yes) => (yes ? '+' : '-')).join('');
const signedIn = async (person) => (await person.begin(client)).page === 'consent/mcps';
const audit = () => fs.readFileSync(path.join(server.var, 'audit.log'), 'utf8');
const nextSecond = (since) => until(() => Math.floor(Date.now() / 1000) > Math.floor(since / 1000), 'a second is over');
async function at(id, user) {
  const person = new Person(server, providers(), user);
  const flow = await person.begin(client);
  const back = await person.signIn(flow, id);
  assert.equal(back.status, 303, back.text);
  return person;
}
// Anna's two browsers, with two sessions in the first.
async function office(id) {
  const desk = await at(id, 'anna'), phone = await at(id, 'anna');
  const tokens = [];
  for (const browser of [desk, desk, phone]) tokens.push(await finish(await browser.begin(client)));
  return { desk, phone, tokens };
}

for (const [effect, afterwards, still] of [['sessions', '--+', [false, true]], ['person', '---', [false, false]], ['browser', '+++', [false, true]]]) {
  test(`SI60 SI61: with --logout ${effect} a sign-out there ends what the operator chose`, options, async () => {
    await server.admin('idp', 'set', 'corp', '--logout', effect);
    const { desk, phone, tokens } = await office('corp');
    assert.equal(await living(tokens), '+++');
    await desk.there.corp.signOut();
    assert.equal(await living(tokens), afterwards);
    assert.deepEqual([await signedIn(desk), await signedIn(phone)], still);
    await nextSecond(Date.now());
    const back = await at('corp', 'anna');
    assert.ok(await signedIn(back), 'a new sign-in is good');
  });
}

test('SI61: a token that names the person alone ends all that they have', options, async () => {
  const { desk, phone, tokens } = await office('plain');
  const ben = await at('plain', 'ben');
  await desk.there.plain.signOut();
  assert.equal(await living(tokens), '---');
  assert.deepEqual([await signedIn(desk), await signedIn(phone), await signedIn(ben)], [false, false, true]);
  assert.match(audit(), / what=provider_logout pid=\d+ event_id=\w+ idp=plain subject=user:[0-9a-f]{8} used_before=no signins=2 sessions=3$/m);
  assert.match(audit(), / what=session_ended pid=\d+ by=provider /);
});

// The provider would send this about the sign-in of now.
function named(user) {
  const [row] = server.sql(`SELECT CAST(b.provider_session AS TEXT) AS sid FROM browser_signin b JOIN person p ON p.id = b.person_id WHERE b.idp_id = 'corp' AND b.ended_at IS NULL AND CAST(p.subject AS TEXT) = '${user}' ORDER BY b.rowid DESC LIMIT 1`);
  return { sub: user, sid: row.sid };
}

test('SI60 SA24: what is no logout token of this provider for us ends nothing', options, async () => {
  await server.admin('idp', 'set', 'corp', '--logout', 'sessions');
  const person = new Person(server, providers(), 'ben');
  const { token } = await letIn(person, client);
  const ours = corp.clients[0].client_id;
  const good = (more) => corp.logoutClaims(ours, { ...named('ben'), ...more });
  const without = (...names) => Object.fromEntries(Object.entries(good()).filter(([name]) => !names.includes(name)));
  const now = Math.floor(Date.now() / 1000);
  const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' });
  const refused = {
    'an ID token': corp.sign({ ...without('events'), nonce: 'n' }, { typ: 'JWT' }),
    'a nonce': corp.sign(good({ nonce: 'n' })),
    'no events': corp.sign(without('events')),
    'events a text': corp.sign(good({ events: 'http://schemas.openid.net/event/backchannel-logout' })),
    'an event that is no object': corp.sign(good({ events: { 'http://schemas.openid.net/event/backchannel-logout': true } })),
    'another audience': corp.sign(good({ aud: 'somebody-else' })),
    'of the other provider': plain.sign(plain.logoutClaims(ours, named('ben'))),
    'of the other provider, with our issuer': plain.sign(good()),
    'unsigned': corp.sign(good(), { alg: 'none' }),
    'signed with the client secret': corp.sign(good(), { alg: 'HS256', key: Buffer.from(corp.secret) }),
    'typ of an access token': corp.sign(good(), { typ: 'at+jwt' }),
    'signed by a stranger': corp.sign(good(), { key: stranger }),
    'eleven minutes old': corp.sign(good({ iat: now - 660 })),
    'over': corp.sign(good({ exp: now - 300 })),
    'from the future': corp.sign(good({ iat: now + 600 })),
    'without jti': corp.sign(without('jti')),
    'without sub and sid': corp.sign(without('sub', 'sid')),
    'no token': 'x.y.z',
    'empty': '',
  };
  for (const [what, one] of Object.entries(refused)) {
    const answer = await logOut('corp', one);
    assert.equal(answer.status, 400, `${what}: ${answer.text}`);
    assert.equal(answer.json().error, 'invalid_request', what);
    assert.match(answer.headers['cache-control'], /no-store/);
  }
  const twice = await send(server.base, 'POST', address('corp'), { headers: { 'Content-Type': 'application/x-www-form-urlencoded' }, body: `logout_token=${corp.sign(good())}&logout_token=${corp.sign(good())}` });
  assert.equal(twice.status, 400);
  assert.equal((await postForm(server.base, address('corp'), {})).status, 400);
  assert.equal((await logOut('plain', corp.sign(good()))).status, 400, "at another provider's address");
  assert.equal((await logOut('nobody', corp.sign(good()))).status, 404);
  assert.equal((await send(server.base, 'GET', `${address('corp')}?logout_token=${corp.sign(good())}`)).status, 405);
  assert.equal((await postForm(server.base, address('corp'), { logout_token: 'x'.repeat(70000) })).status, 413);
  assert.ok(await lives(token), 'nothing ended');
  assert.ok(await signedIn(person));
  assert.doesNotMatch(server.logs(), /eyJ[\w-]+\.[\w-]+\./, 'no token is logged');
  for (const how of [{ typ: 'JWT' }, { typ: undefined }, { kid: undefined }]) {
    const again = new Person(server, providers(), 'ben');
    const { token: another } = await letIn(again, client);
    const answer = await logOut('corp', corp.sign(how.kid === undefined && 'kid' in how ? good() : without('exp'), how));
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.text, '');
    assert.match(answer.headers['cache-control'], /no-store/);
    assert.equal(answer.headers['access-control-allow-origin'], undefined);
    assert.equal(await lives(another), false);
  }
});

test('SI60 SA25: a captured token ends nothing that began after it, and a retry is answered alike', options, async () => {
  const first = new Person(server, providers(), 'ben');
  const { token } = await letIn(first, client);
  const ours = corp.clients[0].client_id;
  const captured = corp.sign(corp.logoutClaims(ours, { sub: 'ben' }));
  assert.equal((await logOut('corp', captured)).status, 200);
  assert.equal(await lives(token), false);
  await nextSecond(Date.now());
  const later = new Person(server, providers(), 'ben');
  const { token: anew } = await letIn(later, client);
  const answers = await Promise.all(Array.from({ length: 8 }, () => logOut('corp', captured)));
  assert.deepEqual(answers.map(({ status }) => status), Array(8).fill(200));
  assert.ok(await lives(anew));
  assert.ok(await signedIn(later));
  assert.match(audit(), / what=provider_logout .* used_before=yes signins=0 sessions=0$/m);
});

test('SI43 SA26: tokens under made-up keys fetch keys once a minute, and people sign in meanwhile', options, async () => {
  const fetched = corp.count('/jwks');
  const ours = corp.clients[0].client_id;
  const flood = Array.from({ length: 60 }, (_, one) => () => logOut('corp', corp.sign(corp.logoutClaims(ours, { sub: 'anna' }), { kid: `made-up-${one}` })));
  const answers = await inLanes(8, flood);
  assert.ok(answers.every(({ status }) => status === 400 || status === 503), answers.map(({ status }) => status).join(' '));
  assert.ok(corp.count('/jwks') - fetched <= 1, 'at most one fetch');
  assert.ok(await signedIn(await at('corp', 'anna')));
});
