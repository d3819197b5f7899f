// Rules of the operator say who may use what: the next request at every door obeys them, also when
// somebody changes them between two steps of a sign-in.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { Browser, postForm } from './support/browser.mjs';
import { assertOauthError } from './support/checks.mjs';
import { api, beginConnection, choose, codeFor, inLanes, journey, post, redeem, register, rpc, startFlow, submit } from './support/journey.mjs';
import { startServer } from './support/server.mjs';
import { makeAuthority, startProvider } from './support/upstreams.mjs';

const options = { timeout: 180000 };
const refreshing = { grant_types: ['authorization_code', 'refresh_token'] };
let server;
let notion;
let notes; // a second resource, whose server asks for its callers' tokens at Notion
let asking;
let anna;
let ben;

before(async () => {
  const authority = makeAuthority();
  notion = await startProvider({ authority });
  server = await startServer({ env: {
    CONSENTGATE_SCOPES: 'mcp=Use the tools; delete=Delete your files; admin=Do everything',
    CONSENTGATE_SCOPE_IMPLIES: 'admin: mcp delete', CONSENTGATE_SERVICE_CA: authority.ca } });
  await server.admin('service', 'add', 'notion', '--url', notion.mcpUrl);
  notes = `${server.issuer}/notes`;
  asking = await server.admin('resource', 'add', notes, '--service', 'notion', '--json');
  await server.letIn('any'); // a reload: the new resource is known
  [anna, ben] = [await server.addKey('Anna'), await server.addKey('Ben')];
}, { timeout: 240000 });
after(async () => { await server?.stop(); await notion?.stop(); }, options);
beforeEach(() => apply('default everyone\n'));

// The rules become those, whatever they were. out: what the command prints
function apply(text, ...more) {
  const file = path.join(server.var, 'rules.txt');
  fs.writeFileSync(file, text);
  return server.admin('access', 'apply', file, ...more);
}
const allow = (...words) => server.admin('access', 'allow', ...words, '--json');
const deny = (...words) => server.admin('access', 'deny', ...words, '--json');
const remove = (rule) => server.admin('access', 'remove', String(rule.number));
const fails = async (status, words, ...command) => {
  const error = await server.admin(...command).then(() => assert.fail(`it should fail: ${command}`), (failed) => failed);
  assert.equal(error.code, status, error.stderr);
  assert.match(error.stderr, words);
};

const as = (key) => ({ virtualKey: key.virtual_key });
const list = (token) => rpc(server, token, 'tools/list');
const refresh = (client, token, more = {}) => postForm(server.base, `${api}/token`, { grant_type: 'refresh_token', refresh_token: token, client_id: client.client_id, ...more });
const credentials = () => ({ client_id: asking.id, client_secret: asking.secret });
const introspect = async (token) => (await postForm(server.base, `${api}/introspect`, { token, ...credentials() })).json();
const exchange = (token) => postForm(server.base, `${api}/token`, { grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange', audience: 'notion',
  subject_token: token, subject_token_type: 'urn:ietf:params:oauth:token-type:access_token', ...credentials() });

// The gate's no for a rule: signing in again would change nothing, so nothing asks for it.
function assertRefused(answer, words = /account/) {
  assert.equal(answer.status, 403, answer.text);
  assert.equal(answer.headers['www-authenticate'], undefined);
  assert.equal(answer.json().error, 'forbidden');
  assert.match(answer.json().error_description, words);
}
function assertRefusalPage(answer, words) {
  assert.equal(answer.status, 403, answer.text);
  assert.match(answer.text, words);
  assert.doesNotMatch(answer.text, /<form/);
}

