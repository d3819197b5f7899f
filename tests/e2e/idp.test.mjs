// The operator's commands about identity providers, against a real oidc-provider; documents that it
// would not publish come from a host of the test's own.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { startIdentityProvider } from './support/identity_provider.mjs';
import { startMetadataHosts } from './support/metadata_host.mjs';
import { postForm } from './support/browser.mjs';
import { register, whoami } from './support/journey.mjs';
import { root, startServer } from './support/server.mjs';
import { letIn, Person } from './support/signin.mjs';

const options = { timeout: 120000 };
let server;
let provider;
let host;
let secretFile;
before(async () => {
  provider = await startIdentityProvider({ people: { anna: { name: 'Anna' } } });
  const made = await startMetadataHosts('localhost');
  [host] = made.hosts;
  server = await startServer({ env: { IDENTITIES: '', CONSENTGATE_SERVICE_CA: made.ca } });
  secretFile = writeSecret('secret.txt', provider.secret);
}, { timeout: 240000 });
after(async () => { await server?.stop(); await provider?.stop(); await host?.stop(); }, options);

function writeSecret(name, text) {
  const file = path.join(server.var, name);
  fs.writeFileSync(file, `${text}\n`, { mode: 0o600 });
  return file;
}

const built = (name) => path.resolve(root, process.env.BUILD || 'build/asan', name);
// A program that may fail. out: status, stdout, stderr
const typed = (env, file, ...args) => new Promise((done) => {
  execFile(file, args, { cwd: server.var, env: { ...server.environment(), ...env }, timeout: 60000 }, (error, stdout, stderr) => done({ status: error?.code ?? 0, stdout, stderr }));
});

const add = (id, ...more) => server.admin('idp', 'add', id, ...more, '--json');
const show = (id) => server.admin('idp', 'show', id, '--json');
const refused = (words, code, ...args) => assert.rejects(server.admin('idp', ...args), (error) => {
  assert.match(error.stderr, words);
  assert.equal(error.code, code, error.stderr);
  return true;
});
const ofClient = (client = 'x') => ['--client-id', client, '--client-secret-file', secretFile];

// A provider that is nothing but its documents. in: more  members of its metadata; undefined
// removes; jwk  its keys, a good one when absent
function published(at, more = {}, keys = [signingKey('good')]) {
  const issuer = host.url(at);
  const json = (target, value) => host.put(target, (request, response) => response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(value)));
  json(`${at}/.well-known/openid-configuration`, { issuer, authorization_endpoint: `${issuer}/authorize`, token_endpoint: `${issuer}/token`, jwks_uri: `${issuer}/jwks`,
    response_types_supported: ['code'], id_token_signing_alg_values_supported: ['RS256'], ...more });
  json(`${at}/jwks`, { keys });
  json(`${at}/authorize`, {}); // it says neither yes nor no
  return issuer;
}

function signingKey(kid, more = {}) {
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { ...publicKey.export({ format: 'jwk' }), kid, use: 'sig', alg: 'RS256', ...more };
}

test('SI1 SI2 SI6: a provider is added from its issuer alone, and the operator reads what to enter there', options, async () => {
  const client = provider.admit(server);
  const { stdout, stderr } = await typed({}, built('consentgate-admin'), 'idp', 'add', 'corp', '--issuer', provider.issuer, '--client-id', client, '--client-secret-file', secretFile, '--title', 'Sämple Corp', '--json');
  const added = JSON.parse(stdout);
  for (const words of [`${server.issuer}/oauth/signin/corp/callback`, `${server.issuer}/oauth/signin/corp/backchannel`, 'For groups it needs there', 'consentgate-admin access allow corp/group:NAME']) assert.ok(stderr.includes(words), stderr);
  assert.equal(added.callback, `${server.issuer}/oauth/signin/corp/callback`);
  assert.equal(added.backchannel, `${server.issuer}/oauth/signin/corp/backchannel`);
  const corp = await show('corp');
  assert.deepEqual(corp, added);
  assert.deepEqual([corp.title, corp.issuer, corp.kind, corp.active, corp.auth_method, corp.keys, corp.version],
    ['Sämple Corp', provider.issuer, 'generic', true, 'client_secret_basic', 1, 0]);
  assert.equal(corp.scope, 'openid email profile groups');
  assert.deepEqual([corp.groups_claim, corp.email, corp.logout, corp.recheck, corp.userinfo], ['groups', 'verified', 'sessions', 0, 'auto']);
  assert.ok(corp.keys_expire > Date.now() / 1000 + 200);
  const [row] = await server.admin('idp', 'list', '--json');
  assert.deepEqual([row.id, row.title, row.active], ['corp', 'Sämple Corp', true]);
  assert.match(await server.check(), /Only people who sign in at an identity provider can come in; 1 provider is active/);
});

