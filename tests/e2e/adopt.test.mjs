// From a web server that signs people in by mod_auth_openidc, or from a provider's old address, to
// sign-ins of consentgate's own: with the accounts that people connected.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Browser, postForm, query } from './support/browser.mjs';
import { assertOauthError } from './support/checks.mjs';
import { signedInByApache } from './support/fronts.mjs';
import { AtProvider, startIdentityProvider } from './support/identity_provider.mjs';
import { api, authorizeParameters, connect, pkce, redeem, register, rpc, submit } from './support/journey.mjs';
import { redirect, startModAuthOpenidc } from './support/mod_auth_openidc.mjs';
import { freePort, plainFolder, root, startServer } from './support/server.mjs';
import { addProvider, finish, Person } from './support/signin.mjs';
import { makeAuthority, signIn as signInAtService, startProvider } from './support/upstreams.mjs';

const options = { timeout: 480000 };
const names = ['anna', 'ben', 'carla', 'dora', 'emil'];
const people = Object.fromEntries(names.map((name) => [name, { name, email: `${name}@example.org`, email_verified: true }]));
const exchangeGrant = 'urn:ietf:params:oauth:grant-type:token-exchange';
const accessTokenType = 'urn:ietf:params:oauth:token-type:access_token';
const authority = makeAuthority();
const folder = plainFolder();
let corp, moved, notion, server, asking;

before(async () => {
  corp = await startIdentityProvider({ people });
  moved = await startIdentityProvider({ people }); // the same organisation at another address
  notion = await startProvider({ authority });
  const port = await freePort();
  await signInBehindApache(port);
  server = await startServer({ folder, port, env: { IDENTITIES: '', CONSENTGATE_SERVICE_CA: authority.ca } });
  await addProvider(server, corp, 'corp', 'Example Corp');
}, options);
after(async () => {
  await server?.stop();
  for (const one of [corp, moved, notion]) await one?.stop();
  fs.rmSync(folder, { recursive: true, force: true });
}, options);

const exchange = (at, token) => postForm(at.base, `${api}/token`, { grant_type: exchangeGrant, subject_token: token, subject_token_type: accessTokenType, audience: 'notion', client_id: asking.id, client_secret: asking.secret });
const holderAt = async (at, token) => { const answer = await exchange(at, token); assert.equal(answer.status, 200, answer.text); return notion.whoIs(answer.json().access_token); };
const holder = (token) => holderAt(server, token);
const failed = (...words) => server.admin(...words).then(() => assert.fail(`${words.join(' ')} succeeded`), (error) => error);
const adopt = (...words) => server.admin('user', 'adopt', ...words, '--json');
const accountAt = (flow, user, at) => connect(at, flow, 'notion', (address) => signInAtService(notion, address, user));

// Apache with the files as shipped, whose module signs people in, and people who connect accounts
// there, before the change.
async function signInBehindApache(port) {
  const base = `http://127.0.0.1:${port}`;
  const old = await startServer({ folder, env: { PROTECT: 'no', IDENTITIES: '', CONSENTGATE_ISSUER: base, CONSENTGATE_RESOURCES: `${base}/mcp`, CONSENTGATE_VERIFIED_USER: 'remote_user', CONSENTGATE_SERVICE_CA: authority.ca } });
  corp.clients.push({ client_id: 'apache', client_secret: 'of-apache', redirect_uris: [redirect(port)], grant_types: ['authorization_code'], response_types: ['code'], token_endpoint_auth_method: 'client_secret_basic' });
  corp.make();
  fs.chmodSync(folder, 0o711);
  fs.chmodSync(path.join(folder, 'consentgate.sock'), 0o666);
  const pages = fs.readFileSync(path.join(root, 'conf/apache/pages.conf'), 'utf8').replace('/run/consentgate/consentgate.sock', `${folder}/consentgate.sock`);
  const signedIn = signedInByApache('').replace('AuthType Basic', 'AuthType openid-connect').replace(/^ +(AuthName|AuthUserFile).*\n/gm, '');
  const apache = await startModAuthOpenidc({ issuer: corp.issuer, client: 'apache', secret: 'of-apache', port, modules: ['proxy', 'proxy_fcgi', 'setenvif', 'macro'], lines: [pages, 'Use ConsentgateVerifiedUsers', signedIn] });
  try {
    await old.admin('service', 'add', 'notion', '--url', notion.mcpUrl);
    asking = await old.admin('resource', 'add', `${base}/mcp`, '--service', 'notion', '--json');
    const at = { base, issuer: base, resource: `${base}/mcp` };
    const client = await register(at);
    for (const name of names) {
      const browser = new Browser(base);
      const there = new AtProvider(corp);
      const sent = await browser.get('/oauth/sessions');
      assert.equal(sent.status, 302, sent.text);
      assert.equal(new URL(sent.location).origin, corp.issuer, 'the module signs people in');
      const back = await browser.get(await there.signIn(sent.location, name));
      assert.equal(back.status, 302, back.text);
      const proof = pkce();
      const parameters = authorizeParameters(at, client, proof);
      const begun = await browser.get(query(`${api}/authorize`, parameters));
      const [, flowId] = /^\/oauth\/consent\/mcps\?flow_id=([\w-]{22})$/.exec(begun.location ?? '') ?? [];
      assert.ok(flowId, `${begun.status} ${begun.location} ${begun.text}`);
      const flow = { browser, client, parameters, proof, flowId };
      await accountAt(flow, `${name} of before`, at);
      const answer = await redeem(at, flow, (await submit(flow)).sent().get('code'));
      assert.equal(answer.status, 200, answer.text);
      assert.equal(await holderAt(at, answer.json().access_token), `${name} of before`);
    }
  } finally {
    await apache.stop();
    await old.stop();
  }
}