test('SI63 SI71: a rule that names what nobody knows is refused, names what is near, and is kept by force', options, async () => {
  await fails(2, /names nobody/, 'access', 'allow', 'anna');
  await fails(1, /no identity provider, |is about people of an identity provider, and there is none/, 'access', 'allow', 'group:eng');
  await fails(1, /no identity provider 'crop'/, 'access', 'allow', 'crop/group:eng');
  await fails(1, new RegExp(`did you mean [^?]*${notes}`), 'access', 'allow', 'keys', '--resource', `${notes}s`);
  await fails(1, /no scope 'delet'; did you mean delete\?/, 'access', 'allow', 'keys', '--scope', 'delet');
  await fails(1, /no service 'notions'; did you mean notion\?/, 'access', 'deny', 'keys', '--service', 'notions');
  await fails(1, /no team 'eng'/, 'access', 'allow', 'team:eng');
  await fails(1, /no key 'vk_x'/, 'access', 'allow', 'key:vk_x');
  await fails(2, /stands for itself/, 'access', 'deny', 'keys', '--service', 'notion', '--resource', notes);
  assert.deepEqual(await server.admin('access', 'list', '--json'), []);
  const kept = await allow('team:eng', '--force');
  assert.equal(kept.rule, 'allow team:eng');
  await fails(1, new RegExp(`rule ${kept.number} says the same`), 'access', 'allow', 'team:eng', '--force');
});

test('SI70: what is exported is applied without a change, and a file is applied whole or not at all', options, async () => {
  const text = `# ours\nallow key:${anna.id} --resource ${notes}\ndeny unverified\nallow "any/group:Domain Users" --scope delete\ndefault nobody\n`;
  const first = await apply(text, '--json');
  assert.equal(first.added.length, 3);
  const exported = await server.admin('access', 'export');
  assert.deepEqual(await apply(exported, '--json'), { added: [], removed: [], kept: 3, applied: true });
  const other = `deny unverified\nallow keys\ndefault nobody\n`;
  const planned = await apply(other, '--dry-run', '--json');
  assert.deepEqual([planned.added, planned.removed.length, planned.kept, planned.applied], [['allow keys'], 2, 1, false]);
  assert.equal(await server.admin('access', 'export'), exported);
  await assert.rejects(() => apply(`${other}permit keys\n`), /line 4: /);
  await assert.rejects(() => apply(`${other}allow keys --scope delet\n`), /no scope 'delet'/);
  assert.equal(await server.admin('access', 'export'), exported);
  const listed = await server.admin('access', 'list', '--json');
  assert.deepEqual(listed.map(({ effect, who, matches }) => [effect, who, matches]), [['allow', `key:${anna.id}`, 1], ['deny', 'unverified', 0], ['allow', 'any/group:Domain Users', 0]]);
  assert.equal(listed[2].group_named, null, 'no provider ever named it');
});

test('SI67 SI65: a refused key gets no further than its form, and another account does', options, async () => {
  const rule = await deny(`key:${anna.id}`);
  const flow = await startFlow(server);
  const answer = await post(flow, 'vk', { vk: anna.virtual_key });
  assertRefusalPage(answer, /This server does not let that account in/);
  assert.ok(answer.text.includes(`/oauth/consent?flow_id=${flow.flowId}"`), 'another account');
  assert.match(answer.text, /error=access_denied/, 'back to the app');
  await choose(flow, as(ben));
  assert.equal((await submit(flow)).status, 302);
  await remove(rule);
  const again = await startFlow(server);
  await choose(again, as(anna));
});

test('SI64 SI65: page 2 refuses a resource, and leaves out and names what is not for the account', options, async () => {
  const flow = await startFlow(server, { more: { scope: 'mcp delete' } });
  await choose(flow, as(anna));
  const page = () => flow.browser.get(`/oauth/consent/mcps?flow_id=${flow.flowId}`);
  assert.doesNotMatch((await page()).text, /Not for your account/);
  const scope = await deny('keys', '--scope', 'delete');
  const narrowed = await page();
  assert.match(narrowed.text, /Not for your account: Delete your files\./);
  assert.doesNotMatch(narrowed.text, /<li>Delete your files/);
  const all = await deny('keys', '--scope', 'mcp');
  assertRefusalPage(await page(), /anything of what the app asks for/);
  await remove(all);
  const resource = await deny('keys', '--resource', server.resource);
  assertRefusalPage(await page(), /not to the server that the app asks for/);
  await remove(resource);
  const code = (await submit(flow)).sent().get('code');
  const granted = (await redeem(server, flow, code)).json();
  assert.equal(granted.scope, 'mcp');
  await remove(scope);
});