test('SI1 SI2: an id of rules, an issuer that is taken and one that differs by a slash are refused', options, async () => {
  await refused(/'keys' has a meaning in rules/, 2, 'add', 'keys', '--issuer', provider.issuer, ...ofClient());
  await refused(/already/, 1, 'add', 'corp', '--issuer', published('/other'), ...ofClient());
  await refused(/is that of 'corp' already/, 1, 'add', 'second', '--issuer', provider.issuer, ...ofClient());
  const slashed = published('/slashed', { issuer: `${host.url('/slashed')}/` });
  await refused(new RegExp(`of the issuer ${slashed}/, not of ${slashed}`), 1, 'add', 'slashed', '--issuer', slashed, ...ofClient());
  await add('slashed', '--issuer', `${slashed}/`, ...ofClient());
  await server.admin('idp', 'remove', 'slashed', '--yes');
  await refused(/not https/, 2, 'add', 'plain', '--issuer', 'http://sso.example.org', ...ofClient());
  await refused(/needs --client-id/, 2, 'add', 'bare', '--issuer', provider.issuer);
  const moved = host.url('/moved');
  host.put('/moved/.well-known/openid-configuration', (request, response) => response.writeHead(302, { Location: `${host.url('/other')}/.well-known/openid-configuration` }).end());
  await refused(/a redirect, which is not followed/, 1, 'add', 'moved', '--issuer', moved, ...ofClient());
});

test('SI3 SI43: a document without what we need is refused, and keys of no use beside a good one are not', options, async () => {
  const encryption = signingKey('enc', { use: 'enc', alg: 'RSA-OAEP' });
  const tries = [['/silent', { code_challenge_methods_supported: undefined }, undefined, undefined], ['/plain', { code_challenge_methods_supported: ['plain'] }, undefined, /does not know the PKCE method S256/],
    ['/secret', { id_token_signing_alg_values_supported: ['HS256'] }, undefined, /signed with the client secret: choose a signing key there/], ['/keyless', { jwks_uri: undefined }, undefined, /names no jwks_uri/],
    ['/implicit', { response_types_supported: ['id_token'] }, undefined, /no authorization codes/], ['/enc', {}, [encryption], /none of its keys can be used/], ['/mixed', {}, [encryption, signingKey('good')], undefined]];
  for (const [at, more, keys, words] of tries) {
    const issuer = published(at, more, keys);
    if (words) { await refused(words, 1, 'add', 'tried', '--issuer', issuer, ...ofClient()); continue; }
    assert.equal((await add('tried', '--issuer', issuer, ...ofClient())).keys, 1, at);
    await server.admin('idp', 'remove', 'tried', '--yes');
  }
});