async function begin(name, id = 'corp') {
  const person = new Person(server, { corp, moved }, name);
  const flow = await person.begin(await register(server));
  const back = await person.signIn(flow, id);
  assert.equal(back.location, `/oauth/consent/mcps?flow_id=${flow.flowId}`, back.text);
  return flow;
}
const signedIn = async (name, id) => finish(await begin(name, id));
const hasNothing = async (token) => assertOauthError(await exchange(server, token), 400, 'interaction_required');

test('SI56 SA29: nothing moves by itself, by an address or by a name', options, async () => {
  await hasNothing(await signedIn('anna'));
});

test('SI56: whom mod_auth_openidc named by itself get their accounts, first in words and then in deed', options, async () => {
  const from = `remote/user:anna@${corp.issuer}`; // the module leaves "https://" alone away
  const dry = await adopt('--mod-auth-openidc', 'corp', '--dry-run');
  assert.deepEqual(dry.map((row) => row.from).sort(), names.map((name) => from.replace('anna', name)));
  assert.deepEqual(dry.find((row) => row.from === from), { from, to: 'corp/anna', moved: ['notion'], kept: [], sessions: 0 });
  await hasNothing(await signedIn('anna'));
  const old = server.sql(`SELECT count(*) AS living FROM session WHERE revoked_at IS NULL AND CAST(identity_value AS TEXT) = '${from.slice(12)}'`)[0].living;
  assert.equal(old, 1);
  const done = await adopt('--remote-user', from.slice(12), '--user', 'anna@example.org');
  assert.deepEqual([done.length, done[0].from, done[0].moved, done[0].sessions], [1, from, ['notion'], 1]);
  assert.equal(await holder(await signedIn('anna')), 'anna of before');
  assert.equal(server.sql(`SELECT count(*) AS living FROM session WHERE revoked_at IS NULL AND CAST(identity_value AS TEXT) = '${from.slice(12)}'`)[0].living, 0);
  assert.deepEqual(await adopt('--remote-user', from.slice(12), '--user', 'corp/anna'), [], 'the second time there is nothing');
});

test('SI56: an account that the person has at the service already is not replaced', options, async () => {
  const flow = await begin('ben');
  await accountAt(flow, 'ben of now', server);
  const token = await finish(flow);
  const said = await failed('user', 'adopt', '--remote-user', `ben@${corp.issuer}`, '--user', 'corp/ben', '--json');
  assert.equal(said.code, 1);
  assert.deepEqual(JSON.parse(said.stdout)[0].kept, ['notion']);
  assert.match(said.stderr, /1 stay where they are/);
  assert.equal(await holder(token), 'ben of now');
});

test('SI56: a file names many, is read whole before anything is done, and may name people who have not signed in', options, async () => {
  const file = path.join(folder, 'map');
  const line = (name, who = `corp/${name}`) => `${name}@${corp.issuer}\t${who}\n`;
  for (const [text, words] of [[`${line('carla')}no tab\n`, /map:2: a line is NAME, one tab, WHO/], [`${line('carla')}${line('dora', 'dora@example.org')}`, /map:2: nobody here is/], [line('carla') + line('carla'), /stands there twice/]]) {
    fs.writeFileSync(file, text);
    assert.match((await failed('user', 'adopt', '--map', file)).stderr, words);
  }
  fs.writeFileSync(file, `# who they were, and who they are\n\n${line('carla')}${line('dora').replace('\n', '\r\n')}`);
  assert.equal((await adopt('--map', file, '--dry-run')).length, 2);
  assert.deepEqual((await adopt('--map', file)).map(({ moved: services }) => services), [['notion'], ['notion']]);
  assert.equal(await holder(await signedIn('carla')), 'carla of before');
  assert.equal(await holder(await signedIn('dora')), 'dora of before');
  for (const words of [[], ['--remote-user', 'x'], ['--map', file, '--mod-auth-openidc', 'corp'], ['--issuer', corp.issuer]]) assert.equal((await failed('user', 'adopt', ...words)).code, 2, words.join(' '));
});

test('SI56: people of a provider that moved to another address are who they were', options, async () => {
  assert.deepEqual((await adopt('--mod-auth-openidc', 'corp').catch((error) => JSON.parse(error.stdout))).filter((row) => row.moved.length > 0).map((row) => row.to), ['corp/emil']);
  const tokens = { emil: await signedIn('emil'), anna: await signedIn('anna') };
  assert.equal(await holder(tokens.emil), 'emil of before');
  await server.admin('user', 'disable', 'corp/dora');
  await addProvider(server, moved, 'moved', 'Example Corp');
  const rows = await adopt('--issuer', corp.issuer, '--idp', 'moved');
  assert.ok(rows.some((row) => row.to === 'moved/emil' && row.moved[0] === 'notion' && row.sessions >= 1), JSON.stringify(rows));
  assert.equal((await rpc(server, tokens.emil, 'tools/list')).status, 401);
  for (const name of ['anna', 'emil']) assert.equal(await holder(await signedIn(name, 'moved')), `${name} of before`);
  assert.deepEqual((await server.admin('user', 'list', '--json')).map(({ idp }) => idp).filter((idp) => idp !== 'moved'), []);
  const dora = new Person(server, { corp, moved }, 'dora');
  assert.equal((await dora.signIn(await dora.begin(await register(server)), 'moved')).status, 403, 'whoever was disabled stays so');
});
