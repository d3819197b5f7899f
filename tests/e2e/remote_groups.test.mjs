// Apache signs people in with a real mod_auth_openidc and passes their groups; rules count them.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Browser, postForm, query } from './support/browser.mjs';
import { assertPage } from './support/checks.mjs';
import { AtProvider, startIdentityProvider } from './support/identity_provider.mjs';
import { api, authorizeParameters, finish, pkce, redeem, register, submit } from './support/journey.mjs';
import { redirect, startModAuthOpenidc } from './support/mod_auth_openidc.mjs';
import { freePort, plainFolder, startServer } from './support/server.mjs';

const options = { timeout: 240000 };
const folder = plainFolder();
const people = { anna: { name: 'Anna', groups: ['staff', 'eng'] }, ben: { name: 'Ben', groups: ['staff'] }, cleo: { name: 'Cleo' } };
const programs = ['register', 'token', 'introspect', 'revoke'].join('|');
let corp, server, apache, client, asking, resource;

before(async () => {
  const port = await freePort();
  const base = `http://127.0.0.1:${port}`;
  resource = `${base}/mcp`;
  corp = await startIdentityProvider({ people });
  corp.clients.push({ client_id: 'apache', client_secret: 'of-apache', redirect_uris: [redirect(port)], grant_types: ['authorization_code'], response_types: ['code'], token_endpoint_auth_method: 'client_secret_basic' });
  corp.make();
  server = await startServer({ folder, env: { PROTECT: 'no', IDENTITIES: '', CONSENTGATE_ISSUER: base, CONSENTGATE_RESOURCES: resource, CONSENTGATE_VERIFIED_USER: 'remote_user', CONSENTGATE_REMOTE_GROUPS: 'OIDC_CLAIM_groups' } });
  fs.chmodSync(folder, 0o711);
  fs.chmodSync(path.join(folder, 'consentgate.sock'), 0o666);
  const lines = [`ProxyPassMatch "^/(oauth|api/oauth|\\.well-known)/" "unix:${folder}/consentgate.sock|fcgi://localhost/"`,
    `<LocationMatch "^/(oauth|api/oauth)/">`, 'AuthType openid-connect', 'Require valid-user', '</LocationMatch>', `<LocationMatch "^${api}/(${programs})$">`, 'AuthType none', 'Require all granted', '</LocationMatch>'];
  apache = await startModAuthOpenidc({ issuer: corp.issuer, client: 'apache', secret: 'of-apache', port, modules: ['proxy', 'proxy_fcgi'], lines });
  client = await register({ base }, { grant_types: ['authorization_code', 'refresh_token'] });
  asking = await server.admin('resource', 'add', resource, '--json');
}, options);
after(async () => { await apache?.stop(); await server?.stop(); await corp?.stop(); fs.rmSync(folder, { recursive: true, force: true }); }, options);

const at = () => ({ base: apache.base, issuer: apache.base, resource });
const nameOf = (user) => `${user}@${corp.issuer}`; // as the module makes it
const row = (user) => server.sql(`SELECT groups_known, version, CAST(group_names AS TEXT) AS names FROM person WHERE idp_id = 'remote' AND CAST(subject AS TEXT) = '${nameOf(user)}'`)[0];

// In a browser of their own. headers: that somebody adds to each request
async function signedIn(user, headers = {}) {
  const browser = new Browser(apache.base);
  const sent = await browser.get('/oauth/sessions', headers);
  assert.equal(sent.status, 302, sent.text);
  const back = await browser.get(await new AtProvider(corp).signIn(sent.location, user), headers);
  assert.equal(back.status, 302, back.text);
  assert.equal((await browser.get('/oauth/sessions', headers)).status, 200);
  return browser;
}
async function begin(user, headers = {}) {
  const browser = await signedIn(user, headers);
  const proof = pkce();
  const parameters = authorizeParameters(at(), client, proof);
  const begun = await browser.get(query(`${api}/authorize`, parameters), headers);
  const [, flowId] = /^\/oauth\/consent\/mcps\?flow_id=([\w-]{22})$/.exec(begun.location ?? '') ?? [];
  assert.ok(flowId, `${begun.status} ${begun.location} ${begun.text}`);
  return { browser, client, parameters, proof, flowId, page: await browser.get(begun.location, headers) };
}
const tokenOf = async (user) => finish(at(), await begin(user));
const active = async (token) => (await postForm(server.base, `${api}/introspect`, { token, client_id: asking.id, client_secret: asking.secret })).json().active;