test('SI5: Google and Microsoft for many tenants are not open by accident', options, async () => {
  const google = ['add', 'google', '--preset', 'google', ...ofClient()];
  await refused(/needs --domain DOMAIN, or --any-account: everybody with a Google account could sign in/, 2, ...google);
  await refused(/name one of the two/, 2, ...google, '--domain', 'example.org', '--any-account');
  await refused(/needs --tenant GUID/, 2, 'add', 'entra', '--preset', 'entra', ...ofClient());
  await refused(/needs --allow-tenant GUID/, 2, 'add', 'entra', '--preset', 'entra', '--tenant', 'organizations', ...ofClient());
  await refused(/no GUID/, 2, 'add', 'entra', '--preset', 'entra', '--tenant', 'organizations', '--allow-tenant', 'example.org', ...ofClient());
  const at = published('/google');
  const added = await add('google', '--preset', 'google', '--issuer', at, '--domain', 'Example.ORG', ...ofClient());
  assert.deepEqual([added.kind, added.title, added.domains, added.keep, added.groups_claim], ['google', 'Google', ['example.org'], ['hd'], '']);
  await refused(/could sign in/, 2, 'set', 'google', '--domain', '');
  const open = await server.admin('idp', 'set', 'google', '--any-account', '--json');
  assert.deepEqual([open.any_account, open.domains], [true, []]);
  await server.admin('idp', 'remove', 'google', '--yes');
  const tenant = '72f988bf-86f1-41af-91ab-2d7cd011db47';
  const template = host.url('/{tenantid}/v2.0');
  published('/organizations/v2.0', { issuer: template });
  const entra = await add('entra', '--preset', 'entra', '--issuer', template, '--allow-tenant', tenant.toUpperCase(), ...ofClient());
  assert.deepEqual([entra.issuer, entra.allowed_tenants, entra.keep], [template, [tenant], ['tid']]);
  await server.admin('idp', 'remove', 'entra', '--yes');
  await refused(/--realm NAME/, 2, 'add', 'k', '--preset', 'keycloak', '--url', host.url(''), ...ofClient());
  const keycloak = published('/realms/staff');
  assert.equal((await add('k', '--preset', 'keycloak', '--url', host.url('/'), '--realm', 'staff', ...ofClient())).issuer, keycloak);
  await server.admin('idp', 'remove', 'k', '--yes');
});

test('SI7 SI14: options are kept, refused ones change nothing, and each change raises the version', options, async () => {
  const before = await show('corp');
  const refusals = [['--title', ''], ['--title', 'a'.repeat(61)], ['--email', 'sometimes'], ['--logout', 'all'], ['--recheck', '721'], ['--recheck', 'often'], ['--userinfo', 'no'], ['--groups-claim', '/a~'], ['--authorize-param', 'state=x'],
    ['--authorize-param', 'login_hint=x'], ['--secret-expires', 'soon'], ['--auth-method', 'none'], ['--scope', 'a"b'], ['--domain', 'example.org'], ['--keep', 'a\nb']];
  for (const refusal of refusals) await refused(new RegExp(refusal[0]), 2, 'set', 'corp', ...refusal);
  assert.deepEqual(await show('corp'), before);
  const changed = await server.admin('idp', 'set', 'corp', '--groups-claim', '/realm_access/roles', '--email', 'always', '--logout', 'person', '--recheck', '4', '--userinfo', 'never', '--keep', 'hd', '--keep', 'level',
    '--authorize-param', 'kc_idp_hint=x', '--secret-expires', '2031-01-02', '--scope', 'roles', '--json');
  assert.equal(changed.version, before.version + 1);
  assert.deepEqual([changed.groups_claim, changed.email, changed.logout, changed.recheck, changed.userinfo, changed.keep], ['/realm_access/roles', 'always', 'person', 4, 'never', ['hd', 'level']]);
  assert.equal((await server.admin('idp', 'set', 'corp', '--recheck', '0', '--json')).recheck, 0);
  assert.deepEqual([changed.authorize_parameters, changed.secret_expires, changed.scope], [['kc_idp_hint=x'], Date.UTC(2031, 0, 2) / 1000, 'openid email profile groups roles']);
  const back = await server.admin('idp', 'set', 'corp', '--groups-claim', 'https://example.org/groups', '--authorize-param', 'kc_idp_hint=', '--keep', '', '--secret-expires', 'never', '--scope', '', '--json');
  assert.deepEqual([back.groups_claim, back.authorize_parameters, back.keep, back.secret_expires, back.scope], ['https://example.org/groups', [], [], null, 'openid email profile groups']);
});

