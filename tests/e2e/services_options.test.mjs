// Services that differ from the standard as well-known providers do, and what an operator says of
// them: with a real authorization server, and oddities in front of it.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { choose, connect, finish, startFlow } from './support/journey.mjs';
import { startOddService } from './support/odd_service.mjs';
import { plainFolder } from './support/server.mjs';
import { startAccounts } from './support/accounts.mjs';
import { makeAuthority, signIn, startProvider } from './support/upstreams.mjs';

const options = { timeout: 120000 };
const authority = makeAuthority();
const folder = plainFolder();
const secretFile = (text) => {
  const file = path.join(folder, 'secret');
  fs.writeFileSync(file, text, { mode: 0o600 });
  return file;
};
const client = (id, more = {}) => ({ client_id: id, client_secret: `secret of ${id}`, redirect_uris: [], token_endpoint_auth_method: 'client_secret_basic', grant_types: ['authorization_code', 'refresh_token'], ...more });
let accounts;
let server;
let provider;
let other; // whose pages no other service leads to
const odd = [];
const startOdd = async (more) => { odd.push(await startOddService({ provider, authority, ...more })); return odd.at(-1); };

before(async () => {
  accounts = await startAccounts(['plain'], { authority });
  ({ server } = accounts);
  const callbacks = (...names) => names.map((name) => `${server.issuer}/api/oauth/callback/${name}`);
  provider = await startProvider({ authority, clients: [client('first', { redirect_uris: callbacks('kept') }), client('second', { redirect_uris: callbacks('kept') })] });
  other = await startProvider({ authority, clients: [client('first', { redirect_uris: callbacks('nested') })] });
}, { timeout: 240000 });
after(async () => { for (const one of odd) await one.stop(); await accounts?.stop(); await provider?.stop(); await other?.stop(); }, options);

const service = (verb, ...more) => server.admin('service', verb, ...more);
const add = (...more) => service('add', ...more, '--json');
const set = (...more) => service('set', ...more, '--json');
const refused = (words, verb, ...more) => assert.rejects(service(verb, ...more), ({ stderr, code }) => {
  assert.match(stderr, words);
  assert.ok([1, 2].includes(code));
  return true;
});

// A person connects and finishes. out: the session token; `sent`: where they were sent
async function connected(name, user, at = provider) {
  const flow = await startFlow(server, { client: accounts.client });
  await choose(flow, { skip: true });
  let sent;
  const back = await connect(server, flow, name, (address) => { sent = new URL(address); return signIn(at, address, user); });
  assert.equal(back.location, `/oauth/consent/mcps?flow_id=${flow.flowId}#service-${name}`, back.text);
  return { token: await finish(server, flow), sent };
}
// Whose account the exchanged token is, as the provider says.
async function holder(token, name, at = provider) {
  const answer = await accounts.exchange(token, name);
  assert.equal(answer.status, 200, answer.text);
  return (await at.provider.AccessToken.find(answer.json().access_token))?.accountId;
}
// The resource server may have the tokens of every service of this file.
const allow = (name) => server.sql(`UPDATE resource_server SET services = CAST(CAST(services AS TEXT) || char(10) || '${name}' AS BLOB)`);

test('XC9: an issuer without a path is the same with a slash, at Google as in its documents', options, async () => {
  const google = await startOdd({ servers: () => [`${provider.issuer}/`] });
  const found = await add('google', '--url', google.url, '--no-resource', '--scope', 'openid offline_access');
  assert.equal(found.issuer, provider.issuer);
  await service('test', 'google');
  const { token } = await connected('google', 'gina');
  allow('google');
  assert.equal(await holder(token, 'google'), 'gina');
});