test('SI65 SA32: a service that rules refuse has no Connect row, and its address leads nowhere', options, async () => {
  const flow = await startFlow(server, { more: { resource: notes } });
  await choose(flow, as(anna));
  const page = () => flow.browser.get(`/oauth/consent/mcps?flow_id=${flow.flowId}`);
  assert.match((await page()).text, /mcp_client_id=notion/);
  const rule = await deny(`key:${anna.id}`, '--service', 'notion');
  assert.doesNotMatch((await page()).text, /mcp_client_id=notion/);
  assertRefusalPage(await beginConnection(flow, 'notion'), /may not use that service/);
  await remove(rule);
  assert.equal((await beginConnection(flow, 'notion')).status, 302);
});

test('SI67 SA32: where rules refuse all keys there is no form for one, and one that is posted all the same is refused', options, async () => {
  const flow = await startFlow(server);
  const form = async () => /consent\/vk"/.test((await flow.browser.get(`/oauth/consent?flow_id=${flow.flowId}`)).text);
  assert.equal(await form(), true);
  await apply('deny keys\n');
  assert.equal(await form(), false);
  assertRefusalPage(await post(flow, 'vk', { vk: anna.virtual_key }), /does not let that account in/);
  await apply(`deny key:${anna.id}\n`);
  assert.equal(await form(), true, 'there are others');
  await apply('allow unverified\n');
  assert.equal(await form(), false);
  await apply(`allow unverified\nallow key:${ben.id}\n`);
  assert.equal(await form(), true);
  await choose(flow, as(ben));
});

// Rights that a rule takes away between two steps of a sign-in, and gives back after the refusal.
const steps = [
  ['sign in', (rules) => rules.deny('keys')],
  ['use the resource', (rules) => rules.deny('keys', '--resource', server.resource)],
  ['use any of the scopes', (rules) => rules.deny('everyone', '--scope', 'mcp')],
];
for (const [what, take] of steps) {
  test(`SI65 SA32: the right to ${what} is taken away between any two steps, and each step sees it`, options, async () => {
    const during = async (run) => { const rule = await take({ deny }); try { await run(); } finally { await remove(rule); } };
    const client = await register(server, refreshing);
    const flow = await startFlow(server, { client });
    await choose(flow, as(anna));
    await during(async () => assertRefusalPage(await flow.browser.get(`/oauth/consent/mcps?flow_id=${flow.flowId}`), /account/));
    await flow.browser.get(`/oauth/consent/mcps?flow_id=${flow.flowId}`);
    await during(async () => assertRefusalPage(await submit(flow), /account/));
    assert.deepEqual(server.sql(`SELECT id FROM session WHERE flow_id = '${flow.flowId}'`), []);
    const code = (await submit(flow)).sent().get('code');
    assert.ok(code);
    if (what !== 'use any of the scopes') await during(async () => assertOauthError(await redeem(server, flow, code), 400, 'invalid_grant'));
    const granted = (await redeem(server, flow, code)).json();
    assert.equal((await list(granted.access_token)).status, 200);
    await during(async () => {
      assertRefused(await list(granted.access_token));
      assertOauthError(await refresh(client, granted.refresh_token), 400, 'invalid_grant');
    });
    assert.equal((await list(granted.access_token)).status, 200, 'the session was kept');
    const renewed = await refresh(client, granted.refresh_token);
    assert.equal(renewed.status, 200, renewed.text);
    assert.equal((await list(renewed.json().access_token)).status, 200);
  });
}

test('SI65 SA32: introspection and exchange obey rules, and their neighbours go on', options, async () => {
  const flow = await codeFor(server, { identity: as(anna), more: { resource: notes, scope: 'mcp delete' } });
  const { access_token: token } = (await redeem(server, flow, flow.code)).json();
  assert.equal((await introspect(token)).scope, 'mcp delete');
  assertOauthError(await exchange(token), 400, 'interaction_required'); // allowed, and not connected
  const scope = await deny(`key:${anna.id}`, '--scope', 'delete');
  assert.equal((await introspect(token)).scope, 'mcp');
  await remove(scope);
  const service = await deny(`key:${anna.id}`, '--service', 'notion');
  assertOauthError(await exchange(token), 400, 'invalid_target');
  assert.equal((await introspect(token)).active, true);
  await remove(service);
  const resource = await deny('keys', '--resource', notes);
  assert.deepEqual(await introspect(token), { active: false });
  assertOauthError(await exchange(token), 400, 'invalid_target');
  await remove(resource);
  assertOauthError(await exchange(token), 400, 'interaction_required');
  const elsewhere = await deny('keys', '--resource', server.resource); // no path of one is the other's
  assert.equal((await introspect(token)).active, true);
  await remove(elsewhere);
});