test('SI8: a test compares what is published and tries our client with a made-up code', options, async () => {
  const good = await server.admin('idp', 'test', 'corp', '--json');
  assert.deepEqual([good.differences, good.keys, good.skipped_keys, good.client], [[], 1, 0, 'good'], JSON.stringify(good));
  assert.ok(Math.abs(good.clock_ahead) <= 5);
  await server.admin('idp', 'set', 'corp', '--client-secret-file', writeSecret('wrong.txt', 'another'));
  await assert.rejects(server.admin('idp', 'test', 'corp', '--json'), ({ stdout, stderr, code }) => {
    assert.equal(JSON.parse(stdout).client, 'refused');
    assert.match(stderr, /does not take client id and secret \(status 401 invalid_client\)/);
    return code === 1;
  });
  await server.admin('idp', 'set', 'corp', '--client-secret-file', secretFile);
  assert.equal((await server.admin('idp', 'test', 'corp', '--json')).client, 'good');
  const issuer = published('/changing');
  await add('changing', '--issuer', issuer, ...ofClient());
  host.put('/changing/token', (request, response) => response.writeHead(500).end('<html>'));
  assert.equal((await server.admin('idp', 'test', 'changing', '--json')).client, 'unknown');
  published('/changing', { token_endpoint: host.url('/elsewhere/token') });
  await refused(/differs from what is stored/, 1, 'test', 'changing');
  await server.admin('idp', 'set', 'changing');
  assert.deepEqual((await server.admin('idp', 'test', 'changing', '--json')).differences, []);
  await server.admin('idp', 'remove', 'changing', '--yes');
});

test('SI4: the secret is nowhere to be read, and moves to another server key', options, async () => {
  const dump = await server.admin('export');
  const spelled = [provider.secret, encodeURIComponent(provider.secret), Buffer.from(provider.secret).toString('hex'), Buffer.from(provider.secret).toString('base64')];
  const files = server.files().filter((name) => ![secretFile].includes(name));
  for (const text of spelled) {
    assert.ok(!dump.includes(text));
    for (const file of files) assert.equal(fs.readFileSync(file).indexOf(Buffer.from(text)), -1, file);
  }
  assert.match(dump, /"idp"/);
  const { id } = await server.admin('server-key', 'add', '--json');
  const rotated = await server.admin('server-key', 'rotate', '--without-reload', '--json');
  assert.deepEqual([rotated.current, rotated.idps, rotated.unreadable], [id, 1, 0]);
  await server.letIn(''); // reloads, so that the workers have the new key too
  const keys = await server.admin('server-key', 'list', '--json');
  assert.deepEqual(keys.map((key) => key.idps), [0, 1]);
  assert.equal((await server.admin('idp', 'test', 'corp', '--json')).client, 'good');
});

test('SI4: a client proves itself by a private key in place of a secret, and a weak or a second proof is refused', options, async () => {
  const keyed = await startIdentityProvider({ people: { anna: { name: 'Anna' } } });
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const client = keyed.admit(server, 'keyed');
  Object.assign(keyed.clients[0], { client_secret: undefined, token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [publicKey.export({ format: 'jwk' })] } });
  keyed.make();
  const pem = (key) => key.export({ type: 'pkcs8', format: 'pem' });
  const keyFile = writeSecret('key.pem', pem(privateKey));
  const first = ['add', 'keyed', '--issuer', keyed.issuer, '--client-id', client];
  await refused(/name the --client-secret-file, or the --key-file/, 2, ...first, '--key-file', keyFile, '--client-secret-file', secretFile);
  await refused(/neither an RSA key of 2048 bits or more/, 2, ...first, '--key-file', writeSecret('weak.pem', pem(generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey)));
  await refused(/takes no client with a key/, 1, 'add', 'unkeyed', '--issuer', published('/unkeyed'), '--client-id', 'x', '--key-file', keyFile);
  assert.equal((await server.admin('idp', ...first, '--key-file', keyFile, '--json')).auth_method, 'private_key_jwt');
  assert.equal((await server.admin('idp', 'test', 'keyed', '--json')).client, 'good');
  await refused(/--auth-method is for a client with a secret/, 2, 'set', 'keyed', '--auth-method', 'client_secret_basic');
  const person = new Person(server, { keyed }, 'anna');
  const flow = await person.begin(await register(server));
  assert.equal((await person.signIn(flow, 'keyed')).status, 303);
  assert.ok(!(await server.admin('export')).includes(pem(privateKey).split('\n')[1]));
  const other = writeSecret('other.pem', pem(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey));
  await server.admin('idp', 'set', 'keyed', '--key-file', other);
  await assert.rejects(server.admin('idp', 'test', 'keyed'), ({ stderr }) => /does not take client id and secret \(status 401 invalid_client\)/.test(stderr));
  await server.admin('idp', 'remove', 'keyed', '--yes');
  await keyed.stop();
});