test('XC9: an issuer that the documents name otherwise is believed by the word of the operator alone', options, async () => {
  const document = (published) => published; // names the provider's issuer and not the tenant
  const tenant = await startOdd({ servers: (origin) => [`${origin}/tenant`], documents: { '/.well-known/oauth-authorization-server/tenant': document } });
  await refused(/another issuer's[^]*--issuer/, 'add', 'tenant', '--url', tenant.url);
  await refused(/another issuer's/, 'add', 'tenant', '--url', tenant.url, '--issuer', 'https://elsewhere.example');
  assert.equal((await add('tenant', '--url', tenant.url, '--issuer', provider.issuer, '--no-resource', '--scope', 'openid offline_access')).issuer, provider.issuer);
  await service('test', 'tenant');
  await connected('tenant', 'theo');
});

test('XC9: parameters of the operator go along, replace one another, and never ours', options, async () => {
  await refused(/consentgate sends state itself/, 'add', 'more', '--url', provider.mcpUrl, '--authorize-param', 'state=x');
  const more = await add('more', '--url', provider.mcpUrl, '--authorize-param', 'access_type=offline', '--authorize-param', 'ui_locales=de');
  assert.deepEqual(more.authorize_parameters, ['access_type=offline', 'ui_locales=de']);
  const { sent } = await connected('more', 'mona');
  assert.deepEqual([sent.searchParams.get('access_type'), sent.searchParams.get('ui_locales'), sent.searchParams.getAll('state').length], ['offline', 'de', 1]);
  assert.deepEqual((await set('more', '--authorize-param', 'ui_locales=', '--authorize-param', 'access_type=online')).authorize_parameters, ['access_type=online']);
});

test('XC9: tokens inside of an object are found there, and at the top where a refresh puts them', options, async () => {
  const wrap = (tokens, form) => (form.get('grant_type') === 'refresh_token' || tokens.error ? { ok: !tokens.error, ...tokens } : { ok: true, access_token: 'xoxb-of-the-bot', token_type: 'bot', authed_user: { id: 'U1', ...tokens } });
  const slack = await startOdd({ wrap, provider: other });
  const hand = ['--url', slack.url, '--authorization-endpoint', `${other.issuer}/auth`, '--token-endpoint', `${slack.origin}/token`, '--authorization-origin', other.issuer, '--client-id', 'first', '--client-secret-file', secretFile('secret of first'), '--scope', 'openid offline_access'];
  await add('nested', ...hand, '--token-path', 'authed_user');
  allow('nested');
  const { token } = await connected('nested', 'nora', other);
  assert.equal(await holder(token, 'nested', other), 'nora');
  accounts.age('nested');
  assert.equal(await holder(token, 'nested', other), 'nora', 'after a refresh');
  assert.equal(server.sql("SELECT count(*) AS n FROM upstream_token WHERE service_id = 'nested' AND broken_at IS NULL")[0].n, 1);
});

test('XC9: service set keeps the connections, also when the client there is another one', options, async () => {
  await add('kept', '--url', provider.mcpUrl, '--client-id', 'first', '--client-secret-file', secretFile('secret of first'), '--no-resource', '--scope', 'openid offline_access');
  allow('kept');
  const { token } = await connected('kept', 'kim');
  const renamed = await set('kept', '--name', 'Kept', '--scope', 'openid offline_access', '--client-secret-file', secretFile('secret of first'), '--client-secret-expires', '2027-11-28');
  assert.deepEqual([renamed.name, renamed.client_id, renamed.client_secret_renewal, renamed.client_secret_expires], ['Kept', 'first', 'by hand: service set ID --client-secret-file FILE', Date.UTC(2027, 10, 28) / 1000]);
  accounts.age('kept');
  assert.equal(await holder(token, 'kept'), 'kim', 'refreshed with the client that it was given to');
  await refused(/needs its secret/, 'set', 'kept', '--client-id', 'second');
  assert.equal((await set('kept', '--client-id', 'second', '--client-secret-file', secretFile('secret of second'))).client_id, 'second');
  accounts.age('kept');
  assert.equal(await holder(token, 'kept'), 'kim', 'goes on with the former client');
  const { token: newer, sent } = await connected('kept', 'lou');
  assert.equal(sent.searchParams.get('client_id'), 'second');
  assert.equal(await holder(newer, 'kept'), 'lou');
  await refused(/nothing|needs something to change/, 'set', 'kept');
  await refused(/has OAuth/, 'set', 'kept', '--key-header', 'X-API-Key');
});

test('XC9: a preset says what its provider needs', options, async () => {
  await refused(/Slack needs an app of your workspace[^]*callback\/slack\n/, 'add', 'slack', '--preset', 'slack');
  await refused(/needs --url URL/, 'add', 'google2', '--preset', 'google', '--client-id', 'x');
  await refused(/--preset knows atlassian, [^]*did you mean slack/, 'add', 'x', '--preset', 'slak');
  const slack = await add('slack', '--preset', 'slack', '--client-id', 'x', '--client-secret-file', secretFile('s'), '--authorize-param', 'user_scope=users:read');
  assert.deepEqual([slack.token_endpoint, slack.token_path, slack.authorize_parameters, slack.scope], ['https://slack.com/api/oauth.v2.user.access', 'authed_user', ['user_scope=users:read'], '']);
});

test('XC8: where a client needs no secret we have none, and one that is needed has its end shown', options, async () => {
  const free = await add('free', '--url', provider.mcpUrl);
  assert.deepEqual([free.token_endpoint_auth_method, free.has_client_secret, free.client_secret_expires], ['none', false, null]);
  const bound = await startProvider({ authority, authMethods: ['client_secret_basic'] });
  try {
    const needed = await add('bound', '--url', bound.mcpUrl);
    assert.deepEqual([needed.token_endpoint_auth_method, needed.has_client_secret], ['client_secret_basic', true]);
    await connected('bound', 'bo', bound);
  } finally { await bound.stop(); }
});