test('SA32 SI66: a scope that rules refuse comes neither by a refresh nor by what implies it, and one that they allow is asked for', options, async () => {
  const client = await register(server, { ...refreshing, scope: 'mcp delete admin' });
  const flow = await codeFor(server, { client, identity: as(anna), more: { scope: 'admin' } });
  const first = (await redeem(server, flow, flow.code)).json();
  assert.equal(first.scope, 'admin');
  const rule = await deny('keys', '--scope', 'delete');
  const narrowed = (await refresh(client, first.refresh_token)).json();
  assert.equal(narrowed.scope, 'mcp', 'admin holds delete, so only what it held besides is left');
  assert.equal((await list(narrowed.access_token)).status, 200);
  assert.equal((await list(first.access_token)).status, 200);
  assertOauthError(await refresh(client, narrowed.refresh_token, { scope: 'admin' }), 400, 'invalid_scope');
  await remove(rule);
  const wide = (await refresh(client, narrowed.refresh_token)).json();
  assert.equal(wide.scope, 'admin', 'the session keeps what was granted');
  const small = await codeFor(server, { client: await register(server, { scope: 'mcp delete' }), identity: as(ben), more: { scope: 'delete' } });
  const { access_token: token } = (await redeem(server, small, small.code)).json();
  const lacking = await list(token);
  assert.equal(lacking.status, 403);
  assert.match(lacking.headers['www-authenticate'], /error="insufficient_scope"/);
  await deny('keys', '--scope', 'mcp');
  assertRefused(await list(token), /may not have what this server needs: mcp/);
});

test('SI66: the TypeScript SDK stops after one refused call', options, async () => {
  const { token } = await journey(server, { identity: as(anna) });
  await deny('keys', '--resource', server.resource);
  let calls = 0;
  const counted = (url, init) => { calls += 1; return fetch(url, init); };
  const transport = new StreamableHTTPClientTransport(new URL(server.resource), { fetch: counted, requestInit: { headers: { Authorization: `Bearer ${token}` } } });
  const client = new Client({ name: 'refused', version: '1' });
  await assert.rejects(() => client.connect(transport), /403|forbidden/i);
  assert.equal(calls, 1);
  await client.close();
});

test('SI64 SI72: teams and typed names are named by rules, and the first allow closes the door to all others', options, async () => {
  assert.deepEqual((await server.admin('team', 'add', 'eng', `key:${anna.id}`, `key:${ben.id}`, `key:${anna.id}`, '--json')).added, [`key:${anna.id}`, `key:${ben.id}`]);
  await fails(2, /not one person or key/, 'team', 'add', 'eng', 'everyone');
  const tokens = {};
  for (const [name, identity] of Object.entries({ anna: as(anna), ben: as(ben), typed: { userId: 'cleo' }, nobody: { skip: true } })) tokens[name] = (await journey(server, { identity })).token;
  const statuses = async () => Object.fromEntries(await Promise.all(Object.entries(tokens).map(async ([name, token]) => [name, (await list(token)).status])));
  await allow('team:eng', '--resource', server.resource);
  assert.deepEqual(await statuses(), { anna: 200, ben: 200, typed: 403, nobody: 403 });
  await server.admin('team', 'remove', 'eng', `key:${ben.id}`);
  assert.deepEqual(await statuses(), { anna: 200, ben: 403, typed: 403, nobody: 403 });
  await allow('unverified', '--resource', server.resource);
  assert.deepEqual(await statuses(), { anna: 200, ben: 403, typed: 200, nobody: 200 });
  await deny('unverified');
  assert.deepEqual(await statuses(), { anna: 200, ben: 403, typed: 403, nobody: 403 });
  await apply('default nobody\nallow keys\n');
  assert.deepEqual(await statuses(), { anna: 403, ben: 403, typed: 403, nobody: 403 });
  await allow('team:eng', '--resource', server.resource);
  assert.deepEqual(await statuses(), { anna: 200, ben: 403, typed: 403, nobody: 403 });
  assert.deepEqual((await server.admin('team', 'list', 'eng', '--json')).map(({ who }) => who), [`key:${anna.id}`]);
});