test('SI11: the web server and an identity provider do not both say who people are', options, async () => {
  const both = { CONSENTGATE_VERIFIED_USER: 'remote_user' };
  const socket = path.join(server.var, 'second.sock');
  for (const line of [[built('consentgate-admin'), 'check'], ['/usr/bin/spawn-fcgi', '-n', '-s', socket, '--', built('consentgate')]]) {
    const done = await typed(both, ...line);
    assert.match(done.stderr + done.stdout, /identity provider 'corp' says it too/, line.join(' '));
    assert.equal(done.status, 1, line.join(' '));
  }
  const second = await typed(both, built('consentgate-admin'), 'idp', 'add', 'second', '--issuer', published('/second'), ...ofClient());
  assert.match(second.stderr, /excludes that; set verified_user = off first/);
  await server.admin('idp', 'disable', 'corp');
  assert.match(await server.check(both), /Only people whom the web server signs in can come in/);
  await server.admin('idp', 'enable', 'corp');
});

test('SI13: the doctor says whether people can sign in', options, async () => {
  const examine = () => server.admin('doctor', '--json').catch(({ stdout }) => JSON.parse(stdout)).then((all) => all.filter(({ finding }) => /identity provider|signin/.test(finding)));
  const words = (found, verdict) => found.filter((one) => one.verdict === verdict).map(({ finding }) => finding).join('\n');
  const sound = await examine();
  assert.equal(words(sound, 'broken') + words(sound, 'note'), '', JSON.stringify(sound));
  for (const part of ['people come back to', 'logouts of the provider come to', 'is as it was added, with 1 keys', 'clock of the identity provider corp is ours', 'takes our client and secret']) assert.ok(words(sound, 'ok').includes(part), part);
  const day = (days) => new Date(Date.now() + days * 86400000).toISOString().slice(0, 10);
  await server.admin('idp', 'set', 'corp', '--client-secret-file', writeSecret('wrong.txt', 'another'), '--secret-expires', day(20));
  const spoilt = await examine();
  assert.match(words(spoilt, 'broken'), /does not take our client and secret: status 401 invalid_client/);
  assert.match(words(spoilt, 'note'), /the client secret at the identity provider corp ends in (19|20) days/);
  await server.admin('idp', 'set', 'corp', '--client-secret-file', secretFile, '--secret-expires', day(40));
  assert.match(words(await examine(), 'ok'), /ends in (39|40) days/);
  provider.away = true;
  assert.match(words(await examine(), 'broken'), /status 503/);
  provider.away = false;
});

test('SI10: a provider is disabled, enabled and removed, and its people with it', options, async () => {
  const { token } = await letIn(new Person(server, { corp: provider }, 'anna'), await register(server));
  const call = async () => (await postForm(server.base, '/mcp', {}, { Authorization: `Bearer ${token}` })).status;
  await whoami(server, token);
  await server.admin('idp', 'disable', 'corp');
  assert.equal((await show('corp')).active, false);
  assert.equal(await call(), 401);
  assert.match(await server.check(), /Nobody can come in/);
  await server.admin('idp', 'enable', 'corp');
  assert.equal((await show('corp')).active, true);
  await whoami(server, token);
  await refused(/say --yes/, 2, 'remove', 'corp');
  await server.admin('idp', 'remove', 'corp', '--yes');
  assert.equal(await call(), 401);
  for (const table of ['idp', 'person', 'browser_signin', 'signin_state']) assert.deepEqual(server.sql(`SELECT COUNT(*) AS rows FROM ${table}`), [{ rows: 0 }], table);
  assert.deepEqual(await server.admin('session', 'list', '--json'), []);
  await refused(/there is no identity provider 'corp'/, 1, 'show', 'corp');
  assert.deepEqual(await server.admin('idp', 'list', '--json'), []);
});