test('SI12: groups that the web server names count in rules, at page 2 and in each call', options, async () => {
  const [anna, ben] = [await tokenOf('anna'), await tokenOf('ben')];
  assert.deepEqual([await active(anna), await active(ben)], [true, true]);
  const { rule } = await server.admin('access', 'allow', 'group:eng', '--resource', resource, '--json');
  assert.equal(rule, `allow remote/group:eng --resource ${resource}`);
  assert.deepEqual([await active(anna), await active(ben)], [true, false]);
  assert.match((await begin('anna')).page.text, /form="finish"/);
  const refused = (await begin('ben')).page;
  assertPage(refused, 403);
  assert.match(await server.admin('access', 'test', `remote/user:${nameOf('anna')}`, resource), /groups: eng staff[^]*\nyes$/m);
  assert.deepEqual((await server.admin('access', 'list', '--json')).map(({ matches }) => matches), [1]);
  const before = row('anna').version;
  await signedIn('anna');
  assert.equal(row('anna').version, before, 'what is known is not written again');
});

test('SI12 SI50: who leaves a group is out from their next page on, in each session', options, async () => {
  const token = await tokenOf('anna');
  assert.equal(await active(token), true);
  people.anna.groups = ['staff'];
  await signedIn('anna');
  assert.equal(await active(token), false);
  people.anna.groups = ['staff', 'eng'];
  await signedIn('anna');
  assert.equal(await active(token), true);
});

test('SI12 SA14: a header of the client names no group, and groups that nobody said are unknown', options, async () => {
  const forged = Object.fromEntries(['OIDC_CLAIM_groups', 'OIDC-CLAIM-groups', 'HTTP_OIDC_CLAIM_groups', 'Oidc-Claim-Groups'].map((name) => [name, 'eng']));
  assertPage((await begin('ben', forged)).page, 403);
  assert.deepEqual([row('ben').groups_known, row('ben').names], [1, 'staff']);
  await server.admin('access', 'remove', '1');
  await server.admin('access', 'deny', 'remote/group:contractors');
  assert.equal(await active(await tokenOf('ben')), true, 'whose groups are known');
  await signedIn('cleo');
  assert.deepEqual([row('cleo').groups_known, row('cleo').names], [0, null]);
  assertPage((await begin('cleo')).page, 403);
  await server.admin('access', 'remove', '2');
});

test('SI12: rules about the groups of providers are about nobody here, and an operator stops one of these people', options, async () => {
  const token = await tokenOf('anna');
  const { number } = await server.admin('access', 'allow', 'any/group:eng', '--resource', resource, '--json');
  assert.equal(await active(token), false);
  await server.admin('access', 'remove', String(number));
  assert.equal(await active(token), true);
  await server.admin('user', 'disable', `remote/${nameOf('anna')}`);
  assert.equal(await active(token), false);
  await server.admin('user', 'enable', `remote/${nameOf('anna')}`);
  assert.equal(await active(token), true);
});

test('SI12 SI57: a session from before groups were known is in them after one page, and is renewed while such a page is not too long ago', options, async () => {
  const begun = await begin('anna');
  const first = await redeem(at(), begun, (await submit(begun)).sent().get('code'));
  const { access_token: token, refresh_token: renewal } = first.json();
  const { number } = await server.admin('access', 'allow', 'remote/group:eng', '--resource', resource, '--json');
  server.sql('UPDATE session SET person_id = NULL; DELETE FROM person');
  assert.equal(await active(token), false);
  await signedIn('anna');
  assert.equal(await active(token), true);
  const refresh = (used) => postForm(server.base, `${api}/token`, { grant_type: 'refresh_token', client_id: client.client_id, refresh_token: used });
  const good = await refresh(renewal);
  assert.equal(good.status, 200, good.text);
  server.sql('UPDATE person SET checked_at = checked_at - 31 * 86400');
  const late = await refresh(good.json().refresh_token);
  assert.deepEqual([late.status, late.json().error], [400, 'invalid_grant']);
  await signedIn('anna');
  assert.equal((await refresh(good.json().refresh_token)).status, 200);
  await server.admin('access', 'remove', String(number));
});

test('SI12: remote_groups is refused for a variable that clients fill, and without REMOTE_USER', options, async () => {
  for (const [env, words] of [[{ CONSENTGATE_REMOTE_GROUPS: 'HTTP_GROUPS' }, /remote_groups must not be a variable that clients fill/], [{ CONSENTGATE_VERIFIED_USER: 'off' }, /remote_groups needs verified_user = remote_user/]])
    await assert.rejects(server.check(env), ({ code, stderr }) => { assert.notEqual(code, 0); assert.match(stderr, words); return true; });
});