test('SI68: with a remembered consent, and with a code of before, nobody gets around a rule', options, async () => {
  const flow = await codeFor(server, { identity: as(anna) });
  const rule = await deny(`key:${anna.id}`);
  assertOauthError(await redeem(server, flow, flow.code), 400, 'invalid_grant');
  const stranger = new Browser(server.base, server.issuer);
  const other = await startFlow(server, { client: flow.client, browser: stranger });
  assertRefusalPage(await submit(other, { Authorization: `Bearer ${anna.virtual_key}` }), /does not let that account in/);
  await remove(rule);
  assert.equal((await redeem(server, flow, flow.code)).status, 200, 'a refusal spends no code');
});

test('SI65: while rules come and go, each session that was made is one that they allowed, and each call is answered by them', options, async () => {
  const client = await register(server);
  let over = false;
  const flows = inLanes(3, Array.from({ length: 24 }, () => async () => {
    const flow = await startFlow(server, { client });
    const chosen = await post(flow, 'vk', { vk: anna.virtual_key });
    if (chosen.status === 403) return 'refused';
    const answer = await submit(flow);
    if (answer.status === 403) return 'refused';
    const code = answer.sent().get('code');
    assert.ok(code, answer.text);
    const granted = await redeem(server, flow, code);
    if (granted.status === 400) return 'refused';
    const { status } = await list(granted.json().access_token);
    assert.ok([200, 403].includes(status), String(status));
    return status;
  })).finally(() => { over = true; });
  while (!over) await remove(await deny(`key:${anna.id}`));
  const ends = await flows;
  assert.equal(ends.length, 24);
  const { token } = await journey(server, { client, identity: as(anna) });
  assert.equal((await list(token)).status, 200);
});

test('SI69: access test explains, and answers as the gate does', options, async () => {
  const { token } = await journey(server, { identity: as(anna) });
  const ask = async (...words) => server.admin('access', 'test', ...words, '--json').catch((error) => JSON.parse(error.stdout));
  const whos = ['keys', `key:${anna.id}`, `key:${ben.id}`, 'everyone', 'unverified', 'team:eng'];
  const targets = ['', ` --resource ${server.resource}`, ' --scope mcp', ` --resource ${server.resource} --scope mcp`];
  const asked = { yes: 0, no: 0 };
  for (let set = 0; set < 40; set += 1) {
    const pick = (items, by) => items[(set * by + Math.floor(set / items.length)) % items.length];
    const rules = [`${set % 3 ? 'allow' : 'deny'} ${pick(whos, 5)}${pick(targets, 3)}`, `${set % 4 ? 'allow' : 'deny'} ${pick(whos, 7)}${pick(targets, 1)}`];
    await apply(`default ${set % 5 ? 'everyone' : 'nobody'}\n${rules.join('\n')}\n`, '--force');
    const answer = await ask(`key:${anna.id}`, server.resource, '--scope', 'mcp');
    const { status } = await list(token);
    assert.equal(answer.yes, status === 200, `${rules.join(', ')}: ${status} ${JSON.stringify(answer)}`);
    assert.equal(answer.steps.every(({ yes }) => yes), answer.yes);
    for (const { yes, help } of answer.steps) assert.equal(help.length === 0, yes);
    asked[answer.yes ? 'yes' : 'no'] += 1;
  }
  assert.ok(asked.yes > 5 && asked.no > 5, JSON.stringify(asked));
  await apply(`allow key:${ben.id} --resource ${server.resource}\n`);
  const words = await server.admin('access', 'test', `key:${anna.id}`, server.resource).catch((error) => error.stdout);
  assert.match(words, /^Anna \(key:vk_[^]*\nsign in +yes +no rule is about it\nresource +no +no allow matches; rule \d+ allows key:vk_[^]*\nit would help to come with the key vk_[^]*\nno\n$/);
  await fails(1, /nobody here is 'anna@example.org'/, 'access', 'test', 'anna@example.org', server.resource);
  assert.equal((await ask('unverified', server.resource)).yes, false);
});
